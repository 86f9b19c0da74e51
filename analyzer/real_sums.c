#include "real_sums.h"

#include "exact_moments.h"

#include <math.h>
#include <string.h>

enum {
    MANTISSA_BITS = 52,
    EXPONENTS = 2048,
    UNIT_EXPONENT = -1074,
};

void real_sums_add(struct real_sums *sums, double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof(bits));

    uint64_t exponent = (bits >> MANTISSA_BITS) % EXPONENTS;
    uint64_t mantissa = bits & ((1ULL << MANTISSA_BITS) - 1);
    size_t shift = exponent == 0 ? 0 : exponent - 1;

    mantissa |= exponent == 0 ? 0 : 1ULL << MANTISSA_BITS;
    sums->count++;
    wide_add(signbit(value) ? sums->negative : sums->positive, REAL_SUM_LIMBS, mantissa, shift);
    wide_add(sums->squares, REAL_SQUARE_LIMBS, (uint128)mantissa * mantissa, 2 * shift);
}

void real_sums_merge(struct real_sums *sums, const struct real_sums *source)
{
    sums->count += source->count;
    wide_add_wide(sums->positive, source->positive, REAL_SUM_LIMBS);
    wide_add_wide(sums->negative, source->negative, REAL_SUM_LIMBS);
    wide_add_wide(sums->squares, source->squares, REAL_SQUARE_LIMBS);
}

/* Writes |positive - negative|. Returns its sign, 1 or -1. */
static double net_sum(const struct real_sums *sums, uint64_t ret_magnitude[REAL_SUM_LIMBS])
{
    memcpy(ret_magnitude, sums->positive, sizeof(sums->positive));
    if (!wide_subtract(ret_magnitude, sums->negative, REAL_SUM_LIMBS)) {
        return 1;
    }
    memcpy(ret_magnitude, sums->negative, sizeof(sums->negative));
    (void)wide_subtract(ret_magnitude, sums->positive, REAL_SUM_LIMBS);
    return -1;
}

static double finite_or_nan(double value)
{
    return isfinite(value) ? value : NAN;
}

struct real_moments real_sums_moments(const struct real_sums *sums)
{
    uint64_t magnitude[REAL_SUM_LIMBS];
    double sign = net_sum(sums, magnitude);
    const struct exact_sums exact = {
        .count = sums->count,
        .sum = magnitude,
        .square_sum = sums->squares,
        .limb_count = REAL_SUM_LIMBS,
        .square_limb_count = REAL_SQUARE_LIMBS,
        .unit_exponent = UNIT_EXPONENT,
    };

    return (struct real_moments){
        .sum = finite_or_nan(sign * exact_sum(&exact)),
        .mean = finite_or_nan(sign * exact_mean(&exact)),
        .stddev = finite_or_nan(exact_stddev(&exact)),
    };
}
