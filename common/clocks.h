/*
 * The kernel's clocks. In: nothing. Out: nanoseconds.
 */
#pragma once

#include <stdint.h>

/* The three clocks read one after the other, and how long that took. */
struct clock_reading {
    uint64_t monotonic_ns; /* CLOCK_MONOTONIC, read last */
    uint64_t realtime_ns;  /* CLOCK_REALTIME, since 1970-01-01 UTC */
    uint64_t boottime_ns;  /* CLOCK_BOOTTIME */
    uint64_t bracket_ns;   /* from the first reading to the last */
};

/* CLOCK_MONOTONIC. Threads: any; async-signal-safe. */
uint64_t clock_monotonic_ns(void);

/* CPU time of the calling thread. Threads: any. */
uint64_t clock_thread_cpu_ns(void);

/*
 * Reads the three clocks; of several tries the one with the smallest bracket.
 *
 * Threads:  any.
 */
struct clock_reading clock_read_all(void);
