/*
 * A program to be killed: threads that begin and end operations as fast as they can, and count in a file, mapped and shared,
 * what eddy_begin() and eddy_end() have returned from. So whoever kills it knows what must not be lost.
 *
 *     killed FILE THREADS [PACE_NS]
 *
 * The file has a line of 64 bytes for each thread: u64 begun, u64 ended, u64 samples.  Each thread has one operation open that
 * waits for I/O all along, once its first operation has ended. Of the others every 8th has states, an attribute and a child.
 */
#include "eddy.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { MAX_THREADS = 16, SAMPLE_EVERY = 16, DETAILS_EVERY = 8 };

struct line {
    _Alignas(64) _Atomic uint64_t begun;
    _Atomic uint64_t ended;
    _Atomic uint64_t samples;
};

static struct eddy_name work = EDDY_NAME("work");
static struct eddy_name child_work = EDDY_NAME("work.child");
static struct eddy_name waiting = EDDY_NAME("waiting");
static struct eddy_name size_key = EDDY_NAME("size");
static struct eddy_name tenant_key = EDDY_NAME("tenant");
static struct eddy_name progress = EDDY_METRIC("progress", "{operation}");
static long pace_ns;

/* After the call has returned; a kill in between leaves one that was recorded and is not counted. */
static void count(_Atomic uint64_t *counter)
{
    atomic_store_explicit(counter, atomic_load_explicit(counter, memory_order_relaxed) + 1,
                          memory_order_release);
}

static void do_work(struct line *line, uint64_t i)
{
    uint64_t operation = eddy_begin(&work);

    count(&line->begun);
    if (i % DETAILS_EVERY == 0) {
        uint64_t child = eddy_begin_child(&child_work, operation);

        count(&line->begun);
        eddy_state(operation, EDDY_WAITING_CHILD);
        eddy_end(child, EDDY_OK);
        count(&line->ended);
        eddy_state(operation, EDDY_RUNNING);
        eddy_set_u64(operation, &size_key, i);
        eddy_set_text(operation, &tenant_key, "blue");
    }
    eddy_end(operation, EDDY_OK);
    count(&line->ended);
    if (i % SAMPLE_EVERY == 0) {
        eddy_gauge(&progress, (int64_t)i);
        count(&line->samples);
    }
}

static void *run(void *argument)
{
    struct line *line = argument;

    do_work(line, 1);

    uint64_t operation = eddy_begin(&waiting);

    count(&line->begun);
    eddy_state(operation, EDDY_WAITING_IO);
    for (uint64_t i = 2;; i++) {
        const struct timespec pause = {0, pace_ns};

        do_work(line, i);
        if (pace_ns > 0) {
            (void)nanosleep(&pause, NULL);
        }
    }
    return NULL;
}

int main(int argc, char **argv)
{
    int fd = argc < 3 ? -1 : open(argv[1], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    long threads = argc < 3 ? 0 : strtol(argv[2], NULL, 10);

    if (fd < 0 || threads < 1 || threads > MAX_THREADS ||
        ftruncate(fd, (off_t)(MAX_THREADS * sizeof(struct line))) < 0) {
        return 2;
    }
    pace_ns = argc > 3 ? strtol(argv[3], NULL, 10) : 0;

    struct line *lines =
        mmap(NULL, MAX_THREADS * sizeof(struct line), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (lines == MAP_FAILED) {
        return 1;
    }
    for (long i = 1; i < threads; i++) {
        pthread_t thread;

        if (pthread_create(&thread, NULL, run, &lines[i]) != 0) {
            return 1;
        }
    }
    (void)run(&lines[0]);
    return 0;
}
