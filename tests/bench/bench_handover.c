/*
 * What an operation costs that one thread begins and another ends. Prints one line of JSON.
 *
 *     bench_handover together|apart REPETITIONS COUNT
 *
 * Together: both run at the same time, on two processors. Apart: one begins a chunk of operations, then the other ends it.
 * The handles go through a queue of the bench's own, which costs too; so every chunk goes through it twice, as handles and
 * as plain numbers, and the difference is Eddy's. CPU time of waiting is taken out. Between chunks the library's thread gets
 * the time to drain the ring.
 */
#include "bench_clock.h"
#include "eddy.h"

#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    QUEUE_SIZE = 4096,
    QUEUE_FULL = 1024, /* waits until it is half of that */
    QUEUE_LOW =
        256, /* an empty queue is filled up to there, so that the threads do not move in step */
    CHUNK = 2048,
    WARM_UP_CHUNKS = 32,
    PAUSE_NS = 2000000,
    THROWS = 200,
    EXIT_USAGE = 2,
};

/* Single producer, single consumer; each side's fields on a line of their own. */
static struct {
    _Alignas(64) _Atomic uint64_t head;
    uint64_t tail_seen;
    _Alignas(64) _Atomic uint64_t tail;
    uint64_t head_seen;
    _Alignas(64) uint64_t items[QUEUE_SIZE];
} queue;

/* One line that goes to and fro. */
static struct {
    _Alignas(64) _Atomic uint64_t throws;
} ball;

static struct eddy_name operation_name = EDDY_NAME("bench.operation");
static pthread_barrier_t in_step;
static double clock_ns;
static bool are_together;

struct side {
    size_t repetitions;
    uint64_t count;
    bool is_beginner;
    double item_ns[2][BENCH_MAX_REPETITIONS]; /* of plain numbers, of handles */
    double limit_ns[BENCH_MAX_REPETITIONS];
    double round_trip_ns[BENCH_MAX_REPETITIONS]; /* of a cache line between the two processors */
};

static uint64_t filled(void)
{
    return atomic_load(&queue.head) - atomic_load(&queue.tail);
}

static inline void push(uint64_t item)
{
    uint64_t head = atomic_load_explicit(&queue.head, memory_order_relaxed);

    queue.items[head % QUEUE_SIZE] = item;
    atomic_store_explicit(&queue.head, head + 1, memory_order_release);
}

static inline bool pop(uint64_t *ret_item)
{
    uint64_t tail = atomic_load_explicit(&queue.tail, memory_order_relaxed);

    if (tail == queue.head_seen) {
        queue.head_seen = atomic_load_explicit(&queue.head, memory_order_acquire);
        if (tail == queue.head_seen) {
            return false;
        }
    }
    *ret_item = queue.items[tail % QUEUE_SIZE];
    atomic_store_explicit(&queue.tail, tail + 1, memory_order_release);
    return true;
}

/* Returns the CPU ns spent without waiting. */
static double begin_chunk(bool with_handles)
{
    uint64_t waited = 0;
    uint64_t waits = 0;
    uint64_t start = bench_thread_cpu_ns();

    for (uint64_t i = 0; i < CHUNK; i++) {
        if (are_together && i % QUEUE_LOW == 0 && filled() > QUEUE_FULL) {
            uint64_t before = bench_thread_cpu_ns();

            while (filled() > QUEUE_FULL / 2) {
                (void)sched_yield();
            }
            waited += bench_thread_cpu_ns() - before;
            waits++;
        }
        push(with_handles ? eddy_begin(&operation_name) : i + 1);
    }
    return (double)(bench_thread_cpu_ns() - start - waited) - (double)(waits + 1) * clock_ns;
}

static double end_chunk(bool with_handles)
{
    uint64_t waited = 0;
    uint64_t waits = 0;
    uint64_t item = 0;
    uint64_t start = bench_thread_cpu_ns();

    for (uint64_t i = 0; i < CHUNK; i++) {
        while (!pop(&item)) {
            uint64_t before = bench_thread_cpu_ns();

            while (filled() < QUEUE_LOW && CHUNK - i > QUEUE_LOW) {
                (void)sched_yield();
            }
            waited += bench_thread_cpu_ns() - before;
            waits++;
        }
        if (with_handles) {
            eddy_end(item, EDDY_OK);
        } else {
            __asm__ volatile("" : "+r"(item));
        }
    }
    return (double)(bench_thread_cpu_ns() - start - waited) - (double)(waits + 1) * clock_ns;
}

static double run_chunk(const struct side *side, bool with_handles)
{
    double spent_ns = 0;

    (void)pthread_barrier_wait(&in_step);
    if (side->is_beginner) {
        spent_ns = begin_chunk(with_handles);
    }
    if (!are_together) {
        (void)pthread_barrier_wait(&in_step);
    }
    if (!side->is_beginner) {
        spent_ns = end_chunk(with_handles);
    }
    return spent_ns;
}

