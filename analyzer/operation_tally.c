#include "operation_tally.h"

#include <errno.h>

int operation_tally_new(struct operation_tally **ret_tally, size_t slowest_limit)
{
    struct operation_tally *tally = calloc(1, sizeof(*tally));

    if (tally == NULL) {
        return -ENOMEM;
    }
    tally->slowest.limit = slowest_limit;
    *ret_tally = tally;
    return 0;
}

void operation_tally_free(struct operation_tally *tally)
{
    if (tally == NULL) {
        return;
    }
    for (int state = 0; state < STATE_COUNT; state++) {
        if (tally->state_ns[state] != NULL) {
            distribution_release(tally->state_ns[state]);
            free(tally->state_ns[state]);
        }
    }
    if (tally->censored != NULL) {
        censored_tally_release(tally->censored);
        free(tally->censored);
    }
    if (tally->family != NULL) {
        family_tally_release(tally->family);
        free(tally->family);
    }
    distribution_release(&tally->duration_ns);
    budget_tally_release(&tally->budget);
    slowest_release(&tally->slowest);
    attribute_tally_release(&tally->attributes);
    free(tally);
}

static int need_state(struct operation_tally *tally, int state)
{
    if (tally->state_ns[state] == NULL) {
        tally->state_ns[state] = calloc(1, sizeof(*tally->state_ns[state]));
    }
    return tally->state_ns[state] == NULL ? -ENOMEM : 0;
}

int operation_tally_add_state(struct operation_tally *tally, enum operation_state state,
                              const uint64_t *times_ns, size_t count)
{
    int r = need_state(tally, (int)state);

    return r < 0 ? r : distribution_add(tally->state_ns[state], times_ns, count);
}

static int merge_states(struct operation_tally *tally, const struct operation_tally *source)
{
    int r = 0;

    for (int state = 0; r == 0 && state < STATE_COUNT; state++) {
        if (source->state_ns[state] != NULL) {
            r = need_state(tally, state);
            r = r < 0 ? r : distribution_merge(tally->state_ns[state], source->state_ns[state]);
        }
    }
    return r;
}

int operation_tally_censored(struct operation_tally *tally, struct censored_tally **ret_censored)
{
    if (tally->censored == NULL) {
        tally->censored = calloc(1, sizeof(*tally->censored));
    }
    *ret_censored = tally->censored;
    return tally->censored == NULL ? -ENOMEM : 0;
}

static int merge_censored(struct operation_tally *tally, const struct operation_tally *source)
{
    struct censored_tally *censored = NULL;

    if (source->censored == NULL) {
        return 0;
    }

    int r = operation_tally_censored(tally, &censored);

    return r < 0 ? r : censored_tally_merge(censored, source->censored);
}

int operation_tally_family(struct operation_tally *tally, struct family_tally **ret_family)
{
    if (tally->family == NULL) {
        tally->family = calloc(1, sizeof(*tally->family));
    }
    *ret_family = tally->family;
    return tally->family == NULL ? -ENOMEM : 0;
}

static int merge_family(struct operation_tally *tally, const struct operation_tally *source)
{
    struct family_tally *family = NULL;

    if (source->family == NULL) {
        return 0;
    }

    int r = operation_tally_family(tally, &family);

    return r < 0 ? r : family_tally_merge(family, source->family);
}

int operation_tally_merge(struct operation_tally *tally, const struct operation_tally *source)
{
    int r = distribution_merge(&tally->duration_ns, &source->duration_ns);

    r = r < 0 ? r : merge_states(tally, source);
    r = r < 0 ? r : budget_tally_merge(&tally->budget, &source->budget);
    r = r < 0 ? r : slowest_merge(&tally->slowest, &source->slowest);
    r = r < 0 ? r : merge_censored(tally, source);
    r = r < 0 ? r : merge_family(tally, source);
    r = r < 0 ? r : attribute_tally_merge(&tally->attributes, &source->attributes);
    for (int status = 0; status < STATUS_COUNT; status++) {
        tally->by_status[status] += source->by_status[status];
    }
    return r;
}

size_t operation_tally_memory_bytes(const struct operation_tally *tally)
{
    size_t bytes = sizeof(*tally) + distribution_memory_bytes(&tally->duration_ns) +
                   tally->slowest.capacity * sizeof(*tally->slowest.heap) +
                   budget_tally_memory_bytes(&tally->budget) +
                   attribute_tally_memory_bytes(&tally->attributes);

    if (tally->censored != NULL) {
        bytes += sizeof(*tally->censored) + censored_tally_memory_bytes(tally->censored);
    }
    if (tally->family != NULL) {
        bytes += sizeof(*tally->family) + family_tally_memory_bytes(tally->family);
    }
    for (int state = 0; state < STATE_COUNT; state++) {
        bytes += tally->state_ns[state] == NULL
                     ? 0
                     : sizeof(*tally->state_ns[state]) +
                           distribution_memory_bytes(tally->state_ns[state]);
    }
    return bytes;
}
