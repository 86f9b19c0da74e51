#include "bench_clock.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { COST_TRIES = 20, COST_CALLS = 1000, EXIT_USAGE = 2 };

static uint64_t read_clock(clockid_t clock)
{
    struct timespec now;

    (void)clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint64_t bench_thread_cpu_ns(void)
{
    return read_clock(CLOCK_THREAD_CPUTIME_ID);
}

uint64_t bench_process_cpu_ns(void)
{
    return read_clock(CLOCK_PROCESS_CPUTIME_ID);
}

uint64_t bench_now_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

double bench_clock_cost_ns(void)
{
    uint64_t least = UINT64_MAX;

    for (int i = 0; i < COST_TRIES; i++) {
        uint64_t before = bench_thread_cpu_ns();

        for (int call = 1; call < COST_CALLS; call++) {
            (void)bench_thread_cpu_ns();
        }

        uint64_t spent = bench_thread_cpu_ns() - before;

        least = spent < least ? spent : least;
    }
    return (double)least / COST_CALLS;
}

static inline uint64_t stamp(void)
{
    uint64_t ticks = bench_ticks();

    __asm__ volatile("" : "+r"(ticks));
    return ticks;
}

__attribute__((noinline)) void bench_two_stamps(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        (void)stamp();
        (void)stamp();
    }
}

__attribute__((noinline)) void bench_one_stamp(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        (void)stamp();
    }
}

__attribute__((noinline)) void bench_nothing(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++) {
        uint64_t nothing = 0;

        __asm__ volatile("" : "+r"(nothing));
    }
}

/* The n-th of a set. */
static size_t nth_processor(const cpu_set_t *set, int n)
{
    size_t processor = 0;

    for (; processor < CPU_SETSIZE - 1; processor++) {
        if (CPU_ISSET(processor, set) && n-- == 0) {
            break;
        }
    }
    return processor;
}

void bench_pin(int processor)
{
    static cpu_set_t all;
    static bool is_known;
    cpu_set_t one;

    if (!is_known) {
        (void)sched_getaffinity(0, sizeof(all), &all);
        is_known = true;
    }
    CPU_ZERO(&one);
    if (processor >= 0) {
        CPU_SET(nth_processor(&all, processor % CPU_COUNT(&all)), &one);
    }
    (void)sched_setaffinity(0, sizeof(one), processor < 0 ? &all : &one);
}

void bench_sleep_ns(uint64_t ns)
{
    struct timespec pause = {(time_t)(ns / 1000000000), (long)(ns % 1000000000)};

    (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
}

void bench_print_list(const char *name, const double *values, size_t count)
{
    (void)printf("\"%s\":[", name);
    for (size_t i = 0; i < count; i++) {
        (void)printf("%s%.4f", i == 0 ? "" : ",", values[i]);
    }
    (void)printf("]");
}

void bench_wait_for_start(void)
{
    (void)printf("ready\n");
    (void)fflush(stdout);
    (void)getchar();
}

uint64_t bench_number(const char *text, uint64_t least, uint64_t most)
{
    char *end = NULL;

    errno = 0;

    uint64_t number = strtoull(text, &end, 10);

    if (errno != 0 || end == text || *end != '\0' || number < least || number > most) {
        (void)fprintf(stderr, "'%s' is no number from %" PRIu64 " to %" PRIu64 "\n", text, least,
                      most);
        exit(EXIT_USAGE);
    }
    return number;
}
