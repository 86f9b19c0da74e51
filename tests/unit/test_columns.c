#include "columns.h"
#include "random_batch.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

/* A copy of exactly size bytes, so that AddressSanitizer sees a read behind them. */
static uint8_t *exact_copy(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = malloc(size == 0 ? 1 : size);

    cr_assert_not_null(copy);
    memcpy(copy, bytes, size);
    return realloc(copy, size == 0 ? 1 : size);
}

/* The encoding as columns.h defines it, one bit at a time. */
static size_t encode_plainly(uint8_t *ret_code, uint8_t *ret_bits, const uint64_t *values,
                             size_t count)
{
    size_t position = 0;

    memset(ret_bits, 0, number_bits_bound(count));
    for (size_t i = 0; i < count; i++) {
        unsigned int length = values[i] == 0 ? 0 : 64U - (unsigned int)__builtin_clzll(values[i]);
        unsigned int m = length > 3 ? length - 3 : 0;

        ret_code[i] = (uint8_t)((m << 2) + (values[i] >> m));
        for (unsigned int bit = 0; bit < m; bit++, position++) {
            ret_bits[position / 8] |= (uint8_t)((values[i] >> bit & 1) << position % 8);
        }
    }
    return (position + 7) / 8;
}

/* Running sums from base on, which fit or not. */
static void check_sums(struct number_column column, const uint64_t *values, size_t count,
                       uint64_t base)
{
    uint64_t *sums = malloc((count + 1) * sizeof(*sums));
    uint64_t sum = base;
    bool fits = true;
    int r = number_decode_sums(sums, column, count, base);

    for (size_t i = 0; i < count; i++) {
        fits = fits && sum <= UINT64_MAX - values[i];
        sum += values[i];
        cr_assert(r < 0 || sums[i] == sum);
    }
    cr_assert_eq(r, fits ? 0 : -EBADMSG);
    free(sums);
}

/* All values are below the limit, or one is not. */
static void check_limits(struct number_column column, const uint64_t *values, size_t count)
{
    uint64_t *decoded = malloc((count + 1) * sizeof(*decoded));
    uint64_t all_bits = 0;

    for (size_t i = 0; i < count; i++) {
        all_bits |= values[i];
    }
    for (unsigned int limit_bits = 3; limit_bits <= 64; limit_bits++) {
        bool fits = limit_bits == 64 || all_bits >> limit_bits == 0;

        cr_assert_eq(number_decode_below(decoded, column, count, limit_bits), fits ? 0 : -EBADMSG);
        cr_assert(!fits || memcmp(decoded, values, count * sizeof(*values)) == 0);
    }
    free(decoded);
}

static void check_numbers(const uint64_t *values, size_t count)
{
    uint8_t *code = malloc(count + 1);
    uint8_t *bits = malloc(number_bits_bound(count));
    uint8_t *expected_code = malloc(count + 1);
    uint8_t *expected_bits = malloc(number_bits_bound(count));
    uint64_t *decoded = malloc((count + 1) * sizeof(*decoded));
    size_t size = number_encode(code, bits, values, count);

    cr_assert_eq(size, encode_plainly(expected_code, expected_bits, values, count));
    cr_assert_arr_eq(code, expected_code, count);
    cr_assert_arr_eq(bits, expected_bits, size);

    uint8_t *exact_code = exact_copy(code, count);
    uint8_t *exact_bits = exact_copy(bits, size);
    struct number_column column = {{exact_code, count}, {exact_bits, size}};

    cr_assert_eq(number_decode(decoded, column, count), 0);
    cr_assert_arr_eq(decoded, values, count * sizeof(*values));
    check_limits(column, values, count);
    check_sums(column, values, count, 0);
    check_sums(column, values, count, UINT64_MAX - 1000);

    column.bits.size = size + 1;
    cr_assert_eq(number_decode(decoded, column, count), -EBADMSG);
    if (size > 0) {
        column.bits.size = size - 1;
        cr_assert_eq(number_decode(decoded, column, count), -EBADMSG);
    }
    column.bits.size = size;
    cr_assert_eq(number_decode(decoded, column, count + 1), -EBADMSG);
    free(code);
    free(bits);
    free(expected_code);
    free(expected_bits);
    free(decoded);
    free(exact_code);
    free(exact_bits);
}

