/*
 * Operations that hold a thread, in every way that a stretch of running can end, and some that only wait as long. Prints one
 * line for each stretch: the operation's name, the thread that left the state, and between which times (monotonic ns) it
 * began and ended.
 *
 *     long_runs HOLD_MS
 */
#include "eddy.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static struct eddy_name ends = EDDY_NAME("run.ends");
static struct eddy_name waits = EDDY_NAME("run.waits");
static struct eddy_name queues = EDDY_NAME("run.queues");
static struct eddy_name moves = EDDY_NAME("run.moves");
static struct eddy_name sleeps = EDDY_NAME("only.sleeps");
static struct eddy_name says_nothing = EDDY_NAME("says.nothing");
static struct eddy_queue inbox = EDDY_QUEUE("inbox", 8);
static uint64_t hold_ns;

struct stretch {
    const char *name;
    uint64_t before_ns; /* just before the state was entered, and after */
    uint64_t after_ns;
    uint64_t end_before_ns; /* likewise, left */
};

static struct stretch enter(uint64_t operation, const char *name)
{
    struct stretch stretch = {.name = name, .before_ns = eddy_now_ns()};

    eddy_state(operation, EDDY_RUNNING);
    stretch.after_ns = eddy_now_ns();
    return stretch;
}

static void hold(struct stretch *stretch)
{
    do {
        stretch->end_before_ns = eddy_now_ns();
    } while (stretch->end_before_ns < stretch->after_ns + hold_ns);
}

/* To be called just after the state was left. */
static void tell(const struct stretch *stretch)
{
    (void)printf("%s %ld %lu %lu %lu %lu\n", stretch->name, syscall(SYS_gettid), stretch->before_ns,
                 stretch->after_ns, stretch->end_before_ns, eddy_now_ns());
}

static void run_and_wait(void)
{
    uint64_t operation = eddy_begin(&waits);

    for (int i = 0; i < 2; i++) {
        struct stretch stretch = enter(operation, "run.waits");

        hold(&stretch);
        eddy_state(operation, EDDY_WAITING_LOCK);
        tell(&stretch);
    }
    eddy_end(operation, EDDY_OK);
}

static void run_and_end(void)
{
    uint64_t operation = eddy_begin_queued(&ends, &inbox);
    struct stretch stretch = enter(operation, "run.ends");

    hold(&stretch);
    eddy_end(operation, EDDY_OK);
    tell(&stretch);
}

static void run_and_queue(void)
{
    uint64_t operation = eddy_begin(&queues);
    struct stretch stretch = enter(operation, "run.queues");

    hold(&stretch);
    eddy_enqueue(operation, &inbox);
    tell(&stretch);
    eddy_end(operation, EDDY_CANCELLED);
}

static void wait_only(void)
{
    struct timespec pause = {(time_t)(hold_ns / 1000000000), (long)(hold_ns % 1000000000)};
    uint64_t operation = eddy_begin(&sleeps);
    uint64_t silent = eddy_begin(&says_nothing);

    eddy_state(operation, EDDY_WAITING_IO);
    (void)nanosleep(&pause, NULL);
    eddy_end(operation, EDDY_OK);
    eddy_end(silent, EDDY_OK);
}

struct moved {
    uint64_t operation;
    struct stretch stretch;
};

static void *end_moved(void *argument)
{
    struct moved *moved = argument;

    hold(&moved->stretch);
    eddy_end(moved->operation, EDDY_OK);
    tell(&moved->stretch);
    return NULL;
}

static int run_and_move(void)
{
    struct moved moved = {.operation = eddy_begin(&moves)};
    pthread_t thread;

    moved.stretch = enter(moved.operation, "run.moves");
    return pthread_create(&thread, NULL, end_moved, &moved) != 0 || pthread_join(thread, NULL) != 0;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        (void)fprintf(stderr, "usage: long_runs HOLD_MS\n");
        return 2;
    }
    hold_ns = strtoull(argv[1], NULL, 10) * 1000000;
    run_and_wait();
    run_and_end();
    run_and_queue();
    wait_only();
    if (run_and_move() != 0) {
        return 1;
    }
    return eddy_flush(20000) == 0 ? 0 : 1;
}
