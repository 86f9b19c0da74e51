#include "clocks.h"

#include <criterion/criterion.h>

Test(clocks, monotonic_time_never_goes_back)
{
    uint64_t before_ns = clock_monotonic_ns();

    for (int i = 0; i < 1000; i++) {
        uint64_t now_ns = clock_monotonic_ns();

        cr_assert_geq(now_ns, before_ns);
        before_ns = now_ns;
    }
}

Test(clocks, a_reading_lies_within_its_bracket)
{
    uint64_t before_ns = clock_monotonic_ns();
    struct clock_reading reading = clock_read_all();
    uint64_t after_ns = clock_monotonic_ns();

    cr_assert_geq(reading.monotonic_ns - reading.bracket_ns, before_ns);
    cr_assert_leq(reading.monotonic_ns, after_ns);
    cr_assert_gt(reading.realtime_ns, UINT64_C(1500000000000000000)); /* later than 2017 */
    cr_assert_geq(reading.boottime_ns + reading.bracket_ns, reading.monotonic_ns);
}

Test(clocks, cpu_time_of_a_thread_grows_with_its_work)
{
    uint64_t before_ns = clock_thread_cpu_ns();

    while (clock_thread_cpu_ns() == before_ns) {
    }
    cr_assert_gt(clock_thread_cpu_ns(), before_ns);
}
