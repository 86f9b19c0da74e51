#include "signal_source.h"

#include <errno.h>
#include <sys/signalfd.h>

static void handle_ready(struct event_watcher *watcher, unsigned int events)
{
    struct signal_source *source = (struct signal_source *)watcher;
    struct signalfd_siginfo info;

    (void)events;
    while (read(source->fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        source->handle(source->context, (int)info.ssi_signo, info.ssi_code == SI_KERNEL);
    }
}

int signal_source_open(struct signal_source *source, const int *signals,
                       void (*handle)(void *context, int signal, bool is_from_kernel),
                       void *context)
{
    sigset_t set;

    (void)sigemptyset(&set);
    for (; *signals != 0; signals++) {
        (void)sigaddset(&set, *signals);
    }
    *source = (struct signal_source){.fd = -1, .handle = handle, .context = context};
    int error = pthread_sigmask(SIG_BLOCK, &set, &source->former_mask);
    if (error != 0) {
        return -error;
    }
    source->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (source->fd < 0) {
        return -errno;
    }
    source->watcher = (struct event_watcher){.ready = handle_ready, .fd = source->fd};
    return 0;
}

int signal_source_watch(struct signal_source *source, struct event_loop *loop)
{
    return event_loop_watch(loop, &source->watcher, EVENT_READABLE);
}

void signal_source_release(struct signal_source *source)
{
    cleanup_close(&source->fd);
    source->fd = -1;
}
