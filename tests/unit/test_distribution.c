#include "distribution.h"

#include "test_values.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>

enum { MAX_VALUES = 20000 };

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

static struct report_summary summary_of(const uint64_t *values, size_t count)
{
    struct distribution distribution = {0};
    struct report_summary summary;

    cr_assert_eq(distribution_add(&distribution, values, count), 0);
    distribution_summarize(&distribution, &summary);
    distribution_release(&distribution);
    return summary;
}

static int compare_values(const void *a, const void *b)
{
    return (*(const uint64_t *)a > *(const uint64_t *)b) -
           (*(const uint64_t *)a < *(const uint64_t *)b);
}

/* Sorts, and returns the values as doubles, to be freed. */
static double *sorted_doubles(uint64_t *values, size_t count)
{
    double *doubles = calloc(count + 1, sizeof(*doubles));

    qsort(values, count, sizeof(*values), compare_values);
    for (size_t i = 0; i < count; i++) {
        doubles[i] = (double)values[i];
    }
    return doubles;
}

/* Type 7, as its definition says. */
static double exact_quantile(const double *sorted, size_t count, double p)
{
    long double position = (long double)(count - 1) * p;
    size_t rank = (size_t)position;
    double next = rank + 1 < count ? sorted[rank + 1] : sorted[rank];

    return (double)(sorted[rank] +
                    (position - (long double)rank) * ((long double)next - sorted[rank]));
}

static void assert_near(double found, double expected, double relative, const char *what)
{
    cr_assert_leq(fabs(found - expected), relative * fabs(expected), "%s: %.17g, not %.17g", what,
                  found, expected);
}

Test(distribution, nothing_is_known_of_no_values)
{
    struct report_summary summary = summary_of(NULL, 0);
    struct distribution distribution = {0};

    cr_assert_eq(summary.count, 0);
    cr_assert_eq(summary.sum, 0);
    cr_assert(isnan(summary.min) && isnan(summary.max) && isnan(summary.mean));
    cr_assert(isnan(summary.stddev));
    cr_assert_eq(summary.bin_count, 0);
    for (size_t i = 0; i < REPORT_QUANTILE_COUNT; i++) {
        cr_assert(isnan(summary.quantiles[i].value) && isnan(summary.quantiles[i].low));
        cr_assert(isnan(summary.quantiles[i].high));
        cr_assert_eq(summary.quantiles[i].reason, REASON_NO_DATA);
    }
    cr_assert(isnan(distribution_quantile(&distribution, 0.5)));
    cr_assert_eq(distribution_memory_bytes(&distribution), 0);
    distribution_release(&distribution);
}

Test(distribution, one_value_is_the_median_and_nothing_else)
{
    static const uint64_t values[] = {0, 1, 255, 256, 1ULL << 62, UINT64_MAX};

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        struct report_summary summary = summary_of(&values[i], 1);
        double value = (double)values[i];

        cr_assert_eq(summary.count, 1);
        cr_assert(summary.sum == value && summary.min == value && summary.max == value);
        cr_assert_eq(summary.mean, value);
        cr_assert(isnan(summary.stddev));
        cr_assert_eq(summary.quantiles[RANK_P50].value, value);
        cr_assert(isnan(summary.quantiles[RANK_P50].low));
        cr_assert(isnan(summary.quantiles[RANK_P50].high));
        cr_assert_eq(summary.quantiles[RANK_P50].reason, REASON_BEYOND_DATA);
        cr_assert(isnan(summary.quantiles[RANK_P25].value));
        cr_assert_eq(summary.quantiles[RANK_P25].reason, REASON_TOO_FEW);
        cr_assert_eq(summary.bin_count, 1);
        cr_assert_eq(summary.bins[0].count, 1);
    }
}

