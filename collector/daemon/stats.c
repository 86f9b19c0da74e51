#include "stats.h"

#include "connection.h"

#include <errno.h>
#include <time.h>

uint64_t stats_records(const struct record_counts *counts)
{
    return record_counts_sum(counts);
}

static uint64_t all_lost(const struct collector *collector)
{
    uint64_t records = 0;

    for (size_t i = 0; i < LOSS_CAUSE_COUNT; i++) {
        records += stats_records(&collector->disk.lost[i]);
    }
    return records;
}

static uint64_t all_refused(const struct collector *collector)
{
    uint64_t connections = 0;

    for (size_t i = 0; i < REFUSAL_COUNT; i++) {
        connections += collector->counters.refused[i];
    }
    return connections;
}

struct line_list {
    struct stats_line *lines;
    size_t count;
};

static void put(struct line_list *list, bool is_counter, const char *name, const char *help,
                uint64_t value)
{
    list->lines[list->count++] =
        (struct stats_line){.name = name, .help = help, .is_counter = is_counter, .value = value};
}

static void gather_sockets(struct line_list *list, const struct collector *collector)
{
    const struct collector_counters *counters = &collector->counters;

    put(list, false, "connections", "Connections that are open.", collector->connections.count);
    put(list, false, "connections_limit", "Connections that are permitted.",
        collector->connection_limit);
    put(list, true, "connections_accepted", "Connections since the start.",
        counters->connections_accepted);
    put(list, true, "connections_refused", "Connections closed for what the client did.",
        all_refused(collector));
    put(list, false, "sessions", "Sessions that are connected or remembered.",
        collector->sessions.count);
    put(list, true, "hellos", "Greetings of clients.", counters->hellos);
    put(list, true, "claimed_pids_wrong",
        "Greetings whose process id is not the one that the kernel says.",
        counters->claimed_pids_wrong);
    put(list, true, "descriptors_received", "Recorders that clients handed over.",
        counters->descriptors_received);
    put(list, false, "recorders_waiting",
        "Recorders of programs that went away without a goodbye and are not known to be dead.",
        collector->salvage.count);
    put(list, true, "recorders_given_up", "Recorders of such programs, not waited for any more.",
        counters->recorders_given_up);
    put(list, true, "frames_received", "Frames that were received and passed their checks.",
        counters->frames_received);
    put(list, true, "frame_bytes_received", "Bytes of these.", counters->frame_bytes_received);
    put(list, true, "frames_repeated", "Frames that clients sent again; not stored again.",
        counters->frames_repeated);
    put(list, true, "sequence_gaps", "Batches that never arrived.", counters->sequence_gaps);
    put(list, true, "records_received", "Records in the frames received.",
        stats_records(&counters->received));
    put(list, false, "memory_bytes", "Memory of frames on their way to the disk.",
        collector->frame_memory.used);
    put(list, false, "memory_limit_bytes", "What that may be (QueueSize).",
        collector->frame_memory.limit);
    put(list, true, "memory_waits", "Times that a client was not read from for want of memory.",
        counters->memory_waits);
}

static void gather_disk(struct line_list *list, const struct collector *collector)
{
    const struct disk_counters *disk = &collector->disk;

    put(list, true, "records_stored", "Records in the frames written.",
        stats_records(&disk->stored));
    put(list, true, "records_lost", "Records in frames that were received and not kept.",
        all_lost(collector));
    put(list, true, "frames_written", "Frames written to trace files.", disk->frames_written);
    put(list, true, "frame_bytes_written", "Bytes of these.", disk->bytes_written);
    put(list, true, "frames_lost", "Frames received and not kept.", disk->frames_lost);
    put(list, false, "sessions_untold",
        "Programs that are gone and whose losses no trace file could tell of yet.",
        disk->sessions_untold);
    put(list, true, "frames_suspect", "Frames written before a failed sync: may be missing.",
        disk->frames_suspect);
    put(list, true, "parts_opened", "Trace files created.", disk->parts_opened);
    put(list, true, "parts_closed", "Trace files closed.", disk->parts_closed);
    put(list, false, "parts_open", "Trace files that are being written.", disk->open_parts);
    put(list, true, "parts_deleted", "Old trace files deleted to keep the limits.",
        disk->parts_deleted);
    put(list, true, "part_bytes_deleted", "Bytes of these.", disk->bytes_deleted);
    put(list, true, "parts_adopted", "Trace files of a killed collector that got their names.",
        disk->parts_adopted);
    put(list, true, "parts_left", "Trace files of a killed collector that did not.",
        disk->parts_left);
    put(list, true, "recorders_salvaged", "Recorders of dead programs that were read to their end.",
        disk->recorders_salvaged);
    put(list, true, "recorders_refused", "Recorders of dead programs that could not be read.",
        disk->recorders_refused);
    put(list, true, "ends_missing", "Trace files closed without their account at the end.",
        disk->ends_missing);
    put(list, true, "write_errors", "Writes that failed.", disk->write_errors);
    put(list, true, "sync_errors", "Syncs that failed.", disk->sync_errors);
    put(list, false, "folder_bytes", "Bytes of the trace files in the output folder.",
        disk->folder_bytes);
    put(list, false, "free_bytes", "Bytes free in the file system of the output folder.",
        disk->free_bytes);
    put(list, false, "limit_reached", "1 while data is refused because of a limit of the folder.",
        disk->limit_reached);
}

size_t stats_gather(const struct collector *collector,
                    struct stats_line ret_lines[static STATS_LINES_MAX])
{
    struct line_list list = {.lines = ret_lines};

    put(&list, false, "uptime_seconds", "Since the start of the collector.",
        (collector->round_ns - collector->started_ns) / NS_PER_S);
    gather_sockets(&list, collector);
    gather_disk(&list, collector);
    return list.count;
}

static void note_fed(void *context, struct client_session *session)
{
    struct stats_sessions *list = context;

    if (!session->is_left) {
        list->sessions[list->count++] = session;
    }
}

static int compare_sessions(const void *left, const void *right)
{
    const struct client_session *a = *(struct client_session *const *)left;
    const struct client_session *b = *(struct client_session *const *)right;

    return (a->last_seen_ns < b->last_seen_ns) - (a->last_seen_ns > b->last_seen_ns);
}

int stats_list_sessions(struct collector *collector, size_t most, struct stats_sessions *ret_list)
{
    struct session_table *table = &collector->sessions;
    struct stats_sessions list = {
        .sessions = calloc(table->count + 1, sizeof(struct client_session *)),
    };

    if (list.sessions == NULL) {
        return -ENOMEM;
    }
    session_table_visit(table, note_fed, &list);
    qsort(list.sessions, list.count, sizeof(struct client_session *), compare_sessions);
    for (struct client_session *session = table->last_left; session != NULL && list.count < most;
         session = session->previous_left) {
        list.sessions[list.count++] = session;
    }
    list.count = min_u64(list.count, most);
    list.omitted = table->count - list.count;
    *ret_list = list;
    return 0;
}

const char *stats_time(char ret_text[static STATS_TIME_BYTES], uint64_t realtime_ns)
{
    time_t seconds = (time_t)(realtime_ns / NS_PER_S);
    struct tm parts;

    if (gmtime_r(&seconds, &parts) == NULL ||
        strftime(ret_text, STATS_TIME_BYTES, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0) {
        ret_text[0] = '\0';
    }
    return ret_text;
}
