#include "columns.h"

#include "bytes.h"

#include <errno.h>
#include <string.h>

enum {
    MANTISSA_BITS = 2, /* in the code, below the leading one */
    CODE_OF_2_59 = 57 * 4 + 4, /* first code of values with 57 low bits: one load of 8 bytes may not hold these */
};

/* The number of low bits of a value with this code. */
static inline unsigned int low_bits(unsigned int code)
{
    return code < 2U << MANTISSA_BITS ? 0 : (code >> MANTISSA_BITS) - 1;
}

static inline uint64_t low_mask(unsigned int bits)
{
    return (UINT64_C(1) << bits) - 1;
}

/* The least value with this code. */
static inline uint64_t code_base(unsigned int code)
{
    return code < 2U << MANTISSA_BITS ? code
                                      : (uint64_t)(4U | (code & 3U)) << low_bits(code);
}

size_t number_encode(uint8_t *ret_code, uint8_t *ret_bits, const uint64_t *values, size_t count)
{
    uint8_t *out = ret_bits;
    uint64_t pending = 0; /* bits not yet written whole bytes of */
    unsigned int pending_bits = 0; /* 0 .. 7 */

    for (size_t i = 0; i < count; i++) {
        uint64_t x = values[i];
        unsigned int m =
            63U - (unsigned int)__builtin_clzll(x | 1U << MANTISSA_BITS) - MANTISSA_BITS;
        uint64_t low = x & low_mask(m);
        unsigned int total = pending_bits + m;

        ret_code[i] = (uint8_t)((m << MANTISSA_BITS) + (unsigned int)(x >> m));
        pending |= low << pending_bits;
        write_le64(out, pending);
        out += total >> 3;
        /* m is at most 61 and pending_bits at most 7: of up to 68 bits the last few did not fit into the word. */
        pending = total < 64 ? pending >> (total & ~7U) : low >> (64 - pending_bits);
        pending_bits = total & 7U;
    }
    if (pending_bits > 0) {
        *out++ = (uint8_t)pending;
    }
    return (size_t)(out - ret_bits);
}

/* The sum of the low bits of all codes; the greatest code in *ret_greatest. */
static uint64_t sum_low_bits(struct slice code, unsigned int *ret_greatest)
{
    uint64_t sum = 0;
    unsigned int greatest = 0;

    for (size_t i = 0; i < code.size; i++) {
        unsigned int c = code.data[i];

        sum += low_bits(c);
        greatest = c > greatest ? c : greatest;
    }
    *ret_greatest = greatest;
    return sum;
}

/* Up to 61 bits at a bit position; reads the 9 bytes from its byte on. */
static inline uint64_t load_wide(const uint8_t *bits, uint64_t position, unsigned int m)
{
    const uint8_t *at = bits + (position >> 3);
    unsigned int shift = position & 7;
    uint64_t low = read_le64(at) >> shift;
    uint64_t high = shift == 0 ? 0 : (uint64_t)at[8] << (64 - shift);

    return (low | high) & low_mask(m);
}

/* Decodes while the loads stay inside the column; returns how many values that were. */
static size_t decode_inside(uint64_t *ret_values, struct number_column column, size_t count, bool is_wide,
                            uint64_t *position)
{
    size_t load_bytes = is_wide ? 9 : 8;
    size_t i = 0;

    if (column.bits.size < load_bytes) {
        return 0;
    }

    uint64_t last = (column.bits.size - load_bytes) * 8 + 7;
    uint64_t at = *position;

    if (is_wide) {
        for (; i < count && at <= last; i++) {
            unsigned int m = low_bits(column.code.data[i]);

            ret_values[i] = code_base(column.code.data[i]) | load_wide(column.bits.data, at, m);
            at += m;
        }
    } else {
        for (; i < count && at <= last; i++) {
            unsigned int m = low_bits(column.code.data[i]);
            uint64_t word = read_le64(column.bits.data + (at >> 3)) >> (at & 7);

            ret_values[i] = code_base(column.code.data[i]) | (word & low_mask(m));
            at += m;
        }
    }
    *position = at;
    return i;
}

/* Decodes the values whose loads would reach behind the column, from a padded copy of its end. */
static void decode_end(uint64_t *ret_values, struct number_column column, size_t from, size_t count,
                       uint64_t position)
{
    uint8_t padded[32] = {0};
    size_t first_byte = position >> 3;
    size_t left = column.bits.size - first_byte;

    memcpy(padded, column.bits.data + first_byte, left);
    position &= 7;
    for (size_t i = from; i < count; i++) {
        unsigned int m = low_bits(column.code.data[i]);

        ret_values[i] = code_base(column.code.data[i]) | load_wide(padded, position, m);
        position += m;
    }
}

