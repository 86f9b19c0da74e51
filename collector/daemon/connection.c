#include "connection.h"

#include "client_protocol.h"
#include "clocks.h"
#include "collector.h"
#include "disk_log.h"
#include "recorder_reader.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum {
    /* One client does not keep the others waiting: what is left is read in the next round. */
    MESSAGES_PER_TURN = 64,
    BYTES_PER_TURN = 4 << 20,
};

static struct connection_table *table_of(const struct connection *connection)
{
    return &connection->collector->connections;
}

/* --- The end --- */

static void drop_long_output(struct connection *connection)
{
    if (connection->long_output != NULL) {
        memory_budget_give_back(&connection->collector->answer_memory, connection->output_size);
        free(take_pointer(&connection->long_output));
    }
    connection->output_size = 0;
}

static void leave_session(struct connection *connection)
{
    struct collector *collector = connection->collector;
    struct client_session *session = connection->session;

    if (session == NULL) {
        return;
    }
    connection->session = NULL;
    if (!salvage_watch_add(collector, connection, session) && collector->is_reading) {
        collector_end_part(collector, session, END_CONNECTION_LOST);
    }
    session_table_leave(&collector->sessions, session);
}

void connection_close(struct connection *connection)
{
    if (connection->stage == CONNECTION_CLOSED) {
        return;
    }
    leave_session(connection);
    connection->stage = CONNECTION_CLOSED;
    event_loop_forget(&connection->collector->loop, &connection->watcher);
    message_receiver_release(&connection->receiver);
    cleanup_close(&connection->fd);
    cleanup_close(&connection->recorder_fd);
    connection->fd = -1;
    connection->recorder_fd = -1;
    drop_long_output(connection);
    connection_table_remove(table_of(connection), connection);
}

void connection_refuse(struct connection *connection, enum refusal refusal)
{
    struct collector *collector = connection->collector;
    const struct client_session *session = connection->session;

    collector->counters.refused[refusal]++;
    log_limited(collector->log, LOG_LEVEL_WARNING, refusal,
                "closed the connection of process %u%s%s%s (user %u): it %s", connection->peer.pid,
                session == NULL ? "" : " '", session == NULL ? "" : session->shown_name,
                session == NULL ? "" : "'", connection->peer.uid, refusal_text(refusal));
    connection_close(connection);
}

void connection_time_out(struct connection *connection)
{
    if (connection->stage == CONNECTION_NEW) {
        connection_refuse(connection, REFUSED_HELLO_TIMEOUT);
    } else if (connection->stage == CONNECTION_CONTROL) {
        connection_close(connection);
    } else {
        bool others_wait = table_of(connection)->first_waiting != NULL;

        connection_refuse(connection, others_wait ? REFUSED_MEMORY : REFUSED_MESSAGE_TIMEOUT);
    }
}

/* --- Sending --- */

static void write_ack(struct connection *connection)
{
    const struct session_progress *known = &connection->session->known;

    connection->ack_is_due = false;
    connection->acked_written = known->written;
    connection->acked_durable = known->durable;
    wire_header_write(connection->output,
                      &(struct wire_header){
                          .type = WIRE_ACK,
                          .sequence = known->written,
                          .first_ns = known->durable,
                      },
                      (struct slice){0});
    connection->output_size = WIRE_HEADER_BYTES;
    connection->output_sent = 0;
}

static void finish_output(struct connection *connection)
{
    drop_long_output(connection);
    if (connection->ack_is_due && connection->session != NULL) {
        write_ack(connection);
    }
}

