#include "collector.h"

#include "acceptor.h"
#include "clocks.h"
#include "connection.h"
#include "control.h"
#include "disk_log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    GREETING_MEMORY_BYTES = 4 << 20,
    ANSWER_MEMORY_BYTES = 16 << 20,
    DRAIN_ROUNDS_MAX = 10000,
};

/* While somebody's time runs out, rounds are short, and one that took so much longer than it should was interrupted: it does
 * not count as served time. */
#define SERVED_ROUND_NS (500 * NS_PER_MS)
#define SERVED_DELAY_MAX_NS (250 * NS_PER_MS)
/* A session that came to an end is remembered so long, so that what it sends again is recognised. */
#define SESSION_MEMORY_NS (3600 * NS_PER_S)
#define FORGET_INTERVAL_NS (60 * NS_PER_S)
#define ROUND_MAX_NS (60 * NS_PER_S)
/* At the end: so long clients that go on sending are read from; and so long between two calls of on_wait. */
#define DRAIN_READ_NS NS_PER_S
#define DRAIN_WAIT_NS (100 * NS_PER_MS)

/* --- Reports of the writer thread --- */

/* Those that could not get memory are read from again, the first that came first, when half of it is free. */
static void resume_waiting(struct collector *collector)
{
    struct connection_table *table = &collector->connections;

    while (table->first_waiting != NULL &&
           collector->frame_memory.used <= collector->frame_memory.limit / 2) {
        connection_read(connection_table_next_waiting(table));
    }
}

void collector_collect(struct collector *collector)
{
    struct disk_reports reports;

    disk_channel_collect(&collector->channel, &reports);
    collector->disk = reports.counters;
    collector->is_disk_done = reports.stopped;
    memory_budget_give_back(&collector->frame_memory, reports.released_bytes);
    for (struct client_session *session = reports.sessions; session != NULL;
         session = session->next_updated) {
        if (session->connection != NULL) {
            connection_acknowledge(session->connection, false);
        }
    }
    for (size_t i = 0; i < reports.ticket_count; i++) {
        collector->rotations--;
        control_rotated(collector, reports.tickets[i]);
    }
    disk_log_events(collector->log, &reports);
    resume_waiting(collector);
}

static void handle_reports(struct event_watcher *watcher, unsigned int events)
{
    (void)events;
    collector_collect(((struct collector_watcher *)watcher)->collector);
}

int collector_rotate(struct collector *collector, uint64_t ticket)
{
    if (collector->rotations == DISK_TICKETS_MAX) {
        return -EBUSY;
    }
    struct disk_job *job = disk_job_new(JOB_ROTATE, 0);
    if (job == NULL) {
        return -ENOMEM;
    }
    job->ticket = ticket;
    collector->rotations++;
    disk_channel_push(&collector->channel, job);
    return 0;
}

void collector_take_frame(struct collector *collector, struct disk_job *job)
{
    struct collector_counters *counters = &collector->counters;

    counters->frames_received++;
    counters->frame_bytes_received += job->size;
    counters->sequence_gaps += job->gap;
    record_counts_add(&counters->received, &job->counts);
    session_note_frame(job->session, job);
    disk_channel_push(&collector->channel, job);
}

void collector_end_part(struct collector *collector, struct client_session *session,
                        enum end_reason reason)
{
    struct disk_job *job = session->needs_end ? disk_job_new(JOB_END_PART, 0) : NULL;

    if (job == NULL) {
        return;
    }
    job->session = session;
    job->reason = reason;
    session->needs_end = false;
    session->jobs_pushed++;
    disk_channel_push(&collector->channel, job);
}

/* --- Opening --- */

PRINTF_LIKE(3, 4) static int fail(char *ret_error, int error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(ret_error, COLLECTOR_ERROR_MAX_BYTES, format, arguments);
    va_end(arguments);
    return error;
}

