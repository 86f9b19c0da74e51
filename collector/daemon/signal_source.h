/*
 * Signals as events of the loop (signalfd): each is handled like any other event, never in a handler.
 */
#pragma once

#include "event_loop.h"

#include <signal.h>

struct signal_source {
    struct event_watcher watcher; /* first */
    int fd;                       /* owned */
    void (*handle)(void *context, int signal, bool is_from_kernel);
    void *context;
    sigset_t former_mask; /* for the programs that this process starts */
};

/*
 * Blocks signals (a list ended by 0), in this thread and those that it starts. handle is called from
 * event_loop_wait(); is_from_kernel: not sent by a process, but for example by the terminal, which reaches the whole
 * group of processes in the foreground.
 *
 * Returns:  0 or a negative errno.
 * Threads:  the loop's, before any other thread is started.
 */
MUST_USE int signal_source_open(struct signal_source *source, const int *signals,
                                void (*handle)(void *context, int signal, bool is_from_kernel),
                                void *context);

/* Adds it to a loop. Returns 0 or a negative errno. */
MUST_USE int signal_source_watch(struct signal_source *source, struct event_loop *loop);

/* Closes; the signals stay blocked. */
void signal_source_release(struct signal_source *source);
