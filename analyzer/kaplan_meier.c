#include "kaplan_meier.h"

#include "quantile_ranks.h"

#include <errno.h>
#include <math.h>

/* Of the standard normal distribution, for 95 %. */
#define NORMAL_975 1.959963984540054
/* Survival is a product of many ratios: equal to the rank within this. */
#define RANK_TOLERANCE 1e-12

void survival_curve_release(struct survival_curve *curve)
{
    free(curve->points);
    *curve = (struct survival_curve){0};
}

static uint64_t count_all(const struct distribution_steps *steps)
{
    uint64_t count = 0;

    for (size_t i = 0; i < steps->count; i++) {
        count += steps->steps[i].count;
    }
    return count;
}

static double middle_of(const struct distribution_step *step)
{
    return (double)step->low + ((double)step->width - 1) / 2;
}

static void set_interval(struct survival_point *point, double variance)
{
    if (point->survival <= 0) {
        point->low = 0;
        point->high = NAN;
        return;
    }

    double theta = sqrt(variance) / log(point->survival);

    point->low = pow(point->survival, exp(-NORMAL_975 * theta));
    point->high = pow(point->survival, exp(NORMAL_975 * theta));
}

int kaplan_meier_make(struct survival_curve *ret_curve, const struct distribution_steps *ended,
                      const struct distribution_steps *censored)
{
    struct survival_curve curve = {.points = calloc(ended->count + 1, sizeof(*curve.points))};
    uint64_t at_risk = count_all(ended) + count_all(censored);
    double survival = 1;
    double variance = 0; /* of log S */
    size_t gone = 0;

    if (curve.points == NULL) {
        return -ENOMEM;
    }
    curve.total = at_risk;
    for (size_t i = 0; i < ended->count; i++) {
        const struct distribution_step *step = &ended->steps[i];
        struct survival_point *point = &curve.points[curve.count++];

        while (gone < censored->count && censored->steps[gone].low < step->low) {
            at_risk -= censored->steps[gone++].count;
        }

        double n = (double)at_risk;
        double d = (double)step->count;

        survival *= 1 - d / n;
        variance += at_risk > step->count ? d / (n * (n - d)) : 0;
        *point = (struct survival_point){.time = middle_of(step),
                                         .at_risk = at_risk,
                                         .ended = step->count,
                                         .survival = survival};
        set_interval(point, variance);
        at_risk -= step->count;
    }
    *ret_curve = curve;
    return 0;
}

/* The first time when the curve, or an end of its interval, is down to a level; NaN if it never is. */
static double first_below(const struct survival_curve *curve, double level,
                          double (*height_of)(const struct survival_point *))
{
    for (size_t i = 0; i < curve->count; i++) {
        if (height_of(&curve->points[i]) <= level + RANK_TOLERANCE) {
            return curve->points[i].time;
        }
    }
    return NAN;
}

static double middle(const struct survival_point *point)
{
    return point->survival;
}

static double lower(const struct survival_point *point)
{
    return point->low;
}

static double upper(const struct survival_point *point)
{
    return point->high;
}

struct report_quantile survival_quantile(const struct survival_curve *curve, double p)
{
    struct report_quantile quantile = {NAN, NAN, NAN, quantile_refusal(curve->total, p)};

    if (quantile.reason != REASON_NONE) {
        return quantile;
    }
    quantile.value = first_below(curve, 1 - p, middle);
    quantile.low = first_below(curve, 1 - p, lower);
    quantile.high = first_below(curve, 1 - p, upper);
    if (!isfinite(quantile.value) || !isfinite(quantile.low) || !isfinite(quantile.high)) {
        quantile.reason = REASON_BEYOND_DATA;
    }
    return quantile;
}
