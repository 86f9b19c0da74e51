#include "real_distribution.h"

#include "distribution.h"
#include "real_buckets.h"
#include "real_sums.h"
#include "test_values.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <float.h>
#include <math.h>
#include <stdio.h>

enum { MAX_VALUES = 10000 };

#define RELATIVE_ERROR (1.0 / 512)

static int calls_until_failure = -1; /* below 0: none fails */

/* The linker's --wrap sends calls of calloc() and reallocarray() here. */
void *__real_calloc(size_t count, size_t size);
void *__real_reallocarray(void *memory, size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_reallocarray(void *memory, size_t count, size_t size);

static bool fails_now(void)
{
    return calls_until_failure >= 0 && calls_until_failure-- == 0;
}

void *__wrap_calloc(size_t count, size_t size)
{
    return fails_now() ? NULL : __real_calloc(count, size);
}

void *__wrap_reallocarray(void *memory, size_t count, size_t size)
{
    return fails_now() ? NULL : __real_reallocarray(memory, count, size);
}

static struct real_distribution *new_distribution(void)
{
    struct real_distribution *distribution = NULL;

    cr_assert_eq(real_distribution_new(&distribution), 0);
    return distribution;
}

static struct report_summary summary_of(const double *values, size_t count)
{
    struct real_distribution *distribution = new_distribution();
    struct report_summary summary;

    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(real_distribution_add(distribution, values[i]), 0);
    }
    real_distribution_summarize(distribution, &summary);
    real_distribution_free(distribution);
    return summary;
}

static int compare_values(const void *a, const void *b)
{
    return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b);
}

enum real_shape {
    REAL_NORMAL, /* around 0, of both signs */
    REAL_WIDE,   /* 600 octaves, of both signs */
    REAL_RATIO,  /* 0 to 1, many of them 0 */
    REAL_LEVELS, /* few integers, of both signs */
    REAL_BYTES,  /* large integers */
    REAL_NARROW, /* 10^9 and a little */
    REAL_NEGATIVE,
    REAL_CONSTANT,
    REAL_SHAPES,
};

static double one_value(enum real_shape shape, uint64_t *state)
{
    double uniform = (double)(test_random(state) >> 11) * 0x1p-53;
    uint64_t random = test_random(state) >> 20;

    switch (shape) {
    case REAL_NORMAL:
        return uniform + (double)(random % 1000) / 500 - 1.5;
    case REAL_WIDE:
        return ldexp(uniform - 0.5, (int)(random % 600) - 300);
    case REAL_RATIO:
        return random % 3 == 0 ? 0 : uniform * uniform;
    case REAL_LEVELS:
        return (double)(random % 40) - 7;
    case REAL_BYTES:
        return (double)(random % 2000000000) + 4096;
    case REAL_NARROW:
        return 1e9 + uniform;
    case REAL_NEGATIVE:
        return -5 - 100 * uniform;
    default:
        return 0.1;
    }
}

static void fill(enum real_shape shape, uint64_t seed, double *ret_values, size_t count)
{
    uint64_t state = 2 * seed + 1;

    for (size_t i = 0; i < count; i++) {
        ret_values[i] = one_value(shape, &state);
    }
}

Test(real_distribution, nothing_is_known_of_no_values)
{
    struct report_summary summary = summary_of((const double[]){NAN, INFINITY, -INFINITY}, 3);

    cr_assert_eq(summary.count, 0);
    cr_assert(isnan(summary.min) && isnan(summary.max) && isnan(summary.mean));
    cr_assert(isnan(summary.stddev));
    cr_assert_eq(summary.bin_count, 0);
    for (size_t i = 0; i < REPORT_QUANTILE_COUNT; i++) {
        cr_assert(isnan(summary.quantiles[i].value));
        cr_assert_eq(summary.quantiles[i].reason, REASON_NO_DATA);
    }
    real_distribution_free(NULL);
}