/* Sends what the socket takes. Returns 0 or a negative errno: the peer is gone. */
static int send_output(struct connection *connection)
{
    while (connection->output_size > 0) {
        const uint8_t *bytes =
            connection->long_output != NULL ? connection->long_output : connection->output;
        ssize_t sent =
            send(connection->fd, bytes + connection->output_sent,
                 connection->output_size - connection->output_sent, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (sent < 0 && errno == EINTR) {
            continue;
        }
        if (sent < 0) {
            return errno == EAGAIN || errno == ENOBUFS ? 0 : -errno;
        }
        connection->output_sent += (size_t)sent;
        if (connection->output_sent == connection->output_size) {
            finish_output(connection);
        }
    }
    return 0;
}

static void update_watch(struct connection *connection)
{
    unsigned int events = 0;

    if (connection->collector->is_reading && !connection->is_waiting &&
        connection->stage != CONNECTION_CONTROL) {
        events |= EVENT_READABLE;
    }
    if (connection->output_size > 0) {
        events |= EVENT_WRITABLE;
    }
    if (event_loop_watch(&connection->collector->loop, &connection->watcher, events) < 0) {
        connection_refuse(connection, REFUSED_MEMORY);
    }
}

static void send_and_watch(struct connection *connection)
{
    if (send_output(connection) < 0) {
        connection_close(connection);
        return;
    }
    update_watch(connection);
}

void connection_answer(struct connection *connection, const struct wire_header *header,
                       struct slice payload)
{
    size_t size = WIRE_HEADER_BYTES + payload.size;
    uint8_t *bytes = connection->output;

    if (size > sizeof(connection->output)) {
        bytes = malloc(size);
        if (bytes == NULL) {
            connection_refuse(connection, REFUSED_MEMORY);
            return;
        }
        connection->long_output = bytes;
        connection->collector->answer_memory.used += size;
    }
    wire_header_write(bytes, header, payload);
    if (payload.size > 0) {
        memcpy(bytes + WIRE_HEADER_BYTES, payload.data, payload.size);
    }
    connection->output_size = size;
    connection->output_sent = 0;
    send_and_watch(connection);
    if (connection->stage == CONNECTION_CONTROL && connection->output_size == 0) {
        connection_close(connection);
    }
}

void connection_acknowledge(struct connection *connection, bool is_due)
{
    const struct client_session *session = connection->session;

    if (session == NULL || (!is_due && session->known.written == connection->acked_written &&
                            session->known.durable == connection->acked_durable)) {
        return;
    }
    if (connection->output_size > 0) {
        connection->ack_is_due = true;
        return;
    }
    write_ack(connection);
    send_and_watch(connection);
}

/* --- Receiving --- */

static uint64_t message_timeout_ns(const struct connection *connection)
{
    return table_of(connection)->first_waiting != NULL ? MESSAGE_TIMEOUT_WHEN_SHORT_NS
                                                       : MESSAGE_TIMEOUT_NS;
}

/* Whoever holds memory for a message that does not come must not do so for long when others wait for it. */
static void hurry_holders(struct connection_table *table, uint64_t served_ns)
{
    for (struct connection *connection = table->first; connection != NULL;
         connection = connection->next) {
        if (connection->stage == CONNECTION_CLIENT && connection->receiver.message != NULL) {
            uint64_t deadline_ns = served_ns + MESSAGE_TIMEOUT_WHEN_SHORT_NS;

            if (connection->deadline_ns == 0 || deadline_ns < connection->deadline_ns) {
                connection_table_set_deadline(table, connection, deadline_ns);
            }
        }
    }
}

static void wait_for_memory(struct connection *connection)
{
    struct collector *collector = connection->collector;

    if (connection->stage != CONNECTION_CLIENT) {
        connection_refuse(connection, REFUSED_MEMORY);
        return;
    }
    if (table_of(connection)->first_waiting == NULL) {
        hurry_holders(table_of(connection), collector->served_ns);
    }
    collector->counters.memory_waits++;
    connection_table_set_deadline(table_of(connection), connection, 0);
    connection_table_wait(table_of(connection), connection);
}

/* Nothing more can be read at the moment, or ever. error: what message_receiver_read() returned. */
static void handle_pause(struct connection *connection, int error)
{
    switch (error) {
    case -EAGAIN:
        if (connection->stage == CONNECTION_CLIENT && connection->deadline_ns == 0 &&
            message_receiver_is_within(&connection->receiver)) {
            connection_table_set_deadline(table_of(connection), connection,
                                          connection->collector->served_ns +
                                              message_timeout_ns(connection));
        }
        return;
    case -ENOBUFS:
        wait_for_memory(connection);
        return;
    case -ENOMEM:
        connection_refuse(connection, REFUSED_MEMORY);
        return;
    case -EBADMSG:
        connection_refuse(connection, REFUSED_BAD_HEADER);
        return;
    case -EPROTONOSUPPORT:
        connection_refuse(connection, REFUSED_UNKNOWN_TYPE);
        return;
    case -EMSGSIZE:
        connection_refuse(connection, REFUSED_TOO_LARGE);
        return;
    default:
        /* The peer closed it, or died. */
        connection_close(connection);
    }
}

/* A greeting may bring the client's recorder along. It is kept, and looked into when the client has died. */
static int receive(struct connection *connection, struct disk_job **ret_message)
{
    struct received_descriptor descriptor = {.fd = -1};
    bool may_bring = connection->stage == CONNECTION_NEW;

    int r = message_receiver_read(&connection->receiver, connection->fd,
                                  may_bring ? &descriptor : NULL, ret_message);
    if (descriptor.fd >= 0) {
        connection->collector->counters.descriptors_received += 1 + descriptor.surplus;
        cleanup_close(&connection->recorder_fd); /* of a greeting in pieces, with one each */
        connection->recorder_fd = descriptor.fd;
        if (!recorder_reader_accepts(descriptor.fd)) {
            cleanup_close(&connection->recorder_fd);
            connection->recorder_fd = -1;
        }
    }
    return r;
}

static bool may_read(const struct connection *connection)
{
    return connection->collector->is_reading && !connection->is_waiting &&
           (connection->stage == CONNECTION_NEW || connection->stage == CONNECTION_CLIENT);
}

void connection_read(struct connection *connection)
{
    size_t bytes = 0;

    for (int i = 0; i < MESSAGES_PER_TURN && bytes < BYTES_PER_TURN && may_read(connection); i++) {
        struct disk_job *message = NULL;

        int r = receive(connection, &message);
        if (r != 1) {
            handle_pause(connection, r);
            break;
        }
        bytes += message->size;
        if (connection->stage == CONNECTION_CLIENT) {
            connection_table_set_deadline(table_of(connection), connection, 0);
        }
        client_protocol_take(connection, message);
    }
    if (connection->stage != CONNECTION_CLOSED) {
        update_watch(connection);
    }
}

/* Those who came first are served first when memory is short; what has begun is finished. */
static bool must_wait(const struct connection *connection)
{
    return table_of(connection)->first_waiting != NULL && connection->stage == CONNECTION_CLIENT &&
           connection->receiver.message == NULL;
}

static void handle_ready(struct event_watcher *watcher, unsigned int events)
{
    struct connection *connection = (struct connection *)watcher;

    if ((events & EVENT_WRITABLE) != 0 && connection->output_size > 0) {
        send_and_watch(connection);
        if (connection->stage == CONNECTION_CONTROL && connection->output_size == 0) {
            connection_close(connection);
        }
    }
    if ((events & EVENT_READABLE) == 0 || !may_read(connection)) {
        return;
    }
    if (must_wait(connection)) {
        connection_table_set_deadline(table_of(connection), connection, 0);
        connection_table_wait(table_of(connection), connection);
        update_watch(connection);
        return;
    }
    connection_read(connection);
}

/* --- The begin --- */

int connection_open(struct collector *collector, int fd, struct peer_identity peer)
{
    AUTO_CLOSE int owned_fd = fd;
    AUTO_FREE struct connection *connection = calloc(1, sizeof(*connection));

    if (connection == NULL) {
        return -ENOMEM;
    }
    connection->watcher = (struct event_watcher){.ready = handle_ready, .fd = fd};
    connection->collector = collector;
    connection->fd = fd;
    connection->peer = peer;
    const struct clock_reading now = clock_read_all();
    connection->recorder_fd = -1;
    connection->connected_realtime_ns = now.realtime_ns;
    connection->connected_boottime_ns = now.boottime_ns;
    message_receiver_init(&connection->receiver, &collector->greeting_memory);
    int r = event_loop_watch(&collector->loop, &connection->watcher, EVENT_READABLE);
    if (r < 0) {
        return r;
    }
    r = connection_table_add(&collector->connections, connection);
    if (r < 0) {
        event_loop_forget(&collector->loop, &connection->watcher);
        return r;
    }
    connection_table_set_deadline(&collector->connections, connection,
                                  collector->served_ns + collector->config.hello_timeout_ns);
    (void)take_fd(&owned_fd);
    (void)take_pointer(&connection);
    return 0;
}
