/*
 * What the bench's programs measure with: CPU time of a thread, ticks, and the limit that calls are compared to.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { BENCH_MAX_REPETITIONS = 64 };

/* Does something count times. Never inlined, so that all are called alike. */
typedef void bench_loop(uint64_t count);

/* CPU time of the calling thread, and of all threads of the process. */
uint64_t bench_thread_cpu_ns(void);
uint64_t bench_process_cpu_ns(void);

/* CLOCK_MONOTONIC. */
uint64_t bench_now_ns(void);

/* The raw counter that a call of the library reads once: the least that a time stamp costs. */
static inline uint64_t bench_ticks(void)
{
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#elif defined(__aarch64__)
    uint64_t ticks;

    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
#else
#error "no counter known for this processor"
#endif
}

/* CPU ns that one call of bench_thread_cpu_ns() adds to what stands between two of them. */
double bench_clock_cost_ns(void);

/* Two bare time stamps, count times; and one. */
void bench_two_stamps(uint64_t count);
void bench_one_stamp(uint64_t count);

/* The loop alone. */
void bench_nothing(uint64_t count);

/*
 * Pins the calling thread to one of the processors that the process had at first (0: the first of them), or with -1 lets it
 * run on all of them. To be called by the first thread before others call it.
 */
void bench_pin(int processor);

/* Sleeps. */
void bench_sleep_ns(uint64_t ns);

/* "NAME":[v, v, ...] */
void bench_print_list(const char *name, const double *values, size_t count);

/* Says that all is set up, and waits until somebody at the other end of stdin agrees. */
void bench_wait_for_start(void);

/* The number in text; ends the program if it is none, or not within least .. most. */
uint64_t bench_number(const char *text, uint64_t least, uint64_t most);
