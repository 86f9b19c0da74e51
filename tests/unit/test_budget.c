#include "budget_cohorts.h"

#include "test_values.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { COUNT = 6000 };

static struct budget_scratch scratch;

/* States of an operation: some parts of its duration, sometimes more than all of it, sometimes none. */
static bool make_states(uint64_t *state, uint64_t duration_ns, uint64_t ret_states[STATE_COUNT])
{
    uint64_t left_ns = duration_ns;
    uint64_t kind = test_random(state) % 10;

    memset(ret_states, 0, STATE_COUNT * sizeof(*ret_states));
    for (int i = 0; kind > 0 && i < STATE_COUNT; i++) {
        ret_states[i] = left_ns == 0 ? 0 : test_random(state) % left_ns;
        left_ns -= ret_states[i];
    }
    if (kind == 1) {
        ret_states[test_random(state) % STATE_COUNT] += left_ns + test_random(state) % 1000;
    }
    return kind > 0;
}

static uint128 sum_of(const struct budget_cell *cell)
{
    uint128 sum = 0;

    for (int part = 0; part < BUDGET_PART_COUNT; part++) {
        sum += cell->parts_ns[part];
    }
    return sum;
}

/* Adds operations first to first + count - 1 of a fixed row of them. */
static void add(struct budget_tally *tally, const uint64_t *durations, size_t first, size_t count)
{
    for (size_t i = first; i < first + count; i++) {
        uint64_t state = i + 1;
        uint64_t states_ns[STATE_COUNT];
        bool is_stated = make_states(&state, durations[i], states_ns);
        struct budget_cell *cell = budget_scratch_add(&scratch, durations[i], states_ns, is_stated);
        const struct running_estimates estimates = {states_ns[STATE_RUNNING],
                                                    {states_ns[STATE_RUNNING] / 2, 0, 1}};

        budget_cell_estimate(cell, &estimates);
    }
    scratch.sources |= 1U << RUNNING_NOT_ON_CPU;
    cr_assert_eq(budget_tally_take(tally, &scratch), 0);
}

Test(budget, parts_add_up_to_every_duration)
{
    static const uint64_t hostile[] = {0, 1, 31, 32, 33, 1000, (1ULL << 62) - 1};
    uint64_t state = 5;

    for (int i = 0; i < 20000; i++) {
        uint64_t duration_ns =
            i < (int)ARRAY_SIZE(hostile) ? hostile[i] : test_random(&state) >> (i % 60 + 2);
        uint64_t states_ns[STATE_COUNT];
        struct budget_tally tally = {0};

        bool is_stated = make_states(&state, duration_ns, states_ns);

        if (i % 7 == 0) {
            for (int k = 0; k < STATE_COUNT; k++) {
                states_ns[k] = (1ULL << 62) - 1;
            }
        }
        (void)budget_scratch_add(&scratch, duration_ns, states_ns, is_stated);
        cr_assert_eq(budget_tally_take(&tally, &scratch), 0);
        cr_assert_eq(tally.count, 1);
        cr_assert_eq(tally.stated_count, is_stated);
        cr_assert(sum_of(&tally.cells[0]) == duration_ns);
        cr_assert_leq(coarse_bucket_low(tally.cells[0].bucket), duration_ns);
        budget_tally_release(&tally);
    }
}

Test(budget, trimming_takes_from_the_longest_state_and_is_counted)
{
    struct budget_tally tally = {0};
    uint64_t states_ns[STATE_COUNT] = {[STATE_QUEUED] = 30, [STATE_RUNNING] = 75};

    (void)budget_scratch_add(&scratch, 100, states_ns, true);
    cr_assert_eq(budget_tally_take(&tally, &scratch), 0);
    cr_assert(tally.cells[0].parts_ns[STATE_QUEUED] == 30);
    cr_assert(tally.cells[0].parts_ns[STATE_RUNNING] == 70);
    cr_assert(tally.cells[0].parts_ns[BUDGET_UNACCOUNTED] == 0);
    cr_assert_eq(tally.trimmed_count, 1);
    cr_assert(tally.trimmed_ns == 5);
    budget_tally_release(&tally);
}

