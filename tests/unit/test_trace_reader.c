#include "trace_reader.h"

#include "batch_encode.h"
#include "checked_walk.h"
#include "faults.h"
#include "random_batch.h"
#include "trace_bytes.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

enum { MAX_CALLS = 1000 };

static struct trace_bytes bytes;
static struct checked_walk walk;

static struct slice all_of(const struct trace_bytes *file)
{
    return (struct slice){file->data, file->size};
}

static void walk_all(void)
{
    checked_walk(all_of(&bytes), &walk);
}

static uint64_t end_of_frame(size_t index)
{
    return bytes.offsets[index] + bytes.sizes[index];
}

/* Whether the walk has a step of this kind at offset. */
static bool has_step(enum step_kind kind, uint64_t offset)
{
    for (size_t i = 0; i < walk.count; i++) {
        if (walk.steps[i].kind == kind && walk.steps[i].offset == offset) {
            return true;
        }
    }
    return false;
}

static void expect_steps(const struct step *steps, size_t count)
{
    cr_assert_eq(walk.count, count, "%zu steps instead of %zu", walk.count, count);
    for (size_t i = 0; i < count; i++) {
        cr_expect_eq(walk.steps[i].kind, steps[i].kind, "step %zu is %d", i, walk.steps[i].kind);
        cr_expect_eq(walk.steps[i].offset, steps[i].offset, "step %zu at %zu", i,
                     (size_t)walk.steps[i].offset);
        cr_expect_eq(walk.steps[i].size, steps[i].size, "step %zu of %zu", i,
                     (size_t)walk.steps[i].size);
    }
}

/* All frames, and nothing else. */
static void expect_frames_only(void)
{
    cr_assert_eq(walk.count, bytes.frame_count, "%zu steps", walk.count);
    for (size_t i = 0; i < bytes.frame_count; i++) {
        cr_expect_eq(walk.steps[i].kind, STEP_GOOD);
        cr_expect_eq(walk.steps[i].offset, bytes.offsets[i]);
        cr_expect_eq(walk.steps[i].size, bytes.sizes[i]);
    }
}

/* --- Whole files --- */

Test(trace_reader, finds_all_frames_in_order)
{
    trace_bytes_add_session(&bytes, 'a', 20);
    walk_all();
    expect_frames_only();
}

Test(trace_reader, finds_nothing_in_an_empty_file)
{
    walk_all();
    cr_assert_eq(walk.count, 0);
}

Test(trace_reader, finds_all_sessions_of_concatenated_files)
{
    trace_bytes_add_session(&bytes, 'a', 2);
    trace_bytes_add_session(&bytes, 'b', 0);
    trace_bytes_add_session(&bytes, 'a', 3);
    walk_all();
    expect_frames_only();
}

Test(trace_reader, steps_over_skippable_frames_anywhere)
{
    trace_bytes_add_skippable(&bytes, 0, 0);
    trace_bytes_add_source(&bytes, 'a');
    trace_bytes_add_skippable(&bytes, 3, 0xff);
    trace_bytes_add_skippable(&bytes, 1000, 0x28);
    trace_bytes_add_batch(&bytes, 3);
    trace_bytes_add_end(&bytes);
    trace_bytes_add_skippable(&bytes, 4, 0);
    walk_all();
    expect_frames_only();
}

Test(trace_reader, tells_newer_packets_like_others)
{
    trace_bytes_add_source(&bytes, 'a');
    trace_bytes_add_newer(&bytes);
    trace_bytes_add_end(&bytes);
    walk_all();
    cr_assert_eq(walk.count, 3);
    cr_assert_eq(walk.steps[1].kind, STEP_NEWER);
}

/* --- Files cut off --- */

Test(trace_reader, every_truncation_keeps_all_whole_frames)
{
    trace_bytes_add_session(&bytes, 'a', 4);
    for (size_t size = 0; size < bytes.size; size++) {
        size_t whole = 0;

        while (end_of_frame(whole) <= size) {
            whole++;
        }
        checked_walk((struct slice){bytes.data, size}, &walk);

        bool is_at_border = size == (whole == 0 ? 0 : end_of_frame(whole - 1));

        cr_assert_eq(walk.count, whole + !is_at_border, "%zu bytes", size);
        for (size_t i = 0; i < whole; i++) {
            cr_assert_eq(walk.steps[i].kind, STEP_GOOD, "%zu bytes", size);
        }
        cr_assert(is_at_border || walk.steps[whole].kind == STEP_CUT_OFF, "%zu bytes", size);
    }
}

