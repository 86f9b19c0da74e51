#include "attribute_bins.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>

static struct number_range range_of(const double *numbers, size_t count)
{
    struct number_range range = {0};

    for (size_t i = 0; i < count; i++) {
        number_range_add(&range, numbers[i]);
    }
    return range;
}

/* Each number is in one bin, within its borders; bins ascend and are at most as many as may be. */
static void check(const double *numbers, size_t count)
{
    const struct number_range range = range_of(numbers, count);
    const struct attribute_bins bins = attribute_bins_make(&range);

    cr_assert_leq(bins.count, ATTRIBUTE_BINS);
    for (size_t i = bins.has_below ? 1 : 0; i < bins.count; i++) {
        cr_assert_leq(bins.borders[i], bins.borders[i + 1]);
    }
    for (size_t i = 0; i < count; i++) {
        size_t at = attribute_bins_find(&bins, numbers[i]);

        cr_assert_lt(at, bins.count, "%g is in no bin", numbers[i]);
        if (numbers[i] <= 0) {
            cr_assert(at == 0 && bins.has_below && numbers[i] >= bins.borders[0]);
        } else {
            cr_assert(numbers[i] >= bins.borders[at] && numbers[i] <= bins.borders[at + 1]);
        }
    }
}

Test(attribute_bins, every_number_has_a_bin_whatever_the_range)
{
    static const double sets[][4] = {
        {1, 1, 1, 1},
        {0, 0, 0, 0},
        {-5, -1, -1e300, -3},
        {-5, 0, 1, 1e300},
        {8192, 8388608, 100000, 8193},
        {1, 2, 3, 4},
        {1e-300, 1e300, 1, 5},
        {DBL_MAX, DBL_TRUE_MIN, 1, DBL_MIN},
        {1000, 1001, 1002, 1003},
        {0.5, 18446744073709551615., 3, -0.},
    };

    for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
        check(sets[i], 4);
    }
}

Test(attribute_bins, are_spaced_logarithmically)
{
    static const double sizes[] = {8192, 8e6};
    static const double few[] = {1024, 4000};
    const struct number_range wide = range_of(sizes, 2);
    const struct number_range narrow = range_of(few, 2);
    const struct attribute_bins octaves = attribute_bins_make(&wide);
    const struct attribute_bins parts = attribute_bins_make(&narrow);

    cr_assert_eq(octaves.count, 10);
    for (size_t i = 0; i <= octaves.count; i++) {
        cr_assert_eq(octaves.borders[i], ldexp(8192, (int)i));
    }
    cr_assert_eq(parts.count, 16, "two octaves in eight parts each");
    cr_assert_eq(parts.borders[1], 1024 + 128);
    cr_assert_eq(parts.borders[9], 2048 + 256);
}

Test(attribute_bins, what_is_no_number_has_none)
{
    static const double numbers[] = {NAN, INFINITY, -INFINITY};
    const struct number_range none = range_of(numbers, 3);
    const double seven = 7;
    const struct number_range some = range_of(&seven, 1);
    const struct attribute_bins bins = attribute_bins_make(&some);

    cr_assert_eq(none.count, 0);
    cr_assert_eq(attribute_bins_make(&none).count, 0);
    cr_assert_eq(attribute_bins_find(&bins, NAN), SIZE_MAX);
    cr_assert_eq(attribute_bins_find(&bins, 1e9), SIZE_MAX);
    cr_assert_eq(attribute_bins_find(&bins, 0), SIZE_MAX);
}

Test(attribute_bins, ranges_merge_in_any_order)
{
    static const double numbers[] = {3, -7, 1e9, 0, 0.25, NAN};
    const struct number_range all = range_of(numbers, 6);
    struct number_range up = range_of(numbers, 2);
    struct number_range down = range_of(&numbers[2], 4);
    const struct number_range first = up;

    number_range_merge(&up, &down);
    number_range_merge(&down, &first);
    cr_assert(up.count == all.count && up.least == all.least && up.greatest == all.greatest);
    cr_assert(up.above_0 == all.above_0 && up.least_above_0 == all.least_above_0);
    cr_assert(down.count == all.count && down.least == all.least && down.above_0 == all.above_0);
    cr_assert(down.greatest == all.greatest && down.least_above_0 == all.least_above_0);
}
