#include "quantile_ranks.h"

#include <math.h>
#include <stdbool.h>

/* What n (1 - p) may lack to 1 because p is not exact in binary. */
#define EXPECTED_SLACK 1e-9
/* Quantiles of the normal and shares of the binomial distribution: 2.5 % lie on each side of the interval. */
#define SIDE_SHARE 0.025
#define NORMAL_975 1.959963984540054
/* Variance of the binomial distribution from which the expansion is used. */
#define EXPANSION_FROM_VARIANCE 1e8
/* Weights below this, relative to the greatest, change no sum. */
#define NEGLIGIBLE_WEIGHT 1e-20

enum report_reason quantile_refusal(uint64_t count, double p)
{
    double far_side = (double)count * fmin(p, 1 - p);

    if (count == 0) {
        return REASON_NO_DATA;
    }

    bool is_median = fabs(p - 0.5) < EXPECTED_SLACK; /* given from one value on */

    return far_side < 1 - EXPECTED_SLACK && !is_median ? REASON_TOO_FEW : REASON_NONE;
}

/* The binomial distribution around its mode, in units of the mode's probability. */
struct binomial {
    double count;
    double odds; /* p / (1 - p) */
    double mode;
    double below; /* weight of all that is less than the mode */
    double above;
};

/* Weight of k + 1 over that of k. */
static double step_up(const struct binomial *binomial, double k)
{
    return (binomial->count - k) / (k + 1) * binomial->odds;
}

static double step_down(const struct binomial *binomial, double k)
{
    return k / ((binomial->count - k + 1) * binomial->odds);
}

/* Adds up the weights below the mode. */
static double weight_below(const struct binomial *binomial)
{
    double k = binomial->mode;
    double weight = 1;
    double sum = 0;

    while (k > 0 && weight > NEGLIGIBLE_WEIGHT) {
        weight *= step_down(binomial, k);
        sum += weight;
        k--;
    }
    return sum;
}

static double weight_above(const struct binomial *binomial)
{
    double k = binomial->mode;
    double weight = 1;
    double sum = 0;

    while (k < binomial->count && weight > NEGLIGIBLE_WEIGHT) {
        weight *= step_up(binomial, k);
        sum += weight;
        k++;
    }
    return sum;
}

static void binomial_init(struct binomial *ret_binomial, uint64_t count, double p)
{
    double n = (double)count;

    *ret_binomial =
        (struct binomial){.count = n, .odds = p / (1 - p), .mode = fmin(floor((n + 1) * p), n)};
    ret_binomial->below = weight_below(ret_binomial);
    ret_binomial->above = weight_above(ret_binomial);
}

/* The least k of which P(X <= k) >= share; share is below 1/2, or the mode and all above it are not reached. */
static double binomial_quantile_low(const struct binomial *b, double share)
{
    double target = share * (b->below + 1 + b->above);
    double cumulated = b->below; /* P(X <= k - 1) */
    double weight = 1;
    double k = b->mode;

    while (k > 0 && cumulated >= target) {
        weight *= step_down(b, k);
        cumulated -= weight;
        k--;
    }
    return k;
}

/* The least k of which P(X > k) <= share. */
static double binomial_quantile_high(const struct binomial *b, double share)
{
    double target = share * (b->below + 1 + b->above);
    double beyond = b->above; /* P(X > k) */
    double weight = 1;
    double k = b->mode;

    while (k < b->count && beyond > target) {
        weight *= step_up(b, k);
        beyond -= weight;
        k++;
    }
    return k;
}

/* Cornish and Fisher's expansion, to the term of skewness; its error is below 1 / standard deviation. */
static double binomial_quantile_expanded(double count, double p, double z)
{
    double skewness = (1 - 2 * p) * (z * z - 1) / 6;

    return ceil(count * p + z * sqrt(count * p * (1 - p)) + skewness - 0.5);
}

void quantile_interval_ranks(uint64_t count, double p, uint64_t *ret_low, uint64_t *ret_high)
{
    double n = (double)count;

    if (n * p * (1 - p) > EXPANSION_FROM_VARIANCE) {
        *ret_low = (uint64_t)binomial_quantile_expanded(n, p, -NORMAL_975);
        *ret_high = (uint64_t)binomial_quantile_expanded(n, p, NORMAL_975) + 1;
        return;
    }

    struct binomial binomial;

    binomial_init(&binomial, count, p);
    *ret_low = (uint64_t)binomial_quantile_low(&binomial, SIDE_SHARE);
    *ret_high = (uint64_t)binomial_quantile_high(&binomial, SIDE_SHARE) + 1;
}

static double value_of_rank(const struct ranked_values *ranked, uint64_t rank)
{
    return fmin(fmax(ranked->value_of(ranked->values, rank), ranked->min), ranked->max);
}

/* Type 7, of a count above 0. */
static double interpolate(const struct ranked_values *ranked, double p)
{
    double last = (double)(ranked->count - 1);
    double position = last * p;
    uint64_t rank = min_u64((uint64_t)position, ranked->count - 1);
    /* What rounding took from the position weighs much where the two values lie far apart. */
    double weight = position - (double)rank + fma(last, p, -position);
    double low = value_of_rank(ranked, rank);
    double high = rank + 1 < ranked->count ? value_of_rank(ranked, rank + 1) : low;

    /* Not low + weight * (high - low), which overflows where they are huge and of opposite sign. */
    return low < high ? fmin(fmax((1 - weight) * low + weight * high, low), high) : low;
}

double quantile_of_ranked(const struct ranked_values *ranked, double p)
{
    return quantile_refusal(ranked->count, p) == REASON_NONE ? interpolate(ranked, p) : NAN;
}

void quantile_summarize(const struct ranked_values *ranked, double p,
                        struct report_quantile *ret_quantile)
{
    enum report_reason reason = quantile_refusal(ranked->count, p);
    uint64_t low;
    uint64_t high;

    if (reason != REASON_NONE) {
        *ret_quantile = (struct report_quantile){NAN, NAN, NAN, reason};
        return;
    }
    quantile_interval_ranks(ranked->count, p, &low, &high);
    *ret_quantile = (struct report_quantile){
        .value = interpolate(ranked, p),
        .low = low >= 1 ? value_of_rank(ranked, low - 1) : NAN,
        .high = high <= ranked->count ? value_of_rank(ranked, high - 1) : NAN,
        .reason = low >= 1 && high <= ranked->count ? REASON_NONE : REASON_BEYOND_DATA,
    };
}
