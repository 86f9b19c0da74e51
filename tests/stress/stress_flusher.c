/*
 * Threads that record, end and are replaced, so that rings change hands, with rings too small for what they record; and a
 * collector that stalls, hangs up and forgets to acknowledge. In the end nothing may be missing from the books, neither
 * those of eddy_stats() nor those that the collector got. Run under ThreadSanitizer.
 */
#include "eddy.h"

#include "fake_collector.h"
#include "session.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum {
    WORKERS = 6,
    GENERATIONS = 150,
    ROUNDS = 200,
    BURST = 20,
    SHARED = 64,
    LONGEST_FLUSH_MS = 20
};

static struct eddy_name operation_name = EDDY_NAME("stress.operation");
static struct eddy_name child_name = EDDY_NAME("stress.child");
static struct eddy_name mark_name = EDDY_NAME("stress.mark");
static struct eddy_name key = EDDY_NAME("key");
static struct eddy_queue queue = EDDY_QUEUE("stress.queue", 8);

static _Atomic uint64_t shared[SHARED];
static _Atomic uint64_t begun;
static _Atomic uint64_t marked;
static struct fake_collector fake;

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
    return *state >> 33;
}

static void do_a_round(uint64_t *random)
{
    uint64_t draw = next_random(random);
    uint64_t operation =
        draw % 2 == 0 ? eddy_begin(&operation_name) : eddy_begin_queued(&operation_name, &queue);

    begun++;
    if (draw % 8 == 0) {
        eddy_end(eddy_begin_child(&child_name, operation), EDDY_OK);
        begun++;
    }
    if (draw % 8 == 1) {
        eddy_state(operation, EDDY_RUNNING); /* until somebody ends it */
    }
    if (draw % 16 == 0) {
        eddy_state(operation, EDDY_WAITING_IO);
        eddy_set_text(operation, &key, "a text of some length");
        eddy_mark(&mark_name);
        marked++;
    }
    /* Another thread ends it; we end what another one left there. */
    eddy_end(atomic_exchange(&shared[next_random(random) % SHARED], operation), EDDY_OK);
}

static void *live_shortly(void *argument)
{
    uint64_t random = (uintptr_t)argument;

    for (int i = 0; i < ROUNDS; i++) {
        if (i % BURST == 0) {
            (void)nanosleep(&(struct timespec){0, NS_PER_MS}, NULL);
        }
        do_a_round(&random);
    }
    return NULL;
}

/* One worker after the other, and now and then somebody who waits. */
static void *replace_workers(void *argument)
{
    uint64_t random = (uintptr_t)argument + 1;

    for (uintptr_t i = 0; i < GENERATIONS; i++) {
        pthread_t thread;

        if (pthread_create(&thread, NULL, live_shortly, (void *)(uintptr_t)next_random(&random)) !=
            0) {
            return argument;
        }
        if (next_random(&random) % 2 == 0) {
            int r = eddy_flush((uint32_t)(next_random(&random) % LONGEST_FLUSH_MS));

            (void)r; /* The collector may be anywhere. */
        }
        (void)pthread_join(thread, NULL);
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

static int check_books(const struct eddy_stats *stats)
{
    const struct record_counts *rows = &fake.rows;
    const struct record_counts *produced = &fake.totals.produced;
    struct record_counts lost = totals_lost(&fake.totals);
    uint64_t stats_lost = 0;
    int failures = 0;

    for (int i = 0; i < 8; i++) {
        stats_lost += stats->lost[i];
    }
    failures += check("stored and lost", stats->stored + stats_lost, stats->produced);
    failures += check("pending", stats->pending, 0);
    failures += check("open", stats->open, 0);
    failures += check("goodbye", fake.said_goodbye, 1);
    failures += check("operations produced", produced->operations, begun);
    failures += check("marks produced", produced->marks, marked);
    failures += check("operations", rows->operations + lost.operations, produced->operations);
    failures += check("samples", rows->samples + lost.samples, produced->samples);
    failures += check("marks", rows->marks + lost.marks, produced->marks);
    failures += check("long runs at all", produced->long_runs > 0, 1);
    failures += check("long runs", rows->long_runs + lost.long_runs, produced->long_runs);
    failures += check("stored", stats->stored, record_counts_sum(rows));
    failures += check("lost", stats_lost, record_counts_sum(&lost));
    return failures;
}

int main(void)
{
    pthread_t threads[WORKERS];
    struct eddy_stats stats = {.size_bytes = sizeof(stats)};
    int failures = 0;

    if (!fake_collector_start(&fake, 7)) {
        (void)fprintf(stderr, "cannot listen at %s\n", fake.path);
        return 1;
    }
    session_settings.socket_path_count = 1;
    (void)snprintf(session_settings.socket_paths[0], SETTINGS_PATH_BYTES, "%s", fake.path);
    session_settings.long_run_ns = NS_PER_US;
    session_settings.sizes = (struct recorder_sizes){
        .memory_bytes = 10 * MIB, .ring_bytes = 16 * KIB, .slot_count = 1024};
    for (uintptr_t i = 0; i < WORKERS; i++) {
        if (pthread_create(&threads[i], NULL, replace_workers, (void *)(100 * i)) != 0) {
            return 1;
        }
    }
    for (int i = 0; i < WORKERS; i++) {
        void *failed = NULL;

        (void)pthread_join(threads[i], &failed);
        failures += failed != NULL;
    }
    for (int i = 0; i < SHARED; i++) {
        eddy_end(atomic_load(&shared[i]), EDDY_OK);
    }
    fake.is_kind = true;
    failures += check("eddy_shutdown", (uint64_t)eddy_shutdown(60000), 0);
    failures += check("eddy_stats", (uint64_t)eddy_stats(&stats), 0);
    fake_collector_stop(&fake);
    if (fake.problem != NULL) {
        (void)fprintf(stderr, "collector: %s\n", fake.problem);
        failures++;
    }
    failures += check_books(&stats);
    (void)printf(
        "%lu operations begun, %lu stored, %u frames, %u connections; lost: %lu ring full, "
        "%lu no slot, %lu no ring, %lu outbox full\n",
        begun, fake.rows.operations, fake.frames, fake.connections, stats.lost[EDDY_LOST_RING_FULL],
        stats.lost[EDDY_LOST_NO_SLOT], stats.lost[EDDY_LOST_NO_RING],
        stats.lost[EDDY_LOST_OUTBOX_FULL]);
    return failures != 0;
}
