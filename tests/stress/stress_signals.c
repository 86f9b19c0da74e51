/*
 * Signal handlers that record while the threads that they interrupt record, too: begin, end, hand over, sample. Whatever
 * a handler was refused is counted, so that the books balance to the last record. Run under ThreadSanitizer.
 */
#include "eddy.h"

#include "recorder.h"
#include "session.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>

enum { WORKERS = 3, ROUNDS = 100000, WANTED_SIGNALS = 5000, SHARED = 16, PERIOD_US = 100 };

static struct eddy_name operation_name = EDDY_NAME("stress.operation");
static struct eddy_name handler_name = EDDY_NAME("stress.handler");
static struct eddy_name key = EDDY_NAME("key");
static struct eddy_name mark_name = EDDY_NAME("stress.mark");
static struct eddy_queue queue = EDDY_QUEUE("stress.queue", 8);

static _Atomic uint64_t shared[SHARED];
static _Atomic uint64_t operations;
static _Atomic uint64_t instants;
static _Atomic uint64_t signals;

static void record_in_handler(int number)
{
    uint64_t place = atomic_fetch_add(&signals, 1) % SHARED;
    uint64_t operation = eddy_begin_queued(&handler_name, &queue);

    (void)number;
    eddy_set_u64(operation, &key, place);
    eddy_state(operation, EDDY_RUNNING);
    eddy_mark(&mark_name);
    atomic_fetch_add(&operations, 1);
    atomic_fetch_add(&instants, 1);
    /* Its own, or that of the thread that it interrupted, or of another one. */
    eddy_end(atomic_exchange(&shared[place], operation), EDDY_OK);
}

static void *run(void *argument)
{
    uint64_t random = (uintptr_t)argument;

    for (int i = 0; i < ROUNDS || signals < WANTED_SIGNALS; i++) {
        random = random * 6364136223846793005ULL + 1442695040888963407ULL;

        uint64_t operation = eddy_begin(&operation_name);

        atomic_fetch_add(&operations, 1);
        if (random >> 61 == 0) {
            eddy_set_text(operation, &key, "text");
            eddy_state(operation, EDDY_WAITING_LOCK);
        }
        eddy_end(random >> 63 ? operation
                              : atomic_exchange(&shared[(random >> 40) % SHARED], operation),
                 EDDY_OK);
    }
    return NULL;
}

static int check(const char *what, uint64_t found, uint64_t wanted)
{
    if (found != wanted) {
        (void)fprintf(stderr, "%s: %lu, wanted %lu\n", what, found, wanted);
        return 1;
    }
    return 0;
}

/* What the rings say: the library's own samples are not in them. */
static uint64_t sum_rings(void)
{
    const struct recorder *recorder = session->recorder;
    uint64_t sum =
        atomic_load(&recorder->lost_without_ring[0]) + atomic_load(&recorder->lost_without_ring[2]);

    for (uint32_t i = 0; i < recorder_ring_count(recorder); i++) {
        const struct ring *ring = recorder_ring(recorder, i);

        sum += atomic_load(&ring->finished) + atomic_load(&ring->sampled);
        for (int cause = 0; cause < LOSS_CLIENT_CAUSE_COUNT; cause++) {
            sum +=
                atomic_load(&ring->lost_operations[cause]) + atomic_load(&ring->lost_marks[cause]);
        }
    }
    return sum;
}

static void set_timer(suseconds_t period_us)
{
    const struct itimerval timer = {{0, period_us}, {0, period_us}};

    (void)setitimer(ITIMER_REAL, &timer, NULL);
}

int main(void)
{
    const struct sigaction action = {.sa_handler = record_in_handler, .sa_flags = SA_RESTART};
    pthread_t threads[WORKERS];
    sigset_t alarm;
    struct eddy_stats stats = {.size_bytes = sizeof(stats)};
    int failures = 0;

    session_settings.sample_period_ns = 0;
    session_settings.long_run_ns = 0; /* or else it is not known how many records there are */
    (void)sigaction(SIGALRM, &action, NULL);
    /* Before the start, so that it is interrupted, too. */
    set_timer(PERIOD_US);
    failures += check("eddy_start", (uint64_t)eddy_start(), 0);
    for (uintptr_t i = 0; i < WORKERS; i++) {
        if (pthread_create(&threads[i], NULL, run, (void *)(i + 1)) != 0) {
            return 1;
        }
    }
    /* From now on the others are interrupted, not we. */
    (void)sigemptyset(&alarm);
    (void)sigaddset(&alarm, SIGALRM);
    (void)pthread_sigmask(SIG_BLOCK, &alarm, NULL);
    for (int i = 0; i < WORKERS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    set_timer(0);
    for (int i = 0; i < SHARED; i++) {
        eddy_end(atomic_load(&shared[i]), EDDY_OK);
    }
    /* The last call of this thread: what its handlers were refused is finished now. */
    eddy_mark(&mark_name);
    atomic_fetch_add(&instants, 1);
    /* The others' are finished by the flusher, in their place. */
    failures += check("eddy_shutdown", (uint64_t)eddy_shutdown(10000), 0);
    failures += check("eddy_stats", (uint64_t)eddy_stats(&stats), 0);
    failures += check("open", stats.open, 0);
    failures += check("counted", sum_rings(), operations + instants);
    (void)printf("%lu signals, %lu operations, %lu refused\n", signals, operations,
                 stats.lost[EDDY_LOST_REENTRY] + stats.lost[EDDY_LOST_NO_RING]);
    return failures != 0;
}
