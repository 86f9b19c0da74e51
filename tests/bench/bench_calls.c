/*
 * What calls cost the thread that makes them, and how many records survive a given rate. Prints one line of JSON.
 *
 *     bench_calls cost KIND THREADS REPETITIONS COUNT
 *
 *         CPU ns per turn of KIND's loop (traced.h), and of the limit that it is compared to, in turns of a few dozen
 *         microseconds, so that a slow spell of the machine meets both. Between the turns the tracer gets the time to drain
 *         its buffers: what is measured is the call that keeps its record.
 *
 *     bench_calls pace RATE SECONDS THREADS resting|busy
 *
 *         RATE operations a second on each thread. Resting: made in bursts of half a millisecond, with sleep in between;
 *         busy: the threads spin instead, and the tracer must take its time from them. What a thread missed while it was not
 *         on a processor is not made up for beyond MOST_AT_ONCE.
 *
 * Both print "ready" when set up and wait for a line on stdin.
 */
#include "traced.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MAX_THREADS = 16,
    CHUNK = 2048,
    WARM_UP = 64 * 1024, /* four rounds in a ring of the default size: every page was touched */
    MOST_AT_ONCE = 4096,
    BURST_NS = 500000,
    DRAIN_PAUSE_NS = 2000000, /* with CHUNK: a million pairs a second at most */
    EXIT_USAGE = 2,
};

static pthread_barrier_t all_ready;

/* --- cost --- */

struct cost {
    const struct traced_kind *kind;
    int processor;
    size_t repetitions;
    uint64_t count;
    double clock_ns;
    double call_ns[BENCH_MAX_REPETITIONS];
    double limit_ns[BENCH_MAX_REPETITIONS];
};

static uint64_t cpu_of(bench_loop *loop, uint64_t count)
{
    uint64_t before = bench_thread_cpu_ns();

    loop(count);
    return bench_thread_cpu_ns() - before;
}

static void repeat_once(struct cost *cost, size_t repetition)
{
    uint64_t limit = 0;
    uint64_t call = 0;
    uint64_t done = 0;

    for (; done < cost->count; done += CHUNK) {
        limit += cpu_of(cost->kind->limit, CHUNK);
        call += cpu_of(cost->kind->loop, CHUNK);
        bench_sleep_ns(cost->kind->weight * DRAIN_PAUSE_NS);
        /* A sleep leaves the clock frequency and the caches behind; neither of the two is to pay for that. */
        bench_two_stamps(CHUNK);
    }
    cost->limit_ns[repetition] = (double)limit / (double)done - cost->clock_ns / CHUNK;
    cost->call_ns[repetition] = (double)call / (double)done - cost->clock_ns / CHUNK;
}

static void *run_cost(void *argument)
{
    struct cost *cost = argument;

    bench_pin(cost->processor);
    cost->clock_ns = bench_clock_cost_ns();
    for (uint64_t done = 0; done < WARM_UP; done += CHUNK) {
        cost->kind->loop(CHUNK);
        bench_sleep_ns(cost->kind->weight * DRAIN_PAUSE_NS);
    }
    (void)pthread_barrier_wait(&all_ready);
    (void)pthread_barrier_wait(&all_ready);
    for (size_t i = 0; i < cost->repetitions; i++) {
        repeat_once(cost, i);
    }
    return NULL;
}

static const struct traced_kind *find_kind(const char *name)
{
    const struct traced_kind *kind = traced_kinds;

    while (kind->name != NULL && strcmp(kind->name, name) != 0) {
        kind++;
    }
    return kind->name == NULL ? NULL : kind;
}

static void print_counts(struct traced_counts before)
{
    struct traced_counts after = traced_counts();

    uint64_t lost = 0;

    if (after.produced == UINT64_MAX) {
        return;
    }
    (void)printf(",\"recorded\":%" PRIu64 ",\"stored\":%" PRIu64 ",\"lost_by_cause\":[",
                 after.produced - before.produced, after.stored - before.stored);
    for (size_t i = 0; i < TRACED_CAUSES; i++) {
        uint64_t count = after.lost[i] - before.lost[i];

        lost += count;
        (void)printf("%s%" PRIu64, i == 0 ? "" : ",", count);
    }
    (void)printf("],\"lost\":%" PRIu64, lost);
}

static void print_costs(const struct cost *costs, size_t threads)
{
    (void)printf("\"threads\":[");
    for (size_t i = 0; i < threads; i++) {
        (void)printf("%s{", i == 0 ? "" : ",");
        bench_print_list("limit_ns", costs[i].limit_ns, costs[i].repetitions);
        (void)printf(",");
        bench_print_list("call_ns", costs[i].call_ns, costs[i].repetitions);
        (void)printf("}");
    }
    (void)printf("]");
}

