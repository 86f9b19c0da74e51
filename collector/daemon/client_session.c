#include "client_session.h"

#include "bytes.h"
#include "clocks.h"
#include "disk_channel.h"
#include "utf8.h"

#include <errno.h>
#include <string.h>

/* So many sessions that are left are looked at for one that can be forgotten. */
enum { FORGET_LOOKS_MAX = 64 };

static struct client_session **bucket_of(struct session_table *table, const uint8_t *id)
{
    /* Ids are random: any of their bits will do. A client that chooses them harms its own look-ups, bounded by the
     * number of connections. */
    return &table->buckets[read_le64(id) & (SESSION_BUCKETS - 1)];
}

static void session_free(struct client_session *session)
{
    free(session->hello);
    free(session);
}

static struct client_session *session_new(const struct hello *hello, struct slice packed_hello,
                                          struct peer_identity peer, enum source_kind kind)
{
    struct client_session *session = calloc(1, sizeof(*session));

    if (session == NULL) {
        return NULL;
    }
    session->hello = malloc(packed_hello.size > 0 ? packed_hello.size : 1);
    if (session->hello == NULL) {
        free(session);
        return NULL;
    }
    memcpy(session->hello, packed_hello.data, packed_hello.size);
    session->hello_size = packed_hello.size;
    memcpy(session->id, hello->session, SESSION_ID_BYTES);
    session->peer = peer;
    session->kind = kind;
    session->first_sequence = max_u64(hello->next_sequence, 1);
    session->last_sequence = session->first_sequence - 1;
    session->last_seen_ns = clock_monotonic_ns();
    (void)utf8_copy_for_terminal(session->shown_name, sizeof(session->shown_name),
                                 hello->executable, strlen(hello->executable));
    return session;
}

/* --- Those that are left --- */

static void left_append(struct session_table *table, struct client_session *session)
{
    session->next_left = NULL;
    session->previous_left = table->last_left;
    if (table->last_left != NULL) {
        table->last_left->next_left = session;
    } else {
        table->first_left = session;
    }
    table->last_left = session;
    session->last_seen_ns = clock_monotonic_ns();
}

static void left_remove(struct session_table *table, struct client_session *session)
{
    if (session->previous_left != NULL) {
        session->previous_left->next_left = session->next_left;
    } else {
        table->first_left = session->next_left;
    }
    if (session->next_left != NULL) {
        session->next_left->previous_left = session->previous_left;
    } else {
        table->last_left = session->previous_left;
    }
}

/* Whether the writer thread has nothing of it. */
static bool is_idle(const struct client_session *session)
{
    return !session->is_awaited && session->known.holds == 0 &&
           session->known.jobs_done == session->jobs_pushed;
}

static void forget(struct session_table *table, struct client_session *session)
{
    struct client_session **link = bucket_of(table, session->id);

    left_remove(table, session);
    while (*link != session) {
        link = &(*link)->next_in_bucket;
    }
    *link = session->next_in_bucket;
    table->left_count--;
    table->count--;
    table->hello_bytes -= session->hello_size;
    session_free(session);
}

/* Looks at the one that was left first: forgets it, or puts it behind all others if it is still in use. */
static bool forget_first(struct session_table *table)
{
    struct client_session *session = table->first_left;

    if (is_idle(session)) {
        forget(table, session);
        return true;
    }
    left_remove(table, session);
    left_append(table, session);
    return false;
}

/* Returns whether one was found that could be forgotten. */
static bool forget_one(struct session_table *table)
{
    for (size_t i = 0; i < FORGET_LOOKS_MAX && table->first_left != NULL; i++) {
        if (forget_first(table)) {
            return true;
        }
    }
    return false;
}

void session_table_leave(struct session_table *table, struct client_session *session)
{
    session->connection = NULL;
    session->is_left = true;
    table->left_count++;
    left_append(table, session);
    if (session->jobs_pushed == 0 && !session->is_awaited) {
        forget(table, session);
    }
}

void session_table_trim(struct session_table *table)
{
    while (table->left_count > SESSIONS_MAX_LEFT && forget_one(table)) {
    }
}

void session_table_return(struct session_table *table, struct client_session *session)
{
    if (session->is_left) {
        left_remove(table, session);
        session->is_left = false;
        table->left_count--;
    }
}

void session_table_forget(struct session_table *table, uint64_t left_before_ns)
{
    /* Those that are in use become the youngest, so each is looked at once. */
    for (size_t looks = table->left_count;
         looks > 0 && table->first_left->last_seen_ns < left_before_ns; looks--) {
        (void)forget_first(table);
    }
}

/* --- All of them --- */

static bool has_room(const struct session_table *table, size_t hello_bytes)
{
    return table->left_count <= SESSIONS_MAX_LEFT &&
           table->hello_bytes + hello_bytes <= SESSIONS_MAX_HELLO_BYTES;
}

int session_table_add(struct session_table *table, const struct hello *hello,
                      struct slice packed_hello, struct peer_identity peer, enum source_kind kind,
                      struct client_session **ret_session)
{
    struct client_session **bucket = bucket_of(table, hello->session);

    while (!has_room(table, packed_hello.size)) {
        if (!forget_one(table)) {
            return -EDQUOT;
        }
    }
    struct client_session *session = session_new(hello, packed_hello, peer, kind);
    if (session == NULL) {
        return -ENOMEM;
    }
    session->next_in_bucket = *bucket;
    *bucket = session;
    table->count++;
    table->hello_bytes += packed_hello.size;
    *ret_session = session;
    return 0;
}

struct client_session *session_table_find(struct session_table *table, const uint8_t *id)
{
    struct client_session *session = *bucket_of(table, id);

    while (session != NULL && memcmp(session->id, id, SESSION_ID_BYTES) != 0) {
        session = session->next_in_bucket;
    }
    return session;
}

void session_note_frame(struct client_session *session, const struct disk_job *job)
{
    session->last_sequence = job->sequence;
    session->last_seen_ns = clock_monotonic_ns();
    session->frames++;
    session->frame_bytes += job->size;
    session->jobs_pushed++;
    session->needs_end = !job->is_last;
    session->ended = job->is_last;
    record_counts_add(&session->received, &job->counts);
}

void session_table_visit(struct session_table *table,
                         void (*visit)(void *context, struct client_session *session),
                         void *context)
{
    for (size_t i = 0; i < SESSION_BUCKETS; i++) {
        for (struct client_session *session = table->buckets[i]; session != NULL;
             session = session->next_in_bucket) {
            visit(context, session);
        }
    }
}

void session_table_release(struct session_table *table)
{
    for (size_t i = 0; i < SESSION_BUCKETS; i++) {
        while (table->buckets[i] != NULL) {
            struct client_session *session = table->buckets[i];

            table->buckets[i] = session->next_in_bucket;
            session_free(session);
        }
    }
    *table = (struct session_table){0};
}
