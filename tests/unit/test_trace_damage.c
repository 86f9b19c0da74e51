#include "trace_reader.h"

#include "walk_fixture.h"

#include <criterion/criterion.h>
#include <string.h>
/* --- Damage --- */

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

Test(trace_damage, every_flipped_bit_harms_its_own_frame_only)
{
    trace_bytes_add_session(&bytes, 'a', 5);
    flip_every_bit();
}

Test(trace_damage, flipped_bits_of_skippable_frames_harm_no_other)
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

Test(trace_damage, every_lost_byte_harms_its_own_frame_only)
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

Test(trace_damage, finds_frames_behind_overwritten_blocks)
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

/* Makes the last block of a frame longer, by so much that the frame reaches over others. */
static void lengthen(size_t index, size_t more)
{
    struct frame_info info;
    uint8_t *block = bytes.data + bytes.offsets[index];
    uint32_t fields = 0;

    cr_assert_eq(block[4] >> 5, 3, "content size of 2 bytes, single segment");
    for (block += 7; (block[0] & 1) == 0; block += 3 + (fields >> 3)) {
        fields = block[0] | (uint32_t)block[1] << 8 | (uint32_t)block[2] << 16;
    }
    fields =
        (block[0] | (uint32_t)block[1] << 8 | (uint32_t)block[2] << 16) + ((uint32_t)more << 3);
    fields = (fields & ~6U) | 2 << 1; /* compressed: then its size is not that of content */
    block[0] = (uint8_t)fields;
    block[1] = (uint8_t)(fields >> 8);
    block[2] = (uint8_t)(fields >> 16);
    cr_assert_eq(frame_check((struct slice){bytes.data + bytes.offsets[index], bytes.size}, &info),
                 0);
    cr_assert_eq(info.size, bytes.sizes[index] + more);
}

/* Source, the batch to be lengthened, two more, and the End. */
static void add_frames_to_lengthen(void)
{
    trace_bytes_add_source(&bytes, 'a');
    trace_bytes_add_batch(&bytes, 2000); /* no block may be longer than the content */
    trace_bytes_add_batch(&bytes, LARGE_BATCH);
    trace_bytes_add_batch(&bytes, LARGE_BATCH);
    trace_bytes_add_end(&bytes);
}

Test(trace_damage, frames_that_end_within_others_are_not_trusted)
{
    add_frames_to_lengthen();
    lengthen(1, bytes.sizes[2] - 5);
    walk_all();
    expect_steps((const struct step[]){{STEP_GOOD, 0, bytes.sizes[0]},
                                       {STEP_DAMAGE, bytes.offsets[1], bytes.sizes[1]},
                                       {STEP_GOOD, bytes.offsets[2], bytes.sizes[2]},
                                       {STEP_GOOD, bytes.offsets[3], bytes.sizes[3]},
                                       {STEP_GOOD, bytes.offsets[4], bytes.sizes[4]}},
                 5);
}

Test(trace_damage, finds_what_a_lying_length_hides_when_somebody_objects)
{
    add_frames_to_lengthen();
    lengthen(1, bytes.sizes[2] + bytes.sizes[3]);
    walk_all();
    expect_steps((const struct step[]){{STEP_GOOD, 0, bytes.sizes[0]},
                                       {STEP_OBJECTED, bytes.offsets[1],
                                        bytes.sizes[1] + bytes.sizes[2] + bytes.sizes[3]},
                                       {STEP_GOOD, bytes.offsets[2], bytes.sizes[2]},
                                       {STEP_GOOD, bytes.offsets[3], bytes.sizes[3]},
                                       {STEP_GOOD, bytes.offsets[4], bytes.sizes[4]}},
                 5);
}

Test(trace_damage, finds_what_a_lying_length_hides_up_to_the_end_of_the_file)
{
    add_frames_to_lengthen();
    lengthen(1, bytes.size - end_of_frame(1));
    walk_all();
    cr_assert_eq(walk.count, 5);
    check_others(1, 0);
}

Test(trace_damage, frames_behind_one_that_somebody_objected_to_are_tested)
{
    add_frames_to_lengthen();
    bytes.data[end_of_frame(1) - 1] ^= 1;
    bytes.data[end_of_frame(2) - 1] ^= 1;
    walk_all();
    expect_steps((const struct step[]){{STEP_GOOD, 0, bytes.sizes[0]},
                                       {STEP_OBJECTED, bytes.offsets[1], bytes.sizes[1]},
                                       {STEP_DAMAGE, bytes.offsets[2], bytes.sizes[2]},
                                       {STEP_GOOD, bytes.offsets[3], bytes.sizes[3]},
                                       {STEP_GOOD, bytes.offsets[4], bytes.sizes[4]}},
                 5);
}