Test(trace_reader, zeros_behind_every_truncation_are_a_file_cut_off)
{
    static const size_t zero_counts[] = {1, 100, 5000};
    static struct trace_bytes file;

    trace_bytes_add_session(&bytes, 'a', 2);
    for (size_t i = 0; i < ARRAY_SIZE(zero_counts); i++) {
        for (size_t size = 0; size < bytes.size; size++) {
            size_t whole = 0;

            while (end_of_frame(whole) <= size) {
                whole++;
            }
            file.size = 0;
            trace_bytes_add_raw(&file, bytes.data, size);
            trace_bytes_add_zeros(&file, zero_counts[i]);
            checked_walk(all_of(&file), &walk);
            /* Zeros that stand where the frame has some: the frame is whole. */
            if (memcmp(file.data, bytes.data, min_u64(end_of_frame(whole), file.size)) == 0 &&
                file.size >= end_of_frame(whole)) {
                continue;
            }
            cr_assert_eq(walk.count, whole + 1, "%zu bytes", size);
            cr_assert_eq(walk.steps[whole].kind, STEP_CUT_OFF, "%zu bytes", size);
        }
    }
}

Test(trace_reader, nothing_but_zeros_is_a_file_cut_off)
{
    trace_bytes_add_zeros(&bytes, 1000);
    walk_all();
    expect_steps(&(struct step){STEP_CUT_OFF, 0, 1000}, 1);
}

Test(trace_reader, skippable_frames_may_be_cut_off_too)
{
    size_t end;

    trace_bytes_add_session(&bytes, 'a', 1);
    end = bytes.size;
    trace_bytes_add_skippable(&bytes, 100, 0xff);
    for (size_t size = end + 1; size < bytes.size; size++) {
        checked_walk((struct slice){bytes.data, size}, &walk);
        cr_assert_eq(walk.count, 4, "%zu bytes", size - end);
        cr_assert_eq(walk.steps[3].kind, STEP_CUT_OFF, "%zu bytes", size - end);
        cr_assert_eq(walk.steps[3].offset, end, "%zu bytes", size - end);
    }
}

Test(trace_reader, zeros_with_something_behind_them_are_damage)
{
    size_t end;

    trace_bytes_add_session(&bytes, 'a', 1);
    end = bytes.size;
    trace_bytes_add_zeros(&bytes, 1000);
    trace_bytes_add_raw(&bytes, "x", 1);
    walk_all();
    cr_assert_eq(walk.count, 4);
    expect_steps(
        (const struct step[]){
            walk.steps[0], walk.steps[1], walk.steps[2], {STEP_DAMAGE, end, 1001}},
        4);
}

/* --- Damage --- */

/* The walk of a file whose frame number damaged is not what it was. */
static void check_others(size_t damaged, size_t bit)
{
    for (size_t i = 0; i < bytes.frame_count; i++) {
        cr_assert(i == damaged || has_step(STEP_GOOD, bytes.offsets[i]),
                  "bit %zu in frame %zu hides frame %zu", bit, damaged, i);
    }
}

/* A frame with a flipped bit must not be good, unless it says the same: some bits of a zstd frame are padding. */
static void check_damaged(size_t damaged, size_t bit)
{
    static struct frame_reader *reader;
    static uint8_t content[TRACE_BYTES_ROOM];
    struct slice frame = {bytes.data + bytes.offsets[damaged], bytes.sizes[damaged]};
    struct slice plain;

    if (!has_step(STEP_GOOD, bytes.offsets[damaged])) {
        return;
    }
    cr_assert(reader != NULL || frame_reader_new(&reader) == 0);
    cr_assert_eq(frame_decompress(reader, frame, &plain), 0);
    memcpy(content, plain.data, plain.size);
    bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);

    struct slice original;

    cr_assert_eq(frame_decompress(reader, frame, &original), 0);
    bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    cr_assert(original.size == plain.size && memcmp(original.data, content, plain.size) == 0,
              "bit %zu changes content unnoticed", bit);
}

