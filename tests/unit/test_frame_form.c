#include "frame.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

enum {
    KIB_128 = 128 << 10,
    RAW = 0,
    RLE = 1,
    COMPRESSED = 2,
    RESERVED = 3,
};

/* Room for more than the greatest frame. */
static uint8_t frame[FRAME_MAX_BYTES + 1000];

/* A frame by hand: descriptor and other bytes of the header, then blocks as {type, size}, then a checksum. */
struct hand_made {
    const char *what;
    struct {
        const char *bytes;
        size_t size;
    } header;
    struct {
        unsigned int type;
        unsigned int size;
    } blocks[3];
    unsigned int block_count;
    int result;
};

static uint8_t *put_block(uint8_t *at, unsigned int type, unsigned int size, bool is_last)
{
    uint32_t fields = size << 3 | type << 1 | is_last;
    size_t content_size = type == RLE ? 1 : size;

    at[0] = (uint8_t)fields;
    at[1] = (uint8_t)(fields >> 8);
    at[2] = (uint8_t)(fields >> 16);
    memset(at + 3, 'x', content_size);
    return at + 3 + content_size;
}

static struct slice make_frame(const struct hand_made *made)
{
    uint8_t *at = frame;

    memcpy(at, "\x28\xb5\x2f\xfd", 4);
    memcpy(at + 4, made->header.bytes, made->header.size);
    at += 4 + made->header.size;
    for (unsigned int i = 0; i < made->block_count; i++) {
        at = put_block(at, made->blocks[i].type, made->blocks[i].size, i == made->block_count - 1);
    }
    memset(at, 0, 4);
    return (struct slice){frame, (size_t)(at + 4 - frame)};
}

#define BYTES(string)                                                                              \
    {                                                                                              \
        string, sizeof(string) - 1                                                                 \
    }

Test(frame_form, only_the_writers_form_is_valid)
{
    static const struct hand_made cases[] = {
        {"content size of 1 byte", BYTES("\x24\x05"), {{RAW, 5}}, 1, 0},
        {"content size of 2 bytes", BYTES("\x64\x05\x00"), {{RAW, 256}, {RAW, 5}}, 2, 0},
        {"content size of 4 bytes", BYTES("\xa4\x05\0\0\0"), {{RAW, 5}}, 1, 0},
        {"content size of 8 bytes", BYTES("\xe4\x05\0\0\0\0\0\0\0"), {{RAW, 5}}, 1, 0},
        {"window and 2 bytes", BYTES("\x44\x00\x05\x00"), {{RAW, 5}}, 1, 0},
        {"greatest window", BYTES("\x44\x68\x05\x00"), {{RAW, 5}}, 1, 0},
        {"greater window", BYTES("\x44\x69\x05\x00"), {{RAW, 5}}, 1, -EBADMSG},
        {"greatest of all windows", BYTES("\x44\xff\x05\x00"), {{RAW, 5}}, 1, -EBADMSG},
        {"greatest content", BYTES("\xa4\0\0\x80\0"), {{RAW, 5}}, 1, 0},
        {"greater content", BYTES("\xa4\1\0\x80\0"), {{RAW, 5}}, 1, -EBADMSG},
        {"content of all bits",
         BYTES("\xe4\xff\xff\xff\xff\xff\xff\xff\xff"),
         {{RAW, 5}},
         1,
         -EBADMSG},
        {"no content", BYTES("\x24\x00"), {{RAW, 0}}, 1, -EBADMSG},
        {"content size not stated", BYTES("\x04\x00"), {{RAW, 5}}, 1, -EBADMSG},
        {"no checksum", BYTES("\x20\x05"), {{RAW, 5}}, 1, -EBADMSG},
        {"reserved bit", BYTES("\x2c\x05"), {{RAW, 5}}, 1, -EBADMSG},
        {"unused bit", BYTES("\x34\x05"), {{RAW, 5}}, 1, -EBADMSG},
        {"dictionary of 1 byte", BYTES("\x25\x00\x05"), {{RAW, 5}}, 1, -EBADMSG},
        {"dictionary of 2 bytes", BYTES("\x26\0\0\x05"), {{RAW, 5}}, 1, -EBADMSG},
        {"dictionary of 4 bytes", BYTES("\x27\0\0\0\0\x05"), {{RAW, 5}}, 1, -EBADMSG},
        {"repeated byte", BYTES("\x24\x05"), {{RLE, 5}}, 1, 0},
        {"compressed block", BYTES("\x24\x05"), {{COMPRESSED, 4}}, 1, 0},
        {"reserved block", BYTES("\x24\x05"), {{RESERVED, 4}}, 1, -EBADMSG},
        {"several blocks", BYTES("\x24\x05"), {{RAW, 2}, {RLE, 3}, {RAW, 0}}, 3, 0},
        {"more raw content than stated", BYTES("\x24\x05"), {{RAW, 3}, {RAW, 3}}, 2, -EBADMSG},
        {"more repeated content", BYTES("\x24\x05"), {{RAW, 3}, {RLE, 3}}, 2, -EBADMSG},
        {"block greater than content", BYTES("\x24\x05"), {{COMPRESSED, 6}}, 1, -EBADMSG},
        {"greatest block", BYTES("\xa4\0\0\x04\0"), {{COMPRESSED, KIB_128}}, 1, 0},
        {"greater block", BYTES("\xa4\0\0\x04\0"), {{COMPRESSED, KIB_128 + 1}}, 1, -EBADMSG},
        {"block greater than window", BYTES("\x44\x00\x05\x08"), {{RAW, 1025}}, 1, -EBADMSG},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct slice made = make_frame(&cases[i]);
        struct frame_info info = {42, 42};
        int r = frame_check(made, &info);

        cr_expect_eq(r, cases[i].result, "%s: %d", cases[i].what, r);
        cr_expect_eq(info.size, cases[i].result == 0 ? made.size : 42, "%s", cases[i].what);
    }
}

