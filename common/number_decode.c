/*
 * Exponent-mantissa columns to numbers: the busiest loop of every reader. Part of columns.h.
 */
#include "columns.h"

#include "bytes.h"

#include <errno.h>
#include <string.h>

enum {
    MANTISSA_BITS = 2, /* in the code, below the leading one */
    ONE_LOAD_BITS =
        56, /* that one unaligned load of 8 bytes is sure to hold, wherever in a byte they begin */
    /* Values decoded between two looks at the end of the bits, and the bytes that they may read. */
    RUN_VALUES = 16,
    RUN_BYTES = RUN_VALUES * 8 + 16,
};

/* Inlined wherever it is used, so that one body serves several variants of its caller. */
#define FORCE_INLINE static inline __attribute__((always_inline))

/* --- What the codes of a column say of it --- */

struct code_summary {
    uint64_t low_bits; /* of all values */
    unsigned int greatest;
};

static inline unsigned int low_bits_of(unsigned int code)
{
    unsigned int exponent = code >> MANTISSA_BITS;

    return exponent - (exponent > 0);
}

static void summarize_one_by_one(struct code_summary *summary, const uint8_t *codes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        summary->low_bits += low_bits_of(codes[i]);
        summary->greatest = codes[i] > summary->greatest ? codes[i] : summary->greatest;
    }
}

#if defined(__x86_64__)

#include <immintrin.h>

enum { BYTES_AT_ONCE = 16 };

static struct code_summary summarize_codes(struct slice code)
{
    const __m128i zero = _mm_setzero_si128();
    const __m128i exponent_mask = _mm_set1_epi8(0x3f);
    __m128i low_bits = zero;
    __m128i greatest = zero;
    uint8_t maxima[BYTES_AT_ONCE];
    uint64_t sums[2];
    size_t i = 0;

    for (; i + BYTES_AT_ONCE <= code.size; i += BYTES_AT_ONCE) {
        __m128i codes = _mm_loadu_si128((const __m128i *)(const void *)(code.data + i));
        __m128i exponents = _mm_and_si128(_mm_srli_epi16(codes, MANTISSA_BITS), exponent_mask);

        /* One less than the exponent, but not less than 0. */
        low_bits =
            _mm_add_epi64(low_bits, _mm_sad_epu8(_mm_subs_epu8(exponents, _mm_set1_epi8(1)), zero));
        greatest = _mm_max_epu8(greatest, codes);
    }
    _mm_storeu_si128((__m128i *)(void *)maxima, greatest);
    _mm_storeu_si128((__m128i *)(void *)sums, low_bits);

    struct code_summary summary = {.low_bits = sums[0] + sums[1]};

    for (size_t lane = 0; lane < BYTES_AT_ONCE; lane++) {
        summary.greatest = maxima[lane] > summary.greatest ? maxima[lane] : summary.greatest;
    }
    if (i < code.size) { /* else there may be no data at all, and nothing to add i to */
        summarize_one_by_one(&summary, code.data + i, code.size - i);
    }
    return summary;
}

#else

static struct code_summary summarize_codes(struct slice code)
{
    struct code_summary summary = {0};

    summarize_one_by_one(&summary, code.data, code.size);
    return summary;
}

#endif

/* --- Decoding --- */

/* What a code says of its values: their leading bits in place, and how many low bits follow. */
#define LEADING(mantissa, m) (UINT64_C(mantissa) << (m))
#define FOUR_CODES(m) LEADING(4, m), LEADING(5, m), LEADING(6, m), LEADING(7, m)
#define SIXTEEN_CODES(m)                                                                           \
    FOUR_CODES(m), FOUR_CODES((m) + 1), FOUR_CODES((m) + 2), FOUR_CODES((m) + 3)

static const uint64_t leading_bits[NUMBER_CODE_MAX + 1] = {
    0,
    1,
    2,
    3,
    SIXTEEN_CODES(0),
    SIXTEEN_CODES(4),
    SIXTEEN_CODES(8),
    SIXTEEN_CODES(12),
    SIXTEEN_CODES(16),
    SIXTEEN_CODES(20),
    SIXTEEN_CODES(24),
    SIXTEEN_CODES(28),
    SIXTEEN_CODES(32),
    SIXTEEN_CODES(36),
    SIXTEEN_CODES(40),
    SIXTEEN_CODES(44),
    SIXTEEN_CODES(48),
    SIXTEEN_CODES(52),
    SIXTEEN_CODES(56),
    FOUR_CODES(60),
    FOUR_CODES(61),
};

