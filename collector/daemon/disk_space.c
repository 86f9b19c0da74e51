#include "disk_writer.h"

#include <errno.h>
#include <string.h>

/* A limit is noticed at most this late, and left at most this late. */
#define SPACE_CHECK_INTERVAL_NS NS_PER_S
#define SPACE_CHECK_BYTES (4 * MIB)
#define AGE_CHECK_INTERVAL_NS (60 * NS_PER_S)

enum { DELETE_ROUNDS_MAX = 64 };

/* The wall clock as it would be if nobody had set it since the start: a jump forward must not delete everything. */
static uint64_t steady_realtime_ns(const struct disk_writer *writer)
{
    return writer->start_realtime_ns + (clock_read_all().boottime_ns - writer->start_boottime_ns);
}

static uint64_t folder_bytes(const struct disk_writer *writer)
{
    return writer->folder->closed_bytes + writer->pool.bytes;
}

/* What the folder holds above its limit. */
static uint64_t excess_in_folder(struct disk_writer *writer)
{
    uint64_t limit = writer->folder_limits.max_total_bytes;
    uint64_t bytes = folder_bytes(writer);

    writer->counters.folder_bytes = bytes;
    return limit != 0 && bytes > limit ? bytes - limit : 0;
}

/* What the file system lacks of the free space asked for; if it does not tell, nothing is deleted for it. */
static uint64_t missing_in_file_system(struct disk_writer *writer)
{
    uint64_t limit = writer->folder_limits.keep_free_bytes;
    uint64_t free_bytes = 0;

    int r = output_folder_free_bytes(writer->folder, &free_bytes);
    if (r < 0) {
        disk_channel_report_event(writer->channel, DISK_FOLDER_UNREADABLE, r, 0, "");
        return 0;
    }
    writer->counters.free_bytes = free_bytes;
    return free_bytes < limit ? limit - free_bytes : 0;
}

/* Bytes that must go until all limits are kept. */
static uint64_t excess_bytes(struct disk_writer *writer)
{
    return max_u64(excess_in_folder(writer), missing_in_file_system(writer));
}

struct open_names {
    const char **names;
    size_t count;
};

