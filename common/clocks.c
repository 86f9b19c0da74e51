#include "clocks.h"

#include "base.h"

#include <time.h>

enum { READING_TRIES = 5 };

static uint64_t read_clock(clockid_t clock)
{
    struct timespec now = {0};

    /* Cannot fail: the clocks exist on every kernel that this runs on. */
    (void)clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

uint64_t clock_monotonic_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

uint64_t clock_thread_cpu_ns(void)
{
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

struct clock_reading clock_read_all(void)
{
    struct clock_reading best = {.bracket_ns = UINT64_MAX};

    for (int i = 0; i < READING_TRIES; i++) {
        uint64_t before_ns = read_clock(CLOCK_MONOTONIC);
        struct clock_reading reading = {
            .realtime_ns = read_clock(CLOCK_REALTIME),
            .boottime_ns = read_clock(CLOCK_BOOTTIME),
        };

        reading.monotonic_ns = read_clock(CLOCK_MONOTONIC);
        reading.bracket_ns = reading.monotonic_ns - before_ns;
        if (reading.bracket_ns < best.bracket_ns) {
            best = reading;
        }
    }
    return best;
}
