/*
 * A session that is started, asked for its numbers, flushed and ended while threads record into it. Run under
 * ThreadSanitizer.
 */
#include "eddy.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

enum { WORKERS = 3, ASKERS = 2, WANTED = 200000 };

static struct eddy_name operation_name = EDDY_NAME("stress.operation");
static _Atomic uint64_t recorded;
static _Atomic uint64_t wrong;
static _Atomic bool is_over;

static void *record(void *argument)
{
    (void)argument;
    while (!is_over) {
        uint64_t operation = eddy_begin(&operation_name);

        eddy_end(operation, EDDY_OK);
        recorded += operation != 0;
    }
    return NULL;
}

static void *ask(void *argument)
{
    (void)argument;
    while (!is_over) {
        struct eddy_stats stats = {.size_bytes = sizeof(stats)};
        uint64_t settled = 0;

        wrong += eddy_stats(&stats) != 0;
        for (int i = 0; i < 8; i++) {
            settled += stats.lost[i];
        }
        settled += stats.stored + stats.pending;
        wrong += settled < stats.produced;
        wrong += eddy_flush(1) == 0; /* There is no collector. */
    }
    return NULL;
}

int main(void)
{
    pthread_t threads[WORKERS + ASKERS];

    for (int i = 0; i < WORKERS + ASKERS; i++) {
        if (pthread_create(&threads[i], NULL, i < WORKERS ? record : ask, NULL) != 0) {
            return 1;
        }
    }
    while (recorded < WANTED) {
        wrong += eddy_start() != 0;
    }
    wrong += eddy_shutdown(10000) != 0;
    wrong += eddy_begin(&operation_name) != 0;
    wrong += eddy_start() == 0;
    is_over = true;
    for (int i = 0; i < WORKERS + ASKERS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    (void)printf("%lu operations, %lu answers were wrong\n", recorded, wrong);
    return wrong != 0;
}
