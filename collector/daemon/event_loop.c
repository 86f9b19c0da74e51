#include "event_loop.h"

#include <errno.h>
#include <sys/epoll.h>

enum { EVENTS_PER_ROUND = 256 };

int event_loop_open(struct event_loop *ret_loop)
{
    int fd = epoll_create1(EPOLL_CLOEXEC);

    if (fd < 0) {
        return -errno;
    }
    ret_loop->epoll_fd = fd;
    return 0;
}

void event_loop_release(struct event_loop *loop)
{
    cleanup_close(&loop->epoll_fd);
    loop->epoll_fd = -1;
}

static uint32_t to_epoll(unsigned int events)
{
    return ((events & EVENT_READABLE) != 0 ? (uint32_t)EPOLLIN : 0) |
           ((events & EVENT_WRITABLE) != 0 ? (uint32_t)EPOLLOUT : 0);
}

static unsigned int from_epoll(uint32_t events)
{
    unsigned int ready = 0;

    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0) {
        ready |= EVENT_READABLE;
    }
    if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) {
        ready |= EVENT_WRITABLE;
    }
    return ready;
}

int event_loop_watch(struct event_loop *loop, struct event_watcher *watcher, unsigned int events)
{
    struct epoll_event event = {.events = to_epoll(events), .data.ptr = watcher};

    if (events == watcher->events) {
        return 0;
    }
    /* A descriptor that is watched for nothing would still report a lost peer, for ever: it is taken out. */
    int operation = events == 0            ? EPOLL_CTL_DEL
                    : watcher->events == 0 ? EPOLL_CTL_ADD
                                           : EPOLL_CTL_MOD;
    if (epoll_ctl(loop->epoll_fd, operation, watcher->fd, &event) < 0) {
        return -errno;
    }
    watcher->events = events;
    return 0;
}

void event_loop_forget(struct event_loop *loop, struct event_watcher *watcher)
{
    if (watcher->events != 0) {
        (void)epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, watcher->fd, NULL);
        watcher->events = 0;
    }
}

int event_loop_wait(struct event_loop *loop, uint64_t timeout_ns)
{
    struct epoll_event events[EVENTS_PER_ROUND];
    /* Rounded up, so that a timer is due when the wait is over. */
    int timeout_ms = (int)min_u64((timeout_ns + NS_PER_MS - 1) / NS_PER_MS, 60 * 1000);

    int count = epoll_wait(loop->epoll_fd, events, EVENTS_PER_ROUND, timeout_ms);
    if (count < 0) {
        return errno == EINTR ? 0 : -errno;
    }
    for (int i = 0; i < count; i++) {
        struct event_watcher *watcher = events[i].data.ptr;
        unsigned int ready = from_epoll(events[i].events);

        /* An earlier watcher of this round may have taken this one out. */
        if (watcher->events != 0) {
            watcher->ready(watcher, ready);
        }
    }
    return 0;
}