static int measure_cost(char **arguments)
{
    static struct cost costs[MAX_THREADS];
    const struct traced_kind *kind = find_kind(arguments[0]);
    size_t threads = bench_number(arguments[1], 1, MAX_THREADS);
    pthread_t running[MAX_THREADS];

    if (kind == NULL) {
        (void)fprintf(stderr, "bench_calls: no kind '%s'\n", arguments[0]);
        return EXIT_USAGE;
    }
    /* One thread has a processor for itself: the tracer's threads inherit the other one. */
    bench_pin(threads == 1 ? 1 : -1);
    traced_start();
    (void)pthread_barrier_init(&all_ready, NULL, (unsigned)threads + 1);
    for (size_t i = 0; i < threads; i++) {
        costs[i] =
            (struct cost){.kind = kind,
                          .processor = (int)i,
                          .repetitions = bench_number(arguments[2], 1, BENCH_MAX_REPETITIONS),
                          .count = bench_number(arguments[3], CHUNK, UINT32_MAX)};
        if (pthread_create(&running[i], NULL, run_cost, &costs[i]) != 0) {
            return EXIT_FAILURE;
        }
    }
    (void)pthread_barrier_wait(&all_ready);
    bench_wait_for_start();

    struct traced_counts before = traced_counts();

    (void)pthread_barrier_wait(&all_ready);
    for (size_t i = 0; i < threads; i++) {
        (void)pthread_join(running[i], NULL);
    }
    (void)printf("{");
    print_costs(costs, threads);
    print_counts(before);
    (void)printf("}\n");
    return EXIT_SUCCESS;
}

/* --- pace --- */

struct pacer {
    bench_loop *loop;
    uint64_t rate;
    uint64_t duration_ns;
    bool is_busy;
    uint64_t made;
    uint64_t missed; /* not made, since the thread was not running when they were due */
    uint64_t cpu_ns;
};

static void make_due(struct pacer *pacer, uint64_t due)
{
    if (due > MOST_AT_ONCE) {
        pacer->missed += due - MOST_AT_ONCE;
        due = MOST_AT_ONCE;
    }
    pacer->loop(due);
    pacer->made += due;
}

static void *run_pacer(void *argument)
{
    struct pacer *pacer = argument;

    (void)pthread_barrier_wait(&all_ready);

    uint64_t cpu_before = bench_thread_cpu_ns();
    uint64_t start_ns = bench_now_ns();
    uint64_t passed_ns = 0;

    while (passed_ns < pacer->duration_ns) {
        uint64_t wanted = (uint64_t)((double)passed_ns * (double)pacer->rate / 1e9);

        make_due(pacer, wanted - pacer->made - pacer->missed);
        if (!pacer->is_busy) {
            bench_sleep_ns(BURST_NS);
        }
        passed_ns = bench_now_ns() - start_ns;
    }
    pacer->cpu_ns = bench_thread_cpu_ns() - cpu_before;
    return NULL;
}

static void print_pace(const struct pacer *pacers, size_t threads, double seconds,
                       uint64_t background_ns)
{
    uint64_t made = 0;
    uint64_t missed = 0;
    uint64_t cpu_ns = 0;

    for (size_t i = 0; i < threads; i++) {
        made += pacers[i].made;
        missed += pacers[i].missed;
        cpu_ns += pacers[i].cpu_ns;
    }
    (void)printf("\"made\":%" PRIu64 ",\"missed\":%" PRIu64
                 ",\"seconds\":%.3f,\"callers_cpu_ns\":%" PRIu64 ",\"background_cpu_ns\":%" PRIu64,
                 made, missed, seconds, cpu_ns, background_ns);
}

static int measure_pace(char **arguments)
{
    static struct pacer pacers[MAX_THREADS];
    size_t threads = bench_number(arguments[2], 1, MAX_THREADS);
    pthread_t running[MAX_THREADS];

    traced_start();
    (void)pthread_barrier_init(&all_ready, NULL, (unsigned)threads + 1);
    for (size_t i = 0; i < threads; i++) {
        pacers[i] = (struct pacer){
            .loop = traced_kinds[0].loop,
            .rate = bench_number(arguments[0], 1, 1000000000),
            .duration_ns = bench_number(arguments[1], 1, 3600) * 1000000000,
            .is_busy = strcmp(arguments[3], "busy") == 0,
        };
        if (pthread_create(&running[i], NULL, run_pacer, &pacers[i]) != 0) {
            return EXIT_FAILURE;
        }
    }
    bench_wait_for_start();

    struct traced_counts before = traced_counts();
    uint64_t all_before_ns = bench_process_cpu_ns();
    uint64_t own_before_ns = bench_thread_cpu_ns();
    uint64_t start_ns = bench_now_ns();

    (void)pthread_barrier_wait(&all_ready);
    for (size_t i = 0; i < threads; i++) {
        (void)pthread_join(running[i], NULL);
    }

    double seconds = (double)(bench_now_ns() - start_ns) / 1e9;

    traced_finish();

    uint64_t background_ns = bench_process_cpu_ns() - all_before_ns;

    background_ns -= bench_thread_cpu_ns() - own_before_ns;
    for (size_t i = 0; i < threads; i++) {
        background_ns -= pacers[i].cpu_ns;
    }
    (void)printf("{");
    print_pace(pacers, threads, seconds, background_ns);
    print_counts(before);
    (void)printf("}\n");
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    if (argc == 6 && strcmp(argv[1], "cost") == 0) {
        return measure_cost(argv + 2);
    }
    if (argc == 6 && strcmp(argv[1], "pace") == 0) {
        return measure_pace(argv + 2);
    }
    (void)fputs("usage: bench_calls cost KIND THREADS REPETITIONS COUNT\n"
                "       bench_calls pace RATE SECONDS THREADS resting|busy\n",
                stderr);
    return EXIT_USAGE;
}
