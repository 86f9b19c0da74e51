#include "window_series.h"

#include "test_values.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { COUNT = 4000, WINDOWS = 7 };

static void add(struct window_series *series, size_t window, const uint64_t *durations,
                const uint8_t *statuses, size_t count)
{
    static uint16_t codes[COUNT];
    const struct coded_operations operations = {count, codes, statuses};

    log_codes_of(codes, durations, count);
    cr_assert_eq(window_series_add(series, window, &operations), 0);
}

static int compare(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;

    return (a > b) - (a < b);
}

Test(window_series, quantiles_are_within_half_a_bucket)
{
    static uint64_t values[COUNT];
    static const uint8_t statuses[COUNT];
    static const double ranks[] = {.5, .95, .99};

    for (int shape = 0; shape < SHAPE_COUNT; shape++) {
        struct window_series series = {.has_quantiles = true};

        test_values((enum value_shape)shape, 1, values, COUNT);
        add(&series, 3, values, statuses, COUNT);
        qsort(values, COUNT, sizeof(*values), compare);

        struct report_window window = window_cell_describe(&series.cells[0]);
        double found[] = {window.p50_ns, window.p95_ns, window.p99_ns};

        cr_assert_eq(window.window, 3);
        for (size_t i = 0; i < ARRAY_SIZE(ranks); i++) {
            size_t rank = (size_t)((COUNT - 1) * ranks[i]);
            double low = (double)values[rank] * (1 - 1.0 / 32) - 1;
            double high = (double)values[rank + 1] * (1 + 1.0 / 32) + 1;

            cr_assert(found[i] >= low && found[i] <= high, "shape %d rank %g: %g", shape, ranks[i],
                      found[i]);
        }
        window_series_release(&series);
    }
}

Test(window_series, order_and_pieces_do_not_show)
{
    static uint64_t values[COUNT];
    static uint8_t statuses[COUNT];
    struct window_series series[2] = {{.has_quantiles = true}, {.has_quantiles = true}};

    test_values(SHAPE_LOG_UNIFORM, 2, values, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        statuses[i] = (uint8_t)(i % STATUS_COUNT);
    }
    for (size_t i = 0; i < COUNT; i++) {
        size_t back = COUNT - 1 - i;

        add(&series[0], i % WINDOWS * 100, &values[i], &statuses[i], 1);
        add(&series[1], back % WINDOWS * 100, &values[back], &statuses[back], 1);
    }
    cr_assert_eq(series[0].count, WINDOWS);
    cr_assert_eq(series[1].count, WINDOWS);
    for (size_t i = 0; i < WINDOWS; i++) {
        struct report_window one = window_cell_describe(&series[0].cells[i]);
        struct report_window two = window_cell_describe(&series[1].cells[i]);

        cr_assert_eq(memcmp(&one, &two, sizeof(one)), 0);
        cr_assert_eq(one.window, i * 100);
        cr_assert_eq(one.count, (COUNT + WINDOWS - 1 - i) / WINDOWS);
        cr_assert_eq(one.errors * 4 / 3 / 10, one.count / 10, "%llu of %llu",
                     (unsigned long long)one.errors, (unsigned long long)one.count);
    }
    window_series_release(&series[0]);
    window_series_release(&series[1]);
}

Test(window_series, extremes_have_buckets)
{
    const uint64_t values[] = {0, 1, 31, 32, 33, 63, 64, UINT64_MAX >> 2, UINT64_MAX};
    const uint8_t statuses[ARRAY_SIZE(values)] = {0};
    struct window_series series = {.has_quantiles = true};

    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        add(&series, i, &values[i], &statuses[i], 1);

        double p50 = window_cell_describe(&series.cells[i]).p50_ns;

        cr_assert(fabs(p50 - (double)values[i]) <= (double)values[i] / 64 + .5, "%g", p50);
        cr_assert(isnan(window_cell_describe(&series.cells[i]).p99_ns));
    }
    cr_assert_gt(window_series_memory_bytes(&series), 0);
    window_series_release(&series);
}

Test(window_series, without_quantiles_it_counts_only)
{
    const uint64_t values[] = {5, 7};
    const uint8_t statuses[] = {STATUS_OK, STATUS_TIMEOUT};
    struct window_series series = {0};

    add(&series, 1, values, statuses, 2);

    struct report_window window = window_cell_describe(&series.cells[0]);

    cr_assert_eq(window.count, 2);
    cr_assert_eq(window.errors, 1);
    cr_assert(isnan(window.p50_ns));
    window_series_release(&series);
}

Test(window_series, counts_beyond_16_bits_are_kept)
{
    static uint64_t values[COUNT];
    static const uint8_t statuses[COUNT];
    struct window_series series = {.has_quantiles = true};
    const size_t rounds = 3 * (UINT16_MAX + 1) / COUNT;

    /* Two thirds are 1 us, one third is 1 ms; one more octave comes when counts have 32 bits. */
    for (size_t i = 0; i < COUNT; i++) {
        values[i] = i % 3 == 0 ? 1000000 : 1000;
    }
    for (size_t i = 0; i < rounds; i++) {
        add(&series, 0, values, statuses, COUNT);
    }
    values[0] = 1ULL << 40;
    add(&series, 0, values, statuses, 1);

    struct report_window window = window_cell_describe(&series.cells[0]);

    cr_assert_eq(window.count, rounds * COUNT + 1);
    cr_assert(fabs(window.p50_ns - 1000) < 1000.0 / 64, "%g", window.p50_ns);
    cr_assert(fabs(window.p99_ns - 1000000) < 1000000.0 / 64, "%g", window.p99_ns);
    window_series_release(&series);
}
