#include "frame.h"

#include "random_batch.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

enum { KIB_128 = 128 << 10 };

static struct frame_writer *writer;
static struct frame_reader *reader;
static uint8_t *content;
static uint8_t *frame;
static size_t frame_room;

static void set_up(void)
{
    uint64_t state = 1;

    cr_assert_eq(frame_writer_new(&writer), 0);
    cr_assert_eq(frame_reader_new(&reader), 0);
    content = malloc(FRAME_MAX_PLAIN_BYTES);
    for (size_t i = 0; i < FRAME_MAX_PLAIN_BYTES; i += sizeof(uint64_t)) {
        uint64_t word = random_u64(&state);

        memcpy(content + i, &word, sizeof(word));
    }
    frame_room = frame_bound(FRAME_MAX_PLAIN_BYTES, FRAME_MAX_BLOCKS);
    frame = malloc(frame_room);
}

static void tear_down(void)
{
    frame_writer_free(writer);
    frame_reader_free(reader);
    free(content);
    free(frame);
}

TestSuite(frame, .init = set_up, .fini = tear_down);

static struct slice write_frame(struct slice plain)
{
    size_t size = 0;

    cr_assert_eq(frame_start(writer, frame, frame_room, plain.size), 0);
    cr_assert_eq(frame_append(writer, plain), 0);
    cr_assert_eq(frame_finish(writer, &size), 0);
    return (struct slice){frame, size};
}

static struct slice text(const char *string)
{
    return (struct slice){(const uint8_t *)string, strlen(string)};
}

/* --- Round trips --- */

Test(frame, content_comes_back)
{
    static const size_t sizes[] = {1,     2,           255,     256,         65791,
                                   65792, KIB_128 - 1, KIB_128, KIB_128 + 1, FRAME_MAX_PLAIN_BYTES};

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        struct slice plain = {content, sizes[i]};
        struct slice written = write_frame(plain);
        struct frame_info info;
        struct slice back;

        cr_assert_eq(frame_check(written, &info), 0, "%zu bytes", sizes[i]);
        cr_expect_eq(info.size, written.size);
        cr_expect_eq(info.plain_size, plain.size);
        cr_expect_leq(written.size, frame_bound(plain.size, 0));
        cr_expect_leq(written.size, FRAME_MAX_BYTES);
        cr_assert_eq(frame_decompress(reader, written, &back), 0);
        cr_assert_eq(back.size, plain.size);
        cr_expect_eq(memcmp(back.data, content, plain.size), 0);
    }
}

Test(frame, the_same_content_gives_the_same_frame)
{
    static uint8_t first[1000];
    struct slice written = write_frame(text("something"));
    size_t size = written.size;

    memcpy(first, written.data, size);
    (void)write_frame((struct slice){content, 100000});
    written = write_frame(text("something"));
    cr_assert_eq(written.size, size);
    cr_assert_arr_eq(written.data, first, size);
}

Test(frame, blocks_end_where_they_are_flushed)
{
    struct slice back;
    size_t size = 0;

    cr_assert_eq(frame_start(writer, frame, frame_room, 3000), 0);
    for (size_t i = 0; i < 3; i++) {
        cr_assert_eq(frame_append(writer, (struct slice){content + 1000 * i, 1000}), 0);
        cr_assert_eq(frame_flush_block(writer), 0);
    }
    cr_assert_eq(frame_finish(writer, &size), 0);
    cr_assert_leq(size, frame_bound(3000, 3));
    cr_assert_eq(frame_decompress(reader, (struct slice){frame, size}, &back), 0);
    cr_assert_arr_eq(back.data, content, 3000);
    /* The first block decodes alone. */
    cr_assert_eq(frame_decompress_prefix(reader, (struct slice){frame, 1020}, 1000, &back), 0);
    cr_assert_eq(back.size, 1000);
    cr_assert_arr_eq(back.data, content, 1000);
}

/* As many flushes as are allowed, in the largest frame: readers must still accept it. */
Test(frame, the_greatest_frame_is_valid)
{
    struct frame_info info;
    size_t flushes = 0;
    size_t at = 0;
    size_t size = 0;

    cr_assert_eq(frame_start(writer, frame, frame_room, FRAME_MAX_PLAIN_BYTES), 0);
    do {
        cr_assert_eq(frame_append(writer, (struct slice){content + at, 1}), 0);
        at++;
        flushes++;
    } while (frame_flush_block(writer) == 0);
    cr_assert_gt(flushes, FRAME_MAX_BLOCKS / 2);
    cr_assert_eq(frame_append(writer, (struct slice){content + at, FRAME_MAX_PLAIN_BYTES - at}), 0);
    cr_assert_eq(frame_finish(writer, &size), 0);
    cr_assert_eq(frame_check((struct slice){frame, size}, &info), 0);
    cr_assert_leq(size, FRAME_MAX_BYTES);
}

/* --- Writing --- */