Test(real_distribution, counts_what_it_rejects)
{
    struct real_distribution *distribution = new_distribution();
    struct real_distribution *other = new_distribution();

    cr_assert_eq(real_distribution_add(distribution, NAN), 0);
    cr_assert_eq(real_distribution_add(distribution, 1), 0);
    cr_assert_eq(real_distribution_add(other, -INFINITY), 0);
    cr_assert_eq(real_distribution_rejected(distribution), 1);
    cr_assert_eq(real_distribution_merge(distribution, other), 0);
    cr_assert_eq(real_distribution_rejected(distribution), 2);
    real_distribution_free(distribution);
    real_distribution_free(other);
}

/* The NumAcc sets of NIST's Statistical Reference Datasets among them: certified means and deviations. */
Test(real_distribution, moments_are_exact)
{
    static const struct {
        double first; /* once, then low and high in turn */
        double low;
        double high;
        size_t count;
        double mean;
        double stddev;
    } cases[] = {
        {10000002, 10000001, 10000003, 3, 10000002, 1},              /* NumAcc1 */
        {1.2, 1.1, 1.3, 1001, 1.2, 0.1},                             /* NumAcc2 */
        {1000000.2, 1000000.1, 1000000.3, 1001, 1000000.2, 0.1},     /* NumAcc3 */
        {10000000.2, 10000000.1, 10000000.3, 1001, 10000000.2, 0.1}, /* NumAcc4 */
        {10000000.2, 10000000.1, 10000000.3, 9999, 10000000.2, 0.1},
        {-1, -2, 0, 3, -1, 1},
        {0, -1e300, 1e300, 3, 0, 1e300},
        {0, -DBL_MAX / 2, DBL_MAX / 2, 3, 0, DBL_MAX / 2},
        {5e-324, 5e-324, 5e-324, 5001, 5e-324, 0},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        static double values[MAX_VALUES];
        struct report_summary summary;

        values[0] = cases[i].first;
        for (size_t k = 1; k < cases[i].count; k++) {
            values[k] = k % 2 == 1 ? cases[i].low : cases[i].high;
        }
        summary = summary_of(values, cases[i].count);
        cr_assert_float_eq(summary.mean, cases[i].mean, 1e-15 * fabs(cases[i].mean), "case %zu", i);
        /* 0.1 and the like are off in the 16th digit, which is the 9th of their distance from 10^7. */
        cr_assert_float_eq(summary.stddev, cases[i].stddev, 2e-8 * cases[i].stddev,
                           "case %zu: %.17g", i, summary.stddev);
    }
}

Test(real_distribution, what_does_not_fit_into_a_double_is_no_value)
{
    struct report_summary summary = summary_of((const double[]){DBL_MAX, DBL_MAX}, 2);

    cr_assert(isnan(summary.sum));
    cr_assert_eq(summary.mean, DBL_MAX);
    cr_assert_eq(summary.stddev, 0);
    summary = summary_of((const double[]){DBL_MAX, -DBL_MAX}, 2);
    cr_assert(summary.sum == 0 && summary.mean == 0);
    cr_assert(isnan(summary.stddev)); /* sqrt(2) DBL_MAX */
    cr_assert_eq(summary.quantiles[RANK_P50].value, 0);
}

Test(real_distribution, sums_lose_no_small_value_beside_a_great_one)
{
    struct real_sums sums = {0};

    real_sums_add(&sums, 1e300);
    real_sums_add(&sums, 5e-324);
    real_sums_add(&sums, -1e300);
    cr_assert_eq(real_sums_moments(&sums).sum, 5e-324);
    real_sums_add(&sums, -5e-324);
    real_sums_add(&sums, -5e-324);
    cr_assert_eq(real_sums_moments(&sums).sum, -5e-324);
}

Test(real_distribution, minus_zero_is_zero)
{
    struct report_summary plus = summary_of((const double[]){0.0, 0.0, 0.0}, 3);
    struct report_summary minus = summary_of((const double[]){-0.0, 0.0, -0.0}, 3);

    test_check_same(&minus, &plus);
}

