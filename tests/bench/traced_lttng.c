/*
 * LTTng-UST, with its default settings: two events per operation.
 */
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "lttng_bench_provider.h"

#include "traced.h"

/* Operations of one thread are numbered; Eddy numbers its own. */
static __thread uint64_t last_operation;

static __attribute__((noinline)) void run_pairs(uint64_t count)
{
    uint64_t operation = last_operation;

    for (uint64_t i = 0; i < count; i++) {
        operation++;
        lttng_ust_tracepoint(bench, operation_begin, operation, 1);
        lttng_ust_tracepoint(bench, operation_end, operation, 0);
    }
    last_operation = operation;
}

const struct traced_kind traced_kinds[] = {
    {"pair", run_pairs, bench_two_stamps, 1},
    {NULL, NULL, NULL, 0},
};

/* LTTng starts before main() does. */
void traced_start(void)
{
}

void traced_finish(void)
{
}

/* Only the session daemon knows. */
struct traced_counts traced_counts(void)
{
    return (struct traced_counts){.produced = UINT64_MAX};
}