/* Each throws when the other has. Nothing is measured finer than how far apart the processors are at this time. */
static double throw_ball(bool is_beginner)
{
    (void)pthread_barrier_wait(&in_step);

    uint64_t before = atomic_load(&ball.throws);
    uint64_t start_ns = 0;

    (void)pthread_barrier_wait(&in_step);
    start_ns = bench_now_ns();
    for (uint64_t i = is_beginner ? 0 : 1; i < 2UL * THROWS; i += 2) {
        while (atomic_load_explicit(&ball.throws, memory_order_acquire) != before + i) {
        }
        atomic_store_explicit(&ball.throws, before + i + 1, memory_order_release);
    }
    return (double)(bench_now_ns() - start_ns) / THROWS;
}

static void repeat_once(struct side *side, size_t repetition)
{
    double spent[2] = {0};
    uint64_t limit = 0;
    uint64_t done = 0;

    for (; done < side->count; done += CHUNK) {
        for (int with_handles = 0; with_handles < 2; with_handles++) {
            spent[with_handles] += run_chunk(side, with_handles == 1);
        }

        uint64_t before = bench_thread_cpu_ns();

        bench_two_stamps(CHUNK);
        limit += bench_thread_cpu_ns() - before;
        bench_sleep_ns(PAUSE_NS);
    }
    side->round_trip_ns[repetition] = throw_ball(side->is_beginner);
    side->item_ns[0][repetition] = spent[0] / (double)done;
    side->item_ns[1][repetition] = spent[1] / (double)done;
    side->limit_ns[repetition] = (double)limit / (double)done - clock_ns / CHUNK;
}

static void *run_side(void *argument)
{
    struct side *side = argument;

    bench_pin(side->is_beginner ? 0 : 1);
    for (int i = 0; i < WARM_UP_CHUNKS; i++) {
        (void)run_chunk(side, true);
        bench_sleep_ns(PAUSE_NS);
    }
    for (size_t i = 0; i < side->repetitions; i++) {
        repeat_once(side, i);
    }
    return NULL;
}

static uint64_t count_lost(void)
{
    struct eddy_stats stats = {.size_bytes = sizeof(stats)};
    uint64_t lost = 0;

    (void)eddy_stats(&stats);
    for (size_t i = 0; i < sizeof(stats.lost) / sizeof(stats.lost[0]); i++) {
        lost += stats.lost[i];
    }
    return lost;
}

static void print_sides(const struct side *sides)
{
    size_t repetitions = sides[0].repetitions;
    double begin_ns[BENCH_MAX_REPETITIONS];
    double end_ns[BENCH_MAX_REPETITIONS];
    double limit_ns[BENCH_MAX_REPETITIONS];

    for (size_t i = 0; i < repetitions; i++) {
        begin_ns[i] = sides[0].item_ns[1][i] - sides[0].item_ns[0][i];
        end_ns[i] = sides[1].item_ns[1][i] - sides[1].item_ns[0][i];
        limit_ns[i] = (sides[0].limit_ns[i] + sides[1].limit_ns[i]) / 2;
    }
    (void)printf("{");
    bench_print_list("begin_ns", begin_ns, repetitions);
    (void)printf(",");
    bench_print_list("end_ns", end_ns, repetitions);
    (void)printf(",");
    bench_print_list("limit_ns", limit_ns, repetitions);
    (void)printf(",");
    bench_print_list("queue_push_ns", sides[0].item_ns[0], repetitions);
    (void)printf(",");
    bench_print_list("queue_pop_ns", sides[1].item_ns[0], repetitions);
    (void)printf(",");
    bench_print_list("round_trip_ns", sides[0].round_trip_ns, repetitions);
    (void)printf(",\"lost\":%" PRIu64 "}\n", count_lost());
}

int main(int argc, char **argv)
{
    static struct side sides[2];
    pthread_t threads[2];

    if (argc != 4) {
        (void)fputs("usage: bench_handover together|apart REPETITIONS COUNT\n", stderr);
        return EXIT_USAGE;
    }
    clock_ns = bench_clock_cost_ns();
    are_together = strcmp(argv[1], "apart") != 0;
    bench_pin(-1);
    (void)eddy_start();
    (void)pthread_barrier_init(&in_step, NULL, 2);
    for (size_t i = 0; i < 2; i++) {
        sides[i].repetitions = bench_number(argv[2], 1, BENCH_MAX_REPETITIONS);
        sides[i].count = bench_number(argv[3], CHUNK, UINT32_MAX);
        sides[i].is_beginner = i == 0;
        if (pthread_create(&threads[i], NULL, run_side, &sides[i]) != 0) {
            return EXIT_FAILURE;
        }
    }
    for (size_t i = 0; i < 2; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    print_sides(sides);
    return EXIT_SUCCESS;
}
