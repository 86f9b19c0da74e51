/*
 * Time stamps at the least cost: the CPU's invariant counter, or CLOCK_MONOTONIC where there is none.
 */
#pragma once

#include "base.h"
#include "clocks.h"

#include <stdbool.h>

/* Whether ticks are the CPU's counter. Set once by ticks_init(); before that it is false: ticks are ns then. */
extern bool ticks_are_counter;

/*
 * Looks whether the counter can be used (constant rate, same on all CPUs). Called once, before the first record of the
 * first session; forked children inherit the answer.
 */
void ticks_init(void);

/* Now, in ticks. Async-signal-safe; no system call. */
static inline uint64_t ticks_now(void)
{
#if defined(__x86_64__)
    if (LIKELY(ticks_are_counter)) {
        return __builtin_ia32_rdtsc();
    }
#elif defined(__aarch64__)
    if (LIKELY(ticks_are_counter)) {
        uint64_t ticks;

        __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
        return ticks;
    }
#endif
    return clock_monotonic_ns();
}

/*
 * The mapping from ticks to monotonic ns, kept by the flusher: calibrated again and again, it changes its slope but
 * never steps.
 */
struct tick_clock {
    uint64_t anchor_ticks;
    uint64_t anchor_ns;
    double ns_per_tick;
    uint64_t first_ticks; /* the first pair ever read: the long base line of the slope */
    uint64_t first_ns;
};

/* Reads the first pair; the slope is a rough one until tick_clock_calibrate() has a base line to measure it by. */
void tick_clock_init(struct tick_clock *clock);

/*
 * Reads another pair and sets a new anchor on the old mapping, with a slope that leads back to the true time.
 *
 * Threads:  the flusher only.
 */
void tick_clock_calibrate(struct tick_clock *clock);

/* ticks as monotonic ns; also for ticks before the anchor. Later ticks are never earlier ns. */
static inline uint64_t tick_clock_ns(const struct tick_clock *clock, uint64_t ticks)
{
    double distance = (double)(int64_t)(ticks - clock->anchor_ticks);

    return clock->anchor_ns + (uint64_t)(int64_t)(distance * clock->ns_per_tick);
}