Test(real_distribution, buckets_are_in_the_order_of_their_values)
{
    static const double values[] = {
        -DBL_MAX, -1e300,   -2,         -1.999999, -1.00390625, -1.003,  -1,
        -0.999,   -DBL_MIN, -5e-324,    0,         5e-324,      DBL_MIN, 0.5,
        1,        1.003,    1.00390625, 2,         1e300,       DBL_MAX,
    };

    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        uint32_t bucket = real_bucket_of(values[i]);

        cr_assert_leq(real_bucket_low(bucket), values[i]);
        cr_assert(bucket + 1 > real_bucket_of(DBL_MAX) || real_bucket_low(bucket + 1) > values[i]);
        cr_assert_eq(real_bucket_of(real_bucket_low(bucket)), bucket);
        cr_assert_eq(real_from_key(real_to_key(values[i])), values[i]);
        if (i > 0) {
            cr_assert_geq(bucket, real_bucket_of(values[i - 1]));
            cr_assert_gt(real_to_key(values[i]), real_to_key(values[i - 1]));
        }
        if (fabs(values[i]) > DBL_MIN) {
            cr_assert_leq(fabs(real_bucket_value(bucket, 0, 1) - values[i]),
                          RELATIVE_ERROR * fabs(values[i]) * (1 + 1e-12));
            cr_assert_leq(fabs(real_bucket_value(bucket, 8, 9) - values[i]),
                          RELATIVE_ERROR * fabs(values[i]) * (1 + 1e-12));
        }
    }
}

/* Bounds of type 7's value if each of its two values is off by relative. */
static void check_quantile(double found, const double *sorted, size_t count, double p,
                           double relative)
{
    long double position = (long double)(count - 1) * p;
    size_t rank = (size_t)position;
    double low = sorted[rank];
    double high = sorted[rank + 1 < count ? rank + 1 : rank];
    double expected = (double)(low + (position - (long double)rank) * ((long double)high - low));
    double allowed =
        relative * fmax(fabs(low), fabs(high)) * (1 + 1e-12) + 1e-15 * fmax(fabs(low), fabs(high));

    cr_assert_leq(fabs(found - expected), allowed, "p%g of %zu: %.17g, not %.17g", 100 * p, count,
                  found, expected);
}

static void check_quantiles(const struct report_summary *summary, const double *sorted,
                            size_t count)
{
    for (size_t i = 0; i < REPORT_QUANTILE_COUNT; i++) {
        const struct report_quantile *quantile = &summary->quantiles[i];

        if (isnan(quantile->value)) {
            cr_assert_eq(quantile->reason, REASON_TOO_FEW);
            continue;
        }
        check_quantile(quantile->value, sorted, count, report_quantile_ranks[i],
                       summary->relative_error_bound);
        cr_assert(isnan(quantile->low) || quantile->low <= quantile->value);
        cr_assert(isnan(quantile->high) || quantile->high >= quantile->value);
    }
}

Test(real_distribution, quantiles_are_exact_and_then_within_their_bound)
{
    static const size_t counts[] = {1, 2, 3, 30, 256, 4095, 4096, 4097, MAX_VALUES};
    static double values[MAX_VALUES];

    for (size_t i = 0; i < ARRAY_SIZE(counts) * REAL_SHAPES; i++) {
        size_t count = counts[i / REAL_SHAPES];
        struct report_summary summary;

        fill(i % REAL_SHAPES, i, values, count);
        summary = summary_of(values, count);
        qsort(values, count, sizeof(values[0]), compare_values);
        cr_assert_eq(summary.count, count);
        cr_assert(summary.min == values[0] && summary.max == values[count - 1]);
        cr_assert_eq(summary.is_exact, count <= DISTRIBUTION_MAX_EXACT);
        cr_assert_eq(summary.relative_error_bound, summary.is_exact ? 0 : RELATIVE_ERROR);
        check_quantiles(&summary, values, count);
        test_check_bins(&summary, values, count);
    }
}

