/*
 * Produces a known number of operations on several threads, half of them ended by another thread than began them, and prints
 * what it did and what the library says of it, as one line of JSON. Prints its own work's result too, so that a test can
 * see that tracing changed nothing.
 *
 *     accounting THREADS OPERATIONS_PER_THREAD [PACE_NS] [EXTRAS]
 *
 * PACE_NS: least time between two begins of a thread (0: full speed). EXTRAS=1: states, queues, attributes, samples, marks
 * and children as well.
 */
#include "eddy.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_THREADS = 64, HANDOVER = 256 };

static struct eddy_name own_work = EDDY_NAME("own.work");
static struct eddy_name handed_over = EDDY_NAME("handed.over");
static struct eddy_name child_work = EDDY_NAME("child.work");
static struct eddy_name reached = EDDY_NAME("reached");
static struct eddy_name size_key = EDDY_NAME("size");
static struct eddy_name tenant_key = EDDY_NAME("tenant");
static struct eddy_name progress = EDDY_METRIC("progress", "{operation}");
static struct eddy_queue inbox = EDDY_QUEUE("inbox", HANDOVER);

/* From one thread to the next in the circle: single producer, single consumer. */
struct mailbox {
    _Alignas(64) _Atomic uint64_t head;
    _Alignas(64) _Atomic uint64_t tail;
    uint64_t slots[HANDOVER];
};

struct worker {
    pthread_t thread;
    unsigned int index;
    uint64_t begun;
    uint64_t ended;
    uint64_t instants;
    uint64_t checksum;
};

static struct mailbox mailboxes[MAX_THREADS];
static struct worker workers[MAX_THREADS];
static unsigned int thread_count;
static uint64_t operations_per_thread;
static uint64_t pace_ns;
static bool with_extras;
static _Atomic unsigned int still_producing;

static bool mailbox_put(struct mailbox *box, uint64_t value)
{
    uint64_t head = atomic_load_explicit(&box->head, memory_order_relaxed);

    if (head - atomic_load_explicit(&box->tail, memory_order_acquire) == HANDOVER) {
        return false;
    }
    box->slots[head % HANDOVER] = value;
    atomic_store_explicit(&box->head, head + 1, memory_order_release);
    return true;
}

static bool mailbox_take(struct mailbox *box, uint64_t *ret_value)
{
    uint64_t tail = atomic_load_explicit(&box->tail, memory_order_relaxed);

    if (tail == atomic_load_explicit(&box->head, memory_order_acquire)) {
        return false;
    }
    *ret_value = box->slots[tail % HANDOVER];
    atomic_store_explicit(&box->tail, tail + 1, memory_order_release);
    return true;
}

static void end_inbox(struct worker *worker)
{
    uint64_t operation = 0;

    while (mailbox_take(&mailboxes[worker->index], &operation)) {
        if (with_extras) {
            eddy_state(operation, EDDY_RUNNING);
            eddy_set_u64(operation, &size_key, worker->ended);
            eddy_set_text(operation, &tenant_key, worker->ended % 3 == 0 ? "blue" : "green");
        }
        eddy_end(operation, EDDY_OK);
        worker->ended++;
    }
}

static void hand_over(struct worker *worker, struct mailbox *next)
{
    uint64_t operation =
        with_extras ? eddy_begin_queued(&handed_over, &inbox) : eddy_begin(&handed_over);

    worker->begun++;
    while (!mailbox_put(next, operation)) {
        end_inbox(worker);
    }
}

static void work_alone(struct worker *worker, uint64_t i)
{
    uint64_t operation = eddy_begin(&own_work);

    worker->begun++;
    worker->checksum = (worker->checksum ^ i) * 1099511628211ULL;
    if (with_extras && i % 16 == 0) {
        uint64_t child = eddy_begin_child(&child_work, operation);

        eddy_state(operation, EDDY_WAITING_CHILD);
        worker->begun++;
        eddy_end(child, EDDY_TIMEOUT);
        worker->ended++;
        eddy_gauge(&progress, (int64_t)i);
        eddy_mark(&reached);
        worker->instants += 2;
    }
    eddy_end(operation, i % 64 == 0 ? EDDY_ERROR : EDDY_OK);
    worker->ended++;
}