Test(columns, encodes_the_example_of_the_format_description)
{
    static const uint64_t values[] = {5, 1000, 0, 70000};
    static const uint8_t expected_code[] = {5, 35, 0, 60};
    static const uint8_t expected_bits[] = {0x68, 0xb8, 0x08};
    uint8_t code[4];
    uint8_t bits[4 * 8 + COLUMN_SLACK_BYTES];

    cr_assert_eq(number_encode(code, bits, values, 4), sizeof(expected_bits));
    cr_assert_arr_eq(code, expected_code, sizeof(expected_code));
    cr_assert_arr_eq(bits, expected_bits, sizeof(expected_bits));
}

Test(columns, numbers_come_back_whatever_their_size)
{
    uint64_t values[3 * 64 + 2] = {0, UINT64_MAX};
    size_t count = 2;

    for (unsigned int bit = 0; bit < 64; bit++) {
        uint64_t power = UINT64_C(1) << bit;

        values[count++] = power;
        values[count++] = power - 1;
        values[count++] = power + 1;
    }
    for (size_t first = 0; first < count; first++) {
        check_numbers(values + first, count - first);
    }
    for (size_t i = 0; i < count; i++) {
        check_numbers(values + i, 1);
    }
}

Test(columns, numbers_come_back_for_every_length)
{
    uint64_t state = 1;

    for (unsigned int most_bits = 0; most_bits <= 64; most_bits += 4) {
        for (size_t count = 0; count < 120; count++) {
            uint64_t values[120];

            for (size_t i = 0; i < count; i++) {
                values[i] = random_bits(&state, most_bits);
            }
            check_numbers(values, count);
        }
    }
}

Test(columns, long_runs_of_numbers_without_bits_come_back)
{
    uint64_t values[1000] = {0};

    check_numbers(values, 1000);
    values[0] = UINT64_MAX;
    check_numbers(values, 1000);
    values[999] = 1 << 20;
    check_numbers(values, 1000);
}

Test(columns, refuses_codes_that_no_value_has)
{
    static const uint8_t bits[4 * 8] = {0};

    for (unsigned int code = NUMBER_CODE_MAX + 1; code < 256; code++) {
        for (size_t place = 0; place < 20; place++) {
            uint8_t codes[20] = {0};
            uint64_t decoded[20];

            codes[place] = (uint8_t)code;
            for (size_t size = 0; size <= sizeof(bits); size++) {
                struct number_column column = {{codes, 20}, {bits, size}};

                cr_assert_eq(number_decode(decoded, column, 20), -EBADMSG);
            }
        }
    }
}

Test(columns, packed_width_is_the_least_that_holds_every_index)
{
    static const struct {
        size_t count;
        unsigned int width;
    } cases[] = {{0, 0}, {1, 0}, {2, 1}, {3, 2}, {4, 2}, {5, 3}, {256, 8}, {257, 9}, {65535, 16}};

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        cr_assert_eq(packed_width(cases[i].count), cases[i].width, "%zu", cases[i].count);
    }
}

static void check_packed(unsigned int width, size_t count, uint64_t *state)
{
    uint16_t values[70];
    uint16_t decoded[70];
    uint8_t bytes[70 * 2 + COLUMN_SLACK_BYTES];
    size_t limit = (size_t)1 << width;

    for (size_t i = 0; i < count; i++) {
        values[i] = (uint16_t)(random_u64(state) & (limit - 1));
    }

    size_t size = packed_encode(bytes, width, values, count);

    cr_assert_eq(size, packed_size(width, count));

    uint8_t *exact = exact_copy(bytes, size);

    cr_assert_eq(packed_decode(decoded, (struct slice){exact, size}, width, count, limit), 0);
    cr_assert_arr_eq(decoded, values, count * sizeof(*values));
    if (size > 0) {
        cr_assert_eq(packed_decode(decoded, (struct slice){exact, size - 1}, width, count, limit),
                     size == 1 ? 0 : -EBADMSG); /* nothing at all stands for zeros */
    }
    free(exact);
}

Test(columns, packed_indexes_come_back_for_every_width_and_length)
{
    uint64_t state = 2;

    for (unsigned int width = 0; width <= 16; width++) {
        for (size_t count = 0; count < 70; count++) {
            check_packed(width, count, &state);
        }
    }
}

Test(columns, packed_indexes_above_the_limit_are_refused)
{
    uint16_t values[40] = {0};
    uint16_t decoded[40];
    uint8_t bytes[40 + COLUMN_SLACK_BYTES];

    for (size_t place = 0; place < 40; place++) {
        memset(values, 0, sizeof(values));
        values[place] = 5;

        struct slice packed = {bytes, packed_encode(bytes, 3, values, 40)};

        cr_assert_eq(packed_decode(decoded, packed, 3, 40, 5), -EBADMSG);
        cr_assert_eq(packed_decode(decoded, packed, 3, 40, 6), 0);
    }
}

