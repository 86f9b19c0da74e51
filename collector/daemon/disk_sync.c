#include "disk_writer.h"

#include <errno.h>

enum {
    /* Above this number of files one syncfs() is cheaper than a fdatasync() for each. */
    SYNC_FILES_SINGLY_MAX = 16,
};

void disk_sync_note(struct disk_writer *writer, struct part *part, size_t size_bytes)
{
    if (!part->is_unsynced) {
        part->is_unsynced = true;
        part->next_unsynced = writer->first_unsynced;
        writer->first_unsynced = part;
        writer->unsynced_count++;
    }
    writer->unsynced_bytes += size_bytes;
    if (writer->sync_due_ns == 0) {
        writer->sync_due_ns = clock_monotonic_ns() + writer->part_limits.sync_interval_ns;
    }
}

static void part_with_session(struct disk_writer *writer, struct part *part)
{
    if (part->session->output.part == part) {
        part->session->output.part = NULL;
        part_pool_remove(&writer->pool, part);
    }
}

static void forget_part(struct disk_writer *writer, const struct part *part)
{
    writer->counters.open_parts--;
    if (part->is_finished) {
        writer->finished_count--;
    }
}

static void count_suspect(struct disk_writer *writer, const struct part *part, int error)
{
    writer->counters.sync_errors++;
    writer->counters.frames_suspect += part->unsynced_frames;
    writer->counters.last_error_ns = clock_monotonic_ns();
    disk_channel_report_event(writer->channel, DISK_SYNC_FAILED, error, part->unsynced_frames,
                              part->writer.name);
}

static void forget_unsynced(struct disk_writer *writer, struct part *part)
{
    struct part **link = &writer->first_unsynced;

    if (!part->is_unsynced) {
        return;
    }
    while (*link != part) {
        link = &(*link)->next_unsynced;
    }
    *link = part->next_unsynced;
    writer->unsynced_count--;
}

void disk_sync_distrust(struct disk_writer *writer, struct part *part, int error)
{
    struct client_session *session = part->session;

    count_suspect(writer, part, error);
    part_with_session(writer, part);
    forget_unsynced(writer, part);
    forget_part(writer, part);
    writer->folder->closed_bytes += part->writer.size_bytes;
    part_abandon(part);
    disk_channel_report_session(writer->channel, session, &(struct progress_update){.holds = -1});
}

static void count_missing_end(struct disk_writer *writer, const struct part *part, int error)
{
    writer->counters.ends_missing++;
    writer->counters.write_errors++;
    writer->counters.last_error_ns = clock_monotonic_ns();
    disk_channel_report_event(writer->channel, DISK_WRITE_FAILED, error, 1, part->writer.name);
}

void disk_sync_finish(struct disk_writer *writer, struct part *part, enum end_reason reason)
{
    int r = part_pool_use(&writer->pool, part);

    if (r < 0) {
        disk_sync_distrust(writer, part, r);
        return;
    }
    r = part_append_end(part, &writer->maker, reason);
    if (disk_space_make_room(writer, r)) {
        r = part_append_end(part, &writer->maker, reason);
    }
    if (r < 0) {
        count_missing_end(writer, part, r);
    }
    part_with_session(writer, part);
    part->is_finished = true;
    writer->finished_count++;
    disk_sync_note(writer, part, 0);
}

static void close_finished(struct disk_writer *writer, struct part *part)
{
    struct client_session *session = part->session;
    struct part copy = *part; /* for what is to be said after it is gone */

    forget_part(writer, part);
    int r = part_close(part);
    writer->folder->needs_sync = true;
    writer->folder->closed_bytes += copy.writer.size_bytes;
    if (r < 0) {
        count_suspect(writer, &copy, r);
    } else {
        writer->counters.parts_closed++;
    }
    disk_channel_report_session(writer->channel, session,
                                &(struct progress_update){
                                    .holds = -1,
                                    .durable = r < 0 ? 0 : copy.last_sequence,
                                });
}

/* Finished parts are closed, which syncs them; after a syncfs() that costs next to nothing. */
static void sync_part(struct disk_writer *writer, struct part *part, bool is_synced)
{
    if (part->is_finished) {
        close_finished(writer, part);
        return;
    }
    int r = is_synced ? 0 : trace_writer_sync(&part->writer);
    if (r < 0) {
        disk_sync_distrust(writer, part, r);
        return;
    }
    part->unsynced_frames = 0;
    disk_channel_report_session(writer->channel, part->session,
                                &(struct progress_update){.durable = part->last_sequence});
}

static bool must_sync_all_files(const struct disk_writer *writer)
{
    if (writer->unsynced_count > SYNC_FILES_SINGLY_MAX) {
        return true;
    }
    for (const struct part *part = writer->first_unsynced; part != NULL;
         part = part->next_unsynced) {
        if (part->writer.fd < 0) {
            return true;
        }
    }
    return false;
}

void disk_sync_now(struct disk_writer *writer)
{
    struct part *part = writer->first_unsynced;
    bool is_many = must_sync_all_files(writer);

    writer->first_unsynced = NULL;
    writer->unsynced_count = 0;
    writer->unsynced_bytes = 0;
    writer->sync_due_ns = 0;

    disk_channel_publish(writer->channel, &writer->counters, false);
    /* The names first: a file is durable only if its folder knows it. */
    int folder_error = output_folder_sync(writer->folder);
    if (folder_error == 0 && is_many) {
        folder_error = output_folder_sync_files(writer->folder);
    }
    while (part != NULL) {
        struct part *next = part->next_unsynced;

        part->is_unsynced = false;
        part->next_unsynced = NULL;
        part->writer.is_listed = part->writer.is_listed || folder_error == 0;
        if (folder_error < 0) {
            disk_sync_distrust(writer, part, folder_error);
        } else {
            sync_part(writer, part, is_many);
        }
        part = next;
    }
    /* What was renamed becomes durable with the next sync, within the same time as everything else. */
    if (writer->folder->needs_sync && writer->sync_due_ns == 0) {
        writer->sync_due_ns = clock_monotonic_ns() + writer->part_limits.sync_interval_ns;
    }
}

void disk_sync_if_due(struct disk_writer *writer, uint64_t now_ns)
{
    bool is_late = writer->sync_due_ns != 0 && now_ns >= writer->sync_due_ns;

    if (is_late || writer->unsynced_bytes >= writer->part_limits.sync_bytes ||
        writer->finished_count >= writer->most_finished) {
        disk_sync_now(writer);
    }
}