static int open_socket(struct collector *collector, enum collector_place place, char *ret_error)
{
    const struct collector_config *config = &collector->config;
    char error[LISTENER_ERROR_MAX_BYTES];
    int r = 0;

    if (place == COLLECTOR_SERVICE) {
        r = listener_adopt(&collector->listener, error);
    }
    if (r == 0) {
        r = listener_open(&collector->listener, config->socket_path, config->socket_group,
                          config->socket_mode, error);
    }
    return r < 0 ? fail(ret_error, r, "%s", error) : 0;
}

static int open_folder(struct collector *collector, enum collector_place place, char *ret_error)
{
    bool is_private = place == COLLECTOR_PRIVATE;
    char error[FOLDER_ERROR_MAX_BYTES];

    int r = output_folder_open(&collector->folder, collector->config.output_path, is_private,
                               is_private, error);
    return r < 0 ? fail(ret_error, r, "%s", error) : 0;
}

static int start_work(struct collector *collector)
{
    int r = event_loop_open(&collector->loop);

    r = r < 0 ? r : packet_arena_new(&collector->arena);
    r = r < 0 ? r : disk_channel_open(&collector->channel);
    collector->stop_job = disk_job_new(JOB_STOP, 0);
    if (r < 0 || collector->stop_job == NULL) {
        return r < 0 ? r : -ENOMEM;
    }
    collector->stop_job->reason = END_COLLECTOR_STOPPED;
    collector->reporting = (struct collector_watcher){
        .watcher = {.ready = handle_reports, .fd = collector->channel.event_fd},
        .collector = collector,
    };
    r = event_loop_watch(&collector->loop, &collector->reporting.watcher, EVENT_READABLE);
    r = r < 0 ? r : acceptor_start(collector);
    return r < 0 ? r
                 : disk_writer_start(&collector->writer, &collector->channel, &collector->folder,
                                     &collector->config, &collector->descriptors);
}

static void sample_machine(struct collector *collector)
{
    if (!collector->config.sample_machine) {
        return;
    }
    int r = machine_session_open(&collector->machine, &collector->sessions,
                                 collector->config.sample_period_ns);
    if (r < 0) {
        log_line(collector->log, LOG_LEVEL_WARNING, "cannot sample the machine: %s", strerror(-r));
    }
}

static void apply_limits(struct collector *collector)
{
    collector->frame_memory.limit = collector->config.queue_bytes;
    uint64_t permitted = collector->descriptors.connections;
    uint64_t wanted = collector->config.max_connections;
    collector->connection_limit = wanted == 0 ? permitted : min_u64(wanted, permitted);
}

int collector_open(struct collector *collector, const struct collector_config *config,
                   enum collector_place place, struct daemon_log *log,
                   char ret_error[static COLLECTOR_ERROR_MAX_BYTES])
{
    *collector = (struct collector){
        .config = *config,
        .log = log,
        .loop = {.epoll_fd = -1},
        .folder = {.fd = -1},
        .channel = {.event_fd = -1},
        .spare_fd = -1,
        .greeting_memory = {.limit = GREETING_MEMORY_BYTES},
        .answer_memory = {.limit = ANSWER_MEMORY_BYTES},
        .descriptors = descriptor_plan_of_process(),
        .started_ns = clock_monotonic_ns(),
        .is_reading = true,
    };
    collector->round_ns = collector->started_ns;
    connection_table_init(&collector->connections);
    apply_limits(collector);
    int r = open_folder(collector, place, ret_error);
    r = r < 0 ? r : open_socket(collector, place, ret_error);
    if (r == 0) {
        r = start_work(collector);
        if (r < 0) {
            (void)fail(ret_error, r, "cannot start the collector: %s", strerror(-r));
        }
    }
    if (r < 0) {
        collector_release(collector);
        return r;
    }
    sample_machine(collector);
    return 0;
}

/* --- Running --- */

/* wait_ns: how long the round that is over was meant to wait. */
static void note_time(struct collector *collector, uint64_t wait_ns)
{
    uint64_t now_ns = clock_monotonic_ns();
    uint64_t round_ns = now_ns - collector->round_ns;

    if (round_ns <= wait_ns + SERVED_DELAY_MAX_NS) {
        collector->served_ns += round_ns;
    }
    collector->round_ns = now_ns;
}

