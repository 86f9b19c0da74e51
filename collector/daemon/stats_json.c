#include "clocks.h"
#include "connection.h"
#include "stats.h"
#include "utf8.h"

#include <string.h>

static void put_counts(struct text_buffer *text, const char *key,
                       const struct record_counts *counts)
{
    text_append(text,
                "\"%s\": {\"operations\": %llu, \"samples\": %llu, \"marks\": %llu, "
                "\"long_runs\": %llu}",
                key, (unsigned long long)counts->operations, (unsigned long long)counts->samples,
                (unsigned long long)counts->marks, (unsigned long long)counts->long_runs);
}

static void put_number(struct text_buffer *text, const char *key, uint64_t value)
{
    text_append(text, "\"%s\": %llu, ", key, (unsigned long long)value);
}

/* Losses by cause; causes without losses are left out. */
static void put_losses(struct text_buffer *text, const char *key,
                       const struct record_counts lost[static LOSS_CAUSE_COUNT])
{
    const char *separator = "";

    text_append(text, "\"%s\": {", key);
    for (unsigned int i = 0; i < LOSS_CAUSE_COUNT; i++) {
        if (!record_counts_are_zero(&lost[i])) {
            text_append(text, "%s", separator);
            put_counts(text, loss_cause_name((enum loss_cause)i), &lost[i]);
            separator = ", ";
        }
    }
    text_append(text, "}");
}

static void put_identity(struct text_buffer *text, const struct client_session *session)
{
    text_append(text, "\"session\": \"");
    for (size_t i = 0; i < SESSION_ID_BYTES; i++) {
        text_append(text, "%02x", session->id[i]);
    }
    text_append(text, "\", \"kind\": \"%s\", \"executable\": ",
                session->kind == SOURCE_MACHINE ? "machine" : "process");
    text_append_quoted(text, session->shown_name);
    text_append(text, ", ");
    put_number(text, "pid", session->peer.pid);
    put_number(text, "uid", session->peer.uid);
    put_number(text, "gid", session->peer.gid);
}

static void put_connection(struct text_buffer *text, const struct client_session *session)
{
    char since[STATS_TIME_BYTES];

    text_append(text, "\"connected\": %s, \"ended\": %s, \"connected_since\": ",
                session->connection != NULL ? "true" : "false", session->ended ? "true" : "false");
    if (session->connection != NULL) {
        text_append(text, "\"%s\", ",
                    stats_time(since, session->connection->connected_realtime_ns));
    } else {
        text_append(text, "null, ");
    }
}

/* What the client itself says, in the newest of its batches that was looked into. */
static void put_own_account(struct text_buffer *text, const struct session_progress *known)
{
    text_append(text, ", \"client_says\": ");
    if (!known->has_totals) {
        text_append(text, "null");
        return;
    }
    text_append(text, "{");
    put_counts(text, "produced", &known->totals.produced);
    text_append(text, ", ");
    put_counts(text, "batched", &known->totals.batched);
    text_append(text, ", ");
    put_losses(text, "lost", known->totals.lost);
    text_append(text, "}");
}

static void put_session(struct text_buffer *text, const struct client_session *session)
{
    const struct session_progress *known = &session->known;

    text_append(text, "    {");
    put_identity(text, session);
    put_connection(text, session);
    put_number(text, "frames", session->frames);
    put_number(text, "frame_bytes", session->frame_bytes);
    put_number(text, "sequence_received", session->last_sequence);
    put_number(text, "sequence_written", known->written);
    put_number(text, "sequence_durable", known->durable);
    put_number(text, "records_received", stats_records(&session->received));
    put_number(text, "records_stored", stats_records(&known->stored));
    put_number(text, "records_lost", stats_records(&known->lost));
    put_counts(text, "received", &session->received);
    text_append(text, ", ");
    put_counts(text, "stored", &known->stored);
    text_append(text, ", ");
    put_counts(text, "lost", &known->lost);
    put_own_account(text, known);
    text_append(text, "}");
}

static void put_sessions(struct text_buffer *text, struct collector *collector)
{
    struct stats_sessions list;

    if (stats_list_sessions(collector, STATS_SESSIONS_MAX, &list) < 0) {
        text->has_failed = true;
        return;
    }
    text_append(text, "  \"clients\": [");
    for (size_t i = 0; i < list.count; i++) {
        text_append(text, "%s\n", i == 0 ? "" : ",");
        put_session(text, list.sessions[i]);
    }
    text_append(text, "\n  ],\n  \"clients_omitted\": %zu\n", list.omitted);
    free(list.sessions);
}

/* A path may have any bytes, JSON may not. */
static void put_path(struct text_buffer *text, const char *path)
{
    char valid[CONFIG_PATH_MAX_BYTES];

    (void)utf8_copy(valid, sizeof(valid), path, strlen(path), NULL);
    text_append_quoted(text, utf8_is_valid(path, strlen(path)) ? path : valid);
}

void stats_put_json(struct text_buffer *text, struct collector *collector)
{
    struct stats_line lines[STATS_LINES_MAX];
    size_t count = stats_gather(collector, lines);
    char since[STATS_TIME_BYTES];

    text_append(text,
                "{\n  \"version\": \"" EDDY_PROJECT_VERSION
                "\",\n  \"pid\": %d,\n  \"now\": \"%s\",\n  \"output\": ",
                (int)getpid(), stats_time(since, clock_read_all().realtime_ns));
    put_path(text, collector->config.output_path);
    text_append(text, ",\n  \"counters\": {");
    for (size_t i = 0; i < count; i++) {
        text_append(text, "%s\n    \"%s\": %llu", i == 0 ? "" : ",", lines[i].name,
                    (unsigned long long)lines[i].value);
    }
    text_append(text, "\n  },\n  \"refused\": {");
    for (unsigned int i = 0; i < REFUSAL_COUNT; i++) {
        text_append(text, "%s\n    \"%s\": %llu", i == 0 ? "" : ",", refusal_name((enum refusal)i),
                    (unsigned long long)collector->counters.refused[i]);
    }
    text_append(text, "\n  },\n  ");
    put_losses(text, "lost", collector->disk.lost);
    text_append(text, ",\n");
    put_sessions(text, collector);
    text_append(text, "}\n");
}
