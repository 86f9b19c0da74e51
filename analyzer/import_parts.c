#include "import_parts.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum {
    /* A Source or an End of ours holds a handful of numbers and one name. */
    SMALL_PACKET_BYTES = 8 << 10,
};

static struct clock_reading clock_at(uint64_t time_ns)
{
    return (struct clock_reading){
        .monotonic_ns = time_ns,
        .realtime_ns = time_ns,
        .boottime_ns = time_ns,
    };
}

/* Appends frame[0 .. size - 1]. */
static int append(struct import_parts *parts, size_t size)
{
    struct slice frame = {parts->frame, size};
    struct frame_info info;
    int r = frame_check(frame, &info);

    r = r < 0 ? r : trace_writer_append(&parts->file, frame);
    if (r == 0) {
        parts->plain_bytes += info.plain_size;
    }
    return r;
}

static int reserve_frame(struct import_parts *parts, size_t size)
{
    if (size > parts->frame_size) {
        uint8_t *frame = realloc(parts->frame, size);

        if (frame == NULL) {
            return -ENOMEM;
        }
        parts->frame = frame;
        parts->frame_size = size;
    }
    return 0;
}

static int begin_part(struct import_parts *parts)
{
    char name[TRACE_NAME_MAX_BYTES];
    size_t size = 0;

    trace_file_name(name, parts->source.executable, parts->source.pid, parts->source.id.session,
                    parts->source.part);
    parts->end = (struct end){.id = parts->source.id, .totals = parts->end.totals};
    parts->plain_bytes = 0;
    parts->source.id.sequence = parts->sequence;

    int r = trace_writer_open(&parts->file, parts->dir_fd, name);

    parts->file_count += r == 0;
    r = r < 0 ? r
              : packet_write_source(parts->frame_writer, &parts->source, parts->frame,
                                    parts->frame_size, &size);
    return r < 0 ? r : append(parts, size);
}

static int end_part(struct import_parts *parts, enum end_reason reason)
{
    size_t size = 0;

    parts->end.id.sequence = parts->sequence;
    parts->end.frame_bytes = parts->file.size_bytes;
    parts->end.reason = reason;
    parts->end.totals_final = reason == END_SESSION_ENDED;
    parts->end.clock = clock_at(parts->last_ns);

    int r =
        packet_write_end(parts->frame_writer, &parts->end, parts->frame, parts->frame_size, &size);

    r = r < 0 ? r : append(parts, size);
    return r < 0 ? r : trace_writer_close(&parts->file);
}

int import_parts_open(struct import_parts *ret_parts, int dir_fd, const char *process,
                      const uint8_t *session, const uint64_t first_and_last_ns[static 2])
{
    *ret_parts = (struct import_parts){
        .dir_fd = dir_fd,
        .last_ns = first_and_last_ns[1],
        .plain_limit_bytes = IMPORT_PART_PLAIN_BYTES,
        .file = {.fd = -1, .dir_fd = -1},
        .source = {.format_version = TRACE_FORMAT_VERSION,
                   .kind = SOURCE_IMPORTED,
                   .executable = process,
                   .host_name = "",
                   .boot_id = "",
                   .writer = "eddy-analyzer " EDDY_PROJECT_VERSION,
                   .clock = clock_at(first_and_last_ns[0]),
                   .session_start_ns = first_and_last_ns[0]},
    };
    memcpy(ret_parts->source.id.session, session, SESSION_ID_BYTES);

    int r = batch_encoder_new(&ret_parts->encoder);

    r = r < 0 ? r : frame_writer_new(&ret_parts->frame_writer);
    r = r < 0 ? r : reserve_frame(ret_parts, SMALL_PACKET_BYTES);
    return r < 0 ? r : begin_part(ret_parts);
}

static int rotate_if_full(struct import_parts *parts)
{
    if (parts->plain_bytes + FRAME_MAX_PLAIN_BYTES <= parts->plain_limit_bytes) {
        return 0;
    }

    int r = end_part(parts, END_ROTATED);

    parts->source.part += r == 0;
    return r < 0 ? r : begin_part(parts);
}

int import_parts_add(struct import_parts *parts, struct batch *batch)
{
    struct record_counts rows = {batch->operations.count, batch->samples.count, 0, 0};
    struct totals *totals = &parts->end.totals;
    size_t size = 0;
    int r = rotate_if_full(parts);

    r = r < 0 ? r : reserve_frame(parts, batch_encode_bound(batch));
    if (r < 0) {
        return r;
    }
    record_counts_add(&totals->produced, &rows);
    record_counts_add(&totals->batched, &rows);
    batch->id = parts->source.id;
    batch->id.sequence = parts->sequence + 1;
    batch->clock = clock_at(parts->last_ns);
    batch->totals = *totals;
    r = batch_encode(parts->encoder, batch, parts->frame, parts->frame_size, &size);
    r = r < 0 ? r : append(parts, size);
    if (r < 0) {
        return r;
    }
    totals->frame_bytes += size;
    record_counts_add(&parts->end.stored, &rows);
    parts->end.batches++;
    parts->sequence++;
    return 0;
}

int import_parts_close(struct import_parts *parts)
{
    return end_part(parts, END_SESSION_ENDED);
}

void import_parts_release(struct import_parts *parts)
{
    if (parts->encoder != NULL || parts->frame_writer != NULL) {
        trace_writer_release(&parts->file);
    }
    batch_encoder_free(parts->encoder);
    frame_writer_free(parts->frame_writer);
    free(parts->frame);
    *parts = (struct import_parts){.file = {.fd = -1, .dir_fd = -1}};
}

void import_parts_remove(int dir_fd, const char *process, const uint8_t *session,
                         uint32_t file_count)
{
    for (uint32_t i = 0; i < file_count; i++) {
        char name[TRACE_NAME_MAX_BYTES];
        char partial[TRACE_NAME_MAX_BYTES + sizeof(TRACE_PARTIAL_SUFFIX)];

        trace_file_name(name, process, 0, session, i);
        (void)snprintf(partial, sizeof(partial), "%s" TRACE_PARTIAL_SUFFIX, name);
        (void)unlinkat(dir_fd, name, 0);
        (void)unlinkat(dir_fd, partial, 0);
    }
}
