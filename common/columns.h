/*
 * The column encodings of the trace format: arrays of numbers to bytes and back.
 *
 * Exponent-mantissa. Plane 1 ("code") holds one byte per value x:
 *
 *     m = max(0, bit_length(x) - 3),  code = (m << 2) + (x >> m)
 *
 * so codes 0..7 are the values themselves and code / 4 - 1 is the number of low bits left out. Plane 2 ("bits") holds
 * those m low bits of each value, packed without gaps, least significant bit first, in ceil(sum of m / 8) bytes. All
 * 64-bit values are legal; their codes are 0..251. A column is valid if and only if no code is above 251 and bits has
 * exactly the length that the codes ask for. The code byte is also a bucket of a histogram with four buckets an octave.
 *
 * Index columns: one byte per index if the list that they index has at most 255 entries, else two, little-endian.
 * Packed columns: width = bits needed for the greatest possible index; least significant bit first.
 *
 * The decoders trust nothing: lengths are checked before a byte is read, and values that are out of range are refused.
 */
#pragma once

#include "base.h"

#include <stdbool.h>

/* Bytes that somebody else owns. */
struct slice {
    const uint8_t *data;
    size_t size;
};

/* An exponent-mantissa column. */
struct number_column {
    struct slice code;
    struct slice bits;
};

enum {
    NUMBER_CODE_MAX = 251,
    /* Encoders write whole words: bits buffers need this much room behind the last byte. */
    COLUMN_SLACK_BYTES = 16,
};

/* Room that number_encode() needs in bits for count values of any size. */
static inline size_t number_bits_bound(size_t count)
{
    return count * 8 + COLUMN_SLACK_BYTES;
}

/*
 * Encodes count values.
 *
 * ret_code  room for count bytes
 * ret_bits  room for number_bits_bound(count) bytes
 * Returns:  the bytes used in ret_bits.
 * Threads:  any.
 */
size_t number_encode(uint8_t *ret_code, uint8_t *ret_bits, const uint64_t *values, size_t count);

/*
 * Decodes a column that must hold exactly count values. The bits need no padding behind them.
 *
 * Returns:  0, or -EBADMSG if the column is not valid.
 * Threads:  any.
 */
MUST_USE int number_decode(uint64_t *ret_values, struct number_column column, size_t count);

/* The same; -EBADMSG too if a value is 2^limit_bits or more. limit_bits: 3 to 64. */
MUST_USE int number_decode_below(uint64_t *ret_values, struct number_column column, size_t count,
                                 unsigned int limit_bits);

/* Decodes running sums: base + the first value, that + the second one, and so on. -EBADMSG too if one is 2^64 or more. */
MUST_USE int number_decode_sums(uint64_t *ret_sums, struct number_column column, size_t count,
                                uint64_t base);

/* Bits needed for indexes 0 .. count - 1; 0 if count <= 1. */
unsigned int packed_width(size_t count);

/* Bytes of a packed column: ceil(width * count / 8). */
size_t packed_size(unsigned int width, size_t count);

/*
 * Packs count indexes, each below 2^width, width 0..16.
 *
 * ret_bytes room for packed_size() + COLUMN_SLACK_BYTES
 * Returns:  the bytes used.
 */
size_t packed_encode(uint8_t *ret_bytes, unsigned int width, const uint16_t *values, size_t count);

/*
 * Unpacks exactly count indexes, each of which must be below limit; an empty slice stands for zeros.
 *
 * Returns:  0, or -EBADMSG.
 */
MUST_USE int packed_decode(uint16_t *ret_values, struct slice bytes, unsigned int width,
                           size_t count, size_t limit);

/*
 * Index columns: one or two bytes per value, as the size of the list says.
 *
 * list_size entries of the list that is indexed, at most 65,535
 * Returns:  index_encode() the bytes used (room: 2 * count); index_decode() 0 or -EBADMSG.
 */
size_t index_encode(uint8_t *ret_bytes, const uint16_t *values, size_t count, size_t list_size);
MUST_USE int index_decode(uint16_t *ret_values, struct slice bytes, size_t count, size_t list_size);

/* Whether all values are below limit. Threads: any. */
bool indexes_are_below(const uint16_t *values, size_t count, size_t limit);
bool bytes_are_below(const uint8_t *values, size_t count, size_t limit);

/* Eight byte planes of 64-bit words, least significant first; bytes has room for (holds exactly) 8 * count. */
void planes_encode(uint8_t *ret_bytes, const uint64_t *values, size_t count);
MUST_USE int planes_decode(uint64_t *ret_values, struct slice bytes, size_t count);

/* Signed as unsigned, small magnitudes small: 0, -1, 1, -2, ... */
static inline uint64_t zigzag_encode(int64_t value)
{
    return ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
}

static inline int64_t zigzag_decode(uint64_t code)
{
    return (int64_t)(code >> 1) ^ -(int64_t)(code & 1);
}