#define FOUR_TIMES(m) (m), (m), (m), (m)
#define SIXTEEN_TIMES(m)                                                                           \
    FOUR_TIMES(m), FOUR_TIMES((m) + 1), FOUR_TIMES((m) + 2), FOUR_TIMES((m) + 3)

static const uint8_t low_bit_counts[NUMBER_CODE_MAX + 1] = {
    FOUR_TIMES(0),     SIXTEEN_TIMES(0),  SIXTEEN_TIMES(4),  SIXTEEN_TIMES(8),  SIXTEEN_TIMES(12),
    SIXTEEN_TIMES(16), SIXTEEN_TIMES(20), SIXTEEN_TIMES(24), SIXTEEN_TIMES(28), SIXTEEN_TIMES(32),
    SIXTEEN_TIMES(36), SIXTEEN_TIMES(40), SIXTEEN_TIMES(44), SIXTEEN_TIMES(48), SIXTEEN_TIMES(52),
    SIXTEEN_TIMES(56), FOUR_TIMES(60),    FOUR_TIMES(61),
};

FORCE_INLINE uint64_t low_mask(unsigned int bits)
{
    return (UINT64_C(1) << bits) - 1;
}

/* The 64 bits from a position on that are in its byte and the seven behind it. */
FORCE_INLINE uint64_t bits_from(const uint8_t *bits, uint64_t position)
{
    return read_le64(bits + (position >> 3)) >> (position & 7);
}

/* A value of any size, reading 16 bytes. */
FORCE_INLINE uint64_t decode_wide(unsigned int code, const uint8_t *bits, uint64_t position)
{
    uint64_t beyond = read_le64(bits + (position >> 3) + 8) << 1 << (63 - (position & 7));

    return leading_bits[code] |
           ((bits_from(bits, position) | beyond) & low_mask(low_bit_counts[code]));
}

/* Where a column is decoded. */
struct decoder_place {
    uint64_t position; /* in the bits */
    uint64_t sum;      /* of what is to be summed up */
};

/* Two values, whose low bits one load does not hold. */
static __attribute__((noinline)) void decode_two_wide(uint64_t ret_values[static 2],
                                                      const uint8_t *codes, const uint8_t *bits,
                                                      uint64_t position)
{
    ret_values[0] = decode_wide(codes[0], bits, position);
    ret_values[1] = decode_wide(codes[1], bits, position + low_bit_counts[codes[0]]);
}

/* Two values, whose low bits one load nearly always holds; or the sums up to them. */
FORCE_INLINE void decode_two(uint64_t *ret_values, const uint8_t *codes, const uint8_t *bits,
                             bool is_sum, struct decoder_place *place)
{
    unsigned int first_bits = low_bit_counts[codes[0]];
    unsigned int both_bits = first_bits + low_bit_counts[codes[1]];
    uint64_t word = bits_from(bits, place->position);
    uint64_t first = leading_bits[codes[0]] | (word & low_mask(first_bits));
    uint64_t second =
        leading_bits[codes[1]] | (word >> first_bits & low_mask(both_bits - first_bits));

    if (UNLIKELY(both_bits > ONE_LOAD_BITS)) {
        decode_two_wide(ret_values, codes, bits, place->position);
        first = ret_values[0];
        second = ret_values[1];
    }
    if (is_sum) {
        first += place->sum;
        second += first;
        place->sum = second;
    }
    ret_values[0] = first;
    ret_values[1] = second;
    place->position += both_bits;
}

/* Decodes runs as long as their loads stay inside the bits. Returns how many values those were. */
FORCE_INLINE size_t decode_inside(uint64_t *ret_values, struct number_column column, bool is_sum,
                                  struct decoder_place *place)
{
    struct decoder_place at = *place;
    const uint8_t *codes = column.code.data;
    const uint8_t *end = codes + column.code.size - column.code.size % RUN_VALUES;

    for (; codes < end && (at.position >> 3) + RUN_BYTES <= column.bits.size; codes += RUN_VALUES) {
#pragma GCC unroll 8
        for (size_t i = 0; i < RUN_VALUES; i += 2) {
            decode_two(ret_values + i, codes + i, column.bits.data, is_sum, &at);
        }
        ret_values += RUN_VALUES;
    }
    *place = at;
    return (size_t)(codes - column.code.data);
}