/* Standard deviations known in closed form; doubles would lose all of their digits in most of them. */
Test(distribution, moments_are_exact_far_from_zero)
{
    static const struct {
        uint64_t base;
        uint64_t step;
        size_t count; /* base, base + step, base + 2 step, ... */
    } cases[] = {
        {1ULL << 62, 1, 2},
        {(1ULL << 62) - 1, 1, 3},
        {1000000000, 1, 5},
        {1000000000, 1, 4096},
        {1000000000, 1, 4097},
        {1000000000000000000, 3, 20000},
        {10000000, 1, 1001},
        {0, 1, 2},
        {0, 1, 256},
        {UINT64_MAX - 19999, 1, 20000},
        {0, 1ULL << 48, 20000},
        {1ULL << 53, 1, 4097},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        static uint64_t values[MAX_VALUES];
        double n = (double)cases[i].count;
        double middle = (n - 1) / 2;
        struct report_summary summary;

        for (size_t k = 0; k < cases[i].count; k++) {
            values[k] = cases[i].base + cases[i].step * k;
        }
        summary = summary_of(values, cases[i].count);
        assert_near(summary.mean, (double)cases[i].base + (double)cases[i].step * middle, 4e-16,
                    "mean");
        assert_near(summary.stddev, (double)cases[i].step * sqrt(n * (n + 1) / 12), 1e-13,
                    "stddev");
        assert_near(summary.sum, n * summary.mean, 4e-16, "sum");
        cr_assert_eq(summary.min, (double)values[0]);
        cr_assert_eq(summary.max, (double)values[cases[i].count - 1]);
    }
}

Test(distribution, equal_values_have_no_deviation)
{
    static const uint64_t values[] = {0, 1, 999999999999999999, 1ULL << 62};

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        struct distribution distribution = {0};
        struct report_summary summary;

        for (size_t k = 0; k < 5000; k++) {
            cr_assert_eq(distribution_add(&distribution, &values[i], 1), 0);
        }
        distribution_summarize(&distribution, &summary);
        cr_assert_eq(summary.stddev, 0);
        cr_assert_eq(summary.mean, (double)values[i]);
        for (size_t q = 0; q < REPORT_QUANTILE_COUNT - 1; q++) {
            cr_assert_eq(summary.quantiles[q].value, (double)values[i]);
        }
        cr_assert_eq(summary.bin_count, 1);
        cr_assert_eq(summary.bins[0].count, 5000);
        distribution_release(&distribution);
    }
}

static void check_quantiles(const struct report_summary *summary, const double *sorted,
                            size_t count, double relative)
{
    for (size_t i = 0; i < REPORT_QUANTILE_COUNT; i++) {
        const struct report_quantile *quantile = &summary->quantiles[i];
        char what[80];

        if (isnan(quantile->value)) {
            cr_assert_eq(quantile->reason, REASON_TOO_FEW);
            continue;
        }
        (void)snprintf(what, sizeof(what), "p%g of %zu from %g", 100 * report_quantile_ranks[i],
                       count, sorted[0]);
        assert_near(quantile->value, exact_quantile(sorted, count, report_quantile_ranks[i]),
                    relative, what);
        cr_assert(isnan(quantile->low) || quantile->low <= quantile->value);
        cr_assert(isnan(quantile->high) || quantile->high >= quantile->value);
        cr_assert_eq(quantile->reason == REASON_NONE,
                     !isnan(quantile->low) && !isnan(quantile->high));
    }
}

/* Every shape, on both sides of the border between values and histogram: quantiles, bins, moments by definition. */
Test(distribution, quantiles_are_exact_and_then_within_their_bound)
{
    static const size_t counts[] = {2, 3, 5, 30, 255, 256, 1000, 4095, 4096, 4097, MAX_VALUES};
    static uint64_t values[MAX_VALUES];

    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]) * SHAPE_COUNT; i++) {
        size_t count = counts[i / SHAPE_COUNT];
        struct report_summary summary;
        double *sorted;

        test_values(i % SHAPE_COUNT, i, values, count);
        summary = summary_of(values, count);
        sorted = sorted_doubles(values, count);
        cr_assert_eq(summary.is_exact, count <= DISTRIBUTION_MAX_EXACT || sorted[count - 1] < 512);
        cr_assert_eq(summary.relative_error_bound, summary.is_exact ? 0 : RELATIVE_ERROR);
        check_quantiles(&summary, sorted, count,
                        summary.is_exact ? 1e-15 : RELATIVE_ERROR * (1 + 1e-12));
        test_check_bins(&summary, sorted, count);
        free(sorted);
    }
}