static void wait_until(uint64_t due_ns)
{
    uint64_t now = eddy_now_ns();

    if (now < due_ns) {
        struct timespec rest = {(time_t)((due_ns - now) / 1000000000U),
                                (long)((due_ns - now) % 1000000000U)};

        (void)nanosleep(&rest, NULL);
    }
}

static void *run_worker(void *argument)
{
    struct worker *worker = argument;
    struct mailbox *next = &mailboxes[(worker->index + 1) % thread_count];
    uint64_t start = eddy_now_ns();

    for (uint64_t i = 0; i < operations_per_thread; i++) {
        if (pace_ns != 0) {
            wait_until(start + i * pace_ns);
        }
        if (i % 2 == 0) {
            work_alone(worker, i);
        } else {
            hand_over(worker, next);
        }
        end_inbox(worker);
    }
    (void)atomic_fetch_sub(&still_producing, 1);
    while (atomic_load(&still_producing) != 0) {
        end_inbox(worker);
        (void)nanosleep(&(struct timespec){0, 100000}, NULL);
    }
    end_inbox(worker);
    return NULL;
}

static void print_result(const struct eddy_stats *stats)
{
    uint64_t begun = 0;
    uint64_t ended = 0;
    uint64_t instants = 0;
    uint64_t checksum = 0;
    uint64_t lost = 0;

    for (unsigned int i = 0; i < thread_count; i++) {
        begun += workers[i].begun;
        ended += workers[i].ended;
        instants += workers[i].instants;
        checksum ^= workers[i].checksum;
    }
    for (size_t i = 0; i < sizeof(stats->lost) / sizeof(stats->lost[0]); i++) {
        lost += stats->lost[i];
    }
    printf(
        "{\"begun\": %lu, \"ended\": %lu, \"instants\": %lu, \"checksum\": %lu, \"produced\": %lu, "
        "\"stored\": %lu, \"pending\": %lu, \"lost\": %lu, \"ring_full\": %lu, \"no_slot\": %lu, "
        "\"open\": %lu, \"stale_ends\": %lu, \"connected\": %lu}\n",
        begun, ended, instants, checksum, stats->produced, stats->stored, stats->pending, lost,
        stats->lost[EDDY_LOST_RING_FULL], stats->lost[EDDY_LOST_NO_SLOT], stats->open,
        stats->stale_ends, stats->connected);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        (void)fprintf(stderr,
                      "usage: accounting THREADS OPERATIONS_PER_THREAD [PACE_NS] [EXTRAS]\n");
        return 2;
    }
    thread_count = (unsigned int)strtoul(argv[1], NULL, 10);
    operations_per_thread = strtoull(argv[2], NULL, 10);
    pace_ns = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;
    with_extras = argc > 4 && strcmp(argv[4], "1") == 0;
    if (thread_count == 0 || thread_count > MAX_THREADS) {
        return 2;
    }
    atomic_store(&still_producing, thread_count);
    for (unsigned int i = 0; i < thread_count; i++) {
        workers[i].index = i;
        if (pthread_create(&workers[i].thread, NULL, run_worker, &workers[i]) != 0) {
            return 1;
        }
    }
    for (unsigned int i = 0; i < thread_count; i++) {
        (void)pthread_join(workers[i].thread, NULL);
    }

    struct eddy_stats stats = {.size_bytes = sizeof(stats)};

    /* With a collector everything is stored in the end; without one this returns when the time is over. */
    int r = eddy_shutdown(20000);

    (void)r;
    if (eddy_stats(&stats) != 0) {
        return 1;
    }
    print_result(&stats);
    return 0;
}
