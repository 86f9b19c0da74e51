#include "acceptor.h"

#include "connection.h"
#include "descriptor_plan.h"
#include "disk_log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

enum {
    ACCEPTS_PER_ROUND = 64,
};

static int ask_kernel(int fd, struct peer_identity *ret_peer)
{
    struct ucred credentials;
    socklen_t size = sizeof(credentials);

    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size) < 0) {
        return -errno;
    }
    *ret_peer = (struct peer_identity){
        .pid = (uint32_t)credentials.pid,
        .uid = credentials.uid,
        .gid = credentials.gid,
    };
    return 0;
}

/* Whether one more connection of that user is too many, and why. */
static bool is_too_many(const struct collector *collector, uint32_t uid, enum refusal *ret_refusal)
{
    bool is_privileged = uid == 0 || uid == (uint32_t)geteuid();
    size_t extra = is_privileged ? PRIVILEGED_CONNECTIONS : 0;
    uint64_t user_limit = collector->config.max_connections_per_user;

    if (collector->connections.count >= collector->connection_limit + extra) {
        *ret_refusal = REFUSED_CONNECTION_LIMIT;
        return true;
    }
    *ret_refusal = REFUSED_USER_LIMIT;
    return user_limit != 0 &&
           connection_table_user_count(&collector->connections, uid) >= user_limit + extra;
}

static void refuse(struct collector *collector, struct peer_identity peer, enum refusal refusal)
{
    collector->counters.refused[refusal]++;
    log_limited(collector->log, LOG_LEVEL_WARNING, refusal,
                "did not serve process %u (user %u): it %s", peer.pid, peer.uid,
                refusal_text(refusal));
}

static void take_one(struct collector *collector, int fd)
{
    struct peer_identity peer = {0};
    enum refusal refusal = REFUSED_CONNECTION_LIMIT;

    if (ask_kernel(fd, &peer) < 0) {
        (void)close(fd);
        return;
    }
    collector->counters.connections_accepted++;
    if (is_too_many(collector, peer.uid, &refusal)) {
        refuse(collector, peer, refusal);
        (void)close(fd);
    } else if (connection_open(collector, fd, peer) < 0) {
        refuse(collector, peer, REFUSED_MEMORY);
    }
}

/* Without a descriptor the connection could not even be refused, and would wake the loop for ever. */
static void refuse_with_spare(struct collector *collector, int listening_fd)
{
    collector->counters.refused[REFUSED_DESCRIPTORS]++;
    log_limited(collector->log, LOG_LEVEL_WARNING, REFUSED_DESCRIPTORS,
                "did not serve a process: it %s", refusal_text(REFUSED_DESCRIPTORS));
    cleanup_close(&collector->spare_fd);
    int fd = accept4(listening_fd, NULL, NULL, SOCK_CLOEXEC);
    cleanup_close(&fd);
    collector->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void handle_ready(struct event_watcher *watcher, unsigned int events)
{
    struct collector *collector = ((struct collector_watcher *)watcher)->collector;

    (void)events;
    for (int i = 0; i < ACCEPTS_PER_ROUND; i++) {
        int fd = accept4(watcher->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

        if (fd >= 0) {
            take_one(collector, fd);
        } else if (errno == EMFILE || errno == ENFILE) {
            refuse_with_spare(collector, watcher->fd);
        } else if (errno != EINTR && errno != ECONNABORTED) {
            if (errno != EAGAIN) {
                log_limited(collector->log, LOG_LEVEL_WARNING, CAUSE_ACCEPT,
                            "cannot take a connection: %s", strerror(errno));
            }
            return;
        }
    }
}

int acceptor_start(struct collector *collector)
{
    collector->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (collector->spare_fd < 0) {
        return -errno;
    }
    for (size_t i = 0; i < collector->listener.count; i++) {
        struct collector_watcher *listening = &collector->listening[i];

        *listening = (struct collector_watcher){
            .watcher = {.ready = handle_ready, .fd = collector->listener.fds[i]},
            .collector = collector,
        };
        int r = event_loop_watch(&collector->loop, &listening->watcher, EVENT_READABLE);
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

void acceptor_stop(struct collector *collector)
{
    for (size_t i = 0; i < collector->listener.count; i++) {
        event_loop_forget(&collector->loop, &collector->listening[i].watcher);
    }
    listener_release(&collector->listener);
    cleanup_close(&collector->spare_fd);
    collector->spare_fd = -1;
}
