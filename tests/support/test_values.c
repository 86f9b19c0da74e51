#include "test_values.h"

#include <criterion/criterion.h>
#include <string.h>

uint64_t test_random(uint64_t *state)
{
    /* xorshift64*: Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled", 2016. */
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 2685821657736338717ULL;
}

static uint64_t one_value(enum value_shape shape, uint64_t *state)
{
    uint64_t random = test_random(state) >> 8;

    switch (shape) {
    case SHAPE_UNIFORM:
        return 1000000 + random % 9000000;
    case SHAPE_LOG_UNIFORM:
        return (random << 6) >> (random % 64) & ((1ULL << 62) - 1);
    case SHAPE_DURATIONS:
        return 200000 + random % 1000000 + (random % 17 == 0 ? (random >> 8) % 100000000 : 0);
    case SHAPE_TICKS:
        return (1ULL << 20) + (random % 5) * (1ULL << 18);
    case SHAPE_TWO_MODES:
        return random % 3 == 0 ? 1048576 : 12345678;
    case SHAPE_FAR_FROM_0:
        return 1000000000000000000ULL + random % 10;
    case SHAPE_SMALL:
        return random % 600;
    default:
        return 1234567;
    }
}

void test_values(enum value_shape shape, uint64_t seed, uint64_t *ret_values, size_t count)
{
    uint64_t state = seed * 2 + 1;

    for (size_t i = 0; i < count; i++) {
        ret_values[i] = one_value(shape, &state);
    }
}

void test_shuffle(uint64_t *state, uint64_t *values, size_t count)
{
    for (size_t i = count; i > 1; i--) {
        size_t other = test_random(state) % i;
        uint64_t kept = values[i - 1];

        values[i - 1] = values[other];
        values[other] = kept;
    }
}

void test_check_bins(const struct report_summary *summary, const double *sorted, size_t count)
{
    size_t at = 0;

    cr_assert_leq(summary->bin_count, REPORT_MAX_BINS);
    cr_assert_eq(summary->bin_count == 0, count == 0);
    for (size_t i = 0; i < summary->bin_count; i++) {
        const struct report_bin *bin = &summary->bins[i];
        bool is_last = i + 1 == summary->bin_count;
        uint64_t expected = 0;

        cr_assert_eq(bin->low, i == 0 ? sorted[0] : summary->bins[i - 1].high);
        cr_assert(bin->low < bin->high || (is_last && bin->low == bin->high));
        for (; at < count && (is_last || sorted[at] < bin->high); at++) {
            expected++;
        }
        cr_assert_eq(bin->count, expected, "bin %zu [%.17g, %.17g): %zu, not %zu", i, bin->low,
                     bin->high, (size_t)bin->count, (size_t)expected);
        cr_assert(!is_last || bin->high == sorted[count - 1]);
    }
}

/* Also of NaN, and telling 0 from -0. */
static bool same_bits(double a, double b)
{
    return memcmp(&a, &b, sizeof(a)) == 0;
}

/* Not the whole structs at once: padding between members may differ. */
void test_check_same(const struct report_summary *found, const struct report_summary *expected)
{
    cr_assert_eq(found->count, expected->count);
    cr_assert(same_bits(found->sum, expected->sum) && same_bits(found->min, expected->min));
    cr_assert(same_bits(found->max, expected->max) && same_bits(found->mean, expected->mean));
    cr_assert(same_bits(found->stddev, expected->stddev));
    cr_assert_eq(found->is_exact, expected->is_exact);
    cr_assert(same_bits(found->relative_error_bound, expected->relative_error_bound));
    for (size_t i = 0; i < REPORT_QUANTILE_COUNT; i++) {
        const struct report_quantile *a = &found->quantiles[i];
        const struct report_quantile *b = &expected->quantiles[i];

        cr_assert(same_bits(a->value, b->value) && same_bits(a->low, b->low));
        cr_assert(same_bits(a->high, b->high) && a->reason == b->reason);
    }
    cr_assert_eq(found->bin_count, expected->bin_count);
    for (size_t i = 0; i < found->bin_count; i++) {
        cr_assert(same_bits(found->bins[i].low, expected->bins[i].low));
        cr_assert(same_bits(found->bins[i].high, expected->bins[i].high));
        cr_assert_eq(found->bins[i].count, expected->bins[i].count);
    }
}
