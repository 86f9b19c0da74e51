#include "trace_frame_test.h"

#include "frame_skim.h"
#include "packet_body.h"

#include <errno.h>
#include <string.h>

enum {
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

/*
 * Tests the form of the frame at place->offset, showing more of the file until the frame ends.
 *
 * ret_bytes from the frame's first byte to a few behind it, if there are any
 * Returns:  0; -EBADMSG if it is not valid or not whole; what file_window_show() says.
 */
static int test_form(struct trace_reader *reader, struct place *place, struct slice *ret_bytes)
{
    size_t size = TRACE_LOOK_BYTES;
    int form = -EAGAIN;

    while (form == -EAGAIN) {
        int r = file_window_show(&reader->window, place->offset, size, ret_bytes);

        if (r < 0) {
            return r;
        }
        form = frame_check(*ret_bytes, &place->info);
        if (form == -EAGAIN && place->offset + ret_bytes->size >= trace_end_of_file(reader)) {
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

/* The same of a frame of which not all is at hand: as a rule its first block says enough. */
static int test_first_block(struct trace_reader *reader, struct slice beginning,
                            struct place *place)
{
    enum packet_kind kind;
    struct slice plain;
    int r = frame_decompress_first_block(reader->frames, beginning, &plain);

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

static void set_next(struct trace_reader *reader, const struct place *place, struct slice frame)
{
    reader->next = *place;
    reader->next.shown_bytes = frame.size;
    if (frame.size == place->info.size) {
        memcpy(reader->next.checksum, frame.data + frame.size - FRAME_CHECKSUM_BYTES,
               FRAME_CHECKSUM_BYTES);
    }
    reader->has_next = true;
}

/* Whether the frame where the walk stands is taken for good by its form alone. */
static bool is_trusted(const struct trace_reader *reader)
{
    return !reader->must_test && reader->damage_count < TRUSTED_DAMAGES;
}

/* Tests the frame where the walk stands. Returns 0 and reader->next is set, -EBADMSG, or another error. */
int trace_test_here(struct trace_reader *reader)
{
    struct place place = {.offset = reader->offset};
    struct slice bytes;
    int r = test_form(reader, &place, &bytes);

    if (r < 0) {
        return r;
    }

    struct slice frame = {bytes.data, place.info.size};

    if (is_trusted(reader) && is_followed_well(bytes, frame.size)) {
        r = test_beginning(reader, frame, &place);
    } else {
        r = test_content(reader, frame, true, &place);
    }
    if (r == 0) {
        set_next(reader, &place, frame);
    }
    return r;
}

/* The same from a few small reads, if that is enough. Returns 0 and perhaps reader->next is set, or what pread said. */
int trace_skim_here(struct trace_reader *reader)
{
    struct place place = {.offset = reader->offset};
    struct skimmed_frame skimmed;
    int r = is_trusted(reader) ? frame_skim(&reader->window, place.offset, &skimmed) : -EBADMSG;

    if (r == 0 && skimmed.is_followed_well) {
        place.info = skimmed.info;
        memcpy(place.checksum, skimmed.checksum, sizeof(place.checksum));
        r = skimmed.beginning.size == place.info.size
                ? test_beginning(reader, skimmed.beginning, &place)
                : test_first_block(reader, skimmed.beginning, &place);
        if (r == 0) {
            set_next(reader, &place, skimmed.beginning);
        }
    }
    return r == -EBADMSG ? 0 : r;
}

/* Tests a frame that bytes seem to begin with at offset, in the midst of something else. */
int trace_test_there(struct trace_reader *reader, uint64_t offset, bool is_expected)
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
        set_next(reader, &place, (struct slice){bytes.data, place.info.size});
    }
    return r;
}
