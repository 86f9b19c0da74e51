#include "budget_cohorts.h"

#include "distribution_steps.h"
#include "rank_cut.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum { CUT_COUNT = COHORT_COUNT - 1 };

static const double cut_ranks[CUT_COUNT] = {.5, .9, .99};

/* All buckets that hold operations, ascending. */
struct buckets {
    size_t count;
    struct budget_cell *cells; /* owned */
};

/* --- Operations that the tally does not hold --- */

/* Counts all operations by bucket, and what they last: exactly where steps are single values. */
static int list_buckets(struct buckets *ret_buckets, const struct distribution_steps *steps,
                        bool *ret_is_exact)
{
    struct buckets buckets = {0, calloc(steps->count + 1, sizeof(*buckets.cells))};

    *ret_is_exact = true;
    if (buckets.cells == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < steps->count; i++) {
        const struct distribution_step *step = &steps->steps[i];
        size_t bucket = coarse_bucket_of(step->low);

        if (buckets.count == 0 || buckets.cells[buckets.count - 1].bucket != bucket) {
            buckets.cells[buckets.count++].bucket = (uint16_t)bucket;
        }

        struct budget_cell *cell = &buckets.cells[buckets.count - 1];

        cell->count += step->count;
        cell->parts_ns[BUDGET_UNACCOUNTED] +=
            (uint128)step->count * (step->low + (step->width - 1) / 2);
        *ret_is_exact = *ret_is_exact && step->width == 1;
    }
    *ret_buckets = buckets;
    return 0;
}

static uint128 cell_sum(const struct budget_cell *cell)
{
    uint128 sum_ns = 0;

    for (int part = 0; part < BUDGET_PART_COUNT; part++) {
        sum_ns += cell->parts_ns[part];
    }
    return sum_ns;
}

/* The time of the cell's operations beyond those of the tally: by the values, or by how many there are. */
static uint128 rest_of(const struct budget_cell *all, const struct budget_cell *known,
                       bool is_exact)
{
    uint128 sum_ns = all->parts_ns[BUDGET_UNACCOUNTED];
    uint64_t count = known == NULL ? 0 : known->count;

    if (all->count <= count) {
        return 0;
    }
    if (is_exact) {
        return sum_ns - (known == NULL ? 0 : cell_sum(known));
    }
    return sum_ns / all->count * (all->count - count);
}

/* Puts what the tally knows into the cells; their unaccounted time becomes what it does not. Returns the sum of that. */
static uint128 put_known(struct buckets *buckets, const struct budget_tally *tally, bool is_exact)
{
    uint128 rest_ns = 0;
    size_t at = 0;

    for (size_t i = 0; i < buckets->count; i++) {
        struct budget_cell *cell = &buckets->cells[i];
        const struct budget_cell *known = NULL;

        if (at < tally->count && tally->cells[at].bucket == cell->bucket) {
            known = &tally->cells[at++];
        }
        cell->parts_ns[BUDGET_UNACCOUNTED] = rest_of(cell, known, is_exact);
        rest_ns += cell->parts_ns[BUDGET_UNACCOUNTED];
    }
    return rest_ns;
}

/* Makes estimates add up to what is known of their sum. */
static void scale_rest(struct buckets *buckets, uint128 estimated_ns, uint128 rest_ns)
{
    double scale = estimated_ns == 0 ? 0 : (double)rest_ns / (double)estimated_ns;
    double done = 0;
    uint128 given_ns = 0;
    size_t last = 0;

    for (size_t i = 0; i < buckets->count; i++) {
        uint128 *cell_ns = &buckets->cells[i].parts_ns[BUDGET_UNACCOUNTED];

        if (*cell_ns == 0) {
            continue;
        }
        done += (double)*cell_ns * scale;

        uint128 until_ns = done < (double)rest_ns ? (uint128)done : rest_ns;

        *cell_ns = until_ns - given_ns;
        given_ns = until_ns;
        last = i;
    }
    if (buckets->count > 0) {
        buckets->cells[last].parts_ns[BUDGET_UNACCOUNTED] += rest_ns - given_ns;
    }
}

static void add_known(struct buckets *buckets, const struct budget_tally *tally)
{
    size_t at = 0;

    for (size_t i = 0; i < tally->count; i++) {
        while (buckets->cells[at].bucket != tally->cells[i].bucket) {
            at++;
        }

        uint64_t all = buckets->cells[at].count;

        budget_cell_add(&buckets->cells[at], &tally->cells[i]);
        buckets->cells[at].count = all;
    }
}

/* All operations of the name by bucket. ret_is_estimated: whether that is not known exactly. */
static int join_buckets(struct buckets *ret_buckets, const struct budget_tally *tally,
                        const struct distribution *duration_ns, bool *ret_is_estimated)
{
    struct distribution_steps steps;
    uint128 rest_ns = duration_ns->sum;
    bool is_exact = true;
    int r = distribution_steps_make(&steps, duration_ns, false);

    if (r < 0) {
        return r;
    }
    r = list_buckets(ret_buckets, &steps, &is_exact);
    distribution_steps_release(&steps);
    if (r < 0) {
        return r;
    }
    for (size_t i = 0; i < tally->count; i++) {
        rest_ns -= cell_sum(&tally->cells[i]);
    }

    uint128 estimated_ns = put_known(ret_buckets, tally, is_exact);

    *ret_is_estimated = !is_exact && estimated_ns > 0;
    if (!is_exact) {
        scale_rest(ret_buckets, estimated_ns, rest_ns);
    }
    add_known(ret_buckets, tally);
    return 0;
}