Test(frame, impossible_sizes_are_refused)
{
    cr_expect_eq(frame_start(writer, frame, frame_room, 0), -EINVAL);
    cr_expect_eq(frame_start(writer, frame, frame_room, FRAME_MAX_PLAIN_BYTES + 1), -EINVAL);
    cr_expect_eq(frame_start(writer, frame, frame_room, SIZE_MAX), -EINVAL);
}

Test(frame, more_or_less_content_than_stated_is_refused)
{
    size_t size = 42;

    cr_assert_eq(frame_start(writer, frame, frame_room, 10), 0);
    cr_assert_eq(frame_append(writer, (struct slice){content, 9}), 0);
    cr_expect_eq(frame_append(writer, (struct slice){content, 2}), -EINVAL);
    cr_expect_eq(frame_finish(writer, &size), -EINVAL);
    cr_expect_eq(size, 42);
    cr_expect_eq(frame_append(writer, (struct slice){NULL, 0}), 0);
    cr_expect_eq(frame_append(writer, (struct slice){content, 1}), 0);
    cr_expect_eq(frame_finish(writer, &size), 0);
}

Test(frame, every_room_that_is_too_small_is_refused)
{
    struct slice whole = write_frame((struct slice){content, 300});
    AUTO_FREE uint8_t *exact = malloc(whole.size);

    for (size_t room = 0; room <= whole.size; room++) {
        size_t size = 42;
        int r = frame_start(writer, exact, room, 300);

        r = r < 0 ? r : frame_append(writer, (struct slice){content, 300});
        r = r < 0 ? r : frame_finish(writer, &size);
        cr_assert_eq(r, room < whole.size ? -ENOBUFS : 0, "room for %zu gives %d", room, r);
        cr_assert_eq(size, room < whole.size ? 42 : whole.size);
    }
}

Test(frame, an_unfinished_frame_does_not_harm_the_next)
{
    struct slice back;

    cr_assert_eq(frame_start(writer, frame, frame_room, 1000), 0);
    cr_assert_eq(frame_append(writer, (struct slice){content, 500}), 0);
    cr_assert_eq(frame_decompress(reader, write_frame(text("next")), &back), 0);
    cr_assert_arr_eq(back.data, "next", 4);
}

Test(frame, every_beginning_of_a_frame_asks_for_more)
{
    struct frame_info info = {42, 42};
    struct slice written = write_frame((struct slice){content, KIB_128 + 10});

    for (size_t size = 0; size < written.size; size += size < 300 ? 1 : 1000) {
        cr_assert_eq(frame_check((struct slice){frame, size}, &info), -EAGAIN, "%zu bytes", size);
    }
    cr_assert_eq(frame_check((struct slice){frame, written.size - 1}, &info), -EAGAIN);
    cr_assert_eq(info.size, 42);
    cr_assert_eq(frame_check((struct slice){frame, written.size + 1}, &info), 0);
    cr_assert_eq(info.size, written.size);
}

/* --- Content --- */

Test(frame, every_flipped_bit_is_noticed)
{
    struct slice plain = text("some text that compresses a little, some text");
    struct slice written = write_frame(plain);
    AUTO_FREE uint8_t *original = malloc(written.size);
    struct slice back;

    memcpy(original, written.data, written.size);
    for (size_t bit = 0; bit < written.size * 8; bit++) {
        memcpy(frame, original, written.size);
        frame[bit / 8] ^= (uint8_t)(1 << bit % 8);

        int r = frame_decompress(reader, written, &back);

        cr_assert(r == -EBADMSG || (r == 0 && back.size == plain.size &&
                                    memcmp(back.data, plain.data, plain.size) == 0),
                  "bit %zu gives %d", bit, r);
    }
}

Test(frame, exactly_one_frame_is_decompressed)
{
    struct slice written = write_frame(text("one"));
    struct slice plain;

    frame[written.size] = 0;
    cr_expect_eq(frame_decompress(reader, (struct slice){frame, written.size + 1}, &plain),
                 -EBADMSG);
    cr_expect_eq(frame_decompress(reader, (struct slice){frame, written.size - 1}, &plain),
                 -EBADMSG);
    cr_expect_eq(frame_decompress(reader, (struct slice){frame, 0}, &plain), -EBADMSG);
    cr_expect_eq(frame_decompress(reader, written, &plain), 0);
}

Test(frame, prefixes_have_the_size_asked_for)
{
    static const size_t limits[] = {1, 100, KIB_128 - 1, KIB_128, 300000, 300001, SIZE_MAX};
    struct slice written = write_frame((struct slice){content, 300000});

    for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
        struct slice prefix;

        cr_assert_eq(frame_decompress_prefix(reader, written, limits[i], &prefix), 0);
        cr_expect_eq(prefix.size, min_u64(limits[i], 300000));
        cr_expect_eq(memcmp(prefix.data, content, prefix.size), 0);
    }
}