Test(frame_form, content_sizes_are_read_in_every_width)
{
    static const struct {
        struct hand_made made;
        size_t plain_size;
    } cases[] = {
        {{"", BYTES("\x24\xff"), {{RLE, 255}}, 1, 0}, 255},
        {{"", BYTES("\x64\x00\x00"), {{RLE, 256}}, 1, 0}, 256},
        {{"", BYTES("\x64\xff\xff"), {{RLE, 100}}, 1, 0}, 65791},
        {{"", BYTES("\xa4\x04\x03\x02\x00"), {{RLE, 100}}, 1, 0}, 0x020304},
        {{"", BYTES("\xe4\x04\x03\x02\x00\0\0\0\0"), {{RLE, 100}}, 1, 0}, 0x020304},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct frame_info info;

        cr_assert_eq(frame_check(make_frame(&cases[i].made), &info), 0, "case %zu", i);
        cr_expect_eq(info.plain_size, cases[i].plain_size);
    }
}

static struct slice frame_of_blocks(unsigned int count, unsigned int size)
{
    uint8_t *at = frame;

    memcpy(at, "\x28\xb5\x2f\xfd\xa4\0\0\x80\0", 9);
    at += 9;
    for (unsigned int i = 0; i < count; i++) {
        at = put_block(at, COMPRESSED, size, i == count - 1);
    }
    memset(at, 0, 4);
    return (struct slice){frame, (size_t)(at + 4 - frame)};
}

Test(frame_form, blocks_have_a_greatest_number)
{
    struct frame_info info;

    cr_expect_eq(frame_check(frame_of_blocks(FRAME_MAX_BLOCKS, 3), &info), 0);
    cr_expect_eq(frame_check(frame_of_blocks(FRAME_MAX_BLOCKS + 1, 3), &info), -EBADMSG);
}

Test(frame_form, frames_have_a_greatest_size)
{
    enum { BLOCKS = 64, HEADER = 9, FIT = FRAME_MAX_BYTES - HEADER - 4 - 3 };
    struct frame_info info;
    struct slice made = frame_of_blocks(BLOCKS, KIB_128);

    cr_assert_eq(frame_check(made, &info), 0);
    /* One more block, which ends with the greatest frame, or one byte behind it. */
    made = frame_of_blocks(BLOCKS + 1, 0);
    for (unsigned int more = 0; more <= 1; more++) {
        uint8_t *at = frame + HEADER;

        for (unsigned int i = 0; i < BLOCKS; i++) {
            at = put_block(at, COMPRESSED, KIB_128, false);
        }
        at = put_block(at, COMPRESSED, FIT - BLOCKS * (KIB_128 + 3) + more, true);
        made.size = (size_t)(at + 4 - frame);
        cr_expect_eq(made.size, FRAME_MAX_BYTES + more);
        cr_expect_eq(frame_check(made, &info), more == 0 ? 0 : -EBADMSG);
        /* This is known before the frame is there. */
        cr_expect_eq(frame_check((struct slice){frame, made.size - 1000}, &info),
                     more == 0 ? -EAGAIN : -EBADMSG);
    }
}

Test(frame_form, content_of_another_size_is_damaged)
{
    static const struct hand_made cases[] = {
        {"less", BYTES("\x24\x05"), {{RAW, 4}}, 1, 0},
        {"blocks that are no content", BYTES("\x24\x05"), {{COMPRESSED, 5}}, 1, 0},
        {"a wrong checksum", BYTES("\x24\x05"), {{RAW, 5}}, 1, 0},
    };

    struct frame_reader *reader = NULL;

    cr_assert_eq(frame_reader_new(&reader), 0);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct slice plain = {frame, 42};
        struct slice made = make_frame(&cases[i]);
        struct frame_info info;

        cr_assert_eq(frame_check(made, &info), 0);
        cr_expect_eq(frame_decompress(reader, made, &plain), -EBADMSG, "%s", cases[i].what);
        cr_expect_eq(plain.size, 42);
    }
    frame_reader_free(reader);
}