static void assert_equal(const struct budget_tally *a, const struct budget_tally *b)
{
    cr_assert_eq(a->count, b->count);
    cr_assert_eq(a->sources, b->sources);
    cr_assert_eq(a->stated_count, b->stated_count);
    cr_assert_eq(a->trimmed_count, b->trimmed_count);
    cr_assert(a->trimmed_ns == b->trimmed_ns);
    for (size_t i = 0; i < a->count; i++) {
        cr_assert_eq(a->cells[i].bucket, b->cells[i].bucket);
        cr_assert_eq(a->cells[i].count, b->cells[i].count);
        cr_assert(a->cells[i].sampled_ns == b->cells[i].sampled_ns);
        cr_assert_arr_eq(a->cells[i].parts_ns, b->cells[i].parts_ns, sizeof(a->cells[i].parts_ns));
        cr_assert_arr_eq(a->cells[i].estimates_ns, b->cells[i].estimates_ns,
                         sizeof(a->cells[i].estimates_ns));
    }
}

Test(budget, order_and_pieces_do_not_show)
{
    static uint64_t values[COUNT];

    for (int shape = 0; shape < SHAPE_COUNT; shape++) {
        struct budget_tally whole = {0};
        struct budget_tally pieces = {0};

        test_values((enum value_shape)shape, 3, values, COUNT);
        add(&whole, values, 0, COUNT);
        for (size_t end = COUNT; end > 0; end -= 500) {
            struct budget_tally piece = {0};

            add(&piece, values, end - 500, 500);
            cr_assert_eq(budget_tally_merge(&pieces, &piece), 0);
            budget_tally_release(&piece);
        }
        assert_equal(&whole, &pieces);
        budget_tally_release(&whole);
        budget_tally_release(&pieces);
    }
}

/* --- Cohorts --- */

static uint128 parse(const char *digits)
{
    uint128 value = 0;

    while (*digits != '\0') {
        value = value * 10 + (unsigned int)(*digits++ - '0');
    }
    return value;
}

/* Every part of every cohort against sums over the operations themselves. stated: those that went into the tally. */
static void check_cohort(const struct report_cohort *cohort, const uint64_t *values, size_t count,
                         bool is_exact)
{
    uint128 whole = 0;
    uint128 parts = 0;
    uint64_t found = 0;

    for (size_t i = 0; i < count; i++) {
        if ((double)values[i] >= cohort->from_ns && (double)values[i] < cohort->to_ns) {
            whole += values[i];
            found++;
        }
    }
    cr_assert_eq(cohort->count, found);
    for (int part = 0; part < BUDGET_PART_COUNT; part++) {
        parts += parse(cohort->parts[part].sum_ns);
    }
    cr_assert(parts == parse(cohort->sum_ns));
    if (is_exact) {
        cr_assert(parts == whole);
    } else {
        cr_assert_float_eq((double)parts, (double)whole, (double)whole * .017);
    }
}

Test(budget, cohorts_hold_what_their_borders_say)
{
    static uint64_t values[COUNT];
    static const size_t stated[] = {COUNT, COUNT / 2, 700};
    static const size_t counts[] = {COUNT, 4000};

    for (int i = 0; i < SHAPE_COUNT * 6; i++) {
        size_t count = counts[i / SHAPE_COUNT % 2];
        size_t in_tally = min_u64(stated[i / SHAPE_COUNT / 2], count);
        struct budget_tally tally = {0};
        struct distribution durations = {0};
        struct report_budget budget;
        uint128 sum = 0;
        uint64_t all = 0;

        test_values((enum value_shape)(i % SHAPE_COUNT), 9, values, count);
        add(&tally, values, 0, in_tally);
        cr_assert_eq(distribution_add(&durations, values, count), 0);
        cr_assert_eq(budget_cohorts_make(&budget, &tally, &durations), 0);
        cr_assert(in_tally == count ? !budget.is_estimated : true);
        for (int cohort = 0; cohort < COHORT_COUNT; cohort++) {
            check_cohort(&budget.cohorts[cohort], values, count, !budget.is_estimated);
            sum += parse(budget.cohorts[cohort].sum_ns);
            all += budget.cohorts[cohort].count;
        }
        cr_assert_eq(all, count);
        cr_assert(sum == durations.sum);
        cr_assert(parse(budget.all.sum_ns) == durations.sum);
        budget_tally_release(&tally);
        distribution_release(&durations);
    }
}