static void close_overdue(struct collector *collector)
{
    struct connection_table *table = &collector->connections;
    struct connection *connection;

    while ((connection = connection_table_next_overdue(table, collector->served_ns)) != NULL) {
        connection_time_out(connection);
    }
}

static void forget_old_sessions(struct collector *collector)
{
    uint64_t now_ns = collector->round_ns;

    session_table_trim(&collector->sessions);
    if (collector->served_ns < collector->forget_due_ns) {
        return;
    }
    collector->forget_due_ns = collector->served_ns + FORGET_INTERVAL_NS;
    session_table_forget(&collector->sessions,
                         now_ns > SESSION_MEMORY_NS ? now_ns - SESSION_MEMORY_NS : 0);
}

static void step_machine(struct collector *collector, bool is_last)
{
    struct disk_job *job = NULL;

    int r = machine_session_step(&collector->machine, &collector->frame_memory,
                                 clock_monotonic_ns(), is_last, &job);
    if (r > 0) {
        collector_take_frame(collector, job);
    } else if (r < 0) {
        log_limited(collector->log, LOG_LEVEL_WARNING, CAUSE_MACHINE,
                    "lost samples of the machine: %s", strerror(-r));
    }
}

static uint64_t until(uint64_t due_ns, uint64_t now_ns)
{
    return due_ns > now_ns ? due_ns - now_ns : 0;
}

static uint64_t time_to_wait(const struct collector *collector, uint64_t timeout_ns)
{
    uint64_t wait_ns = min_u64(timeout_ns, ROUND_MAX_NS);

    wait_ns =
        min_u64(wait_ns, until(machine_session_next_ns(&collector->machine), collector->round_ns));
    if (collector->salvage.first != NULL) {
        wait_ns = min_u64(wait_ns, SALVAGE_PART_WAIT_NS);
    }
    if (collector->connections.deadline_ns == UINT64_MAX) {
        return wait_ns;
    }
    uint64_t left_ns = until(collector->connections.deadline_ns, collector->served_ns);
    return min_u64(wait_ns, min_u64(left_ns, SERVED_ROUND_NS));
}

int collector_step(struct collector *collector, uint64_t timeout_ns)
{
    uint64_t wait_ns = time_to_wait(collector, timeout_ns);
    int r = event_loop_wait(&collector->loop, wait_ns);

    note_time(collector, wait_ns);
    close_overdue(collector);
    /* Those that were closed may have held memory. */
    resume_waiting(collector);
    connection_table_free_buried(&collector->connections);
    salvage_watch_step(collector);
    forget_old_sessions(collector);
    step_machine(collector, false);
    return r;
}

/* --- Changes --- */

static void tell_what_stays(const struct collector *collector,
                            const struct collector_config *config)
{
    const struct collector_config *present = &collector->config;

    if (strcmp(present->socket_path, config->socket_path) != 0 ||
        strcmp(present->socket_group, config->socket_group) != 0 ||
        present->socket_mode != config->socket_mode) {
        log_line(collector->log, LOG_LEVEL_WARNING,
                 "Path, Group and Mode in [Socket] change at the next start, not before");
    }
    if (strcmp(present->output_path, config->output_path) != 0) {
        log_line(collector->log, LOG_LEVEL_WARNING,
                 "Path in [Output] changes at the next start, not before");
    }
}

static void change_machine(struct collector *collector, bool was_sampled)
{
    if (collector->machine.sampler != NULL && collector->config.sample_machine) {
        machine_sampler_set_period(collector->machine.sampler, collector->config.sample_period_ns);
    } else if (!was_sampled) {
        sample_machine(collector);
    } else if (!collector->config.sample_machine) {
        step_machine(collector, true);
        machine_session_release(&collector->machine);
    }
}

