#include "clock_line.h"

#include "base.h"

#include <criterion/criterion.h>

#define EPOCH_NS 1764000000000000000LL

static struct clock_reading reading(uint64_t monotonic_ns, int64_t offset_ns, uint64_t slept_ns)
{
    return (struct clock_reading){
        .monotonic_ns = monotonic_ns,
        .realtime_ns = monotonic_ns + (uint64_t)offset_ns + slept_ns,
        .boottime_ns = monotonic_ns + slept_ns,
        .bracket_ns = 100,
    };
}

Test(clock_line, times_are_shifted_and_kept_within_64_bits)
{
    struct clock_reading clock = reading(5, EPOCH_NS, 0);

    cr_assert_eq(clock_offset_ns(&clock), EPOCH_NS);
    cr_assert_eq(clock_realtime_ns(7, EPOCH_NS), (uint64_t)EPOCH_NS + 7);
    cr_assert_eq(clock_realtime_ns(7, 0), 7);
    cr_assert_eq(clock_realtime_ns(7, -3), 4);
    cr_assert_eq(clock_realtime_ns(7, -7), 1);
    cr_assert_eq(clock_realtime_ns(7, INT64_MIN), 1);
    cr_assert_eq(clock_realtime_ns(UINT64_MAX, 1), UINT64_MAX);
}

Test(clock_line, files_without_clocks_have_zeros)
{
    struct clock_reading none = {0};
    struct clock_reading one = reading(0, EPOCH_NS, 0);

    cr_assert(!clock_is_read(&none));
    cr_assert(clock_is_read(&one));
}

Test(clock_line, steps_are_told_from_slewing_and_sleep)
{
    static const struct {
        uint64_t seconds;
        int64_t step_ns;
        uint64_t slept_ns;
        bool is_step;
    } cases[] = {
        {1, 0, 0, false},
        {1, 4000000, 0, false},
        {1, 7000000, 0, true},
        {1, -7000000, 0, true},
        {0, -3600000000000, 0, true},
        {100, 50000000, 0, false}, /* 500 ppm: adjtime() */
        {100, 200000000, 0, true},
        {1, 0, 3600000000000, false}, /* suspended */
        {1, -1000000000, 3600000000000, false},
        {1, -5000000000, 3600000000000, true},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct clock_reading before = reading(9 * NS_PER_S, EPOCH_NS, 0);
        struct clock_reading after = reading((9 + cases[i].seconds) * NS_PER_S,
                                             EPOCH_NS + cases[i].step_ns, cases[i].slept_ns);

        cr_assert_eq(clock_step_ns(&before, &after), cases[i].is_step ? cases[i].step_ns : 0,
                     "case %zu", i);
    }
}
