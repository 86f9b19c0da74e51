#include "ticks.h"

#include <criterion/criterion.h>
#include <string.h>

/*
 * CLOCK_MONOTONIC as the test wants it: a function of the real counter, about a hundred times too fast, so that seconds
 * pass in no time; and without a counter a number.
 */
#define NS_PER_TICK 100.0

static bool is_number;
static uint64_t number_ns;
static uint64_t line_ticks; /* the line goes through this point */
static double line_ns;
static double slope = NS_PER_TICK;

static double ns_at(uint64_t ticks)
{
    return line_ns + (double)(int64_t)(ticks - line_ticks) * slope;
}

uint64_t __wrap_clock_monotonic_ns(void);
uint64_t __wrap_clock_monotonic_ns(void)
{
    return is_number ? number_ns : (uint64_t)ns_at(ticks_now());
}

static void bend_line(double new_slope, double step_ns)
{
    uint64_t now = ticks_now();

    line_ns = ns_at(now) + step_ns;
    line_ticks = now;
    slope = new_slope;
}

static void wait_ns(double ns)
{
    uint64_t begin = ticks_now();

    while ((double)(ticks_now() - begin) * slope < ns) {
    }
}

static struct tick_clock mapping;

static double error_now(void)
{
    uint64_t now = ticks_now();

    return (double)tick_clock_ns(&mapping, now) - ns_at(now);
}

static double absolute(double x)
{
    return x < 0 ? -x : x;
}

/* Reading two clocks one after the other takes up to some hundred ticks here. */
#define READING_ERROR_NS 100000.0

static bool start_with_counter(void)
{
    ticks_init();
    if (ticks_are_counter) {
        line_ticks = ticks_now();
        line_ns = 1e12;
        tick_clock_init(&mapping);
        wait_ns(2e9);
        tick_clock_calibrate(&mapping);
    }
    return ticks_are_counter;
}

/* Calibrates once; the new mapping must go on where the old one is. */
static void calibrate_without_a_step(void)
{
    struct tick_clock before = mapping;

    tick_clock_calibrate(&mapping);

    uint64_t at = mapping.anchor_ticks;
    int64_t step_ns = (int64_t)(tick_clock_ns(&mapping, at) - tick_clock_ns(&before, at));

    cr_assert(step_ns >= -2 && step_ns <= 2, "a step of %ld ns", step_ns);
}

/* Whether the counter can be used is this machine's business; without it there is nothing to test. */
Test(ticks, the_first_line_is_exact_at_both_ends)
{
    if (start_with_counter()) {
        cr_assert_lt(absolute(mapping.ns_per_tick / NS_PER_TICK - 1), 1e-4);
        cr_assert_lt(absolute(error_now()), READING_ERROR_NS);
        cr_assert_lt(absolute((double)tick_clock_ns(&mapping, line_ticks) - 1e12),
                     2 * READING_ERROR_NS);
    }
}

Test(ticks, drift_is_followed_without_steps)
{
    static const double drifts[] = {0, 50e-6, -50e-6, 1e-6};

    for (size_t i = 0; i < ARRAY_SIZE(drifts) && start_with_counter(); i++) {
        bend_line(NS_PER_TICK * (1 + drifts[i]), 0);
        for (int second = 0; second < 60; second++) {
            wait_ns(1e9);
            calibrate_without_a_step();
            cr_assert_lt(absolute(error_now()), 9e5, "%g, second %d: %g", drifts[i], second,
                         error_now());
        }
        slope = NS_PER_TICK;
    }
}

Test(ticks, later_ticks_are_never_earlier_ns)
{
    if (start_with_counter()) {
        uint64_t last_ns = 0;

        for (int i = 0; i < 1000; i++) {
            uint64_t ns = tick_clock_ns(&mapping, ticks_now());

            cr_assert_geq(ns, last_ns);
            last_ns = ns;
            if (i % 100 == 0) {
                calibrate_without_a_step();
            }
        }
    }
}

/* A virtual machine that was stopped: no drift could explain it, so the line begins anew. */
Test(ticks, a_clock_that_was_set_is_taken_as_it_is)
{
    static const double steps_ns[] = {1e7, -1e7};

    for (size_t i = 0; i < ARRAY_SIZE(steps_ns) && start_with_counter(); i++) {
        bend_line(NS_PER_TICK, steps_ns[i]);
        wait_ns(1e9);
        tick_clock_calibrate(&mapping);
        cr_assert_lt(absolute(error_now()), READING_ERROR_NS);
        wait_ns(1e9);
        tick_clock_calibrate(&mapping);
        cr_assert_lt(absolute(error_now()), READING_ERROR_NS);
    }
}

Test(ticks, without_a_counter_ticks_are_ns)
{
    is_number = true;
    number_ns = 5000;
    ticks_are_counter = false;
    cr_assert_eq(ticks_now(), 5000);

    /* tick_clock_init() waits for time to pass, which it does not here. */
    mapping = (struct tick_clock){.anchor_ticks = 5000,
                                  .anchor_ns = 5000,
                                  .ns_per_tick = 1.0,
                                  .first_ticks = 5000,
                                  .first_ns = 5000};
    for (uint64_t i = 0; i < 100; i++) {
        number_ns += i * NS_PER_S / 7;
        tick_clock_calibrate(&mapping);
        cr_assert_eq(tick_clock_ns(&mapping, number_ns), number_ns);
        cr_assert_eq(tick_clock_ns(&mapping, 5000), 5000);
        cr_assert_eq(tick_clock_ns(&mapping, number_ns + 12345), number_ns + 12345);
    }
}
