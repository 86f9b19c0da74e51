#include "connection.h"
#include "stats.h"
#include "utf8.h"

#include <stdio.h>
#include <string.h>

enum { SHOWN_GONE_MAX = 20 };

static const struct {
    const char *title;
    const char *names[8];
} groups[] = {
    {"received",
     {"records_received", "frames_received", "frame_bytes_received", "frames_repeated",
      "sequence_gaps"}},
    {"stored",
     {"records_stored", "frames_written", "frame_bytes_written", "parts_open", "parts_closed",
      "parts_deleted"}},
    {"lost",
     {"records_lost", "frames_lost", "sessions_untold", "frames_suspect", "write_errors",
      "sync_errors"}},
    {"clients",
     {"connections", "connections_limit", "connections_accepted", "connections_refused",
      "claimed_pids_wrong"}},
    {"room",
     {"memory_bytes", "memory_limit_bytes", "memory_waits", "folder_bytes", "free_bytes",
      "limit_reached"}},
};

static uint64_t value_of(const struct stats_line *lines, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(lines[i].name, name) == 0) {
            return lines[i].value;
        }
    }
    return 0;
}

/* ", frames received 7" */
static void put_number(struct text_buffer *text, const char *separator, const char *name,
                       uint64_t value)
{
    text_append(text, "%s", separator);
    for (; *name != '\0'; name++) {
        text_append(text, "%c", *name == '_' ? ' ' : *name);
    }
    text_append(text, " %llu", (unsigned long long)value);
}

static void put_groups(struct text_buffer *text, const struct collector *collector)
{
    struct stats_line lines[STATS_LINES_MAX];
    size_t count = stats_gather(collector, lines);
    const char *path = collector->config.output_path;
    char shown[CONFIG_PATH_MAX_BYTES];

    (void)utf8_copy_for_terminal(shown, sizeof(shown), path, strlen(path));
    text_append(text,
                "eddy-collector " EDDY_PROJECT_VERSION " (pid %d), up %llu s, writes to %s\n\n",
                (int)getpid(), (unsigned long long)value_of(lines, count, "uptime_seconds"), shown);
    for (size_t i = 0; i < ARRAY_SIZE(groups); i++) {
        text_append(text, "%-9s", groups[i].title);
        for (size_t n = 0; n < ARRAY_SIZE(groups[i].names) && groups[i].names[n] != NULL; n++) {
            put_number(text, n == 0 ? " " : ", ", groups[i].names[n],
                       value_of(lines, count, groups[i].names[n]));
        }
        text_append(text, "\n");
    }
}

static void put_reasons(struct text_buffer *text, const struct collector *collector)
{
    for (unsigned int i = 0; i < REFUSAL_COUNT; i++) {
        if (collector->counters.refused[i] > 0) {
            text_append(text, "refused   %llu: %s\n",
                        (unsigned long long)collector->counters.refused[i],
                        refusal_text((enum refusal)i));
        }
    }
    for (unsigned int i = 0; i < LOSS_CAUSE_COUNT; i++) {
        uint64_t lost = stats_records(&collector->disk.lost[i]);

        if (lost > 0) {
            text_append(text, "lost      %llu %s: %s\n", (unsigned long long)lost,
                        loss_cause_name((enum loss_cause)i), loss_cause_advice((enum loss_cause)i));
        }
    }
}

static void put_session(struct text_buffer *text, const struct client_session *session)
{
    const struct session_progress *known = &session->known;
    struct record_counts lost = totals_lost(&known->totals);
    uint64_t records_lost = stats_records(&known->lost) + stats_records(&lost);
    char since[STATS_TIME_BYTES] = "gone";

    if (session->connection != NULL) {
        (void)stats_time(since, session->connection->connected_realtime_ns);
    } else if (!session->is_left) {
        (void)snprintf(since, sizeof(since), "the machine itself");
    } else if (session->ended) {
        (void)snprintf(since, sizeof(since), "ended");
    }
    text_append(text, "%8u  %-20s  %6u  %-20s  %9llu  %12llu  %12llu  %10llu\n", session->peer.pid,
                session->shown_name, session->peer.uid, since, (unsigned long long)session->frames,
                (unsigned long long)stats_records(&session->received),
                (unsigned long long)stats_records(&known->stored),
                (unsigned long long)records_lost);
}

static void put_sessions(struct text_buffer *text, struct collector *collector)
{
    struct stats_sessions list;
    size_t gone = 0;

    if (stats_list_sessions(collector, STATS_SESSIONS_MAX, &list) < 0) {
        text->has_failed = true;
        return;
    }
    text_append(text, "\n%8s  %-20s  %6s  %-20s  %9s  %12s  %12s  %10s\n", "PID", "NAME", "UID",
                "CONNECTED SINCE", "FRAMES", "RECEIVED", "STORED", "LOST");
    for (size_t i = 0; i < list.count; i++) {
        const struct client_session *session = list.sessions[i];

        gone += session->is_left;
        if (gone <= SHOWN_GONE_MAX) {
            put_session(text, session);
        }
    }
    if (gone > SHOWN_GONE_MAX) {
        text_append(text, "(and %zu more that are gone: --json lists them)\n",
                    gone - SHOWN_GONE_MAX);
    }
    if (list.omitted > 0) {
        text_append(text, "(and %zu more, which are not listed)\n", list.omitted);
    }
    if (list.count == 0) {
        text_append(text, "(no program has connected yet)\n");
    }
    free(list.sessions);
}

void stats_put_text(struct text_buffer *text, struct collector *collector)
{
    put_groups(text, collector);
    put_reasons(text, collector);
    put_sessions(text, collector);
    text_append(text, "\nRECEIVED, STORED: records in frames that arrived, and that were written. "
                      "LOST: by the program (see EDDY_DEBUG) and by the collector.\n");
}
