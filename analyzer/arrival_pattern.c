#include "arrival_pattern.h"

#include <math.h>

enum {
    LEAST_PAIRS = 100,
    LOG_BITS = 10, /* behind the point */
};

static const double most_follow = 0.9;    /* in a closed loop at least so many follow an end */
static const double most_overlap = 0.1;   /* where more do not, they come by themselves */
static const double think_medians = 2;    /* typical: up to so many medians of the gaps */
static const double think_duration = .25; /* or up to this part of a usual duration */
static const double clearly_less = .5;
static const double few_correlated = .3; /* below it, intervals know nothing of durations */

void arrival_evidence_release(struct arrival_evidence *evidence)
{
    distribution_release(&evidence->gaps_ns);
    distribution_release(&evidence->intervals_ns);
    *evidence = (struct arrival_evidence){0};
}

/* log2(value + 1), linear between powers of two: the same on every machine. */
static uint64_t log_of(uint64_t value)
{
    uint64_t above = value + 1 == 0 ? value : value + 1;
    unsigned int octave = 63 - (unsigned int)__builtin_clzll(above);
    uint64_t rest = above - (1ULL << octave);
    uint64_t fraction =
        octave >= LOG_BITS ? rest >> (octave - LOG_BITS) : rest << (LOG_BITS - octave);

    return ((uint64_t)octave << LOG_BITS) + fraction;
}

static void add_logs(struct log_sums *logs, uint64_t duration_ns, uint64_t interval_ns)
{
    uint64_t x = log_of(duration_ns);
    uint64_t y = log_of(interval_ns);

    logs->count++;
    logs->x += x;
    logs->y += y;
    logs->xx += x * x;
    logs->yy += y * y;
    logs->xy += x * y;
}

int arrival_evidence_add(struct arrival_evidence *evidence, const struct arrival_pairs *pairs)
{
    int r = distribution_add(&evidence->gaps_ns, pairs->gaps_ns, pairs->gap_count);

    r = r < 0 ? r : distribution_add(&evidence->intervals_ns, pairs->intervals_ns, pairs->count);
    for (size_t i = 0; r == 0 && i < pairs->count; i++) {
        add_logs(&evidence->logs, pairs->durations_ns[i], pairs->intervals_ns[i]);
    }
    evidence->pairs += pairs->count;
    return r;
}

/* n sum(ab) - sum(a) sum(b) */
static double co_moment(uint64_t count, uint128 ab, uint128 a, uint128 b)
{
    uint128 product = count * ab;
    uint128 subtracted = a * b;

    return product >= subtracted ? (double)(product - subtracted) : -(double)(subtracted - product);
}

/* NaN if one of them is constant. The sums are exact; only their differences are rounded. */
static double correlation(const struct log_sums *logs)
{
    double xx = co_moment(logs->count, logs->xx, logs->x, logs->x);
    double yy = co_moment(logs->count, logs->yy, logs->y, logs->y);
    double xy = co_moment(logs->count, logs->xy, logs->x, logs->y);

    return xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : NAN;
}

static double width(const struct distribution *values)
{
    return distribution_quantile(values, .75) - distribution_quantile(values, .25);
}

/* The gap that most_follow of all pairs do not exceed, or NaN if not so many have one. */
static double followed_within(const struct arrival_evidence *evidence, double follow_ratio)
{
    return follow_ratio < most_follow
               ? NAN
               : distribution_quantile(&evidence->gaps_ns, fmin(most_follow / follow_ratio, 1));
}

static enum arrival_pattern decide(const struct arrival_evidence *evidence,
                                   const struct report_arrivals *arrivals, double steady_ratio)
{
    double gap_width = width(&evidence->gaps_ns);
    double interval_width = width(&evidence->intervals_ns);
    bool follows = arrivals->followed_within_ns <= arrivals->think_limit_ns;
    bool is_back_to_back =
        arrivals->followed_within_ns <= think_duration * arrivals->duration_p50_ns;

    if (evidence->pairs < LEAST_PAIRS) {
        return ARRIVALS_UNKNOWN;
    }
    if (interval_width < clearly_less * gap_width &&
        interval_width <= clearly_less * arrivals->interval_p50_ns) {
        return ARRIVALS_PACED;
    }
    if ((follows && (gap_width < clearly_less * interval_width || is_back_to_back)) ||
        steady_ratio >= most_follow) {
        return ARRIVALS_CLOSED;
    }
    return 1 - arrivals->follow_ratio > most_overlap || fabs(arrivals->correlation) < few_correlated
               ? ARRIVALS_OPEN
               : ARRIVALS_UNKNOWN;
}

void arrival_evidence_judge(const struct arrival_evidence *evidence, double duration_p50_ns,
                            double steady_ratio, struct report_arrivals *ret_arrivals)
{
    double gap_p50_ns = distribution_quantile(&evidence->gaps_ns, .5);
    double follow_ratio =
        evidence->pairs == 0 ? NAN : (double)evidence->gaps_ns.count / (double)evidence->pairs;

    *ret_arrivals = (struct report_arrivals){
        .pairs = evidence->pairs,
        .follow_ratio = follow_ratio,
        .gap_p50_ns = gap_p50_ns,
        .followed_within_ns = followed_within(evidence, follow_ratio),
        .think_limit_ns = fmax(think_medians * gap_p50_ns, think_duration * duration_p50_ns),
        .interval_p50_ns = distribution_quantile(&evidence->intervals_ns, .5),
        .duration_p50_ns = duration_p50_ns,
        .correlation = correlation(&evidence->logs),
    };
    ret_arrivals->pattern = decide(evidence, ret_arrivals, steady_ratio);
}
