#include "clock_line.h"

#include "base.h"

/* 128-bit arithmetic, which ISO C does not have. */
__extension__ typedef __int128 int128;

enum {
    /* adjtime() slews by at most 500 ppm. */
    SLEW_DIVISOR = 1000,
};

#define LEAST_STEP_NS (5 * NS_PER_MS)

int64_t clock_offset_ns(const struct clock_reading *reading)
{
    return (int64_t)(reading->realtime_ns - reading->monotonic_ns);
}

uint64_t clock_realtime_ns(uint64_t monotonic_ns, int64_t offset_ns)
{
    int128 time_ns = (int128)monotonic_ns + offset_ns;

    return time_ns < 1 ? 1 : time_ns > UINT64_MAX ? UINT64_MAX : (uint64_t)time_ns;
}

bool clock_is_read(const struct clock_reading *reading)
{
    return reading->realtime_ns != 0;
}

int64_t clock_step_ns(const struct clock_reading *before, const struct clock_reading *after)
{
    uint64_t passed_ns = after->boottime_ns - min_u64(before->boottime_ns, after->boottime_ns);
    uint64_t limit_ns =
        LEAST_STEP_NS + before->bracket_ns + after->bracket_ns + passed_ns / SLEW_DIVISOR;
    int64_t step_ns = (int64_t)((after->realtime_ns - after->boottime_ns) -
                                (before->realtime_ns - before->boottime_ns));
    uint64_t size_ns = step_ns < 0 ? 0 - (uint64_t)step_ns : (uint64_t)step_ns;

    return size_ns > limit_ns ? step_ns : 0;
}
