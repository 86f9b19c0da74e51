/*
 * How long single calls take, at a million operations a second on one thread that never rests. Prints one line of JSON: the
 * distribution of begin, of end, of both, and that of an interval in which nothing is called: what the machine takes away
 * anyway. Prints too what the thread cost the kernel: page faults and context switches, to the last one.
 *
 *     bench_latency CALLS
 *
 * Prints "ready" when set up and waits for a line on stdin. The measured part lies between two calls of prctl() that name
 * the thread "bench-from" and "bench-until", so that a tracer of system calls can tell what belongs to it.
 */
#include "bench_clock.h"
#include "eddy.h"

#include <inttypes.h>
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>

enum {
    EXACT_TICKS = 16384, /* above, 64 buckets per power of two */
    BUCKET_BITS = 6,
    BUCKETS = EXACT_TICKS + (64 << BUCKET_BITS),
    PERIOD_NS = 1000,
    WARM_UP = 200000,
    LONG_NS = 1000000,
    EXIT_USAGE = 2,
};

struct distribution {
    uint64_t buckets[BUCKETS];
    uint64_t count;
    uint64_t long_count; /* above LONG_NS */
    uint64_t max_ticks;
};

struct run {
    uint64_t calls;
    double ticks_per_ns;
    struct distribution begin;
    struct distribution end;
    struct distribution both;
    struct distribution nothing;
    struct rusage before;
    struct rusage after;
};

static struct eddy_name operation_name = EDDY_NAME("bench.operation");
static pthread_barrier_t all_ready;

static inline size_t bucket_of(uint64_t ticks)
{
    if (ticks < EXACT_TICKS) {
        return ticks;
    }

    int exponent = 63 - __builtin_clzll(ticks);

    return EXACT_TICKS + ((size_t)(exponent - 14) << BUCKET_BITS) +
           ((ticks >> (exponent - BUCKET_BITS)) & ((1U << BUCKET_BITS) - 1));
}

static double ticks_in_bucket(size_t bucket)
{
    if (bucket < EXACT_TICKS) {
        return (double)bucket;
    }

    size_t above = bucket - EXACT_TICKS;

    return ldexp(1.0 + (double)(above & ((1U << BUCKET_BITS) - 1)) / (1U << BUCKET_BITS),
                 14 + (int)(above >> BUCKET_BITS));
}

static inline void add(struct distribution *distribution, uint64_t ticks, uint64_t long_ticks)
{
    distribution->buckets[bucket_of(ticks)]++;
    distribution->count++;
    distribution->long_count += ticks > long_ticks;
    if (ticks > distribution->max_ticks) {
        distribution->max_ticks = ticks;
    }
}

static void merge(struct distribution *sum, const struct distribution *more)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        sum->buckets[i] += more->buckets[i];
    }
    sum->count += more->count;
    sum->long_count += more->long_count;
    if (more->max_ticks > sum->max_ticks) {
        sum->max_ticks = more->max_ticks;
    }
}

static double quantile_ticks(const struct distribution *distribution, double rank)
{
    uint64_t wanted = (uint64_t)ceil(rank * (double)distribution->count);
    uint64_t seen = 0;
    size_t bucket = 0;

    while (bucket < BUCKETS - 1 && (seen += distribution->buckets[bucket]) < wanted) {
        bucket++;
    }
    return ticks_in_bucket(bucket);
}

static double measure_ticks_per_ns(void)
{
    uint64_t start_ns = bench_now_ns();
    uint64_t start = bench_ticks();

    bench_sleep_ns(100000000);

    uint64_t ticks = bench_ticks() - start;

    return (double)ticks / (double)(bench_now_ns() - start_ns);
}

static void make_calls(struct run *run, uint64_t count)
{
    uint64_t period = (uint64_t)(PERIOD_NS * run->ticks_per_ns);
    uint64_t long_ticks = (uint64_t)(LONG_NS * run->ticks_per_ns);
    uint64_t due = bench_ticks();

    for (uint64_t i = 0; i < count; i++) {
        uint64_t start = bench_ticks();
        uint64_t operation = eddy_begin(&operation_name);
        uint64_t begun = bench_ticks();

        eddy_end(operation, EDDY_OK);

        uint64_t ended = bench_ticks();
        uint64_t empty = bench_ticks();

        add(&run->begin, begun - start, long_ticks);
        add(&run->end, ended - begun, long_ticks);
        add(&run->nothing, empty - ended, long_ticks);
        /* What was missed while another thread ran is not made up for. */
        due = ended > due + period ? ended : due + period;
        while (bench_ticks() < due) {
        }
    }
}

