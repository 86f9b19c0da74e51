#include "counter_series.h"

#include <criterion/criterion.h>

/* A sample: time in ms, value, and the rate that it leads to; below 0: none. */
struct sample {
    uint64_t time_ms;
    int value;
    double rate;
};

static void add_all(struct counter_series *series, bool is_delta, const struct sample *samples,
                    size_t count)
{
    for (size_t i = 0; i < count; i++) {
        double rate = -1;
        bool has_rate = counter_series_add(series, is_delta, samples[i].time_ms * NS_PER_MS,
                                           samples[i].value, &rate);

        cr_assert_eq(has_rate, samples[i].rate >= 0, "sample %zu", i);
        cr_assert_float_eq(rate, samples[i].rate, 1e-9, "sample %zu: %g", i, rate);
    }
}

Test(counter_series, running_totals)
{
    static const struct sample samples[] = {
        {0, 5, -1},     {1000, 15, 10},  {3000, 15, 0}, {3005, 18, -1},
        {3009, 19, -1}, {3010, 20, 500}, {4000, 3, -1}, {5000, 10, 7},
    };
    struct counter_series series = {0};

    add_all(&series, false, samples, ARRAY_SIZE(samples));
    cr_assert_eq((double)series.total, 15 + 7);
}

Test(counter_series, increments)
{
    static const struct sample samples[] = {
        {0, 5, -1}, {1000, 15, 15}, {1004, 2, -1}, {1004, 3, -1}, {1010, 5, 1000}, {3010, -4, -1},
    };
    struct counter_series series = {0};
    double rate = 0;

    add_all(&series, true, samples, 5);
    cr_assert(counter_series_add(&series, true, 3010 * NS_PER_MS, -4, &rate));
    cr_assert_float_eq(rate, -2, 1e-9);
    cr_assert_eq((double)series.total, 5 + 15 + 2 + 3 + 5 - 4);
}

Test(counter_series, integers_of_64_bits_are_exact)
{
    struct counter_series series = {0};
    double rate = 0;

    cr_assert(!counter_series_add(&series, false, 0, (long double)INT64_MAX - 1, &rate));
    cr_assert(counter_series_add(&series, false, NS_PER_S, (long double)INT64_MAX, &rate));
    cr_assert_eq(rate, 1);
}

/* Cuts samples anywhere: total and rates are the same, but for the rates that a border divides. */
static void check_joined(const struct sample *samples, size_t count, size_t cut, bool is_delta)
{
    struct counter_series whole = {0};
    struct counter_series first = {0};
    struct counter_series second = {0};
    double rate = 0;
    size_t rates = 0;
    size_t expected = 0;

    for (size_t i = 0; i < count; i++) {
        uint64_t time_ns = samples[i].time_ms * NS_PER_MS;

        expected += counter_series_add(&whole, is_delta, time_ns, samples[i].value, &rate);
        rates += counter_series_add(i < cut ? &first : &second, is_delta, time_ns, samples[i].value,
                                    &rate);
    }
    rates += counter_series_join(&first, is_delta, &second, &rate);
    cr_assert_eq((double)first.total, (double)whole.total, "cut %zu", cut);
    cr_assert_eq(rates, expected, "cut %zu", cut);
    cr_assert_eq(first.last_ns, whole.last_ns);
}

Test(counter_series, parts_joined_in_order_are_the_whole)
{
    static const struct sample samples[] = {
        {0, 5, 0}, {1000, 15, 0}, {3000, 15, 0}, {3900, 3, 0}, {5000, 10, 0}, {6000, 40, 0},
    };

    for (size_t cut = 0; cut <= ARRAY_SIZE(samples); cut++) {
        check_joined(samples, ARRAY_SIZE(samples), cut, true);
        check_joined(samples, ARRAY_SIZE(samples), cut, false);
    }
}

Test(counter_series, the_rate_over_a_border_counts_from_the_last_anchor)
{
    struct counter_series first = {0};
    struct counter_series second = {0};
    double rate = 0;

    cr_assert(!counter_series_add(&first, true, 0, 5, &rate));
    cr_assert(!counter_series_add(&first, true, NS_PER_MS, 6, &rate));
    cr_assert(!counter_series_add(&second, true, NS_PER_S, 4, &rate));
    cr_assert(counter_series_join(&first, true, &second, &rate));
    cr_assert_float_eq(rate, 10, 1e-9);
}