Test(frame, the_first_block_ends_where_it_was_flushed)
{
    const size_t sizes[] = {1, 700, KIB_128 - 1, KIB_128, KIB_128 + 1};

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        struct slice first;
        size_t size = 0;

        cr_assert_eq(frame_start(writer, frame, frame_room, sizes[i] + 300000), 0);
        cr_assert_eq(frame_append(writer, (struct slice){content, sizes[i]}), 0);
        cr_assert_eq(frame_flush_block(writer), 0);
        cr_assert_eq(frame_append(writer, (struct slice){content + sizes[i], 300000}), 0);
        cr_assert_eq(frame_finish(writer, &size), 0);
        cr_assert_eq(frame_decompress_first_block(reader, (struct slice){frame, size}, &first), 0);
        cr_expect_eq(first.size, min_u64(sizes[i], KIB_128));
        cr_expect_eq(memcmp(first.data, content, first.size), 0);
        cr_assert_eq(frame_decompress_first_block(reader, (struct slice){frame, 12}, &first),
                     -EBADMSG);
    }
}

Test(frame, the_first_block_of_a_frame_with_one_is_all_of_it)
{
    struct slice first;

    cr_assert_eq(frame_decompress_first_block(reader, write_frame(text("short")), &first), 0);
    cr_expect_eq(first.size, strlen("short"));
    cr_assert_eq(frame_decompress_first_block(reader, text("no frame at all"), &first), -EBADMSG);
}

/* A prefix ends where the frame does, and the reader can go on with whole frames. */
Test(frame, prefixes_of_cut_frames_are_what_is_there)
{
    struct slice written = write_frame((struct slice){content, 300000});
    struct slice prefix;

    cr_assert_eq(
        frame_decompress_prefix(reader, (struct slice){frame, KIB_128 + 100}, 200000, &prefix), 0);
    cr_assert_geq(prefix.size, KIB_128);
    cr_assert_lt(prefix.size, 200000);
    cr_assert_eq(memcmp(prefix.data, content, prefix.size), 0);
    cr_assert_eq(frame_decompress(reader, written, &prefix), 0);
    cr_assert_eq(frame_decompress_prefix(reader, (struct slice){frame, 4}, 10, &prefix), -EBADMSG);
    cr_assert_eq(frame_decompress_prefix(reader, text("no frame at all"), 10, &prefix), -EBADMSG);
}

/* --- Magic numbers --- */

Test(frame, magics_are_found_anywhere)
{
    uint8_t bytes[64];

    for (size_t at = 0; at + FRAME_MAGIC_BYTES <= sizeof(bytes); at++) {
        memset(bytes, 0x28, sizeof(bytes));
        memcpy(bytes + at, "\x28\xb5\x2f\xfd", 4);
        for (size_t from = 0; from < sizeof(bytes); from++) {
            size_t found = frame_find_magic((struct slice){bytes, sizeof(bytes)}, from);
            size_t none = from > sizeof(bytes) - 3 ? from : sizeof(bytes) - 3;

            cr_assert_eq(found, from <= at ? at : none, "at %zu from %zu: %zu", at, from, found);
        }
    }
}

Test(frame, magics_cut_by_the_end_are_not_found_but_kept)
{
    static const uint8_t bytes[] = "xx\x28\xb5\x2f\xfd";

    for (size_t size = 0; size <= 6; size++) {
        size_t found = frame_find_magic((struct slice){bytes, size}, 0);

        cr_assert_eq(found, size < 4 ? 0 : min_u64(2, size - 3), "%zu bytes: %zu", size, found);
    }
}

Test(frame, skippable_frames_have_a_size)
{
    static const struct {
        const char *bytes;
        size_t size;
        int result;
        uint64_t frame_size;
    } cases[] = {
        {"\x50\x2a\x4d\x18\0\0\0\0", 8, 0, 8},
        {"\x5f\x2a\x4d\x18\x01\0\0\0x", 9, 0, 9},
        {"\x5f\x2a\x4d\x18\xff\xff\xff\xff", 8, 0, 8 + (uint64_t)UINT32_MAX},
        {"\x50\x2a\x4d\x18\0\0\0", 7, -EAGAIN, 42},
        {"\x57\x2a", 2, -EAGAIN, 42},
        {"", 0, -EAGAIN, 42},
        {"\x60\x2a\x4d\x18\0\0\0\0", 8, -EBADMSG, 42},
        {"\x50\x2a\x4d\x19\0\0\0\0", 8, -EBADMSG, 42},
        {"\x28\xb5\x2f\xfd", 4, -EBADMSG, 42},
        {"x", 1, -EBADMSG, 42},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t size = 42;
        struct slice bytes = {(const uint8_t *)cases[i].bytes, cases[i].size};

        cr_expect_eq(frame_check_skippable(bytes, &size), cases[i].result, "case %zu", i);
        cr_expect_eq(size, cases[i].frame_size, "case %zu", i);
        cr_expect_eq(frame_may_begin(bytes), cases[i].result != -EBADMSG || i == 8, "case %zu", i);
    }
}