static struct report_budget budget_of(const uint64_t *values, size_t count)
{
    struct budget_tally tally = {0};
    struct distribution durations = {0};
    struct report_budget budget;

    add(&tally, values, 0, count);
    cr_assert_eq(distribution_add(&durations, values, count), 0);
    cr_assert_eq(budget_cohorts_make(&budget, &tally, &durations), 0);
    budget_tally_release(&tally);
    distribution_release(&durations);
    return budget;
}

Test(budget, cohorts_are_cut_at_the_bucket_nearest_to_their_rank)
{
    static uint64_t values[3200];
    struct report_budget budget;

    /* 100 operations in each of 32 buckets of one ns. */
    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        values[i] = 32 + i / 100;
    }
    budget = budget_of(values, ARRAY_SIZE(values));
    cr_assert_float_eq(budget.cohorts[COHORT_P50_90].from_ns, 48, 0);
    cr_assert_float_eq(budget.cohorts[COHORT_P90_99].from_ns, 61, 0); /* 2,900 of 3,200 below */
    cr_assert_float_eq(budget.cohorts[COHORT_ABOVE_P99].from_ns, 63, 0);
    cr_assert_eq(budget.cohorts[COHORT_P0_50].count, 1600);
    cr_assert_eq(budget.cohorts[COHORT_ABOVE_P99].count, 100);
    cr_assert_eq(budget.tail.reason, REASON_NONE);
    cr_assert_float_eq(budget.tail.ns, 63 - 39.5, 1e-9);
}

Test(budget, too_few_operations_or_equal_ones_have_no_tail)
{
    static uint64_t values[1000];
    struct report_budget budget;

    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        values[i] = i + 1;
    }
    budget = budget_of(values, 99);
    cr_assert_eq(budget.cohorts[COHORT_ABOVE_P99].count, 0);
    cr_assert_eq(budget.tail.reason, REASON_TOO_FEW);
    cr_assert(isnan(budget.cohorts[COHORT_ABOVE_P99].mean_ns));
    budget = budget_of(values, 100);
    cr_assert_eq(budget.cohorts[COHORT_ABOVE_P99].count, 1);
    for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
        values[i] = 1000000;
    }
    budget = budget_of(values, ARRAY_SIZE(values));
    cr_assert_eq(budget.cohorts[COHORT_P0_50].count, ARRAY_SIZE(values));
    cr_assert_eq(budget.tail.reason, REASON_TOO_FEW);
    budget = budget_of(values, 1);
    cr_assert_eq(budget.all.count, 1);
}

Test(budget, estimates_never_exceed_the_running_time)
{
    static uint64_t values[COUNT];

    test_values(SHAPE_DURATIONS, 2, values, COUNT);

    struct report_budget budget = budget_of(values, COUNT);

    for (int i = 0; i < COHORT_COUNT; i++) {
        const struct report_cohort *cohort = &budget.cohorts[i];

        cr_assert_leq(cohort->running_ns[RUNNING_NOT_ON_CPU], cohort->parts[STATE_RUNNING].mean_ns);
        cr_assert(isnan(cohort->running_ns[RUNNING_THROTTLED]), "no such samples");
        cr_assert_float_eq(cohort->sampled_share, 1, 0);
    }
}