static void *run_calls(void *argument)
{
    struct run *run = argument;

    bench_pin(0);
    make_calls(run, WARM_UP);
    run->begin = run->end = run->nothing = (struct distribution){0};
    (void)pthread_barrier_wait(&all_ready);
    (void)pthread_barrier_wait(&all_ready);
    (void)prctl(PR_SET_NAME, "bench-from");
    (void)getrusage(RUSAGE_THREAD, &run->before);
    make_calls(run, run->calls);
    (void)getrusage(RUSAGE_THREAD, &run->after);
    (void)prctl(PR_SET_NAME, "bench-until");
    merge(&run->both, &run->begin);
    merge(&run->both, &run->end);
    return NULL;
}

static void print_distribution(const char *name, const struct distribution *distribution,
                               double ticks_per_ns)
{
    static const double ranks[] = {0.5, 0.99, 0.999, 0.9999};
    double values[sizeof(ranks) / sizeof(ranks[0])];

    for (size_t i = 0; i < sizeof(ranks) / sizeof(ranks[0]); i++) {
        values[i] = quantile_ticks(distribution, ranks[i]) / ticks_per_ns;
    }
    (void)printf("\"%s\":{", name);
    bench_print_list("p50_p99_p999_p9999_ns", values, sizeof(ranks) / sizeof(ranks[0]));
    (void)printf(",\"max_ns\":%.1f,\"over_1_ms\":%" PRIu64 "}",
                 (double)distribution->max_ticks / ticks_per_ns, distribution->long_count);
}

static void print_run(const struct run *run, const struct eddy_stats *before)
{
    struct eddy_stats after = {.size_bytes = sizeof(after)};
    uint64_t lost = 0;

    (void)eddy_stats(&after);
    for (size_t i = 0; i < sizeof(after.lost) / sizeof(after.lost[0]); i++) {
        lost += after.lost[i] - before->lost[i];
    }
    (void)printf("{\"calls\":%" PRIu64 ",", run->calls);
    print_distribution("both", &run->both, run->ticks_per_ns);
    (void)printf(",");
    print_distribution("begin", &run->begin, run->ticks_per_ns);
    (void)printf(",");
    print_distribution("end", &run->end, run->ticks_per_ns);
    (void)printf(",");
    print_distribution("nothing", &run->nothing, run->ticks_per_ns);
    (void)printf(
        ",\"page_faults\":%ld,\"voluntary_switches\":%ld,\"involuntary_switches\":%ld,"
        "\"lost_ring_full\":%" PRIu64 ",\"lost\":%" PRIu64 "}\n",
        run->after.ru_minflt + run->after.ru_majflt - run->before.ru_minflt - run->before.ru_majflt,
        run->after.ru_nvcsw - run->before.ru_nvcsw, run->after.ru_nivcsw - run->before.ru_nivcsw,
        after.lost[EDDY_LOST_RING_FULL] - before->lost[EDDY_LOST_RING_FULL], lost);
}

int main(int argc, char **argv)
{
    static struct run run;
    struct eddy_stats before = {.size_bytes = sizeof(before)};
    pthread_t thread;

    if (argc != 2) {
        (void)fputs("usage: bench_latency CALLS\n", stderr);
        return EXIT_USAGE;
    }
    run.calls = bench_number(argv[1], 1, UINT32_MAX);
    run.ticks_per_ns = measure_ticks_per_ns();
    bench_pin(1); /* for the library's thread, which inherits it */
    (void)eddy_start();
    (void)pthread_barrier_init(&all_ready, NULL, 2);
    if (pthread_create(&thread, NULL, run_calls, &run) != 0) {
        return EXIT_FAILURE;
    }
    (void)pthread_barrier_wait(&all_ready);
    bench_wait_for_start();
    (void)eddy_stats(&before);
    (void)pthread_barrier_wait(&all_ready);
    (void)pthread_join(thread, NULL);
    print_run(&run, &before);
    return EXIT_SUCCESS;
}
