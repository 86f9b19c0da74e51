#include "import_scan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

void import_facts_release(struct import_facts *facts)
{
    for (size_t i = 0; i < facts->metric_capacity; i++) {
        free(facts->metrics[i].unit);
    }
    free(facts->metrics);
    csv_dictionary_release(&facts->operation_names);
    csv_dictionary_release(&facts->threads);
    csv_dictionary_release(&facts->metric_names);
    *facts = (struct import_facts){0};
}

void import_hash_operation(struct content_hash *hash, const struct csv_operation *operation)
{
    content_hash_add_text(hash, operation->name);
    content_hash_add_text(hash, operation->thread);
    content_hash_add_u64(hash, operation->begin_ns);
    content_hash_add_u64(hash, operation->duration_ns);
    content_hash_add_u64(hash, (uint64_t)operation->status << 1 | operation->is_unfinished);
}

void import_hash_sample(struct content_hash *hash, const struct csv_sample *sample)
{
    uint64_t bits;

    memcpy(&bits, &sample->real, sizeof(bits));
    content_hash_add_text(hash, sample->name);
    content_hash_add_text(hash, sample->unit);
    content_hash_add_u64(hash, sample->time_ns);
    content_hash_add_u64(hash, sample->is_integer ? (uint64_t)sample->integer : bits);
}

static void add_time(struct import_facts *facts, uint64_t first_ns, uint64_t last_ns)
{
    facts->first_ns = min_u64(facts->first_ns, first_ns);
    facts->last_ns = max_u64(facts->last_ns, last_ns);
}

static int intern_operation(struct import_facts *facts, const struct csv_operation *operation)
{
    uint32_t number;
    int r = csv_dictionary_intern(&facts->operation_names, operation->name, &number);

    return r < 0 ? r : csv_dictionary_intern(&facts->threads, operation->thread, &number);
}

int import_scan_operations(struct csv_table *table, int fd, struct import_facts *facts)
{
    struct csv_operation operation;
    int r = csv_operations_init(table, fd);

    if (r < 0) {
        return r;
    }
    while ((r = csv_operations_next(table, &operation)) == 1) {
        r = intern_operation(facts, &operation);
        if (r < 0) {
            return r;
        }
        import_hash_operation(&facts->hash, &operation);
        add_time(facts, operation.begin_ns, operation.begin_ns + operation.duration_ns);
        facts->operations += !operation.is_unfinished;
        facts->unfinished += operation.is_unfinished;
    }
    return r;
}

/* Room for the facts of one more metric than are known. */
static int reserve_metric(struct import_facts *facts)
{
    if (facts->metric_names.count < facts->metric_capacity) {
        return 0;
    }

    size_t capacity = max_u64(16, facts->metric_capacity * 2);
    struct metric_facts *metrics = realloc(facts->metrics, capacity * sizeof(*metrics));

    if (metrics == NULL) {
        return -ENOMEM;
    }
    memset(metrics + facts->metric_capacity, 0,
           (capacity - facts->metric_capacity) * sizeof(*metrics));
    facts->metrics = metrics;
    facts->metric_capacity = capacity;
    return 0;
}

static int scan_sample(struct csv_table *table, struct import_facts *facts,
                       const struct csv_sample *sample)
{
    uint32_t number = 0;
    int r = reserve_metric(facts);

    r = r < 0 ? r : csv_dictionary_intern(&facts->metric_names, sample->name, &number);
    if (r < 0) {
        return r;
    }

    struct metric_facts *metric = &facts->metrics[number];

    if (metric->unit == NULL) {
        metric->unit = strdup(sample->unit);
        metric->is_integer = true;
    }
    if (metric->unit == NULL) {
        return -ENOMEM;
    }
    if (strcmp(metric->unit, sample->unit) != 0) {
        return csv_samples_refuse_unit(table);
    }
    metric->is_integer &= sample->is_integer;
    add_time(facts, sample->time_ns, sample->time_ns);
    facts->samples++;
    return 0;
}

int import_scan_samples(struct csv_table *table, int fd, struct import_facts *facts)
{
    struct csv_sample sample;
    int r = csv_samples_init(table, fd);

    if (r < 0) {
        return r;
    }
    while ((r = csv_samples_next(table, &sample)) == 1) {
        import_hash_sample(&facts->hash, &sample);
        r = scan_sample(table, facts, &sample);
        if (r < 0) {
            return r;
        }
    }
    return r;
}

int import_open(const char *path)
{
    struct stat status;
    /* Not blocking: a FIFO must be refused, not waited for. */
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0 || fstat(fd, &status) < 0) {
        return -errno;
    }
    if (!S_ISREG(status.st_mode)) {
        return S_ISDIR(status.st_mode) ? -EISDIR : -EBADMSG;
    }
    return take_fd(&fd);
}

static void explain(struct import_problem *problem, const char *path, const struct csv_table *table,
                    int r)
{
    problem->path = path;
    if (r == -EBADMSG && table->problem[0] != '\0') {
        memcpy(problem->text, table->problem, sizeof(problem->text));
    } else if (r == -EBADMSG) {
        (void)snprintf(problem->text, sizeof(problem->text),
                       "not a regular file; it is read twice");
    } else if (r == -E2BIG) {
        (void)snprintf(problem->text, sizeof(problem->text),
                       "line %llu: more than %d different names or threads in one process",
                       (unsigned long long)table->row.line, DICTIONARY_MAX_ENTRIES);
    } else {
        (void)snprintf(problem->text, sizeof(problem->text), "%s", strerror(-r));
    }
}

typedef int scan_function(struct csv_table *table, int fd, struct import_facts *facts);

static int scan_file(const char *path, scan_function *scan, struct import_facts *facts,
                     struct import_problem *ret_problem)
{
    AUTO_FREE struct csv_table *table = calloc(1, sizeof(*table));

    if (table == NULL) {
        *ret_problem = (struct import_problem){.path = path, .text = "out of memory"};
        return -ENOMEM;
    }

    AUTO_CLOSE int fd = import_open(path);
    int r = fd < 0 ? fd : scan(table, fd, facts);

    if (r < 0) {
        explain(ret_problem, path, table, r);
    }
    return r;
}

int import_scan(const struct import_source *source, struct import_facts *ret_facts,
                struct import_problem *ret_problem)
{
    int r = 0;

    *ret_facts = (struct import_facts){.hash = content_hash_start(), .first_ns = UINT64_MAX};
    content_hash_add_text(&ret_facts->hash, source->process);
    if (source->operations_path != NULL) {
        r = scan_file(source->operations_path, import_scan_operations, ret_facts, ret_problem);
    }
    if (r == 0 && source->samples_path != NULL) {
        r = scan_file(source->samples_path, import_scan_samples, ret_facts, ret_problem);
    }
    return r;
}
