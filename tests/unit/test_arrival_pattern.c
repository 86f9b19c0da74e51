/*
 * Sources of operations that are what they are by construction: each must be told, and the ones that only look like a closed loop
 * must not be.
 */
#include "arrival_pattern.h"

#include <criterion/criterion.h>
#include <math.h>

enum { OPERATIONS = 5000 };

static uint64_t state;

static double uniform(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return ((double)(state >> 11) + .5) / (double)(1ULL << 53);
}

static double exponential(double mean)
{
    return -mean * log(uniform());
}

/* About that long, half of them within a factor of 1.4. */
static double log_normal(double median)
{
    return median * exp(.5 * sqrt(-2 * log(uniform())) * cos(6.283185307179586 * uniform()));
}

/* One thread: operation i begins and takes so long. Both in ns. */
typedef void source_function(double *begins, double *durations);

static void closed_without_thinking(double *begins, double *durations)
{
    double now = 0;

    for (int i = 0; i < OPERATIONS; i++) {
        begins[i] = now;
        durations[i] = log_normal(1e6);
        now += durations[i] + 2000 + exponential(3000);
    }
}

static void closed_of_constant_work(double *begins, double *durations)
{
    for (int i = 0; i < OPERATIONS; i++) {
        begins[i] = i * 1.01e6;
        durations[i] = 1e6;
    }
}

static void closed_with_constant_thinking(double *begins, double *durations)
{
    double now = 0;

    for (int i = 0; i < OPERATIONS; i++) {
        begins[i] = now;
        durations[i] = log_normal(5e6);
        now += durations[i] + 20e6 + exponential(.2e6);
    }
}

/* Every tenth one takes a hundred times as long: stalls. */
static void closed_with_stalls(double *begins, double *durations)
{
    double now = 0;

    for (int i = 0; i < OPERATIONS; i++) {
        begins[i] = now;
        durations[i] = log_normal(i % 10 == 0 ? 1e8 : 1e6);
        now += durations[i] + 5e4;
    }
}

/* Each at its time, whatever the others do: they overlap. */
static void open_with_threads_for_all(double *begins, double *durations)
{
    double now = 0;

    for (int i = 0; i < OPERATIONS; i++) {
        now += exponential(1e6);
        begins[i] = now;
        durations[i] = log_normal(3e6);
    }
}

static void open_and_quiet(double *begins, double *durations)
{
    double now = 0;

    for (int i = 0; i < OPERATIONS; i++) {
        now += exponential(1e7);
        begins[i] = now;
        durations[i] = log_normal(1e5);
    }
}

/* Poisson arrivals at one server that begins an operation when it takes it: at a load of one half. */
static void open_behind_one_server(double *begins, double *durations)
{
    double arrival = 0;
    double is_free = 0;

    for (int i = 0; i < OPERATIONS; i++) {
        arrival += exponential(2e6);
        begins[i] = fmax(arrival, is_free);
        durations[i] = exponential(1e6);
        is_free = begins[i] + durations[i];
    }
}

static void paced(double *begins, double *durations)
{
    for (int i = 0; i < OPERATIONS; i++) {
        begins[i] = i * 1e7 + exponential(2e4);
        durations[i] = log_normal(2e6);
    }
}

static void judge(source_function *source, double steady_ratio,
                  struct report_arrivals *ret_arrivals)
{
    static double begins[OPERATIONS];
    static double durations[OPERATIONS];
    static uint64_t gaps[OPERATIONS];
    static uint64_t intervals[OPERATIONS];
    static uint64_t lengths[OPERATIONS];
    struct arrival_pairs pairs = {
        .gaps_ns = gaps, .intervals_ns = intervals, .durations_ns = lengths};
    struct arrival_evidence evidence = {0};
    struct distribution all = {0};

    source(begins, durations);
    for (int i = 0; i + 1 < OPERATIONS; i++) {
        uint64_t interval = (uint64_t)begins[i + 1] - (uint64_t)begins[i];
        uint64_t duration = (uint64_t)durations[i];

        intervals[pairs.count] = interval;
        lengths[pairs.count++] = duration;
        if (interval >= duration) {
            gaps[pairs.gap_count++] = interval - duration;
        }
    }
    cr_assert_eq(distribution_add(&all, lengths, pairs.count), 0);
    cr_assert_eq(arrival_evidence_add(&evidence, &pairs), 0);
    arrival_evidence_judge(&evidence, distribution_quantile(&all, .5), steady_ratio, ret_arrivals);
    arrival_evidence_release(&evidence);
    distribution_release(&all);
}

Test(arrival_pattern, tells_every_source_every_time)
{
    static const struct {
        source_function *source;
        enum arrival_pattern pattern;
        const char *name;
    } cases[] = {
        {closed_without_thinking, ARRIVALS_CLOSED, "closed, no thinking"},
        {closed_of_constant_work, ARRIVALS_CLOSED, "closed, constant work"},
        {closed_with_constant_thinking, ARRIVALS_CLOSED, "closed, constant thinking"},
        {closed_with_stalls, ARRIVALS_CLOSED, "closed, stalls"},
        {open_with_threads_for_all, ARRIVALS_OPEN, "open, threads for all"},
        {open_and_quiet, ARRIVALS_OPEN, "open, quiet"},
        {paced, ARRIVALS_PACED, "paced"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        for (uint64_t seed = 1; seed <= 20; seed++) {
            struct report_arrivals arrivals;

            state = seed * 0x9e3779b97f4a7c15ULL;
            judge(cases[i].source, 0, &arrivals);
            cr_assert_eq(arrivals.pattern, cases[i].pattern, "%s, seed %d: %s", cases[i].name,
                         (int)seed, arrival_pattern_name(arrivals.pattern));
        }
    }
}

/* The server's queue couples begins and ends a little: whatever it is called, a closed loop it is not. */
Test(arrival_pattern, poisson_arrivals_at_a_server_are_never_called_closed)
{
    for (uint64_t seed = 1; seed <= 50; seed++) {
        struct report_arrivals arrivals;

        state = seed * 0x9e3779b97f4a7c15ULL;
        judge(open_behind_one_server, 0, &arrivals);
        cr_assert_neq(arrivals.pattern, ARRIVALS_CLOSED, "seed %d", (int)seed);
        cr_assert_neq(arrivals.pattern, ARRIVALS_PACED, "seed %d", (int)seed);
    }
}

Test(arrival_pattern, a_number_in_flight_that_never_changes_is_a_closed_loop)
{
    struct report_arrivals arrivals;

    state = 7;
    judge(open_with_threads_for_all, .95, &arrivals);
    cr_assert_eq(arrivals.pattern, ARRIVALS_CLOSED);
    judge(open_with_threads_for_all, .5, &arrivals);
    cr_assert_eq(arrivals.pattern, ARRIVALS_OPEN);
}

Test(arrival_pattern, few_pairs_say_nothing)
{
    const struct arrival_evidence none = {0};
    struct report_arrivals arrivals;

    arrival_evidence_judge(&none, NAN, 1, &arrivals);
    cr_assert_eq(arrivals.pattern, ARRIVALS_UNKNOWN);
    cr_assert(isnan(arrivals.follow_ratio) && isnan(arrivals.followed_within_ns));
}

Test(arrival_pattern, correlation_is_that_of_logarithms)
{
    struct report_arrivals arrivals;

    state = 3;
    judge(closed_without_thinking, 0, &arrivals);
    cr_assert(arrivals.correlation > .98);
    judge(open_and_quiet, 0, &arrivals);
    cr_assert(fabs(arrivals.correlation) < .05);
    cr_assert(arrivals.follow_ratio > .95);
}
