/*
 * Waits for descriptors to become ready and calls whoever watches them. The only file that knows epoll.
 */
#pragma once

#include "base.h"

#include <stdbool.h>

/* What a descriptor is ready for. A lost peer makes it readable: reading tells. */
enum { EVENT_READABLE = 1, EVENT_WRITABLE = 2 };

/* Embedded in whatever watches a descriptor; must stay where it is until removed and the round of events is over. */
struct event_watcher {
    void (*ready)(struct event_watcher *watcher, unsigned int events);
    int fd;              /* borrowed from the owner of the watcher */
    unsigned int events; /* 0: not watched */
};

struct event_loop {
    int epoll_fd; /* owned */
};

MUST_USE int event_loop_open(struct event_loop *ret_loop);
void event_loop_release(struct event_loop *loop);

/*
 * Watches watcher->fd for events (level-triggered), or changes what it is watched for; 0 ends it.
 *
 * Returns:  0 or a negative errno.
 * Threads:  the loop's thread only, as all functions here.
 */
MUST_USE int event_loop_watch(struct event_loop *loop, struct event_watcher *watcher,
                              unsigned int events);

/* Ends the watching; to be called before the descriptor is closed. */
void event_loop_forget(struct event_loop *loop, struct event_watcher *watcher);

/*
 * Waits at most timeout_ns and calls the watchers that are ready, each at most once. A watcher that was forgotten during
 * this round is not called any more.
 *
 * Returns:  0 or a negative errno.
 */
MUST_USE int event_loop_wait(struct event_loop *loop, uint64_t timeout_ns);