FORCE_INLINE size_t decode_some(uint64_t *ret_values, struct number_column column, bool is_sum,
                                struct decoder_place *place)
{
    return is_sum ? decode_inside(ret_values, column, true, place)
                  : decode_inside(ret_values, column, false, place);
}

#if defined(__x86_64__)

/* The same with the shift instructions that most machines have and the baseline has not. */
__attribute__((target("bmi,bmi2"))) static size_t decode_some_bmi2(uint64_t *ret_values,
                                                                   struct number_column column,
                                                                   bool is_sum,
                                                                   struct decoder_place *place)
{
    return decode_some(ret_values, column, is_sum, place);
}

static size_t decode_most(uint64_t *ret_values, struct number_column column, bool is_sum,
                          struct decoder_place *place)
{
    return __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2")
               ? decode_some_bmi2(ret_values, column, is_sum, place)
               : decode_some(ret_values, column, is_sum, place);
}

#else

static size_t decode_most(uint64_t *ret_values, struct number_column column, bool is_sum,
                          struct decoder_place *place)
{
    return decode_some(ret_values, column, is_sum, place);
}

#endif

/*
 * Decodes the values whose loads might reach behind the bits, from a padded copy of what is left of them: below RUN_BYTES or
 * of fewer than RUN_VALUES, else there would have been another run.
 */
static void decode_end(uint64_t *ret_values, struct number_column column, size_t done, bool is_sum,
                       struct decoder_place place)
{
    uint8_t padded[RUN_BYTES + 16] = {0};
    size_t first = place.position >> 3;
    size_t left = column.bits.size - first;

    if (left > 0) {
        memcpy(padded, column.bits.data + first, left);
    }
    place.position &= 7;
    for (; done < column.code.size; done++) {
        uint64_t value = decode_wide(column.code.data[done], padded, place.position);

        place.position += low_bit_counts[column.code.data[done]];
        place.sum = is_sum ? place.sum + value : 0;
        ret_values[done] = place.sum + (is_sum ? 0 : value);
    }
}

static void decode(uint64_t *ret_values, struct number_column column, bool is_sum, uint64_t base)
{
    struct decoder_place place = {.sum = base};
    size_t done = decode_most(ret_values, column, is_sum, &place);

    decode_end(ret_values, column, done, is_sum, place);
}

/* --- Columns --- */

/* Whether a column holds count values, all below 2^limit_bits. */
static bool is_valid(struct number_column column, size_t count, unsigned int limit_bits,
                     struct code_summary *ret_summary)
{
    if (column.code.size != count) {
        return false;
    }
    *ret_summary = summarize_codes(column.code);

    /* The limit is the code of 2^limit_bits; for 64 the first one that no value has. */
    return ret_summary->greatest < (limit_bits - 1) << MANTISSA_BITS &&
           column.bits.size == (ret_summary->low_bits + 7) / 8;
}

int number_decode_below(uint64_t *ret_values, struct number_column column, size_t count,
                        unsigned int limit_bits)
{
    struct code_summary summary;

    if (!is_valid(column, count, limit_bits, &summary)) {
        return -EBADMSG;
    }
    if (count > 0) { /* else there may be no memory at all behind the pointers */
        decode(ret_values, column, false, 0);
    }
    return 0;
}

int number_decode(uint64_t *ret_values, struct number_column column, size_t count)
{
    return number_decode_below(ret_values, column, count, 64);
}

/* Whether sums of so many values surely fit into 64 bits. */
static bool sums_fit(const struct code_summary *summary, size_t count, uint64_t base)
{
    unsigned int bits = (summary->greatest >> MANTISSA_BITS) + 2; /* a value's, at most */

    return bits < 64 && count <= (UINT64_MAX - base) >> bits;
}

/* Sums of values that may go beyond 64 bits. */
static int sum_up(uint64_t *values, size_t count, uint64_t base)
{
    uint64_t sum = base;
    bool overflows = false;

    for (size_t i = 0; i < count; i++) {
        uint64_t value = values[i];

        sum += value;
        overflows |= sum < value;
        values[i] = sum;
    }
    return overflows ? -EBADMSG : 0;
}

int number_decode_sums(uint64_t *ret_sums, struct number_column column, size_t count, uint64_t base)
{
    struct code_summary summary;

    if (!is_valid(column, count, 64, &summary)) {
        return -EBADMSG;
    }
    if (count == 0) {
        return 0;
    }

    bool is_sum = sums_fit(&summary, count, base);

    decode(ret_sums, column, is_sum, base);
    return is_sum ? 0 : sum_up(ret_sums, count, base);
}