/* --- Cohorts --- */

/* Decimal digits; 128 bits have at most 39. */
static void put_digits(char ret_text[static BUDGET_DIGITS_BYTES], uint128 value)
{
    char digits[BUDGET_DIGITS_BYTES];
    size_t count = 0;

    do {
        digits[count++] = (char)('0' + (int)(value % 10));
        value /= 10;
    } while (value > 0);
    for (size_t i = 0; i < count; i++) {
        ret_text[i] = digits[count - 1 - i];
    }
    ret_text[count] = '\0';
}

static void describe_running(struct report_cohort *ret_cohort, const struct budget_cell *sum,
                             unsigned int sources)
{
    double running_ns = (double)sum->parts_ns[STATE_RUNNING];

    for (int i = 0; i < RUNNING_ESTIMATE_COUNT; i++) {
        ret_cohort->running_ns[i] = (sources & 1U << i) == 0 || sum->count == 0
                                        ? NAN
                                        : (double)sum->estimates_ns[i] / (double)sum->count;
    }
    if (running_ns > 0 && sum->sampled_ns == 0) {
        ret_cohort->running_ns[RUNNING_NOT_ON_CPU] = NAN;
    }
    ret_cohort->sampled_share = running_ns > 0 ? (double)sum->sampled_ns / running_ns : NAN;
}

static void describe_cohort(struct report_cohort *ret_cohort, const struct budget_cell *sum,
                            unsigned int sources)
{
    uint128 whole_ns = cell_sum(sum);
    double count = sum->count == 0 ? NAN : (double)sum->count;

    ret_cohort->count = sum->count;
    ret_cohort->mean_ns = (double)whole_ns / count;
    put_digits(ret_cohort->sum_ns, whole_ns);
    for (int part = 0; part < BUDGET_PART_COUNT; part++) {
        struct report_budget_part *made = &ret_cohort->parts[part];

        put_digits(made->sum_ns, sum->parts_ns[part]);
        made->mean_ns = (double)sum->parts_ns[part] / count;
        made->share = whole_ns == 0 ? NAN : (double)sum->parts_ns[part] / (double)whole_ns;
    }
    describe_running(ret_cohort, sum, sources);
}

static double border_of(const struct buckets *buckets, size_t at)
{
    return at == 0               ? 0
           : at < buckets->count ? (double)coarse_bucket_low(buckets->cells[at].bucket)
                                 : INFINITY;
}

static void make_cohorts(struct report_budget *budget, const struct buckets *buckets,
                         const uint64_t *counts, unsigned int sources)
{
    struct budget_cell all = {0};
    size_t from = 0;

    for (int cohort = 0; cohort < COHORT_COUNT; cohort++) {
        struct budget_cell sum = {0};
        size_t to = cohort < CUT_COUNT ? rank_cut(counts, buckets->count, cut_ranks[cohort], from)
                                       : buckets->count;

        budget->cohorts[cohort].from_ns = border_of(buckets, from);
        budget->cohorts[cohort].to_ns = border_of(buckets, to);
        for (size_t i = from; i < to; i++) {
            budget_cell_add(&sum, &buckets->cells[i]);
        }
        describe_cohort(&budget->cohorts[cohort], &sum, sources);
        budget_cell_add(&all, &sum);
        from = to;
    }
    budget->all.from_ns = 0;
    budget->all.to_ns = INFINITY;
    describe_cohort(&budget->all, &all, sources);
}

static void compare_tail(struct report_budget *budget)
{
    const struct report_cohort *usual = &budget->cohorts[COHORT_P0_50];
    const struct report_cohort *slow = &budget->cohorts[COHORT_ABOVE_P99];
    struct report_tail_growth *tail = &budget->tail;

    tail->reason = slow->count == 0 ? REASON_TOO_FEW : REASON_NONE;
    tail->ns = slow->mean_ns - usual->mean_ns;
    for (int part = 0; part < BUDGET_PART_COUNT; part++) {
        tail->part_ns[part] = slow->parts[part].mean_ns - usual->parts[part].mean_ns;
        if (tail->part_ns[part] > tail->part_ns[tail->greatest_part]) {
            tail->greatest_part = part;
        }
    }
    for (int i = 0; i < RUNNING_ESTIMATE_COUNT; i++) {
        tail->running_ns[i] = slow->running_ns[i] - usual->running_ns[i];
    }
}

static int list_counts(const struct buckets *buckets, uint64_t **ret_counts)
{
    uint64_t *counts = calloc(buckets->count + 1, sizeof(*counts));

    for (size_t i = 0; counts != NULL && i < buckets->count; i++) {
        counts[i] = buckets->cells[i].count;
    }
    *ret_counts = counts;
    return counts == NULL ? -ENOMEM : 0;
}

int budget_cohorts_make(struct report_budget *ret_budget, const struct budget_tally *tally,
                        const struct distribution *duration_ns)
{
    struct report_budget budget = {
        .stated_count = tally->stated_count,
        .trimmed_count = tally->trimmed_count,
        .trimmed_ns = (double)tally->trimmed_ns,
    };
    struct buckets buckets = {0};
    AUTO_FREE uint64_t *counts = NULL;
    int r = join_buckets(&buckets, tally, duration_ns, &budget.is_estimated);

    r = r < 0 ? r : list_counts(&buckets, &counts);
    if (r == 0) {
        make_cohorts(&budget, &buckets, counts, tally->sources);
        compare_tail(&budget);
        *ret_budget = budget;
    }
    free(buckets.cells);
    return r;
}