/* The next item of a reader, which must be there. */
static struct trace_item next_item(struct trace_reader *reader)
{
    struct trace_item item;

    cr_assert_eq(trace_reader_next(reader, &item), 1);
    return item;
}

/* Objections to a frame whose checksum is right do not move the walk, but the next frame is tested. */
Test(trace_damage, objections_to_whole_frames_make_the_next_one_tested)
{
    struct trace_reader *reader = NULL;
    struct trace_item item;

    add_frames_to_lengthen();
    bytes.data[end_of_frame(3) - 1] ^= 1;
    cr_assert_eq(trace_reader_new(&reader, memory_file(bytes.data, bytes.size)), 0);
    trace_reader_distrust(reader); /* to nothing */
    for (size_t i = 0; i < 3; i++) {
        item = next_item(reader);
        cr_expect_eq(item.kind, TRACE_FRAME);
        cr_expect_eq(item.offset_bytes, bytes.offsets[i]);
        trace_reader_distrust(reader);
        trace_reader_distrust(reader);
    }
    item = next_item(reader);
    cr_expect_eq(item.kind, TRACE_DAMAGE);
    cr_expect_eq(item.offset_bytes, bytes.offsets[3]);
    cr_expect_eq(item.size_bytes, bytes.sizes[3]);
    trace_reader_distrust(reader); /* to damage: nothing either */
    item = next_item(reader);
    cr_expect_eq(item.kind, TRACE_FRAME);
    cr_expect_eq(item.offset_bytes, bytes.offsets[4]);
    cr_assert_eq(trace_reader_next(reader, &item), 0);
    trace_reader_free(reader);
}

Test(trace_damage, damage_reaches_from_frame_to_frame)
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

Test(trace_damage, skippable_frames_before_damage_are_none_of_it)
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

Test(trace_damage, foreign_files_are_damage)
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

Test(trace_damage, frames_that_hold_no_packet_are_damage)
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
static void add_stale_batch(char session, uint32_t operations)
{
    static struct trace_bytes stale;

    stale.size = 0;
    stale.frame_count = 0;
    trace_bytes_add_source(&stale, session);
    trace_bytes_add_batch(&stale, operations);
    trace_bytes_add_raw(&bytes, stale.data + stale.offsets[1], stale.sizes[1]);
}

Test(trace_damage, batches_of_other_sessions_do_not_end_damage)
{
    trace_bytes_add_source(&bytes, 'a');
    trace_bytes_add_raw(&bytes, "garbage", 7);
    add_stale_batch('b', 5);
    trace_bytes_add_batch(&bytes, 1);
    walk_all();
    expect_steps(
        (const struct step[]){{STEP_GOOD, 0, bytes.sizes[0]},
                              {STEP_DAMAGE, bytes.sizes[0], bytes.offsets[1] - bytes.sizes[0]},
                              {STEP_GOOD, bytes.offsets[1], bytes.sizes[1]}},
        3);
}

Test(trace_damage, a_source_of_another_session_ends_damage)
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

Test(trace_damage, without_a_source_the_first_good_packet_says_the_session)
{
    trace_bytes_add_source(&bytes, 'a');
    memset(bytes.data, 'x', bytes.size);
    trace_bytes_add_batch(&bytes, 1);
    trace_bytes_add_raw(&bytes, "garbage", 7);
    add_stale_batch('b', 5);
    trace_bytes_add_batch(&bytes, 1);
    walk_all();
    cr_assert_eq(walk.count, 4);
    cr_expect(has_step(STEP_GOOD, bytes.offsets[1]));
    cr_expect(has_step(STEP_GOOD, bytes.offsets[2]));
}

/* The session of a frame that somebody objected to counts for nothing. */
Test(trace_damage, bad_frames_do_not_change_the_session)
{
    trace_bytes_add_session(&bytes, 'a', 1);
    bytes.frame_count--;
    bytes.size = bytes.offsets[2];
    add_stale_batch('b', LARGE_BATCH);
    bytes.data[bytes.size - 1] ^= 1; /* its checksum */
    trace_bytes_add_raw(&bytes, "\x28\xb5\x2f\xfdgarbage", 11);
    trace_bytes_add_batch(&bytes, 1);
    walk_all();
    cr_expect(has_step(STEP_GOOD, bytes.offsets[2]));
}