int number_decode(uint64_t *ret_values, struct number_column column, size_t count)
{
    unsigned int greatest = 0;

    if (column.code.size != count) {
        return -EBADMSG;
    }

    uint64_t bits = sum_low_bits(column.code, &greatest);

    if (greatest > NUMBER_CODE_MAX || column.bits.size != (bits + 7) / 8) {
        return -EBADMSG;
    }
    if (count == 0) {
        return 0;
    }

    uint64_t position = 0;
    size_t done =
        decode_inside(ret_values, column, count, greatest >= CODE_OF_2_59, &position);

    if (done < count) {
        /* At most 9 bytes are left, since a load of that size did not fit; an empty column has no data to copy. */
        static const uint8_t nothing[1];

        column.bits.data = column.bits.size == 0 ? nothing : column.bits.data;
        decode_end(ret_values, column, done, count, position);
    }
    return 0;
}

unsigned int packed_width(size_t count)
{
    return count <= 1 ? 0 : 64U - (unsigned int)__builtin_clzll((uint64_t)count - 1);
}

size_t packed_size(unsigned int width, size_t count)
{
    return (width * count + 7) / 8;
}

size_t packed_encode(uint8_t *ret_bytes, unsigned int width, const uint16_t *values, size_t count)
{
    uint8_t *out = ret_bytes;
    uint64_t pending = 0;
    unsigned int pending_bits = 0;

    for (size_t i = 0; i < count; i++) {
        pending |= (uint64_t)values[i] << pending_bits;
        pending_bits += width;
        write_le32(out, (uint32_t)pending);
        out += pending_bits >> 3;
        pending >>= pending_bits & ~7U;
        pending_bits &= 7U;
    }
    if (pending_bits > 0) {
        *out++ = (uint8_t)pending;
    }
    return (size_t)(out - ret_bytes);
}

int packed_decode(uint16_t *ret_values, struct slice bytes, unsigned int width, size_t count, size_t limit)
{
    if (bytes.size == 0) {
        memset(ret_values, 0, count * sizeof(*ret_values));
        return 0;
    }
    if (bytes.size != packed_size(width, count)) {
        return -EBADMSG;
    }

    uint64_t pending = 0;
    unsigned int pending_bits = 0;
    size_t read = 0;
    uint64_t greatest = 0;

    for (size_t i = 0; i < count; i++) {
        while (pending_bits < width) {
            pending |= (uint64_t)bytes.data[read++] << pending_bits;
            pending_bits += 8;
        }
        ret_values[i] = (uint16_t)(pending & low_mask(width));
        greatest = max_u64(greatest, ret_values[i]);
        pending >>= width;
        pending_bits -= width;
    }
    return count > 0 && greatest >= limit ? -EBADMSG : 0;
}

enum { ONE_BYTE_LIST = 255 };

size_t index_encode(uint8_t *ret_bytes, const uint16_t *values, size_t count, size_t list_size)
{
    if (list_size > ONE_BYTE_LIST) {
        for (size_t i = 0; i < count; i++) {
            write_le16(ret_bytes + 2 * i, values[i]);
        }
        return 2 * count;
    }
    for (size_t i = 0; i < count; i++) {
        ret_bytes[i] = (uint8_t)values[i];
    }
    return count;
}

int index_decode(uint16_t *ret_values, struct slice bytes, size_t count, size_t list_size)
{
    bool is_wide = list_size > ONE_BYTE_LIST;
    unsigned int greatest = 0;

    if (bytes.size != (is_wide ? 2 * count : count)) {
        return -EBADMSG;
    }
    for (size_t i = 0; i < count; i++) {
        unsigned int value = is_wide ? read_le16(bytes.data + 2 * i) : bytes.data[i];

        ret_values[i] = (uint16_t)value;
        greatest = value > greatest ? value : greatest;
    }
    return count > 0 && greatest >= list_size ? -EBADMSG : 0;
}

void planes_encode(uint8_t *ret_bytes, const uint64_t *values, size_t count)
{
    for (unsigned int plane = 0; plane < 8; plane++) {
        for (size_t i = 0; i < count; i++) {
            ret_bytes[plane * count + i] = (uint8_t)(values[i] >> (8 * plane));
        }
    }
}

int planes_decode(uint64_t *ret_values, struct slice bytes, size_t count)
{
    if (bytes.size != 8 * count) {
        return -EBADMSG;
    }
    memset(ret_values, 0, count * sizeof(*ret_values));
    for (unsigned int plane = 0; plane < 8; plane++) {
        for (size_t i = 0; i < count; i++) {
            ret_values[i] |= (uint64_t)bytes.data[plane * count + i] << (8 * plane);
        }
    }
    return 0;
}