void collector_reconfigure(struct collector *collector, const struct collector_config *config)
{
    struct collector_config present = collector->config;
    struct disk_job *job = disk_job_new(JOB_CONFIGURE, 0);

    if (job == NULL) {
        log_line(collector->log, LOG_LEVEL_ERROR, "no memory to change the configuration");
        return;
    }
    tell_what_stays(collector, config);
    job->part_limits = config->part;
    job->folder_limits = config->folder;
    disk_channel_push(&collector->channel, job);
    collector->config = *config;
    memcpy(collector->config.socket_path, present.socket_path, sizeof(present.socket_path));
    memcpy(collector->config.socket_group, present.socket_group, sizeof(present.socket_group));
    collector->config.socket_mode = present.socket_mode;
    memcpy(collector->config.output_path, present.output_path, sizeof(present.output_path));
    apply_limits(collector);
    change_machine(collector, present.sample_machine && collector->machine.sampler != NULL);
}

/* --- The end --- */

/* Reads until nothing has arrived that is not read, or clients that go on and on have had their time. */
static void read_what_is_there(struct collector *collector)
{
    uint64_t until_ns = clock_monotonic_ns() + DRAIN_READ_NS;

    for (int round = 0; round < DRAIN_ROUNDS_MAX && clock_monotonic_ns() < until_ns; round++) {
        uint64_t before = collector->counters.frames_received + collector->counters.frames_repeated;
        bool some_wait = collector->connections.first_waiting != NULL;
        uint64_t wait_ns = some_wait ? DRAIN_WAIT_NS : 0;

        if (event_loop_wait(&collector->loop, wait_ns) < 0) {
            return;
        }
        note_time(collector, wait_ns);
        resume_waiting(collector);
        connection_table_free_buried(&collector->connections);
        uint64_t after = collector->counters.frames_received + collector->counters.frames_repeated;
        if (before == after && !some_wait && collector->connections.first_waiting == NULL) {
            return;
        }
    }
}

static void stop_reading(struct collector *collector)
{
    collector->is_reading = false;
    for (struct connection *connection = collector->connections.first; connection != NULL;
         connection = connection->next) {
        if (event_loop_watch(&collector->loop, &connection->watcher,
                             connection->watcher.events & EVENT_WRITABLE) < 0) {
            event_loop_forget(&collector->loop, &connection->watcher);
        }
    }
}

/* Whoever is still there, and whoever left when there was no memory for the job. */
static void end_part_of(void *context, struct client_session *session)
{
    collector_end_part(context, session, END_COLLECTOR_STOPPED);
}

static void close_connections(struct collector *collector)
{
    while (collector->connections.first != NULL) {
        connection_close(collector->connections.first);
    }
    connection_table_free_buried(&collector->connections);
}

void collector_drain(struct collector *collector, void (*on_wait)(void *context), void *context)
{
    acceptor_stop(collector);
    read_what_is_there(collector);
    salvage_watch_finish(collector);
    step_machine(collector, true);
    stop_reading(collector);
    session_table_visit(&collector->sessions, end_part_of, collector);
    disk_channel_push(&collector->channel, take_pointer(&collector->stop_job));
    while (!collector->is_disk_done) {
        on_wait(context);
        if (event_loop_wait(&collector->loop, DRAIN_WAIT_NS) < 0) {
            break;
        }
        connection_table_free_buried(&collector->connections);
    }
    disk_writer_join(&collector->writer);
    collector_collect(collector);
    close_connections(collector);
}

void collector_release(struct collector *collector)
{
    collector->is_reading = false;
    close_connections(collector);
    salvage_watch_finish(collector);
    connection_table_release(&collector->connections);
    acceptor_stop(collector);
    machine_session_release(&collector->machine);
    free(take_pointer(&collector->stop_job));
    packet_arena_free(collector->arena);
    disk_channel_release(&collector->channel);
    output_folder_release(&collector->folder);
    event_loop_release(&collector->loop);
    session_table_release(&collector->sessions);
    collector->arena = NULL;
}
