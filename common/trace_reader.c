#include "trace_reader.h"

#include "frame_skim.h"
#include "trace_frame_test.h"
#include "trace_tail.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

/* What a file may be. */
static int check_file(int fd, uint64_t *ret_size)
{
    struct stat status;

    if (fstat(fd, &status) < 0) {
        return -errno;
    }
    if (!S_ISREG(status.st_mode)) {
        return S_ISDIR(status.st_mode) ? -EISDIR : -ESPIPE;
    }
    *ret_size = (uint64_t)status.st_size;
    return 0;
}

int trace_reader_new(struct trace_reader **ret_reader, int fd)
{
    AUTO_CLOSE int owned_fd = fd;
    uint64_t size = 0;
    int r = check_file(fd, &size);

    if (r < 0) {
        return r;
    }

    struct trace_reader *reader = calloc(1, sizeof(*reader));

    if (reader == NULL) {
        return -ENOMEM;
    }
    reader->fd = take_fd(&owned_fd);
    reader->size_bytes = size;
    r = file_window_init(&reader->window, fd, size);
    r = r < 0 ? r : frame_reader_new(&reader->frames);
    if (r < 0) {
        trace_reader_free(reader);
        return r;
    }
    *ret_reader = reader;
    return 0;
}

int trace_reader_reopen(struct trace_reader *reader, int fd)
{
    AUTO_CLOSE int owned_fd = fd;
    uint64_t size = 0;
    int r = check_file(fd, &size);

    if (reader->fd >= 0) {
        (void)close(reader->fd);
    }
    *reader = (struct trace_reader){.fd = -1,
                                    .window = reader->window,
                                    .frames = reader->frames,
                                    .is_skimming = reader->is_skimming};
    file_window_reset(&reader->window, fd, size);
    if (r == 0) {
        reader->fd = take_fd(&owned_fd);
        reader->size_bytes = size;
    }
    return r;
}

void trace_reader_skim(struct trace_reader *reader)
{
    reader->is_skimming = true;
}

void trace_reader_free(struct trace_reader *reader)
{
    if (reader != NULL) {
        file_window_release(&reader->window);
        frame_reader_free(reader->frames);
        if (reader->fd >= 0) {
            (void)close(reader->fd);
        }
        free(reader);
    }
}

uint64_t trace_reader_offset(const struct trace_reader *reader)
{
    return reader->offset;
}

uint64_t trace_reader_size(const struct trace_reader *reader)
{
    return reader->size_bytes;
}

void trace_reader_distrust(struct trace_reader *reader)
{
    reader->is_distrusted = reader->last.info.size > 0;
}

/* --- Damage --- */

/*
 * Searches for the next good frame at or behind offset and before limit.
 *
 * Returns:  1 and reader->next is set, 0 if there is none, or an error.
 */
static int search(struct trace_reader *reader, uint64_t offset, uint64_t limit)
{
    while (offset < min_u64(limit, trace_end_of_file(reader))) {
        struct slice bytes;
        int r = file_window_show(&reader->window, offset, TRACE_LOOK_BYTES, &bytes);

        if (r < 0) {
            return r;
        }

        size_t at = frame_find_magic(bytes, 0);
        bool is_found = at + FRAME_MAGIC_BYTES <= bytes.size;

        if (!is_found && offset + bytes.size >= trace_end_of_file(reader)) {
            return 0;
        }
        offset += at;
        if (!is_found) {
            offset = max_u64(offset, file_window_skip_hole(&reader->window, offset));
            continue;
        }
        r = offset < limit ? trace_test_there(reader, offset, false) : -EBADMSG;
        if (r != -EBADMSG) {
            return r < 0 ? r : 1;
        }
        offset++;
    }
    return 0;
}

/* The walk cannot go on where it stands: all up to the next good frame, or to the end of the file, is damage. */
static int skip_damage(struct trace_reader *reader)
{
    int r = search(reader, reader->offset + 1, trace_end_of_file(reader));

    if (r == 0) {
        reader->next = (struct place){.offset = trace_end_of_file(reader)};
        reader->has_next = true;
    }
    return r < 0 ? r : 0;
}

/*
 * Somebody objected to the last frame. If its content is damaged, its length may be a lie too, and good frames may stand
 * within it. If not, the walk goes on behind it.
 */
static int reconsider(struct trace_reader *reader)
{
    struct place last = reader->last;
    int r = trace_test_there(reader, last.offset, true);

    reader->has_next = false;
    if (r == 0) {
        reader->identity = last.identity;
    } else if (r == -EBADMSG) {
        r = search(reader, last.offset + 1, trace_end_of(&last));
        reader->offset = r > 0 ? reader->next.offset : reader->offset;
    }
    if (r >= 0) {
        reader->damage_count++;
        reader->must_test = true;
    }
    return r < 0 ? r : 0;
}

/* --- The walk --- */

/*
 * Steps over one skippable frame. Returns 1; 0 if there is none, or if a good frame was found within it, so that its
 * length cannot be right; -EBADMSG if it does not end within the file; or an error.
 */
