/*
 * What the collector knows about a session: whose it is, how far it got, and what it sent. Survives connections.
 *
 * A session has three groups of fields, each with one writer: the loop's, the progress that the writer thread reports
 * (copied under the mutex of disk_channel.h), and the writer thread's own. The loop frees a session only when no job of
 * it is on its way and the writer thread holds nothing of it, so that the writer thread never meets a freed one.
 */
#pragma once

#include "batch.h"
#include "packet.h"
#include "trace_writer.h"

#include <stdbool.h>
#include <sys/types.h>

struct connection;
struct disk_job;
struct part;

enum {
    /* Sessions remembered after their client left, so that what it sends again is recognised. */
    SESSIONS_MAX_LEFT = 16384,
    SESSION_BUCKETS = 4096, /* a power of two */
    SESSION_SHOWN_NAME_BYTES = 64,
};

/* Memory for the greetings of all sessions together. */
#define SESSIONS_MAX_HELLO_BYTES (32 * MIB)

/* As the kernel says (SO_PEERCRED). */
struct peer_identity {
    uint32_t pid;
    uint32_t uid;
    uint32_t gid;
};

/* Reported by the writer thread. */
struct session_progress {
    uint64_t written; /* greatest sequence that was written, or counted as lost */
    uint64_t durable; /* greatest sequence that survives a power failure */
    uint64_t jobs_done;
    uint64_t holds; /* what the writer thread still has of it: parts to close, losses to tell */
    struct record_counts stored;
    struct record_counts lost; /* by the collector */
    uint64_t bytes_written;
    bool has_totals;
    struct totals totals; /* of the client, from the head of a recent batch */
};

/* The writer thread's own: what it needs to go on in the next part. */
struct session_output {
    struct part *part; /* owned by the writer thread; NULL between parts */
    uint32_t next_part;
    char last_name[TRACE_NAME_MAX_BYTES]; /* of the newest part; "": none yet */
    uint64_t last_sequence;               /* greatest written; 0: none yet */
    uint64_t totals_sequence;             /* of the batch that totals stand for */
    struct totals totals;                 /* as the client said last */
    bool totals_final;                    /* it said so with its goodbye */
    uint64_t totals_read_ns;
    uint32_t loss_count;
    struct loss losses[2]; /* WRITE_FAILED and DISK_LIMIT, not yet in an End */
    uint64_t gaps;         /* batches that never arrived, not yet in an End */
    enum end_reason end_reason;
    bool is_untold; /* it has ended, and no file could tell of its losses yet */
    struct client_session *next_untold;
    struct client_session *previous_untold;
};

struct client_session {
    /* Set when created, then constant: both threads read them. */
    uint8_t id[SESSION_ID_BYTES];
    struct peer_identity peer;
    enum source_kind kind;
    uint64_t first_sequence;
    uint8_t *hello; /* owned: the packed greeting, from which a Source is made */
    size_t hello_size;
    char shown_name[SESSION_SHOWN_NAME_BYTES]; /* executable, safe for terminals */

    /* The loop's. */
    struct client_session *next_in_bucket;
    bool is_awaited; /* its process's death is (salvage_watch.h): it is not forgotten meanwhile */
    bool is_left;    /* nobody feeds it: in the list by next_left */
    struct client_session *next_left;
    struct client_session *previous_left;
    struct connection *connection; /* borrowed; NULL while not connected */
    uint64_t last_sequence;        /* greatest received */
    uint64_t jobs_pushed;
    bool needs_end; /* frames were pushed, and no JOB_END_PART since */
    uint64_t
        last_seen_ns; /* monotonic; of one that is left: when that happened, or was found to be in use still */
    struct client_session *next_updated;
    uint64_t frames;
    uint64_t frame_bytes;
    struct record_counts received;
    bool ended;                    /* said goodbye */
    struct session_progress known; /* copy of progress as last reported */

    /* Shared, under the mutex of disk_channel.h. */
    struct session_progress progress;
    struct client_session *next_reported;
    bool is_reported;

    /* The writer thread's. */
    struct session_output output;
};

struct session_table {
    struct client_session *buckets[SESSION_BUCKETS]; /* owned */
    size_t count;
    size_t hello_bytes;
    struct client_session *first_left; /* by last_seen_ns, the oldest first */
    struct client_session *last_left;
    size_t left_count;
};

/*
 * Adds a session, which somebody feeds: a connection, or the sampler of the machine. hello is copied. Forgets sessions that
 * are left if there are too many, or if their greetings take the room.
 *
 * Returns:  0; -EDQUOT if that does not help, since the writer thread still has them; -ENOMEM.
 * Threads:  the loop's only, as all functions here.
 */
MUST_USE int session_table_add(struct session_table *table, const struct hello *hello,
                               struct slice packed_hello, struct peer_identity peer,
                               enum source_kind kind, struct client_session **ret_session);

/* The session of that id, or NULL. */
struct client_session *session_table_find(struct session_table *table, const uint8_t *id);

/* Nobody feeds session any more: from now on it is only remembered, for as long as there is room and time. One that never
 * sent anything is forgotten at once. No other session is: it may stand in the reports that are being looked through. */
void session_table_leave(struct session_table *table, struct client_session *session);

/* Forgets those that were left first as far as there are more than SESSIONS_MAX_LEFT. */
void session_table_trim(struct session_table *table);

/* Somebody feeds it again. */
void session_table_return(struct session_table *table, struct client_session *session);

/* Forgets the sessions that were left before that time, unless the writer thread still has something of them. */
void session_table_forget(struct session_table *table, uint64_t left_before_ns);

/* Counts a frame as received, and as on its way to the writer thread. */
void session_note_frame(struct client_session *session, const struct disk_job *job);

/* Calls visit for each session. */
void session_table_visit(struct session_table *table,
                         void (*visit)(void *context, struct client_session *session),
                         void *context);

/* Frees all sessions; the writer thread must have ended. */
void session_table_release(struct session_table *table);
