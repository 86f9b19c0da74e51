#include "trace_reader.h"

#include "file_window.h"
#include "packet_body.h"
#include "trace_tail.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

enum {
    SEARCH_BYTES = 64 << 10,
    FIRST_LOOK_BYTES = 64 << 10,
    PEEK_BYTES = 4 << 10, /* of plaintext: holds the id of a packet */
    /* A file with more damage than this is not trusted any more: all of its frames are tested. */
    TRUSTED_DAMAGES = 16,
    /*
     * Tests that fail may decompress so much in all, and so much more for every byte of the file: bytes that are made to
     * look like frames cannot make a walk longer than that. What is beyond is no frame without a test.
     */
    TEST_BYTES_FREE = 256 << 20,
    TEST_BYTES_PER_BYTE = 64,
    FORM_TEST_COST_BYTES = 4 << 10, /* what is decompressed while a long frame's form is tested */
};

struct identity {
    bool is_known;
    uint8_t session[SESSION_ID_BYTES];
};

/* A frame in the file. */
struct place {
    uint64_t offset;
    struct frame_info info;
    struct identity identity;
};

struct trace_reader {
    int fd; /* owned */
    uint64_t size_bytes;
    struct file_window window;
    struct frame_reader *frames; /* owned */
    uint64_t offset;             /* where the walk stands: before it, everything was told */
    bool has_next;               /* the next good frame is known */
    struct place next;           /* offset is that of the file's end if there is none */
    struct place last;           /* the frame told last; info.size is 0 if it was no frame */
    struct identity identity;    /* of the last frame that nobody objected to */
    bool is_distrusted;          /* somebody objected to the last frame */
    bool must_test;              /* the frame at offset, since the one before was objected to */
    unsigned int damage_count;
    uint64_t tested_bytes; /* in vain */
};

int trace_reader_new(struct trace_reader **ret_reader, int fd)
{
    AUTO_CLOSE int owned_fd = fd;
    struct stat status;

    if (fstat(fd, &status) < 0) {
        return -errno;
    }
    if (!S_ISREG(status.st_mode)) {
        return S_ISDIR(status.st_mode) ? -EISDIR : -ESPIPE;
    }

    struct trace_reader *reader = calloc(1, sizeof(*reader));

    if (reader == NULL) {
        return -ENOMEM;
    }
    reader->fd = take_fd(&owned_fd);
    reader->size_bytes = (uint64_t)status.st_size;

    int r = file_window_init(&reader->window, fd, reader->size_bytes);

    r = r < 0 ? r : frame_reader_new(&reader->frames);
    if (r < 0) {
        trace_reader_free(reader);
        return r;
    }
    *ret_reader = reader;
    return 0;
}