static int step_over_skippable(struct trace_reader *reader)
{
    struct slice bytes;
    uint64_t size = 0;
    int r = reader->is_skimming
                ? file_window_show_near(&reader->window, reader->offset, FRAME_SKIM_BYTES,
                                        FRAME_SKIM_AHEAD_BYTES, &bytes)
                : file_window_show(&reader->window, reader->offset, TRACE_LOOK_BYTES, &bytes);

    if (r < 0 || frame_check_skippable(bytes, &size) < 0) {
        return r;
    }

    uint64_t end = reader->offset + size;

    if (end > trace_end_of_file(reader)) {
        return -EBADMSG;
    }
    r = file_window_show(&reader->window, end, FRAME_MAGIC_BYTES, &bytes);
    if (r == 0 && !frame_may_begin(bytes)) {
        r = search(reader, reader->offset + 1, end);
    }
    if (r == 0) {
        reader->offset = end;
    }
    return r < 0 ? r : r == 0;
}

/* Finds out where the next good frame is. */
static int look_ahead(struct trace_reader *reader)
{
    int r = 1;

    while (r > 0 && reader->offset < trace_end_of_file(reader)) {
        r = step_over_skippable(reader);
    }
    if (r >= 0 && reader->is_skimming && !reader->has_next &&
        reader->offset < trace_end_of_file(reader)) {
        r = trace_skim_here(reader);
    }
    if (r >= 0 && !reader->has_next && reader->offset < trace_end_of_file(reader)) {
        r = trace_test_here(reader);
    }
    r = r == -EBADMSG ? skip_damage(reader) : r;
    return r < 0 ? r : 0;
}

/* All up to the next good frame is damage. */
static int tell_damage(struct trace_reader *reader, struct trace_item *ret_item)
{
    struct trace_item item = {
        .kind = TRACE_DAMAGE,
        .offset_bytes = reader->offset,
        .size_bytes = reader->next.offset - reader->offset,
    };

    if (reader->next.info.size == 0) {
        int r = trace_tail_is_cut_off(&reader->window, reader->offset);

        if (r < 0) {
            return r;
        }
        item.kind = r > 0 ? TRACE_CUT_OFF : TRACE_DAMAGE;
    }
    reader->damage_count++;
    reader->offset = reader->next.offset;
    *ret_item = item;
    return 1;
}

int trace_reader_frame_at(struct trace_reader *reader, uint64_t offset_bytes, size_t size,
                          struct slice *ret_frame)
{
    struct frame_info info;
    struct slice bytes;

    if (size > FRAME_MAX_BYTES || offset_bytes > trace_end_of_file(reader) ||
        size > trace_end_of_file(reader) - offset_bytes) {
        return -EBADMSG;
    }

    int r = file_window_show_only(&reader->window, offset_bytes, size, &bytes);

    if (r < 0) {
        return r;
    }
    bytes.size = min_u64(bytes.size, size);
    if (frame_check(bytes, &info) < 0 || info.size != size) {
        return -EBADMSG;
    }
    *ret_frame = bytes;
    return 0;
}

/* Shows a frame, or as much of it as was seen. */
static int show_frame(struct trace_reader *reader, const struct place *place,
                      struct slice *ret_frame)
{
    if (place->shown_bytes == place->info.size) {
        return trace_reader_frame_at(reader, place->offset, place->info.size, ret_frame);
    }

    int r = file_window_show_only(&reader->window, place->offset, place->shown_bytes, ret_frame);

    if (r == 0 && ret_frame->size < place->shown_bytes) {
        return -EBADMSG;
    }
    ret_frame->size = place->shown_bytes;
    return r;
}

static int tell_frame(struct trace_reader *reader, struct trace_item *ret_item)
{
    struct place *next = &reader->next;
    struct slice frame;
    int r = show_frame(reader, next, &frame);

    reader->has_next = false;
    if (r < 0) {
        return r;
    }
    reader->must_test = false;
    reader->last = *next;
    reader->offset = trace_end_of(next);
    *ret_item = (struct trace_item){
        .kind = TRACE_FRAME,
        .offset_bytes = next->offset,
        .size_bytes = next->info.size,
        .frame = frame,
        .plain_size = next->info.plain_size,
    };
    memcpy(ret_item->checksum, next->checksum, sizeof(ret_item->checksum));
    return 1;
}

/* Tells what stands between the walk's place and the next good frame, or that frame. */
static int tell(struct trace_reader *reader, struct trace_item *ret_item)
{
    if (reader->has_next && reader->next.offset > reader->offset) {
        return tell_damage(reader, ret_item);
    }
    return reader->offset >= trace_end_of_file(reader) ? 0 : tell_frame(reader, ret_item);
}

int trace_reader_next(struct trace_reader *reader, struct trace_item *ret_item)
{
    int r = 0;

    if (reader->is_distrusted) {
        r = reconsider(reader);
    } else if (reader->last.info.size > 0) {
        reader->identity = reader->last.identity;
    }
    if (r < 0) {
        return r;
    }
    reader->is_distrusted = false;
    reader->last = (struct place){0};
    r = reader->has_next ? 0 : look_ahead(reader);
    r = r < 0 ? r : tell(reader, ret_item);
    if (r == -EBADMSG) { /* the file changed since the frame was tested */
        r = skip_damage(reader);
        r = r < 0 ? r : tell(reader, ret_item);
    }
    return r;
}
