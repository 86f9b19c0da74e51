#include "client_session.h"

#include "bytes.h"
#include "clocks.h"
#include "disk_channel.h"
#include "utf8.h"

#include <errno.h>
#include <string.h>

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

int session_table_add(struct session_table *table, const struct hello *hello,
                      struct slice packed_hello, struct peer_identity peer, enum source_kind kind,
                      struct client_session **ret_session)
{
    struct client_session **bucket = bucket_of(table, hello->session);

    if (table->hello_bytes + packed_hello.size > SESSIONS_MAX_HELLO_BYTES) {
        return -EDQUOT;
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
    record_counts_add(&session->received, &job->counts);
}

static bool is_idle(const struct client_session *session)
{
    return session->connection == NULL && session->kind == SOURCE_PROCESS &&
           session->known.holds == 0 && session->known.jobs_done == session->jobs_pushed;
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

static void forget_seen_before(struct session_table *table, uint64_t seen_before_ns)
{
    for (size_t i = 0; i < SESSION_BUCKETS; i++) {
        struct client_session **link = &table->buckets[i];

        while (*link != NULL) {
            struct client_session *session = *link;

            if (!is_idle(session) || session->last_seen_ns >= seen_before_ns) {
                link = &session->next_in_bucket;
                continue;
            }
            *link = session->next_in_bucket;
            table->count--;
            table->hello_bytes -= session->hello_size;
            session_free(session);
        }
    }
}

struct idle_times {
    uint64_t *seen_ns; /* NULL while counting */
    size_t count;
};

static void note_idle(void *context, struct client_session *session)
{
    struct idle_times *times = context;

    if (!is_idle(session)) {
        return;
    }
    if (times->seen_ns != NULL) {
        times->seen_ns[times->count] = session->last_seen_ns;
    }
    times->count++;
}

static int compare_times(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;

    return (a > b) - (a < b);
}

void session_table_forget_idle(struct session_table *table, uint64_t seen_before_ns,
                               size_t most_idle)
{
    struct idle_times times = {0};

    forget_seen_before(table, seen_before_ns);
    session_table_visit(table, note_idle, &times);
    if (times.count <= most_idle) {
        return;
    }
    size_t surplus = times.count - most_idle;
    AUTO_FREE uint64_t *seen_ns = calloc(times.count, sizeof(*seen_ns));
    if (seen_ns == NULL) {
        return;
    }
    times = (struct idle_times){.seen_ns = seen_ns};
    session_table_visit(table, note_idle, &times);
    qsort(seen_ns, times.count, sizeof(*seen_ns), compare_times);
    forget_seen_before(table, seen_ns[surplus - 1] + 1);
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