/* The worst that can be in a bucket: all its members at one of its ends, and nothing that clamps them. */
Test(distribution, members_at_the_end_of_a_bucket_are_within_the_bound)
{
    static uint64_t values[3 * 5000];

    for (unsigned int bits = 7; bits < 62; bits++) {
        for (uint64_t end = 0; end <= 2; end++) {
            uint64_t value = (1UL << bits) - 1 + end;
            struct report_summary summary;

            for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
                values[i] = i % 3 == 0 ? value : i % 3 == 1 ? 0 : 3 * value;
            }
            summary = summary_of(values, sizeof(values) / sizeof(values[0]));
            assert_near(summary.quantiles[RANK_P50].value, (double)value,
                        value < 512 ? 0 : RELATIVE_ERROR, "p50");
            assert_near(summary.quantiles[RANK_P50].low, (double)value,
                        value < 512 ? 0 : RELATIVE_ERROR, "low");
            assert_near(summary.quantiles[RANK_P50].high, (double)value,
                        value < 512 ? 0 : RELATIVE_ERROR, "high");
        }
    }
}

/* The median of below copies of low and above copies of high, in a histogram. */
static double median_of_two(uint64_t low, size_t below, uint64_t high, size_t above)
{
    struct distribution distribution = {0};
    double median;

    for (size_t i = 0; i < below + above; i++) {
        cr_assert_eq(distribution_add(&distribution, i < below ? &low : &high, 1), 0);
    }
    cr_assert(distribution.has_histogram);
    median = distribution_quantile(&distribution, 0.5);
    distribution_release(&distribution);
    return median;
}

/* Of 5001 values rank 2500 is the median: the last of the lower ones, or the first of the upper ones. */
Test(distribution, ranks_at_the_border_of_buckets_and_octaves_belong_to_one_side)
{
    static const uint64_t pairs[][2] = {
        {0, 1}, {255, 256}, {511, 512}, {511, 1024}, {1000, 1000000}, {1000000, 1004096},
    };

    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        const uint64_t *pair = pairs[i];

        assert_near(median_of_two(pair[0], 2501, pair[1], 2500), (double)pair[0], RELATIVE_ERROR,
                    "last of the lower");
        assert_near(median_of_two(pair[0], 2500, pair[1], 2501), (double)pair[1], RELATIVE_ERROR,
                    "first of the upper");
    }
}

Test(distribution, the_quantile_alone_is_that_of_the_summary)
{
    static const size_t counts[] = {1, 3, 100, 4096, 4097, MAX_VALUES};
    static uint64_t values[MAX_VALUES];

    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        struct distribution distribution = {0};
        struct report_summary summary;

        test_values(SHAPE_DURATIONS, i, values, counts[i]);
        cr_assert_eq(distribution_add(&distribution, values, counts[i]), 0);
        distribution_summarize(&distribution, &summary);
        for (size_t q = 0; q < REPORT_QUANTILE_COUNT; q++) {
            double alone = distribution_quantile(&distribution, report_quantile_ranks[q]);

            cr_assert(alone == summary.quantiles[q].value ||
                      (isnan(alone) && isnan(summary.quantiles[q].value)));
        }
        distribution_release(&distribution);
    }
}

/* Adds random parts to distributions of their own, some of them value by value, and merges these in random order. */
static struct report_summary merged_summary(uint64_t *state, const uint64_t *values, size_t count)
{
    enum { PARTS = 7 };
    struct distribution parts[PARTS] = {0};
    struct report_summary summary;

