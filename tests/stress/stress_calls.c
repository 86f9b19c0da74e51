/*
 * Every call of eddy.h from many threads at once, with handles that are ended twice, by the wrong thread, stale or made up,
 * against a real flusher without a collector. Run under ThreadSanitizer; the numbers are checked at the end.
 */
#include "eddy.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THREADS = 6, ROUNDS = 20000, SHARED = 64 };

static struct eddy_name operation_name = EDDY_NAME("stress.operation");
static struct eddy_name child_name = EDDY_NAME("stress.child");
static struct eddy_name key = EDDY_NAME("key");
static struct eddy_name gauge = EDDY_METRIC("stress.gauge", "1");
static struct eddy_queue queue = EDDY_QUEUE("stress.queue", 8);

static _Atomic uint64_t shared[SHARED];
static _Atomic uint64_t begun;

static void *run(void *argument)
{
    uint64_t random = (uintptr_t)argument * 2654435761U + 1;

    for (int i = 0; i < ROUNDS; i++) {
        random = random * 6364136223846793005ULL + 1442695040888963407ULL;

        uint64_t operation =
            random >> 63 ? eddy_begin_queued(&operation_name, &queue) : eddy_begin(&operation_name);

        atomic_fetch_add(&begun, operation != 0);
        eddy_state(operation, (uint32_t)(random >> 40) % 7);
        eddy_set_u64(operation, &key, random);
        if ((random >> 50) % 8 == 0) {
            uint64_t child = eddy_begin_child(&child_name, operation);

            atomic_fetch_add(&begun, child != 0);
            eddy_end(child, EDDY_OK);
            eddy_end(child, EDDY_OK); /* stale */
        }
        eddy_gauge(&gauge, i);
        /* Put it where another thread ends it, and end what was there. */
        eddy_end(atomic_exchange(&shared[(random >> 20) % SHARED], operation), EDDY_OK);
        eddy_end(random, EDDY_ERROR); /* made up */
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

int main(void)
{
    pthread_t threads[THREADS];
    struct eddy_stats stats = {.size_bytes = sizeof(stats)};
    int failures = 0;

    (void)setenv("EDDY_SOCKET", "/nonexistent/eddy.sock", 1);
    for (uintptr_t i = 0; i < THREADS; i++) {
        if (pthread_create(&threads[i], NULL, run, (void *)(i + 1)) != 0) {
            return 1;
        }
    }
    for (int i = 0; i < THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    for (int i = 0; i < SHARED; i++) {
        eddy_end(atomic_load(&shared[i]), EDDY_OK);
    }
    failures += check("eddy_stats", (uint64_t)eddy_stats(&stats), 0);
    failures += check("operations still open", stats.open, 0);
    failures += check("begun", atomic_load(&begun) > THREADS * ROUNDS / 2, 1);
    failures += check("stale ends were counted", stats.stale_ends > THREADS * ROUNDS / 2, 1);
    return failures != 0;
}
