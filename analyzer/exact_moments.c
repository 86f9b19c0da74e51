#include "exact_moments.h"

#include <math.h>
#include <string.h>

enum { PRODUCT_LIMBS = 2 * MOMENTS_MAX_LIMBS + 2 };

double exact_sum(const struct exact_sums *sums)
{
    int exponent;
    double fraction = wide_to_fraction(sums->sum, sums->limb_count, &exponent);

    return ldexp(fraction, exponent + sums->unit_exponent);
}

double exact_mean(const struct exact_sums *sums)
{
    int exponent;
    double fraction = wide_to_fraction(sums->sum, sums->limb_count, &exponent);

    return sums->count == 0 ? NAN
                            : ldexp(fraction / (double)sums->count, exponent + sums->unit_exponent);
}

double exact_stddev(const struct exact_sums *sums)
{
    /* n S2 - S1^2 is n (n - 1) times the variance. */
    uint64_t scaled_squares[PRODUCT_LIMBS] = {0};
    uint64_t squared_sum[PRODUCT_LIMBS] = {0};
    double count = (double)sums->count;
    int exponent;

    if (sums->count < 2) {
        return NAN;
    }
    wide_multiply(scaled_squares, sums->square_sum, sums->square_limb_count, &sums->count, 1);
    wide_multiply(squared_sum, sums->sum, sums->limb_count, sums->sum, sums->limb_count);
    (void)wide_subtract(scaled_squares, squared_sum, PRODUCT_LIMBS);

    double fraction = wide_to_fraction(scaled_squares, PRODUCT_LIMBS, &exponent);
    int odd = exponent & 1;

    /* The root halves the exponent: it is made even first. */
    return ldexp(sqrt(ldexp(fraction, odd) / (count * (count - 1))),
                 (exponent - odd) / 2 + sums->unit_exponent);
}
