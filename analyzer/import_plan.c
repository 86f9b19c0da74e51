#include "import_plan.h"

#include "utf8.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

void import_plan_release(struct import_plan *plan)
{
    free(plan->sources);
    *plan = (struct import_plan){0};
}

static const char *skip_prefix(const char *text)
{
    static const char *const prefixes[] = {"ops_", "operations_", "gauges_", "samples_"};

    for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
        size_t length = strlen(prefixes[i]);

        if (strncmp(text, prefixes[i], length) == 0) {
            return text + length;
        }
    }
    return text;
}

void import_process_name(char ret_name[static IMPORT_PROCESS_BYTES], const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *base = slash == NULL ? path : slash + 1;
    const char *name = skip_prefix(base);
    size_t length = strlen(name);

    if (length >= 4 && strcasecmp(name + length - 4, ".csv") == 0) {
        length -= 4;
    }
    if (length == 0) {
        name = "imported";
        length = strlen(name);
    }
    (void)utf8_copy(ret_name, IMPORT_PROCESS_BYTES, name, length, NULL);
}

/* A new source at the end of the plan. */
static int begin_process(struct import_plan *plan, struct import_source **ret_source)
{
    if (plan->count == IMPORT_MAX_SOURCES) {
        return -E2BIG;
    }

    struct import_source *sources = realloc(plan->sources, (plan->count + 1) * sizeof(*sources));

    if (sources == NULL) {
        return -ENOMEM;
    }
    plan->sources = sources;
    sources[plan->count] = (struct import_source){0};
    *ret_source = &sources[plan->count++];
    return 0;
}

int import_plan_process(struct import_plan *plan, const char *name)
{
    struct import_source *source;
    size_t length = strlen(name);

    if (length == 0 || length >= IMPORT_PROCESS_BYTES || !utf8_is_valid(name, length)) {
        return -EINVAL;
    }

    int r = begin_process(plan, &source);

    if (r == 0) {
        memcpy(source->process, name, length + 1);
    }
    return r;
}

/* The source that a file belongs to: the last one if its place for such a file is free, else a new one. */
static int source_for(struct import_plan *plan, const char *path, bool is_last_free,
                      struct import_source **ret_source)
{
    if (plan->count > 0 && is_last_free) {
        *ret_source = &plan->sources[plan->count - 1];
        return 0;
    }

    int r = begin_process(plan, ret_source);

    if (r == 0) {
        import_process_name((*ret_source)->process, path);
    }
    return r;
}

int import_plan_operations(struct import_plan *plan, const char *path)
{
    struct import_source *last = plan->count > 0 ? &plan->sources[plan->count - 1] : NULL;
    struct import_source *source;
    /* A process that has samples only is complete: operations come first, so these begin the next one. */
    bool is_free = last != NULL && last->operations_path == NULL && last->samples_path == NULL;
    int r = source_for(plan, path, is_free, &source);

    if (r == 0) {
        source->operations_path = path;
    }
    return r;
}

int import_plan_samples(struct import_plan *plan, const char *path)
{
    struct import_source *last = plan->count > 0 ? &plan->sources[plan->count - 1] : NULL;
    struct import_source *source;
    int r = source_for(plan, path, last != NULL && last->samples_path == NULL, &source);

    if (r == 0) {
        source->samples_path = path;
    }
    return r;
}

const struct import_source *import_plan_find_empty(const struct import_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (plan->sources[i].operations_path == NULL && plan->sources[i].samples_path == NULL) {
            return &plan->sources[i];
        }
    }
    return NULL;
}