static void note_name(void *context, struct part *part)
{
    struct open_names *open = context;

    open->names[open->count++] = part->writer.name;
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static bool scan_folder(struct disk_writer *writer)
{
    size_t most_names = part_pool_count(&writer->pool) + writer->unsynced_count;
    AUTO_FREE const char **names = calloc(most_names + 1, sizeof(*names));
    struct open_names open = {.names = names};

    if (names == NULL) {
        return false;
    }
    part_pool_visit(&writer->pool, note_name, &open);
    /* Parts that are finished and not closed yet are in no pool. */
    for (struct part *part = writer->first_unsynced; part != NULL; part = part->next_unsynced) {
        if (part->is_finished) {
            note_name(&open, part);
        }
    }
    qsort(names, open.count, sizeof(*names), compare_names);
    int r = output_folder_scan(writer->folder, names, open.count, writer->scan);
    if (r < 0) {
        disk_channel_report_event(writer->channel, DISK_FOLDER_UNREADABLE, r, 0, "");
    }
    return r == 0;
}

static bool delete_part(struct disk_writer *writer, const struct closed_part *part)
{
    int r = output_folder_delete(writer->folder, part);

    if (r < 0 && r != -ENOENT) {
        disk_channel_report_event(writer->channel, DISK_DELETE_FAILED, r, 0, part->name);
        return false;
    }
    if (r == 0) {
        writer->counters.parts_deleted++;
        writer->counters.bytes_deleted += part->size_bytes;
        disk_channel_report_event(writer->channel, DISK_PART_DELETED, 0, part->size_bytes,
                                  part->name);
    }
    return r == 0;
}

static bool is_too_old(const struct disk_writer *writer, const struct closed_part *part,
                       uint64_t now_ns)
{
    uint64_t max_age_ns = writer->folder_limits.max_age_ns;

    return max_age_ns != 0 && part->modified_ns < now_ns && now_ns - part->modified_ns > max_age_ns;
}

/* Deletes the oldest parts of the last scan as long as a limit asks for it. Returns how many. */
static size_t delete_oldest(struct disk_writer *writer)
{
    const struct folder_scan *scan = writer->scan;
    uint64_t now_ns = steady_realtime_ns(writer);
    size_t deleted = 0;

    for (size_t i = 0; i < scan->oldest_count; i++) {
        if (!is_too_old(writer, &scan->oldest[i], now_ns) && excess_bytes(writer) == 0) {
            break;
        }
        deleted += delete_part(writer, &scan->oldest[i]);
    }
    return deleted;
}

/* With nothing closed left to give way, the largest open part is closed - if the open parts hold enough to help. */
static bool close_largest(struct disk_writer *writer)
{
    struct part *largest = part_pool_largest(&writer->pool);
    uint64_t excess = excess_bytes(writer);

    if (largest == NULL || excess == 0 || excess > writer->pool.bytes) {
        return false;
    }
    disk_sync_finish(writer, largest, END_LIMIT);
    disk_sync_now(writer);
    return true;
}

static void enforce_limits(struct disk_writer *writer)
{
    for (int round = 0; round < DELETE_ROUNDS_MAX; round++) {
        if (!scan_folder(writer) || !writer->folder_limits.may_delete) {
            return;
        }
        bool may_be_more = delete_oldest(writer) == FOLDER_OLDEST_MAX;
        if (!may_be_more && !close_largest(writer)) {
            return;
        }
    }
}

static void report_limit(struct disk_writer *writer, bool is_reached)
{
    if (is_reached != writer->counters.limit_reached) {
        writer->counters.limit_reached = is_reached;
        disk_channel_report_event(writer->channel,
                                  is_reached ? DISK_LIMIT_REACHED : DISK_LIMIT_LEFT, 0,
                                  writer->counters.free_bytes, "");
    }
}

void disk_space_check_if_due(struct disk_writer *writer, uint64_t now_ns)
{
    bool age_is_due = writer->folder_limits.max_age_ns != 0 && now_ns >= writer->age_check_due_ns;

    if (now_ns < writer->space_check_due_ns && writer->bytes_since_check < SPACE_CHECK_BYTES) {
        return;
    }
    writer->space_check_due_ns = now_ns + SPACE_CHECK_INTERVAL_NS;
    writer->bytes_since_check = 0;
    uint64_t excess = excess_bytes(writer);
    if (excess > 0 || age_is_due) {
        writer->age_check_due_ns = now_ns + AGE_CHECK_INTERVAL_NS;
        enforce_limits(writer);
        excess = excess_bytes(writer);
    }
    report_limit(writer, excess > 0);
}

bool disk_space_make_room(struct disk_writer *writer, int error)
{
    bool is_full = error == -ENOSPC || error == -EDQUOT;

    if (!is_full || !writer->folder_limits.may_delete || !scan_folder(writer)) {
        return false;
    }
    return writer->scan->oldest_count > 0 && delete_part(writer, &writer->scan->oldest[0]);
}

void disk_space_start(struct disk_writer *writer)
{
    uint64_t adopted = 0;
    uint64_t left = 0;
    struct clock_reading clock = clock_read_all();

    writer->start_realtime_ns = clock.realtime_ns;
    writer->start_boottime_ns = clock.boottime_ns;
    int r = output_folder_adopt(writer->folder, &adopted, &left);
    if (r < 0) {
        disk_channel_report_event(writer->channel, DISK_FOLDER_UNREADABLE, r, 0, "");
    }
    writer->counters.parts_adopted = adopted;
    writer->counters.parts_left = left;
    if (adopted > 0) {
        disk_channel_report_event(writer->channel, DISK_PARTS_ADOPTED, 0, adopted, "");
    }
    if (left > 0) {
        disk_channel_report_event(writer->channel, DISK_PARTS_LEFT, 0, left, "");
    }
    (void)scan_folder(writer);
    disk_space_check_if_due(writer, clock_monotonic_ns());
}
