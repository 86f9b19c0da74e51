#include "wide_integers.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { LIMBS = 4 };

#define MAX UINT64_MAX

Test(wide_integers, add_at_any_bit_and_carry)
{
    static const struct {
        uint64_t before[LIMBS];
        uint128 value;
        size_t shift;
        uint64_t after[LIMBS];
    } cases[] = {
        {{0, 0, 0, 0}, 0, 0, {0, 0, 0, 0}},
        {{1, 2, 3, 4}, 5, 0, {6, 2, 3, 4}},
        {{0, 0, 0, 0}, 3, 63, {1UL << 63, 1, 0, 0}},
        {{0, 0, 0, 0}, 3, 64, {0, 3, 0, 0}},
        {{0, 0, 0, 0}, 3, 127, {0, 1UL << 63, 1, 0}},
        {{0, 0, 0, 0}, ((uint128)MAX << 64) | MAX, 1, {MAX - 1, MAX, 1, 0}},
        {{0, 0, 0, 0}, ((uint128)MAX << 64) | MAX, 63, {1UL << 63, MAX, MAX >> 1, 0}},
        {{MAX, MAX, MAX, 0}, 1, 0, {0, 0, 0, 1}},
        {{MAX, MAX, MAX, MAX}, 1, 0, {0, 0, 0, 0}},
        {{0, MAX, MAX, 7}, (uint128)1 << 64, 0, {0, 0, 0, 8}},
        {{0, 0, 0, 0}, ((uint128)5 << 64) | 7, 192, {0, 0, 0, 7}},
        {{9, 9, 9, 9}, 1, 256, {9, 9, 9, 9}},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t sum[LIMBS];

        memcpy(sum, cases[i].before, sizeof(sum));
        wide_add(sum, LIMBS, cases[i].value, cases[i].shift);
        cr_assert_eq(memcmp(sum, cases[i].after, sizeof(sum)), 0, "case %zu", i);
    }
}

Test(wide_integers, subtracting_undoes_adding_and_tells_what_is_below_zero)
{
    static const uint64_t numbers[][LIMBS] = {
        {0, 0, 0, 0},       {1, 0, 0, 0}, {MAX, 0, 0, 0},
        {MAX, MAX, MAX, 0}, {0, 0, 1, 0}, {5, MAX, 0, 3},
    };

    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        for (size_t j = 0; j < ARRAY_SIZE(numbers); j++) {
            uint64_t sum[LIMBS];
            uint64_t difference[LIMBS];
            bool is_below = false;

            memcpy(sum, numbers[i], sizeof(sum));
            wide_add_wide(sum, numbers[j], LIMBS);
            cr_assert_not(wide_subtract(sum, numbers[j], LIMBS));
            cr_assert_eq(memcmp(sum, numbers[i], sizeof(sum)), 0);
            memcpy(difference, numbers[i], sizeof(difference));
            for (size_t limb = 0; limb < LIMBS; limb++) {
                is_below = numbers[i][limb] < numbers[j][limb] ||
                           (is_below && numbers[i][limb] == numbers[j][limb]);
            }
            cr_assert_eq(wide_subtract(difference, numbers[j], LIMBS), is_below);
        }
    }
}

Test(wide_integers, multiply_the_greatest)
{
    /* (2^128 - 1) (2^192 - 1) = 2^320 - 2^192 - 2^128 + 1 */
    static const uint64_t expected[5] = {1, 0, MAX, MAX - 1, MAX};
    const uint64_t all[3] = {MAX, MAX, MAX};
    uint64_t product[5];

    wide_multiply(product, all, 2, all, 3);
    cr_assert_eq(memcmp(product, expected, sizeof(product)), 0);
    wide_multiply(product, all, 3, all, 2);
    cr_assert_eq(memcmp(product, expected, sizeof(product)), 0);
}

Test(wide_integers, become_fractions_like_frexp)
{
    static const struct {
        uint64_t limbs[LIMBS];
        double value;
    } cases[] = {
        {{0, 0, 0, 0}, 0},
        {{1, 0, 0, 0}, 1},
        {{0, 1, 0, 0}, 0x1p64},
        {{3, 0, 0, 1}, 0x1p192},
        {{0, 0, 0, 3}, 0x3p192},
        {{1UL << 63, 1, 0, 0}, 0x1.8p64},
        {{MAX, 0, 0, 0}, 0x1p64},
        {{0, 0, 0, 1UL << 63}, 0x1p255},
        {{0xfffffffffffff800, 0, 0, 0}, 0x1.fffffffffffffp63},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int exponent;
        double fraction = wide_to_fraction(cases[i].limbs, LIMBS, &exponent);

        cr_assert_eq(ldexp(fraction, exponent), cases[i].value, "case %zu", i);
        cr_assert(fraction == 0 || (fraction >= 0.5 && fraction <= 1));
    }
}
