#include "salvage_watch.h"

#include "clocks.h"
#include "collector.h"
#include "connection.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD 77 /* Linux 6.5 */
#endif

enum { STAT_MAX_BYTES = 1024, FIELDS_TO_START = 20 };

/* --- The process --- */

/* When a process began, in ns since boot; UINT64_MAX if there is none. */
static uint64_t process_start_ns(uint32_t pid)
{
    char path[64];
    char text[STAT_MAX_BYTES];

    (void)snprintf(path, sizeof(path), "/proc/%u/stat", pid);
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    text[got > 0 ? got : 0] = '\0';
    /* Its name may hold anything, also brackets; field 22 is the 20th behind it. */
    const char *field = strrchr(text, ')');

    for (int i = 0; i < FIELDS_TO_START && field != NULL; i++) {
        field = strchr(field + 1, ' ');
    }
    return field == NULL ? UINT64_MAX
                         : strtoull(field, NULL, 10) * (NS_PER_S / (uint64_t)sysconf(_SC_CLK_TCK));
}

/* By its id: if that was given to another process meanwhile, ours is dead. */
static int open_process_by_id(const struct connection *connection)
{
    AUTO_CLOSE int fd = (int)syscall(SYS_pidfd_open, connection->peer.pid, 0U);

    if (fd < 0) {
        return -errno;
    }
    return process_start_ns(connection->peer.pid) > connection->connected_boottime_ns
               ? -ESRCH
               : take_fd(&fd);
}

/* Returns a descriptor of the client's process; -ESRCH if it is dead; or a negative errno: there is no telling. */
static int open_process(const struct connection *connection)
{
    int fd = -1;
    socklen_t size = sizeof(fd);

    if (connection->peer.pid == 0) {
        return -EOPNOTSUPP; /* of a pid namespace that is not seen from here */
    }
    if (getsockopt(connection->fd, SOL_SOCKET, SO_PEERPIDFD, &fd, &size) == 0) {
        return fd;
    }
    return errno == ENOPROTOOPT ? open_process_by_id(connection) : -errno;
}

static bool is_dead(int process_fd)
{
    struct pollfd process = {.fd = process_fd, .events = POLLIN};

    return poll(&process, 1, 0) == 1;
}

/* --- Those that wait --- */

static void bury(struct collector *collector, struct salvage_wait *wait)
{
    struct salvage_watch *watch = &collector->salvage;
    struct salvage_wait **link = &watch->first;

    while (*link != wait) {
        link = &(*link)->next;
    }
    *link = wait->next;
    watch->count--;
    wait->session->is_awaited = false;
    event_loop_forget(&collector->loop, &wait->watcher);
    cleanup_close(&wait->watcher.fd);
    cleanup_close(&wait->recorder_fd);
    wait->next = watch->buried;
    watch->buried = wait;
}

/* Hands the recorder over to the writer thread; what the client may still send is refused. Returns 0 or -ENOMEM. */
static int push(struct collector *collector, struct client_session *session, int *recorder_fd)
{
    struct disk_job *job = disk_job_new(JOB_SALVAGE, 0);

    if (job == NULL) {
        return -ENOMEM;
    }
    job->session = session;
    job->recorder_fd = take_fd(recorder_fd);
    job->sequence = session->last_sequence;
    session->ended = true;
    session->needs_end = false;
    session->jobs_pushed++;
    disk_channel_push(&collector->channel, job);
    return 0;
}

static void salvage(struct collector *collector, struct salvage_wait *wait)
{
    if (push(collector, wait->session, &wait->recorder_fd) < 0) {
        collector->counters.recorders_given_up++;
        collector_end_part(collector, wait->session, END_CONNECTION_LOST);
    }
    bury(collector, wait);
}

static void handle_death(struct event_watcher *watcher, unsigned int events)
{
    struct salvage_wait *wait = (struct salvage_wait *)watcher;

    (void)events;
    salvage(wait->collector, wait);
}

static int wait_for_death(struct collector *collector, struct connection *connection,
                          struct client_session *session, int process_fd)
{
    AUTO_FREE struct salvage_wait *wait = calloc(1, sizeof(*wait));
    struct salvage_wait **link = &collector->salvage.first;

    if (wait == NULL) {
        return -ENOMEM;
    }
    *wait = (struct salvage_wait){
        .watcher = {.ready = handle_death, .fd = process_fd},
        .collector = collector,
        .session = session,
        .since_ns = clock_monotonic_ns(),
    };
    int r = event_loop_watch(&collector->loop, &wait->watcher, EVENT_READABLE);
    if (r < 0) {
        return r;
    }
    wait->recorder_fd = take_fd(&connection->recorder_fd);
    session->is_awaited = true;
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = take_pointer(&wait);
    collector->salvage.count++;
    return 0;
}

bool salvage_watch_add(struct collector *collector, struct connection *connection,
                       struct client_session *session)
{
    if (connection->recorder_fd < 0 || session->ended || !collector->is_reading) {
        return false;
    }
    AUTO_CLOSE int process_fd = open_process(connection);
    int r = process_fd == -ESRCH || (process_fd >= 0 && is_dead(process_fd))
                ? push(collector, session, &connection->recorder_fd)
            : process_fd < 0 ? process_fd
                             : wait_for_death(collector, connection, session, process_fd);

    if (r < 0) {
        collector->counters.recorders_given_up++;
        return false;
    }
    if (session->is_awaited) {
        (void)take_fd(&process_fd); /* it has the descriptor now */
    }
    return true;
}

void salvage_watch_cancel(struct collector *collector, struct client_session *session)
{
    for (struct salvage_wait *wait = collector->salvage.first; wait != NULL; wait = wait->next) {
        if (wait->session == session) {
            bury(collector, wait);
            return;
        }
    }
}

static void give_up(struct collector *collector, struct salvage_wait *wait)
{
    collector->counters.recorders_given_up++;
    collector_end_part(collector, wait->session, END_CONNECTION_LOST);
    bury(collector, wait);
}

void salvage_watch_step(struct collector *collector)
{
    struct salvage_watch *watch = &collector->salvage;
    uint64_t now_ns = clock_monotonic_ns();

    while (watch->first != NULL &&
           collector->connections.count + watch->count > collector->connection_limit) {
        give_up(collector, watch->first);
    }
    /* It lives, or is long in dying: what it has sent need not wait for that. */
    for (struct salvage_wait *wait = watch->first;
         wait != NULL && now_ns - wait->since_ns > SALVAGE_PART_WAIT_NS; wait = wait->next) {
        collector_end_part(collector, wait->session, END_CONNECTION_LOST);
    }
    while (watch->buried != NULL) {
        struct salvage_wait *wait = watch->buried;

        watch->buried = wait->next;
        free(wait);
    }
}

void salvage_watch_finish(struct collector *collector)
{
    while (collector->salvage.first != NULL) {
        struct salvage_wait *wait = collector->salvage.first;

        if (is_dead(wait->watcher.fd)) {
            salvage(collector, wait);
        } else {
            bury(collector, wait);
        }
    }
    salvage_watch_step(collector);
}
