#include "censored_tally.h"

#include <stdbool.h>
#include <string.h>

void censored_tally_release(struct censored_tally *tally)
{
    distribution_release(&tally->timeout_ns);
    distribution_release(&tally->age_ns);
    *tally = (struct censored_tally){0};
}

/* Whether a stands before b. The order is total but for operations that differ in nothing that is kept. */
static bool goes_before(const struct open_operation *a, const struct open_operation *b)
{
    if (a->age_ns != b->age_ns) {
        return a->age_ns > b->age_ns;
    }
    if (a->process != b->process) {
        return a->process < b->process;
    }
    if (a->begin_realtime_ns != b->begin_realtime_ns) {
        return a->begin_realtime_ns < b->begin_realtime_ns;
    }
    return a->id != b->id ? a->id < b->id : a->state < b->state;
}

static void keep_if_old(struct censored_tally *tally, const struct open_operation *operation)
{
    size_t at = tally->oldest_count;

    while (at > 0 && goes_before(operation, &tally->oldest[at - 1])) {
        at--;
    }
    if (at == OLDEST_LISTED) {
        return;
    }
    tally->oldest_count = min_u64(tally->oldest_count + 1, OLDEST_LISTED);
    memmove(&tally->oldest[at + 1], &tally->oldest[at],
            (tally->oldest_count - at - 1) * sizeof(*tally->oldest));
    tally->oldest[at] = *operation;
}

int censored_tally_add_open(struct censored_tally *tally, const struct open_operation *operation)
{
    tally->by_state[operation->state]++;
    keep_if_old(tally, operation);
    return distribution_add(&tally->age_ns, &operation->age_ns, 1);
}

int censored_tally_add_timeouts(struct censored_tally *tally, const uint64_t *durations_ns,
                                size_t count)
{
    return distribution_add(&tally->timeout_ns, durations_ns, count);
}

int censored_tally_merge(struct censored_tally *tally, const struct censored_tally *source)
{
    int r = distribution_merge(&tally->timeout_ns, &source->timeout_ns);

    for (int state = 0; state < STATE_COUNT; state++) {
        tally->by_state[state] += source->by_state[state];
    }
    for (size_t i = 0; i < source->oldest_count; i++) {
        keep_if_old(tally, &source->oldest[i]);
    }
    return r < 0 ? r : distribution_merge(&tally->age_ns, &source->age_ns);
}

size_t censored_tally_memory_bytes(const struct censored_tally *tally)
{
    return distribution_memory_bytes(&tally->timeout_ns) +
           distribution_memory_bytes(&tally->age_ns);
}
