#include "client_protocol.h"

#include "clocks.h"
#include "collector.h"
#include "control.h"
#include "disk_log.h"

#include <errno.h>
#include <string.h>

enum {
    VERSION_MASK = 0xffff,
    WELCOME_MAX_BYTES = 256,
};

/* Numbers of batches stay far from the end of their type, and no session loses so many at once. */
#define SEQUENCE_MAX (UINT64_C(1) << 62)
#define GAP_MAX (UINT64_C(1) << 32)

static const char collector_version[] = "eddy-collector " EDDY_PROJECT_VERSION;

static void drop_message(struct connection *connection, struct disk_job *message)
{
    memory_budget_give_back(connection->receiver.budget, disk_job_cost(message));
    free(message);
}

static struct slice payload_of(const struct disk_job *message)
{
    return (struct slice){message->bytes, message->size};
}

/* --- Greetings --- */

static bool is_same_process(const struct client_session *session, struct peer_identity peer)
{
    return session->kind == SOURCE_PROCESS && session->peer.pid == peer.pid &&
           session->peer.uid == peer.uid;
}

/* A session goes on where its last connection ended; if that one is still there, its client has given it up. */
static int find_or_add_session(struct connection *connection, const struct hello *hello,
                               struct slice packed)
{
    struct session_table *sessions = &connection->collector->sessions;
    struct client_session *known = session_table_find(sessions, hello->session);

    if (known == NULL) {
        return session_table_add(sessions, hello, packed, connection->peer, SOURCE_PROCESS,
                                 &connection->session);
    }
    if (!is_same_process(known, connection->peer)) {
        return -EACCES;
    }
    if (known->connection != NULL) {
        struct connection *former = known->connection;

        former->session = NULL;
        connection_close(former);
    }
    salvage_watch_cancel(connection->collector, known);
    session_table_return(sessions, known);
    connection->session = known;
    return 0;
}

static void welcome(struct connection *connection, uint32_t version)
{
    const struct welcome welcome = {
        .max_payload_bytes = WIRE_MAX_FRAME_BYTES,
        .max_frame_plain_bytes = FRAME_MAX_PLAIN_BYTES,
        .collector_version = collector_version,
    };
    uint8_t payload[WELCOME_MAX_BYTES];
    size_t size = 0;

    if (packet_pack_welcome(&welcome, payload, sizeof(payload), &size) < 0) {
        connection_refuse(connection, REFUSED_MEMORY);
        return;
    }
    connection_answer(connection,
                      &(struct wire_header){
                          .type = WIRE_WELCOME,
                          .flags = (uint32_t)min_u64(version, WIRE_VERSION),
                      },
                      (struct slice){payload, size});
}

static bool is_zero_id(const uint8_t *id)
{
    static const uint8_t zero[SESSION_ID_BYTES];

    return memcmp(id, zero, SESSION_ID_BYTES) == 0;
}

static enum refusal refusal_of_hello(int error)
{
    switch (error) {
    case -EPROTONOSUPPORT:
        return REFUSED_VERSION;
    case -EACCES:
        return REFUSED_FOREIGN_SESSION;
    case -EDQUOT:
    case -ENOMEM:
        return REFUSED_MEMORY;
    default:
        return REFUSED_BAD_HELLO;
    }
}

static int open_session(struct connection *connection, struct slice packed)
{
    struct collector *collector = connection->collector;
    struct hello hello;

    int r = packet_unpack_hello(collector->arena, packed, &hello);
    if (r == 0 && (is_zero_id(hello.session) || hello.next_sequence > SEQUENCE_MAX)) {
        r = -EBADMSG;
    }
    if (r == 0) {
        r = find_or_add_session(connection, &hello, packed);
    }
    if (r == 0 && hello.pid != connection->peer.pid) {
        collector->counters.claimed_pids_wrong++;
        log_limited(collector->log, LOG_LEVEL_NOTICE, CAUSE_OTHER_PID,
                    "process %u '%s' says that its id is %u: it runs in another pid namespace, or "
                    "lies; its files tell both",
                    connection->peer.pid, connection->session->shown_name, hello.pid);
    }
    return r;
}