static void flip_every_bit(void)
{
    size_t damaged = 0;

    for (size_t bit = 0; bit < bytes.size * 8; bit++) {
        while (bit / 8 >= end_of_frame(damaged)) {
            damaged++;
        }
        bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        walk_all();
        check_others(damaged, bit);
        check_damaged(damaged, bit);
        bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

Test(trace_reader, every_flipped_bit_harms_its_own_frame_only)
{
    trace_bytes_add_session(&bytes, 'a', 5);
    flip_every_bit();
}

Test(trace_reader, flipped_bits_of_skippable_frames_harm_no_other)
{
    size_t begin;
    size_t end;

    trace_bytes_add_source(&bytes, 'a');
    begin = bytes.size;
    trace_bytes_add_skippable(&bytes, 20, 0xff);
    end = bytes.size;
    trace_bytes_add_batch(&bytes, 10);
    trace_bytes_add_batch(&bytes, 10);
    trace_bytes_add_end(&bytes);
    for (size_t bit = begin * 8; bit < end * 8; bit++) {
        bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        walk_all();
        check_others(bytes.frame_count, bit);
        bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

Test(trace_reader, every_lost_byte_harms_its_own_frame_only)
{
    static struct trace_bytes file;
    size_t damaged = 0;

    trace_bytes_add_session(&bytes, 'a', 5);
    for (size_t lost = 0; lost < bytes.size; lost++) {
        while (lost >= end_of_frame(damaged)) {
            damaged++;
        }
        file.size = 0;
        trace_bytes_add_raw(&file, bytes.data, lost);
        trace_bytes_add_raw(&file, bytes.data + lost + 1, bytes.size - lost - 1);
        checked_walk(all_of(&file), &walk);
        for (size_t i = 0; i < bytes.frame_count; i++) {
            cr_assert(i == damaged || has_step(STEP_GOOD, bytes.offsets[i] - (i > damaged)),
                      "byte %zu in frame %zu hides frame %zu", lost, damaged, i);
        }
    }
}

Test(trace_reader, finds_frames_behind_overwritten_blocks)
{
    enum { BLOCK = 64 };
    static uint8_t original[TRACE_BYTES_ROOM];

    trace_bytes_add_session(&bytes, 'a', 10);
    memcpy(original, bytes.data, bytes.size);
    for (size_t from = 0; from + BLOCK <= bytes.size; from += BLOCK) {
        memset(bytes.data + from, 0x28, BLOCK);
        walk_all();
        for (size_t i = 0; i < bytes.frame_count; i++) {
            bool is_hit = bytes.offsets[i] < from + BLOCK && end_of_frame(i) > from;

            cr_assert(is_hit || has_step(STEP_GOOD, bytes.offsets[i]), "block %zu, frame %zu", from,
                      i);
        }
        memcpy(bytes.data, original, bytes.size);
    }
}

Test(trace_reader, damage_reaches_from_frame_to_frame)
{
    trace_bytes_add_source(&bytes, 'a');
    trace_bytes_add_raw(&bytes, "garbage", 7);
    trace_bytes_add_batch(&bytes, 1);
    walk_all();
    expect_steps((const struct step[]){{STEP_GOOD, 0, bytes.sizes[0]},
                                       {STEP_DAMAGE, bytes.sizes[0], 7},
                                       {STEP_GOOD, bytes.offsets[1], bytes.sizes[1]}},
                 3);
}

Test(trace_reader, skippable_frames_before_damage_are_none_of_it)
{
    size_t garbage;

    trace_bytes_add_source(&bytes, 'a');
    trace_bytes_add_skippable(&bytes, 10, 0xff);
    garbage = bytes.size;
    trace_bytes_add_raw(&bytes, "garbage", 7);
    trace_bytes_add_batch(&bytes, 1);
    walk_all();
    expect_steps((const struct step[]){{STEP_GOOD, 0, bytes.sizes[0]},
                                       {STEP_DAMAGE, garbage, 7},
                                       {STEP_GOOD, bytes.offsets[1], bytes.sizes[1]}},
                 3);
}

Test(trace_reader, foreign_files_are_damage)
{
    static const struct {
        const char *bytes;
        size_t size;
    } cases[] = {
        {"a", 1},
        {"name,start_ns,duration_ns\n", 26},
        {"\x1f\x8b\x08\0\0\0\0\0\0\x03", 10},
        {"PK\x03\x04", 4},
        {"\x28\xb5\x2f\xfe", 4},
        {"\x28\xb5\x2f\xfd\x00\x58", 6}, /* zstd without content size and checksum */
        {"\x5e\x2a\x4d\x19", 4},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        bytes.size = 0;
        trace_bytes_add_raw(&bytes, cases[i].bytes, cases[i].size);
        walk_all();
        expect_steps(&(struct step){STEP_DAMAGE, 0, cases[i].size}, 1);
    }
}

/* Any zstd frame of our form, but no packet. */
static void add_foreign_frame(const char *content)
{
    struct frame_writer *writer = NULL;
    uint8_t frame[1000];
    size_t size = 0;

    cr_assert_eq(frame_writer_new(&writer), 0);
    cr_assert_eq(frame_start(writer, frame, sizeof(frame), strlen(content)), 0);
    cr_assert_eq(frame_append(writer, (struct slice){(const uint8_t *)content, strlen(content)}),
                 0);
    cr_assert_eq(frame_finish(writer, &size), 0);
    frame_writer_free(writer);
    trace_bytes_add_raw(&bytes, frame, size);
}

Test(trace_reader, frames_that_hold_no_packet_are_damage)
{
    size_t foreign;

    trace_bytes_add_source(&bytes, 'a');
    foreign = bytes.size;
    add_foreign_frame("{\"this\": \"is something else\"}");
    trace_bytes_add_batch(&bytes, 1);
    walk_all();
    expect_steps((const struct step[]){{STEP_GOOD, 0, bytes.sizes[0]},
                                       {STEP_DAMAGE, foreign, bytes.offsets[1] - foreign},
                                       {STEP_GOOD, bytes.offsets[1], bytes.sizes[1]}},
                 3);
}

/* --- Sessions --- */

/* A stale batch of another session, as on a disk whose blocks were used before. */
static void add_stale_batch(char session)
{
    static struct trace_bytes stale;

    stale.size = 0;
    stale.frame_count = 0;
    trace_bytes_add_source(&stale, session);
    trace_bytes_add_batch(&stale, 5);
    trace_bytes_add_raw(&bytes, stale.data + stale.offsets[1], stale.sizes[1]);
}

Test(trace_reader, batches_of_other_sessions_do_not_end_damage)
{
    trace_bytes_add_source(&bytes, 'a');
    trace_bytes_add_raw(&bytes, "garbage", 7);
    add_stale_batch('b');
    trace_bytes_add_batch(&bytes, 1);
    walk_all();
    expect_steps(
        (const struct step[]){{STEP_GOOD, 0, bytes.sizes[0]},
                              {STEP_DAMAGE, bytes.sizes[0], bytes.offsets[1] - bytes.sizes[0]},
                              {STEP_GOOD, bytes.offsets[1], bytes.sizes[1]}},
        3);
}

Test(trace_reader, a_source_of_another_session_ends_damage)
{
    trace_bytes_add_source(&bytes, 'a');
    trace_bytes_add_raw(&bytes, "garbage", 7);
    trace_bytes_add_session(&bytes, 'b', 1);
    walk_all();
    cr_assert_eq(walk.count, 5);
    for (size_t i = 0; i < bytes.frame_count; i++) {
        cr_expect(has_step(STEP_GOOD, bytes.offsets[i]));
    }
}

Test(trace_reader, without_a_source_the_first_good_packet_says_the_session)
{
    trace_bytes_add_source(&bytes, 'a');
    memset(bytes.data, 'x', bytes.size);
    trace_bytes_add_batch(&bytes, 1);
    trace_bytes_add_raw(&bytes, "garbage", 7);
    add_stale_batch('b');
    trace_bytes_add_batch(&bytes, 1);
    walk_all();
    cr_assert_eq(walk.count, 4);
    cr_expect(has_step(STEP_GOOD, bytes.offsets[1]));
    cr_expect(has_step(STEP_GOOD, bytes.offsets[2]));
}

/* The session of a frame that somebody objected to counts for nothing. */
Test(trace_reader, bad_frames_do_not_change_the_session)
{
    trace_bytes_add_session(&bytes, 'a', 1);
    bytes.frame_count--;
    bytes.size = bytes.offsets[2];
    add_stale_batch('b');
    bytes.data[bytes.size - 1] ^= 1; /* its checksum */
    trace_bytes_add_raw(&bytes, "garbage", 7);
    trace_bytes_add_batch(&bytes, 1);
    walk_all();
    cr_expect(has_step(STEP_GOOD, bytes.offsets[2]));
}

/* --- Hostile files --- */

static uint64_t decompressed_bytes;

int __real_frame_decompress(struct frame_reader *reader, struct slice frame,
                            struct slice *ret_plain);

int __wrap_frame_decompress(struct frame_reader *reader, struct slice frame,
                            struct slice *ret_plain);

int __wrap_frame_decompress(struct frame_reader *reader, struct slice frame,
                            struct slice *ret_plain)
{
    struct frame_info info = {0};

    cr_assert_eq(frame_check(frame, &info), 0);
    decompressed_bytes += info.size + info.plain_size;
    return __real_frame_decompress(reader, frame, ret_plain);
}

/*
 * Frames that begin within each other and end together: a header that promises 8 MiB, and a raw block up to the blocks
 * that all of them share, which give nearly that much. Each begins like a packet.
 */
enum {
    BOMB_HEADER_BYTES = 12,
    BOMB_CONTENT_BYTES = 30,
    SHARED_BLOCKS = 63,
    SHARED_BYTES = SHARED_BLOCKS * 4 + 4,
    HOSTILE_BYTES = 100 << 10,
};

static uint8_t hostile[HOSTILE_BYTES + 1000];

static void write_block_header(uint8_t *block, size_t size, unsigned int type, bool is_last)
{
    uint32_t fields = (uint32_t)size << 3 | type << 1 | is_last;

    block[0] = (uint8_t)fields;
    block[1] = (uint8_t)(fields >> 8);
    block[2] = (uint8_t)(fields >> 16);
}

static void write_bomb(uint8_t *at, const uint8_t *shared)
{
    static const uint8_t header[] = {0x28, 0xb5, 0x2f, 0xfd, 0xa4, 0, 0, 0x80, 0};
    static const uint8_t content[] = {0x0a, 0xf0, 0xff, 0xff, 0x03, 0x12, 0xe0,
                                      0xff, 0xff, 0x03, 0x0a, 0x12, 0x0a, 0x10};

    memcpy(at, header, sizeof(header));
    write_block_header(at + sizeof(header), (size_t)(shared - at) - BOMB_HEADER_BYTES, 0, false);
    if (at + BOMB_HEADER_BYTES + BOMB_CONTENT_BYTES <= shared) {
        memset(at + BOMB_HEADER_BYTES, 'a', BOMB_CONTENT_BYTES);
        memcpy(at + BOMB_HEADER_BYTES, content, sizeof(content));
    }
}

static void write_shared_blocks(uint8_t *shared)
{
    for (size_t i = 0; i < SHARED_BLOCKS; i++) {
        write_block_header(shared + 4 * i, 128 << 10, 1, i == SHARED_BLOCKS - 1);
    }
}

/*
 * Fills hostile with good frames and bombs behind each other, and a good frame behind all that.
 *
 * Returns: the number of good frames.
 */
static size_t write_hostile(bool has_good_frames, size_t *ret_size)
{
    uint8_t *shared = hostile + HOSTILE_BYTES - SHARED_BYTES;
    size_t good = 0;
    size_t at = 0;

    trace_bytes_add_source(&bytes, 'a');
    trace_bytes_add_batch(&bytes, 0);
    for (; at + bytes.size + BOMB_HEADER_BYTES + BOMB_CONTENT_BYTES < HOSTILE_BYTES - SHARED_BYTES;
         good++) {
        if (has_good_frames || at == 0) {
            memcpy(hostile + at, bytes.data, bytes.sizes[0]);
            at += bytes.sizes[0];
        }
        write_bomb(hostile + at, shared);
        at += BOMB_HEADER_BYTES + BOMB_CONTENT_BYTES;
    }
    write_shared_blocks(shared);
    memcpy(hostile + HOSTILE_BYTES, bytes.data + bytes.offsets[1], bytes.sizes[1]);
    *ret_size = HOSTILE_BYTES + bytes.sizes[1];
    return has_good_frames ? good + 1 : 2;
}

/* What tests may cost: the budget, and 16 frames that the reader trusts and the caller decompresses. */
Test(trace_reader, bombs_within_each_other_are_not_all_tested)
{
    for (int has_good_frames = 0; has_good_frames <= 1; has_good_frames++) {
        size_t size = 0;
        size_t good = 0;

        bytes.size = 0;
        bytes.frame_count = 0;
        good = write_hostile(has_good_frames, &size);
        decompressed_bytes = 0;
        checked_walk((struct slice){hostile, size}, &walk);

        size_t found = 0;

        for (size_t i = 0; i < walk.count; i++) {
            found += walk.steps[i].kind == STEP_GOOD;
        }
        cr_expect_eq(found, good, "%zu of %zu frames", found, good);
        cr_expect_gt(decompressed_bytes, 64 << 20, "no bomb was tested");
        cr_expect_lt(decompressed_bytes, (256 << 20) + 64 * size + 17 * (8 << 20) + 200 * good);
    }
}

/* Many beginnings of frames must not lead to reading their bytes many times. */
Test(trace_reader, false_magics_are_read_once)
{
    enum { SIZE = 24 << 20, STEP = 64 };
    uint8_t *data = calloc(1, SIZE);
    struct trace_reader *reader = NULL;
    struct trace_item item;

    /* Each promises blocks of zeros, more than a frame may have, or a frame that is cut off by the next. */
    for (size_t at = 0; at + STEP < SIZE; at += STEP) {
        memcpy(data + at, "\x28\xb5\x2f\xfd\xa4\0\0\x80\0", 9);
        write_block_header(data + at + 9, 64 << 10, 0, false);
    }
    cr_assert_eq(trace_reader_new(&reader, memory_file(data, SIZE)), 0);
    faults_arm(&(struct fault){.nth = 0});
    cr_assert_eq(trace_reader_next(reader, &item), 1);
    cr_expect_eq(item.kind, TRACE_DAMAGE);
    cr_expect_eq(item.size_bytes, SIZE);
    cr_expect_lt(faults_bytes_moved(), 3 * (uint64_t)SIZE);
    (void)faults_disarm();
    trace_reader_free(reader);
    free(data);
}

Test(trace_reader, holes_are_stepped_over)
{
    const off_t size = (off_t)1 << 40;
    struct trace_reader *reader = NULL;
    struct trace_item item;

    trace_bytes_add_session(&bytes, 'a', 1);

    int fd = memory_file(bytes.data, bytes.sizes[0]);

    cr_assert_eq(pwrite(fd, bytes.data + bytes.offsets[1], bytes.sizes[1], size), bytes.sizes[1]);
    cr_assert_eq(trace_reader_new(&reader, fd), 0);
    faults_arm(&(struct fault){.nth = 0});
    cr_assert_eq(trace_reader_next(reader, &item), 1);
    cr_assert_eq(trace_reader_next(reader, &item), 1);
    cr_expect_eq(item.kind, TRACE_DAMAGE);
    cr_expect_eq(item.offset_bytes + item.size_bytes, size);
    cr_assert_eq(trace_reader_next(reader, &item), 1);
    cr_expect_eq(item.kind, TRACE_FRAME);
    cr_assert_eq(trace_reader_next(reader, &item), 0);
    cr_assert_eq(ftruncate(fd, size), 0);
    cr_expect_lt(faults_bytes_moved(), 64 << 20);
    (void)faults_disarm();
    trace_reader_free(reader);
}

/* --- Large frames --- */

/* Writes a Source and large batches to a file in memory. */
static int large_file(size_t batches, size_t *ret_frame_size)
{
    enum { ROOM = 4 << 20 };
    const struct batch_shape shape = {
        .names = 2, .threads = 9, .operations = BATCH_MAX_OPERATIONS, .sparse_percent = 50};
    struct batch_encoder *encoder = NULL;
    struct batch batch = {0};
    uint8_t *frame = malloc(ROOM);

    trace_bytes_add_source(&bytes, 'a');

    int fd = memory_file(bytes.data, bytes.size);

    cr_assert_eq(batch_encoder_new(&encoder), 0);
    for (size_t i = 0; i < batches; i++) {
        cr_assert_eq(random_batch(&batch, i + 1, &shape), 0);
        batch.id.sequence = i + 1;
        memset(batch.id.session, 'a', sizeof(batch.id.session));
        cr_assert_eq(batch_encode(encoder, &batch, frame, ROOM, ret_frame_size), 0);
        cr_assert_eq(write(fd, frame, *ret_frame_size), *ret_frame_size);
    }
    batch_release(&batch);
    batch_encoder_free(encoder);
    free(frame);
    return fd;
}

Test(trace_reader, reads_frames_larger_than_its_buffer)
{
    enum { BATCHES = 4 };
    struct trace_reader *reader = NULL;
    struct trace_item item;
    size_t frame_size = 0;
    int fd = large_file(BATCHES, &frame_size);
    struct slice again;

    cr_assert_gt(frame_size, 1 << 20, "the test wants frames of more than 1 MiB, not %zu",
                 frame_size);
    cr_assert_eq(trace_reader_new(&reader, fd), 0);
    for (int i = 0; i <= BATCHES; i++) {
        cr_assert_eq(trace_reader_next(reader, &item), 1);
        cr_assert_eq(item.kind, TRACE_FRAME);
    }
    cr_assert_eq(trace_reader_next(reader, &item), 0);
    cr_assert_eq(trace_reader_frame_at(reader, bytes.size, frame_size, &again), -EBADMSG);
    cr_assert_eq(trace_reader_frame_at(reader, 0, bytes.size, &again), 0);
    cr_assert_arr_eq(again.data, bytes.data, bytes.size);
    trace_reader_free(reader);
}

Test(trace_reader, finds_large_frames_behind_damage)
{
    struct trace_reader *reader = NULL;
    struct trace_item item;
    size_t frame_size = 0;
    int fd = large_file(3, &frame_size);

    cr_assert_eq(pwrite(fd, "x", 1, (off_t)bytes.size), 1);
    cr_assert_eq(trace_reader_new(&reader, fd), 0);
    cr_assert_eq(trace_reader_next(reader, &item), 1);
    cr_assert_eq(trace_reader_next(reader, &item), 1);
    cr_expect_eq(item.kind, TRACE_DAMAGE);
    cr_expect_eq(item.offset_bytes, bytes.size);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(trace_reader_next(reader, &item), 1);
        cr_expect_eq(item.kind, TRACE_FRAME);
    }
    cr_assert_eq(trace_reader_next(reader, &item), 0);
    trace_reader_free(reader);
}

/* --- Frames by their place --- */

Test(trace_reader, places_that_hold_no_frame_are_refused)
{
    struct trace_reader *reader = NULL;
    struct slice frame;

    trace_bytes_add_session(&bytes, 'a', 1);
    cr_assert_eq(trace_reader_new(&reader, memory_file(bytes.data, bytes.size)), 0);
    cr_expect_eq(trace_reader_frame_at(reader, 0, bytes.sizes[0], &frame), 0);
    cr_expect_eq(trace_reader_frame_at(reader, 0, bytes.sizes[0] + 1, &frame), -EBADMSG);
    cr_expect_eq(trace_reader_frame_at(reader, 0, bytes.sizes[0] - 1, &frame), -EBADMSG);
    cr_expect_eq(trace_reader_frame_at(reader, 1, bytes.sizes[0], &frame), -EBADMSG);
    cr_expect_eq(trace_reader_frame_at(reader, 0, 0, &frame), -EBADMSG);
    cr_expect_eq(trace_reader_frame_at(reader, 0, bytes.size + 1, &frame), -EBADMSG);
    cr_expect_eq(trace_reader_frame_at(reader, 0, FRAME_MAX_BYTES + 1, &frame), -EBADMSG);
    cr_expect_eq(trace_reader_frame_at(reader, bytes.size, 1, &frame), -EBADMSG);
    cr_expect_eq(trace_reader_frame_at(reader, UINT64_MAX, 10, &frame), -EBADMSG);
    cr_expect_eq(trace_reader_frame_at(reader, bytes.offsets[1], bytes.sizes[1], &frame), 0);
    trace_reader_free(reader);
}

/* --- Files that change --- */

Test(trace_reader, does_not_follow_growth)
{
    struct trace_reader *reader = NULL;
    struct trace_item item;
    size_t opened = 0;

    trace_bytes_add_session(&bytes, 'a', 3);
    opened = bytes.offsets[2];

    int fd = memory_file(bytes.data, opened);

    cr_assert_eq(trace_reader_new(&reader, fd), 0);
    cr_assert_eq(trace_reader_next(reader, &item), 1);
    cr_assert_eq(write(fd, bytes.data + opened, bytes.size - opened), bytes.size - opened);
    cr_assert_eq(trace_reader_next(reader, &item), 1);
    cr_assert_eq(item.kind, TRACE_FRAME);
    cr_assert_eq(trace_reader_next(reader, &item), 0);
    cr_assert_eq(trace_reader_offset(reader), opened);
    cr_assert_eq(trace_reader_size(reader), opened);
    trace_reader_free(reader);
}

Test(trace_reader, survives_files_that_are_cut_while_they_are_read)
{
    size_t frame_size = 0;

    for (size_t told = 0; told < 4; told++) {
        for (int cut = 0; cut <= 3; cut++) {
            struct trace_reader *reader = NULL;
            struct trace_item item;

            bytes.size = 0;
            bytes.frame_count = 0;

            int fd = large_file(4, &frame_size);
            int r = 1;

            cr_assert_eq(trace_reader_new(&reader, fd), 0);
            for (size_t i = 0; i < told; i++) {
                cr_assert_eq(trace_reader_next(reader, &item), 1);
            }
            cr_assert_eq(ftruncate(fd, cut * 500000), 0);
            for (int i = 0; r == 1; i++) {
                r = trace_reader_next(reader, &item);
                cr_assert_lt(i, 10);
            }
            cr_assert_eq(r, 0);
            trace_reader_free(reader);
        }
    }
}

/* --- Failures --- */

Test(trace_reader, refuses_all_but_regular_files)
{
    int pipe_fds[2];
    struct trace_reader *reader = NULL;
    int folder = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    cr_assert_eq(pipe(pipe_fds), 0);
    cr_expect_eq(trace_reader_new(&reader, pipe_fds[0]), -ESPIPE);
    cr_expect_eq(trace_reader_new(&reader, folder), -EISDIR);
    cr_expect_eq(trace_reader_new(&reader, -1), -EBADF);
    cr_expect_null(reader);
    cr_expect_eq(fcntl(pipe_fds[0], F_GETFD), -1, "the descriptor is the reader's also on error");
    cr_expect_eq(fcntl(folder, F_GETFD), -1);
    (void)close(pipe_fds[1]);
    trace_reader_free(NULL);
}

/* A walk goes on where an error stopped it, and tells the same. */
static bool walk_with_fault(const struct fault *fault)
{
    int fd = memory_file(bytes.data, bytes.size);
    struct trace_reader *reader = NULL;
    size_t told = 0;
    int r = 0;

    faults_arm(fault);
    r = trace_reader_new(&reader, fd);
    if (r < 0) {
        cr_assert_eq(r, -fault->error);
        cr_assert_eq(fcntl(fd, F_GETFD), -1, "call %u leaks the descriptor", fault->nth);
        return faults_disarm();
    }
    for (int tries = 0; r != 0 || told == 0; tries++) {
        struct trace_item item;

        r = trace_reader_next(reader, &item);
        cr_assert(r >= 0 || r == -fault->error, "call %u gives %d", fault->nth, r);
        if (r == 1) {
            cr_assert_eq(item.kind,
                         walk.steps[told].kind == STEP_GOOD ? TRACE_FRAME : TRACE_DAMAGE);
            cr_assert_eq(item.offset_bytes, walk.steps[told].offset, "call %u", fault->nth);
            told++;
        }
        cr_assert_lt(tries, 100);
    }
    cr_assert_eq(told, walk.count);
    trace_reader_free(reader);
    return faults_disarm();
}

Test(trace_reader, goes_on_after_every_failing_call)
{
    static const int errors[] = {EIO, EINTR, ENOMEM, 0};

    trace_bytes_add_session(&bytes, 'a', 3);
    trace_bytes_add_raw(&bytes, "garbage", 7);
    trace_bytes_add_session(&bytes, 'b', 3);
    walk_all();
    for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
        struct fault fault = {
            .function = errors[i] == ENOMEM ? NULL : "pread", .nth = 1, .error = errors[i]};

        while (walk_with_fault(&fault)) {
            fault.nth++;
            cr_assert_lt(fault.nth, MAX_CALLS);
        }
        cr_expect_gt(fault.nth, 1);
    }
}
