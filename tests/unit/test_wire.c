#include "wire.h"

#include "bytes.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

static const struct wire_header example = {
    .type = WIRE_FRAME,
    .flags = 0x01020304,
    .sequence = 0x1112131415161718,
    .counts = {0x21222324, 0x31323334, 0x41424344, 0x51525354},
    .first_ns = 0x5152535455565758,
    .last_ns = 0x6162636465666768,
};

static uint8_t bytes[WIRE_HEADER_BYTES];

static struct slice payload(size_t size)
{
    static uint8_t content[100];

    memset(content, 'p', sizeof(content));
    return (struct slice){content, size};
}

/* The layout that wire.h describes, byte for byte; the checksum is what another XXH64 makes of it. */
Test(wire, headers_have_the_layout_described)
{
    static const uint8_t expected[] = {
        'E',  'D',  'D',  'Y',  3,    0,    64,   0,    5,    0,    0,    0,    0x04, 0x03,
        0x02, 0x01, 0x18, 0x17, 0x16, 0x15, 0x14, 0x13, 0x12, 0x11, 0x24, 0x23, 0x22, 0x21,
        0x34, 0x33, 0x32, 0x31, 0x44, 0x43, 0x42, 0x41, 0x54, 0x53, 0x52, 0x51, 0x58, 0x57,
        0x56, 0x55, 0x54, 0x53, 0x52, 0x51, 0x68, 0x67, 0x66, 0x65, 0x64, 0x63, 0x62, 0x61,
    };

    memset(bytes, 0xff, sizeof(bytes));
    wire_header_write(bytes, &example, payload(5));
    cr_assert_arr_eq(bytes, expected, sizeof(expected));
    cr_assert_eq(read_le64(bytes + 56), UINT64_C(0xdff68f3839b1d6c0));
}

Test(wire, headers_come_back)
{
    for (enum wire_type type = WIRE_HELLO; type <= WIRE_REPLY; type++) {
        struct wire_header written = example;
        struct wire_header back;
        size_t size = wire_max_payload(type) == 0 ? 0 : 100;

        written.type = type;
        wire_header_write(bytes, &written, payload(size));
        cr_assert_eq(wire_header_read(bytes, &back), 0);
        cr_expect_eq(back.type, type);
        cr_expect_eq(back.header_size, WIRE_HEADER_BYTES);
        cr_expect_eq(back.payload_size, size);
        cr_expect_eq(back.flags, example.flags);
        cr_expect_eq(back.sequence, example.sequence);
        cr_expect_arr_eq(back.counts, example.counts, sizeof(example.counts));
        cr_expect_eq(back.first_ns, example.first_ns);
        cr_expect_eq(back.last_ns, example.last_ns);
        cr_expect_eq(back.checksum, read_le64(bytes + 56));
        cr_expect(wire_checksum_is_right(bytes, payload(size)));
    }
}

Test(wire, every_flipped_bit_is_noticed)
{
    uint8_t content[30];

    memcpy(content, payload(30).data, sizeof(content));

    struct slice flipped = {content, sizeof(content)};

    wire_header_write(bytes, &example, flipped);
    for (size_t bit = 0; bit < sizeof(bytes) * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        cr_assert_not(wire_checksum_is_right(bytes, flipped), "bit %zu of the header", bit);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t bit = 0; bit < sizeof(content) * 8; bit++) {
        content[bit / 8] ^= (uint8_t)(1 << bit % 8);
        cr_assert_not(wire_checksum_is_right(bytes, flipped), "bit %zu of the payload", bit);
        content[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    cr_assert(wire_checksum_is_right(bytes, flipped));
    flipped.size--;
    cr_assert_not(wire_checksum_is_right(bytes, flipped));
}

/* Writes the example with one field that is not right; returns what reading says. */
static int read_with(size_t offset, uint64_t value, size_t size)
{
    struct wire_header back = {.sequence = 42};
    int r = 0;

    wire_header_write(bytes, &example, payload(5));
    memcpy(bytes + offset, &value, size);
    r = wire_header_read(bytes, &back);
    cr_expect(r == 0 || back.sequence == 42, "untouched on error");
    return r;
}

Test(wire, bytes_that_are_no_header_are_refused)
{
    cr_expect_eq(read_with(0, WIRE_MAGIC, 4), 0);
    cr_expect_eq(read_with(0, WIRE_MAGIC + 1, 4), -EBADMSG);
    cr_expect_eq(read_with(0, 0, 4), -EBADMSG);
    cr_expect_eq(read_with(6, 0, 2), -EBADMSG);
    cr_expect_eq(read_with(6, WIRE_HEADER_BYTES - 1, 2), -EBADMSG);
    cr_expect_eq(read_with(6, WIRE_HEADER_BYTES, 2), 0);
    cr_expect_eq(read_with(6, WIRE_MAX_HEADER_BYTES, 2), 0);
    cr_expect_eq(read_with(6, WIRE_MAX_HEADER_BYTES + 1, 2), -EBADMSG);
    cr_expect_eq(read_with(6, UINT16_MAX, 2), -EBADMSG);
}

Test(wire, unknown_types_are_newer)
{
    cr_expect_eq(read_with(4, 0, 2), -EPROTONOSUPPORT);
    cr_expect_eq(read_with(4, WIRE_REPLY + 1, 2), -EPROTONOSUPPORT);
    cr_expect_eq(read_with(4, UINT16_MAX, 2), -EPROTONOSUPPORT);
}

Test(wire, payloads_have_a_limit_for_each_type)
{
    static const struct {
        enum wire_type type;
        size_t limit;
    } cases[] = {
        {WIRE_HELLO, WIRE_MAX_HELLO_BYTES}, {WIRE_WELCOME, WIRE_MAX_HELLO_BYTES},
        {WIRE_FRAME, FRAME_MAX_BYTES},      {WIRE_ACK, 0},
        {WIRE_GOODBYE, FRAME_MAX_BYTES},    {WIRE_CONTROL, WIRE_MAX_CONTROL_BYTES},
        {WIRE_REPLY, WIRE_MAX_REPLY_BYTES},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct wire_header back;

        cr_expect_eq(wire_max_payload(cases[i].type), cases[i].limit);
        (void)read_with(4, cases[i].type, 2);
        write_le32(bytes + 8, (uint32_t)cases[i].limit);
        cr_expect_eq(wire_header_read(bytes, &back), 0);
        write_le32(bytes + 8, (uint32_t)cases[i].limit + 1);
        cr_expect_eq(wire_header_read(bytes, &back), -EMSGSIZE);
        write_le32(bytes + 8, UINT32_MAX);
        cr_expect_eq(wire_header_read(bytes, &back), -EMSGSIZE);
    }
    cr_expect_eq(wire_max_payload((enum wire_type)0), 0);
    cr_expect_eq(wire_max_payload((enum wire_type)100), 0);
}