    for (size_t done = 0; done < count;) {
        size_t rest = count - done;
        size_t size = test_random(state) % 3 == 0 ? 1 : test_random(state) % (rest + 1);

        cr_assert_eq(distribution_add(&parts[test_random(state) % PARTS], values + done, size), 0);
        done += size;
    }
    for (size_t left = PARTS; left > 1; left--) {
        struct distribution kept = parts[left - 1];
        size_t into = test_random(state) % (left - 1);

        cr_assert_eq(distribution_merge(&parts[into], &kept), 0);
        distribution_release(&kept);
        parts[left - 1] = (struct distribution){0};
    }
    distribution_summarize(&parts[0], &summary);
    distribution_release(&parts[0]);
    return summary;
}

Test(distribution, merging_in_any_order_gives_the_same_bits)
{
    static const size_t counts[] = {0, 1, 2, 255, 4095, 4096, 4097, 8192, MAX_VALUES};
    static uint64_t values[MAX_VALUES];
    uint64_t state = 4711;

    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]) * SHAPE_COUNT; i++) {
        size_t count = counts[i / SHAPE_COUNT];
        struct report_summary at_once;

        test_values(i % SHAPE_COUNT, i, values, count);
        at_once = summary_of(values, count);
        for (int round = 0; round < 3; round++) {
            struct report_summary merged;

            test_shuffle(&state, values, count);
            merged = merged_summary(&state, values, count);
            test_check_same(&merged, &at_once);
        }
    }
}

Test(distribution, merging_leaves_the_source_as_it_was)
{
    static uint64_t values[5000];
    struct distribution into = {0};
    struct distribution source = {0};
    struct report_summary before;
    struct report_summary after;

    test_values(SHAPE_UNIFORM, 1, values, 5000);
    cr_assert_eq(distribution_add(&source, values, 5000), 0);
    distribution_summarize(&source, &before);
    cr_assert_eq(distribution_merge(&into, &source), 0);
    cr_assert_eq(distribution_merge(&into, &source), 0);
    distribution_summarize(&source, &after);
    test_check_same(&after, &before);
    cr_assert_eq(into.count, 10000);
    distribution_release(&into);
    distribution_release(&source);
}

Test(distribution, memory_grows_with_octaves_not_with_values)
{
    static uint64_t values[MAX_VALUES];
    struct distribution distribution = {0};

    test_values(SHAPE_UNIFORM, 1, values, MAX_VALUES); /* 10^6 to 10^7: 5 octaves */
    cr_assert_eq(distribution_add(&distribution, values, DISTRIBUTION_MAX_EXACT), 0);
    cr_assert_eq(distribution_memory_bytes(&distribution), DISTRIBUTION_MAX_EXACT * 8);
    for (int i = 0; i < 10; i++) {
        cr_assert_eq(distribution_add(&distribution, values, MAX_VALUES), 0);
        cr_assert_eq(distribution_memory_bytes(&distribution), 5 * 256 * 8);
    }
    distribution_release(&distribution);
    cr_assert_eq(distribution_memory_bytes(&distribution), 0);
}

/* Adds and merges with the n-th allocation failing. Returns what came of it. */
static int work_with_failure(int calls)
{
    static uint64_t values[5000];
    struct distribution distribution = {0};
    struct distribution other = {0};
    int r;

    test_values(SHAPE_DURATIONS, 1, values, 5000);
    calls_until_failure = calls;
    r = distribution_add(&distribution, values, 10);
    r = r < 0 ? r : distribution_add(&distribution, values, 4000);
    r = r < 0 ? r : distribution_add(&other, values, 5000);
    r = r < 0 ? r : distribution_merge(&distribution, &other);
    r = r < 0 ? r : distribution_add(&distribution, (const uint64_t[]){1ULL << 60}, 1);
    calls_until_failure = -1;
    cr_assert(r < 0 || distribution.count == 9011);
    distribution_release(&distribution);
    distribution_release(&other);
    return r;
}

Test(distribution, says_when_memory_is_out)
{
    int calls = 0;

    while (work_with_failure(calls) == -ENOMEM) {
        calls++;
    }
    cr_assert_eq(work_with_failure(calls), 0);
    cr_assert_gt(calls, 3);
}