Test(real_distribution, few_integers_have_a_bin_each)
{
    static double values[MAX_VALUES];
    struct report_summary summary;

    fill(REAL_LEVELS, 1, values, MAX_VALUES);
    summary = summary_of(values, MAX_VALUES);
    cr_assert_eq(summary.bin_count, 40);
    for (size_t i = 0; i < summary.bin_count; i++) {
        cr_assert_eq(summary.bins[i].low, (double)i - 7);
    }
}

static void merge_all(struct real_distribution **parts, size_t count, uint64_t *state)
{
    for (size_t left = count; left > 1; left--) {
        size_t into = test_random(state) % (left - 1);

        cr_assert_eq(real_distribution_merge(parts[into], parts[left - 1]), 0);
        real_distribution_free(parts[left - 1]);
    }
}

static struct report_summary merged_summary(uint64_t *state, const double *values, size_t count)
{
    enum { PARTS = 5 };
    struct real_distribution *parts[PARTS];
    struct report_summary summary;
    uint64_t mask = test_random(state) % 2 == 0 ? 1 : 16383; /* one great part, or all alike */

    for (size_t i = 0; i < PARTS; i++) {
        parts[i] = new_distribution();
    }
    for (size_t i = 0; i < count; i++) {
        uint64_t random = test_random(state) >> 20;

        cr_assert_eq(real_distribution_add(parts[(random & mask) % PARTS], values[i]), 0);
    }
    merge_all(parts, PARTS, state);
    real_distribution_summarize(parts[0], &summary);
    real_distribution_free(parts[0]);
    return summary;
}

Test(real_distribution, merging_in_any_order_gives_the_same_bits)
{
    static const size_t counts[] = {0, 1, 2, 4095, 4096, 4097, MAX_VALUES};
    static double values[MAX_VALUES];
    uint64_t state = 4711;

    for (size_t i = 0; i < ARRAY_SIZE(counts) * REAL_SHAPES; i++) {
        size_t count = counts[i / REAL_SHAPES];
        struct report_summary at_once;

        fill(i % REAL_SHAPES, i, values, count);
        at_once = summary_of(values, count);
        for (int round = 0; round < 2; round++) {
            struct report_summary merged;

            test_shuffle(&state, (uint64_t *)values, count);
            merged = merged_summary(&state, values, count);
            test_check_same(&merged, &at_once);
        }
    }
}

Test(real_distribution, memory_is_bounded_by_octaves)
{
    static double values[MAX_VALUES];
    struct real_distribution *distribution = new_distribution();
    size_t empty_bytes = real_distribution_memory_bytes(distribution);

    fill(REAL_NARROW, 1, values, MAX_VALUES);
    for (size_t i = 0; i < MAX_VALUES; i++) {
        cr_assert_eq(real_distribution_add(distribution, values[i]), 0);
    }
    cr_assert_gt(real_distribution_memory_bytes(distribution), empty_bytes + 2048);
    cr_assert_lt(real_distribution_memory_bytes(distribution), empty_bytes + 2048 + 512);
    real_distribution_free(distribution);
}

static int work_with_failure(int calls)
{
    static double values[MAX_VALUES];
    struct real_distribution *distribution = NULL;
    struct real_distribution *other = NULL;
    int r;

    fill(REAL_NORMAL, 1, values, MAX_VALUES);
    calls_until_failure = calls;
    r = real_distribution_new(&distribution);
    r = r < 0 ? r : real_distribution_new(&other);
    for (size_t i = 0; r == 0 && i < MAX_VALUES; i++) {
        r = real_distribution_add(i % 3 == 0 ? distribution : other, values[i]);
    }
    r = r < 0 ? r : real_distribution_merge(distribution, other);
    calls_until_failure = -1;
    real_distribution_free(distribution);
    real_distribution_free(other);
    return r;
}

Test(real_distribution, says_when_memory_is_out)
{
    int calls = 0;

    while (work_with_failure(calls) == -ENOMEM) {
        calls++;
    }
    cr_assert_eq(work_with_failure(calls), 0);
    cr_assert_gt(calls, 20);
}
