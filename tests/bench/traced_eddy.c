/*
 * Eddy, as a program that includes eddy.h and links libeddy calls it.
 */
#include "eddy.h"
#include "traced.h"

#include <string.h>

enum { FLUSH_TIMEOUT_MS = 10000, CONNECT_TRIES = 200, CONNECT_PAUSE_NS = 10000000 };

_Static_assert(sizeof(((struct eddy_stats *)0)->lost) == sizeof(((struct traced_counts *)0)->lost),
               "causes as in eddy.h");

static struct eddy_name operation_name = EDDY_NAME("bench.operation");
static struct eddy_name size_key = EDDY_NAME("size");
static struct eddy_name tenant_key = EDDY_NAME("tenant");
static struct eddy_name depth_metric = EDDY_METRIC("bench.depth", "{item}");

static __attribute__((noinline)) void run_pairs(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        eddy_end(eddy_begin(&operation_name), EDDY_OK);
    }
}

/* The functions that other languages call. */
static __attribute__((noinline)) void run_exported_pairs(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        eddy_exported_end(eddy_exported_begin(&operation_name), EDDY_OK);
    }
}

static __attribute__((noinline)) void run_states(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        uint64_t operation = eddy_begin(&operation_name);

        eddy_state(operation, EDDY_WAITING_IO);
        eddy_state(operation, EDDY_RUNNING);
        eddy_end(operation, EDDY_OK);
    }
}

static __attribute__((noinline)) void run_attributes(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        uint64_t operation = eddy_begin(&operation_name);

        eddy_set_u64(operation, &size_key, i);
        eddy_set_text(operation, &tenant_key, "blue");
        eddy_end(operation, EDDY_OK);
    }
}

static __attribute__((noinline)) void run_gauges(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        eddy_gauge(&depth_metric, (int64_t)i);
    }
}

static __attribute__((noinline)) void run_records(uint64_t count)
{
    uint64_t now_ns = eddy_now_ns();

    for (uint64_t i = 0; i < count; i++) {
        eddy_record(&operation_name, now_ns + i, 1000 + i, EDDY_OK);
    }
}

static __attribute__((noinline)) void run_four_stamps(uint64_t count)
{
    bench_two_stamps(2 * count);
}

const struct traced_kind traced_kinds[] = {
    {"pair", run_pairs, bench_two_stamps, 1},
    {"exported", run_exported_pairs, bench_two_stamps, 1},
    {"states", run_states, run_four_stamps, 2},
    {"attributes", run_attributes, bench_two_stamps, 3},
    {"gauge", run_gauges, bench_one_stamp, 1},
    {"record", run_records, bench_one_stamp, 1},
    {"disabled", run_pairs, bench_nothing, 0},
    {"disabled_exported", run_exported_pairs, bench_nothing, 0},
    {NULL, NULL, NULL, 0},
};

/* With a collector this waits until it has welcomed us: measured is the steady state. */
void traced_start(void)
{
    struct eddy_stats stats = {.size_bytes = sizeof(stats)};

    (void)eddy_start();
    for (int i = 0; i < CONNECT_TRIES; i++) {
        if (eddy_stats(&stats) < 0 || !stats.recording || stats.connected) {
            return;
        }
        bench_sleep_ns(CONNECT_PAUSE_NS);
    }
}

void traced_finish(void)
{
    (void)eddy_flush(FLUSH_TIMEOUT_MS);
}

struct traced_counts traced_counts(void)
{
    struct eddy_stats stats = {.size_bytes = sizeof(stats)};
    struct traced_counts counts = {0};

    if (eddy_stats(&stats) == 0) {
        counts.produced = stats.produced;
        counts.stored = stats.stored;
        memcpy(counts.lost, stats.lost, sizeof(counts.lost));
    }
    return counts;
}