Test(columns, an_absent_packed_column_is_zeros_of_a_list_that_has_an_entry)
{
    uint16_t decoded[3] = {7, 7, 7};
    static const uint16_t zeros[3];

    cr_assert_eq(packed_decode(decoded, (struct slice){NULL, 0}, 3, 3, 8), 0);
    cr_assert_arr_eq(decoded, zeros, sizeof(zeros));
    cr_assert_eq(packed_decode(decoded, (struct slice){NULL, 0}, 0, 3, 0), -EBADMSG);
    cr_assert_eq(packed_decode(decoded, (struct slice){NULL, 0}, 0, 0, 0), 0);
    cr_assert_eq(packed_decode(decoded, (struct slice){(const uint8_t *)"x", 1}, 8, 0, 8),
                 -EBADMSG);
}

Test(columns, indexes_take_one_byte_up_to_255_names_and_two_above)
{
    uint16_t values[50];
    uint16_t decoded[50];
    uint8_t bytes[100];

    for (size_t count = 0; count < 50; count++) {
        for (size_t list = 254; list <= 257; list++) {
            for (size_t i = 0; i < count; i++) {
                values[i] = (uint16_t)((i * 37 + 200) % list);
            }

            size_t size = index_encode(bytes, values, count, list);
            uint8_t *exact = exact_copy(bytes, size);

            cr_assert_eq(size, list <= 255 ? count : 2 * count);
            cr_assert_eq(index_decode(decoded, (struct slice){exact, size}, count, list), 0);
            cr_assert_arr_eq(decoded, values, count * sizeof(*values));
            cr_assert_eq(index_decode(decoded, (struct slice){exact, size}, count + 1, list),
                         -EBADMSG);
            free(exact);
        }
    }
}

Test(columns, indexes_beyond_the_list_are_refused)
{
    static const size_t lists[] = {1, 40, 255, 300};
    uint16_t decoded[40];
    uint8_t bytes[80];

    for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
        for (size_t place = 0; place < 40; place++) {
            uint16_t values[40] = {0};

            values[place] = (uint16_t)lists[i];

            struct slice column = {bytes, index_encode(bytes, values, 40, lists[i])};

            cr_assert_eq(index_decode(decoded, column, 40, lists[i]), -EBADMSG);
        }
    }
    cr_assert_eq(index_decode(decoded, (struct slice){bytes, 1}, 1, 0), -EBADMSG);
}

Test(columns, planes_come_back)
{
    uint64_t values[33];
    uint64_t decoded[33];
    uint8_t bytes[8 * 33];
    uint64_t state = 3;

    for (size_t i = 0; i < 33; i++) {
        values[i] = random_u64(&state);
    }
    planes_encode(bytes, values, 33);
    cr_assert_eq(bytes[0], values[0] & 0xff);
    cr_assert_eq(bytes[33], values[0] >> 8 & 0xff);
    cr_assert_eq(planes_decode(decoded, (struct slice){bytes, sizeof(bytes)}, 33), 0);
    cr_assert_arr_eq(decoded, values, sizeof(values));
    cr_assert_eq(planes_decode(decoded, (struct slice){bytes, sizeof(bytes) - 1}, 33), -EBADMSG);
    cr_assert_eq(planes_decode(decoded, (struct slice){bytes, sizeof(bytes)}, 32), -EBADMSG);
}

Test(columns, zigzag_keeps_small_magnitudes_small)
{
    static const struct {
        int64_t value;
        uint64_t code;
    } cases[] = {
        {0, 0}, {-1, 1}, {1, 2}, {-2, 3}, {INT64_MAX, UINT64_MAX - 1}, {INT64_MIN, UINT64_MAX}};

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        cr_assert_eq(zigzag_encode(cases[i].value), cases[i].code);
        cr_assert_eq(zigzag_decode(cases[i].code), cases[i].value);
    }
}

Test(columns, limits_are_tested_at_every_place)
{
    for (size_t count = 1; count < 40; count++) {
        for (size_t place = 0; place < count; place++) {
            uint16_t indexes[40] = {0};
            uint8_t bytes[40] = {0};

            indexes[place] = 9;
            bytes[place] = 9;
            cr_assert(indexes_are_below(indexes, count, 10));
            cr_assert_not(indexes_are_below(indexes, count, 9));
            cr_assert(bytes_are_below(bytes, count, 10));
            cr_assert_not(bytes_are_below(bytes, count, 9));
        }
    }
    cr_assert(indexes_are_below(NULL, 0, 0));
    cr_assert(bytes_are_below(NULL, 0, 0));
}