static void take_hello(struct connection *connection, const struct disk_job *message)
{
    struct collector *collector = connection->collector;
    uint32_t version = connection->receiver.header.flags & VERSION_MASK;

    int r = version == 0 ? -EPROTONOSUPPORT : open_session(connection, payload_of(message));
    if (r < 0) {
        connection_refuse(connection, refusal_of_hello(r));
        return;
    }
    collector->counters.hellos++;
    connection->session->connection = connection;
    connection->stage = CONNECTION_CLIENT;
    connection_table_set_deadline(&collector->connections, connection, 0);
    welcome(connection, version);
}

/* --- Frames --- */

static bool has_valid_sequence(const struct client_session *session, uint64_t sequence)
{
    return sequence >= session->first_sequence && sequence <= SEQUENCE_MAX &&
           (sequence <= session->last_sequence || sequence - session->last_sequence <= GAP_MAX);
}

static void fill_job(struct disk_job *job, struct client_session *session,
                     const struct wire_header *header, size_t plain_size)
{
    job->session = session;
    job->sequence = header->sequence;
    job->gap = header->sequence - session->last_sequence - 1;
    job->counts = (struct record_counts){
        .operations = header->counts[0],
        .samples = header->counts[1],
        .marks = header->counts[2],
        .long_runs = header->counts[3],
    };
    job->first_ns = header->first_ns;
    job->last_ns = header->last_ns;
    job->plain_size = plain_size;
    job->is_last = header->type == WIRE_GOODBYE;
}

/* A batch that came already: from a connection that ended before its acknowledgement arrived. */
static void take_repeated(struct connection *connection, struct disk_job *message)
{
    connection->collector->counters.frames_repeated++;
    drop_message(connection, message);
    if (connection->session->known.written >= connection->receiver.header.sequence) {
        connection_acknowledge(connection, true);
    }
}

static void take_frame(struct connection *connection, struct disk_job *message)
{
    const struct wire_header *header = &connection->receiver.header;
    struct client_session *session = connection->session;
    struct frame_info info;

    if (frame_check(payload_of(message), &info) < 0 || info.size != message->size) {
        drop_message(connection, message);
        connection_refuse(connection, REFUSED_BAD_FRAME);
        return;
    }
    if (!has_valid_sequence(session, header->sequence)) {
        drop_message(connection, message);
        connection_refuse(connection, REFUSED_BAD_SEQUENCE);
        return;
    }
    if (header->sequence <= session->last_sequence) {
        take_repeated(connection, message);
        return;
    }
    if (session->ended) {
        drop_message(connection, message);
        connection_refuse(connection, REFUSED_UNEXPECTED);
        return;
    }
    fill_job(message, session, header, info.plain_size);
    collector_take_frame(connection->collector, message);
}

/* --- All messages --- */

static void take_from_stranger(struct connection *connection, struct disk_job *message)
{
    /* Its budget is that of the greetings; frames have another. */
    struct memory_budget *budget = connection->receiver.budget;
    size_t cost = disk_job_cost(message);

    if (connection->receiver.header.type == WIRE_HELLO) {
        connection->receiver.budget = &connection->collector->frame_memory;
        take_hello(connection, message);
    } else if (connection->receiver.header.type == WIRE_CONTROL) {
        connection->stage = CONNECTION_CONTROL;
        control_take(connection, payload_of(message));
    } else {
        connection_refuse(connection, REFUSED_UNEXPECTED);
    }
    memory_budget_give_back(budget, cost);
    free(message);
}

void client_protocol_take(struct connection *connection, struct disk_job *message)
{
    enum wire_type type = connection->receiver.header.type;

    if (!wire_checksum_is_right(connection->receiver.header_bytes, payload_of(message))) {
        drop_message(connection, message);
        connection_refuse(connection, REFUSED_BAD_CHECKSUM);
    } else if (connection->stage == CONNECTION_NEW) {
        take_from_stranger(connection, message);
    } else if (type == WIRE_FRAME || type == WIRE_GOODBYE) {
        take_frame(connection, message);
    } else {
        drop_message(connection, message);
        connection_refuse(connection, REFUSED_UNEXPECTED);
    }
}