void trace_reader_free(struct trace_reader *reader)
{
    if (reader != NULL) {
        file_window_release(&reader->window);
        frame_reader_free(reader->frames);
        (void)close(reader->fd);
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

static uint64_t end_of(const struct place *place)
{
    return place->offset + place->info.size;
}

static uint64_t end_of_file(const struct trace_reader *reader)
{
    return reader->window.file_size;
}

/* --- Is it a frame? --- */

/*
 * Tests the form of the frame at place->offset, showing more of the file until the frame ends.
 *
 * ret_bytes from the frame's first byte to a few behind it, if there are any
 * Returns:  0; -EBADMSG if it is not valid or not whole; what file_window_show() says.
 */
static int test_form(struct trace_reader *reader, struct place *place, struct slice *ret_bytes)
{
    size_t size = FIRST_LOOK_BYTES;
    int form = -EAGAIN;

    while (form == -EAGAIN) {
        int r = file_window_show(&reader->window, place->offset, size, ret_bytes);

        if (r < 0) {
            return r;
        }
        form = frame_check(*ret_bytes, &place->info);
        if (form == -EAGAIN && place->offset + ret_bytes->size >= end_of_file(reader)) {
            return -EBADMSG;
        }
        size = min_u64(2 * max_u64(size, ret_bytes->size), FILE_WINDOW_MAX_BYTES);
    }
    return form < 0 ? form
                    : file_window_show(&reader->window, place->offset,
                                       place->info.size + FRAME_MAGIC_BYTES, ret_bytes);
}

/* The session of a packet; newer packets have one too. */
static int identify(struct slice plain, bool is_prefix, enum packet_kind *ret_kind,
                    struct identity *ret_identity)
{
    struct packet_id id;
    struct slice body;
    int r = packet_find_body(plain, is_prefix, ret_kind, &id, &body);

    if (r == -EPROTONOSUPPORT) {
        *ret_kind = PACKET_BATCH; /* at least no Source that we know */
        r = 0;
    }
    if (r == 0) {
        ret_identity->is_known = true;
        memcpy(ret_identity->session, id.session, SESSION_ID_BYTES);
    }
    return r;
}

/* Tests no checksum, but whether the frame begins like a packet. */
static int test_beginning(struct trace_reader *reader, struct slice frame, struct place *place)
{
    enum packet_kind kind;
    struct slice plain;
    int r = frame_decompress_prefix(reader->frames, frame, PEEK_BYTES, &plain);

    return r < 0 ? r : identify(plain, true, &kind, &place->identity);
}

static bool is_of_session(const struct trace_reader *reader, enum packet_kind kind,
                          const struct identity *identity)
{
    return kind == PACKET_SOURCE || !reader->identity.is_known ||
           memcmp(identity->session, reader->identity.session, SESSION_ID_BYTES) == 0;
}

/* Whether a test at offset that costs so much may fail. */
static bool can_afford(const struct trace_reader *reader, uint64_t offset, uint64_t cost)
{
    return reader->tested_bytes + cost <= TEST_BYTES_FREE + TEST_BYTES_PER_BYTE * offset;
}

/* Tests the whole content, and the session of a frame that stands where none is expected. */
static int test_content(struct trace_reader *reader, struct slice frame, bool is_expected,
                        struct place *place)
{
    uint64_t cost = place->info.size + place->info.plain_size;
    enum packet_kind kind;
    struct slice plain;

    if (!can_afford(reader, place->offset, cost)) {
        return -EBADMSG;
    }

    int r = frame_decompress(reader->frames, frame, &plain);

    r = r < 0 ? r : identify(plain, false, &kind, &place->identity);
    if (r == 0 && !is_expected && !is_of_session(reader, kind, &place->identity)) {
        r = -EBADMSG;
    }
    reader->tested_bytes += r < 0 ? cost : 0;
    return r;
}

/* A frame that is followed by another one or by the file's end has the length that it says, most likely. */
static bool is_followed_well(struct slice bytes, size_t size)
{
    return frame_may_begin((struct slice){bytes.data + size, bytes.size - size});
}

/* Tests the frame where the walk stands. Returns 0 and reader->next is set, -EBADMSG, or another error. */
static int test_here(struct trace_reader *reader)
{
    struct place place = {.offset = reader->offset};
    struct slice bytes;
    int r = test_form(reader, &place, &bytes);

    if (r < 0) {
        return r;
    }

    struct slice frame = {bytes.data, place.info.size};

    if (reader->must_test || reader->damage_count >= TRUSTED_DAMAGES ||
        !is_followed_well(bytes, frame.size)) {
        r = test_content(reader, frame, true, &place);
    } else {
        r = test_beginning(reader, frame, &place);
    }
    if (r == 0) {
        reader->next = place;
        reader->has_next = true;
    }
    return r;
}

/* --- Damage --- */

/* Tests a frame that bytes seem to begin with at offset, in the midst of something else. */
static int test_there(struct trace_reader *reader, uint64_t offset, bool is_expected)
{
    struct place place = {.offset = offset};
    struct slice bytes;

    if (!can_afford(reader, offset, FORM_TEST_COST_BYTES)) {
        return -EBADMSG;
    }

    int r = test_form(reader, &place, &bytes);

    reader->tested_bytes += r < 0 ? FORM_TEST_COST_BYTES : 0;
    r = r < 0 ? r
              : test_content(reader, (struct slice){bytes.data, place.info.size}, is_expected,
                             &place);
    if (r == 0) {
        reader->next = place;
        reader->has_next = true;
    }
    return r;
}

/*
 * Searches for the next good frame at or behind offset and before limit.
 *
 * Returns:  1 and reader->next is set, 0 if there is none, or an error.
 */
static int search(struct trace_reader *reader, uint64_t offset, uint64_t limit)
{
    while (offset < min_u64(limit, end_of_file(reader))) {
        struct slice bytes;
        int r = file_window_show(&reader->window, offset, SEARCH_BYTES, &bytes);

        if (r < 0) {
            return r;
        }

        size_t at = frame_find_magic(bytes, 0);
        bool is_found = at + FRAME_MAGIC_BYTES <= bytes.size;

        if (!is_found && offset + bytes.size >= end_of_file(reader)) {
            return 0;
        }
        offset += at;
        if (!is_found) {
            offset = max_u64(offset, file_window_skip_hole(&reader->window, offset));
            continue;
        }
        r = offset < limit ? test_there(reader, offset, false) : -EBADMSG;
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
    int r = search(reader, reader->offset + 1, end_of_file(reader));

    if (r == 0) {
        reader->next = (struct place){.offset = end_of_file(reader)};
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
    int r = test_there(reader, last.offset, true);

    reader->has_next = false;
    if (r == 0) {
        reader->identity = last.identity;
    } else if (r == -EBADMSG) {
        r = search(reader, last.offset + 1, end_of(&last));
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
    int r = file_window_show(&reader->window, reader->offset, FIRST_LOOK_BYTES, &bytes);

    if (r < 0 || frame_check_skippable(bytes, &size) < 0) {
        return r;
    }

    uint64_t end = reader->offset + size;

    if (end > end_of_file(reader)) {
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

    while (r > 0 && reader->offset < end_of_file(reader)) {
        r = step_over_skippable(reader);
    }
    if (r >= 0 && !reader->has_next && reader->offset < end_of_file(reader)) {
        r = test_here(reader);
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

    if (size > FRAME_MAX_BYTES || offset_bytes > end_of_file(reader) ||
        size > end_of_file(reader) - offset_bytes) {
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

static int tell_frame(struct trace_reader *reader, struct trace_item *ret_item)
{
    struct place *next = &reader->next;
    struct slice frame;
    int r = trace_reader_frame_at(reader, next->offset, next->info.size, &frame);

    reader->has_next = false;
    if (r < 0) {
        return r;
    }
    reader->must_test = false;
    reader->last = *next;
    reader->offset = end_of(next);
    *ret_item = (struct trace_item){
        .kind = TRACE_FRAME,
        .offset_bytes = next->offset,
        .size_bytes = next->info.size,
        .frame = frame,
        .plain_size = next->info.plain_size,
    };
    return 1;
}

/* Tells what stands between the walk's place and the next good frame, or that frame. */
static int tell(struct trace_reader *reader, struct trace_item *ret_item)
{
    if (reader->has_next && reader->next.offset > reader->offset) {
        return tell_damage(reader, ret_item);
    }
    return reader->offset >= end_of_file(reader) ? 0 : tell_frame(reader, ret_item);
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
