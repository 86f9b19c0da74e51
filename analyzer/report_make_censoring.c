#include "report_make_parts.h"

#include "kaplan_meier.h"

#include <errno.h>
#include <math.h>

/* Takes those of other, which are some of them, out of steps. Both stand in the same buckets. */
static void subtract(struct distribution_steps *steps, const struct distribution_steps *other)
{
    size_t kept = 0;
    size_t at = 0;

    for (size_t i = 0; i < steps->count; i++) {
        struct distribution_step step = steps->steps[i];

        while (at < other->count && other->steps[at].low < step.low) {
            at++;
        }
        if (at < other->count && other->steps[at].low == step.low) {
            step.count -= min_u64(other->steps[at].count, step.count);
        }
        if (step.count > 0) {
            steps->steps[kept++] = step;
        }
    }
    steps->count = kept;
}

struct sets {
    struct distribution_steps ended; /* those that were not given up */
    struct distribution_steps timeouts;
    struct distribution_steps censored;
    struct distribution all_censored;
};

static void sets_release(struct sets *sets)
{
    distribution_steps_release(&sets->ended);
    distribution_steps_release(&sets->timeouts);
    distribution_steps_release(&sets->censored);
    distribution_release(&sets->all_censored);
}

static int fill_sets(struct sets *sets, const struct operation_tally *tally)
{
    const struct censored_tally *censored = tally->censored;
    int r = distribution_merge(&sets->all_censored, &censored->timeout_ns);

    r = r < 0 ? r : distribution_merge(&sets->all_censored, &censored->age_ns);

    bool in_buckets = tally->duration_ns.has_histogram || sets->all_censored.has_histogram;

    r = r < 0 ? r : distribution_steps_make(&sets->ended, &tally->duration_ns, in_buckets);
    r = r < 0 ? r : distribution_steps_make(&sets->timeouts, &censored->timeout_ns, in_buckets);
    r = r < 0 ? r : distribution_steps_make(&sets->censored, &sets->all_censored, in_buckets);
    if (r == 0) {
        subtract(&sets->ended, &sets->timeouts);
    }
    return r;
}

static int estimate(struct report_censoring *censoring, const struct operation_tally *tally)
{
    struct sets sets = {0};
    struct survival_curve curve = {0};
    int r = fill_sets(&sets, tally);

    r = r < 0 ? r : kaplan_meier_make(&curve, &sets.ended, &sets.censored);
    sets_release(&sets);
    for (size_t i = 0; r == 0 && i < REPORT_QUANTILE_COUNT; i++) {
        censoring->quantiles[i] = survival_quantile(&curve, report_quantile_ranks[i]);
    }
    survival_curve_release(&curve);
    return r;
}

static int list_oldest(struct report_censoring *censoring, const struct censored_tally *tally)
{
    censoring->oldest = calloc(tally->oldest_count + 1, sizeof(*censoring->oldest));
    if (censoring->oldest == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < tally->oldest_count; i++) {
        const struct open_operation *from = &tally->oldest[i];

        censoring->oldest[censoring->oldest_count++] = (struct report_open_operation){
            from->begin_realtime_ns, from->age_ns, from->id, from->process, from->state};
    }
    return 0;
}

int report_make_censoring(struct report_operation *operation, const struct operation_tally *tally)
{
    const struct censored_tally *censored = tally->censored;
    struct report_censoring *censoring = NULL;

    if (censored == NULL) {
        return 0;
    }
    censoring = calloc(1, sizeof(*censoring));
    operation->censoring = censoring;
    if (censoring == NULL) {
        return -ENOMEM;
    }
    censoring->timeouts = censored->timeout_ns.count;
    censoring->unfinished = censored->age_ns.count;
    censoring->share = (double)(censoring->timeouts + censoring->unfinished) /
                       (double)(tally->duration_ns.count + censoring->unfinished);
    censoring->greatest_ns = fmax((double)tally->duration_ns.max, (double)censored->age_ns.max);
    for (int state = 0; state < STATE_COUNT; state++) {
        censoring->by_state[state] = censored->by_state[state];
    }
    distribution_summarize(&censored->age_ns, &censoring->age_ns);
    censoring->has_quantiles = censoring->share > CENSORED_SHARE_LIMIT;

    int r = list_oldest(censoring, censored);

    return r < 0 || !censoring->has_quantiles ? r : estimate(censoring, tally);
}
