#include "connection.h"
#include "stats.h"

/* One number of each client. */
struct client_metric {
    const char *name;
    const char *help;
    uint64_t (*value)(const struct client_session *session);
};

static uint64_t frames_of(const struct client_session *session)
{
    return session->frames;
}

static uint64_t bytes_of(const struct client_session *session)
{
    return session->frame_bytes;
}

static uint64_t received_of(const struct client_session *session)
{
    return stats_records(&session->received);
}

static uint64_t stored_of(const struct client_session *session)
{
    return stats_records(&session->known.stored);
}

static uint64_t lost_of(const struct client_session *session)
{
    return stats_records(&session->known.lost);
}

static uint64_t lost_by_client(const struct client_session *session)
{
    struct record_counts lost = totals_lost(&session->known.totals);

    return stats_records(&lost);
}

static const struct client_metric client_metrics[] = {
    {"frames_received", "Frames that the client sent.", frames_of},
    {"frame_bytes_received", "Bytes of these.", bytes_of},
    {"records_received", "Records in these.", received_of},
    {"records_stored", "Records in the frames written.", stored_of},
    {"records_lost", "Records in frames that were received and not kept.", lost_of},
    {"records_lost_by_client", "Records that the client says it lost itself.", lost_by_client},
};

static void put_head(struct text_buffer *text, const char *prefix, const char *name,
                     const char *help, bool is_counter)
{
    text_append(text, "# TYPE %s%s %s\n# HELP %s%s %s\n", prefix, name,
                is_counter ? "counter" : "gauge", prefix, name, help);
}

static void put_client(struct text_buffer *text, const struct client_metric *metric,
                       const struct client_session *session)
{
    text_append(text, "eddy_client_%s_total{session=\"", metric->name);
    for (size_t i = 0; i < SESSION_ID_BYTES; i++) {
        text_append(text, "%02x", session->id[i]);
    }
    text_append(text, "\",pid=\"%u\",uid=\"%u\",executable=", session->peer.pid, session->peer.uid);
    text_append_quoted(text, session->shown_name);
    text_append(text, "} %llu\n", (unsigned long long)metric->value(session));
}

/* Only those that are connected, which come first: what has ended would be told for ever. */
static void put_clients(struct text_buffer *text, struct collector *collector)
{
    struct stats_sessions list;

    if (stats_list_sessions(collector, STATS_SESSIONS_MAX, &list) < 0) {
        text->has_failed = true;
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(client_metrics); i++) {
        put_head(text, "eddy_client_", client_metrics[i].name, client_metrics[i].help, true);
        for (size_t s = 0; s < list.count && !list.sessions[s]->is_left; s++) {
            put_client(text, &client_metrics[i], list.sessions[s]);
        }
    }
    free(list.sessions);
}

static void put_by_reason(struct text_buffer *text, const struct collector *collector)
{
    put_head(text, "eddy_collector_", "refusals", "Connections closed, by reason.", true);
    for (unsigned int i = 0; i < REFUSAL_COUNT; i++) {
        text_append(text, "eddy_collector_refusals_total{reason=\"%s\"} %llu\n",
                    refusal_name((enum refusal)i),
                    (unsigned long long)collector->counters.refused[i]);
    }
    put_head(text, "eddy_collector_", "losses", "Records received and not kept, by cause.", true);
    for (unsigned int i = LOSS_WRITE_FAILED; i < LOSS_CAUSE_COUNT; i++) {
        text_append(text, "eddy_collector_losses_total{cause=\"%s\"} %llu\n",
                    loss_cause_name((enum loss_cause)i),
                    (unsigned long long)stats_records(&collector->disk.lost[i]));
    }
}

void stats_put_openmetrics(struct text_buffer *text, struct collector *collector)
{
    struct stats_line lines[STATS_LINES_MAX];
    size_t count = stats_gather(collector, lines);

    for (size_t i = 0; i < count; i++) {
        put_head(text, "eddy_collector_", lines[i].name, lines[i].help, lines[i].is_counter);
        text_append(text, "eddy_collector_%s%s %llu\n", lines[i].name,
                    lines[i].is_counter ? "_total" : "", (unsigned long long)lines[i].value);
    }
    put_by_reason(text, collector);
    put_clients(text, collector);
    text_append(text, "# EOF\n");
}
