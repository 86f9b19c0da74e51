#include "value_moments.h"

#define FORCE_INLINE static inline __attribute__((always_inline))

/* Values of any size. */
static void sum_wide(struct value_moments *ret_moments, const uint64_t *values, size_t count)
{
    struct value_moments moments = {.min = UINT64_MAX};

    for (size_t i = 0; i < count; i++) {
        uint128 square = (uint128)values[i] * values[i];

        moments.min = values[i] < moments.min ? values[i] : moments.min;
        moments.max = values[i] > moments.max ? values[i] : moments.max;
        moments.sum += values[i];
        moments.square_low += (uint64_t)square;
        moments.square_high += (uint64_t)(square >> 64);
    }
    *ret_moments = moments;
}

/* Values below 2^32: everything in 64 bits, so that the compiler can take several values at a time. */
FORCE_INLINE void sum_narrow(struct value_moments *ret_moments, const uint64_t *values,
                             size_t count)
{
    uint64_t min = UINT64_MAX;
    uint64_t max = 0;
    uint64_t sum = 0;
    uint64_t low = 0;
    uint64_t high = 0;

    for (size_t i = 0; i < count; i++) {
        uint64_t square = (uint64_t)(uint32_t)values[i] * (uint32_t)values[i];

        min = values[i] < min ? values[i] : min;
        max = values[i] > max ? values[i] : max;
        sum += values[i];
        low += (uint32_t)square;
        high += square >> 32;
    }
    *ret_moments = (struct value_moments){
        .min = min, .max = max, .sum = sum, .square_low = low + ((uint128)high << 32)};
}

FORCE_INLINE void sum_values(struct value_moments *ret_moments, const uint64_t *values,
                             size_t count)
{
    uint64_t bits = 0;

    for (size_t i = 0; i < count; i++) {
        bits |= values[i];
    }
    if (bits <= UINT32_MAX) {
        sum_narrow(ret_moments, values, count);
    } else {
        sum_wide(ret_moments, values, count);
    }
}

#if defined(__x86_64__)

__attribute__((target("avx2"))) static void sum_values_avx2(struct value_moments *ret_moments,
                                                            const uint64_t *values, size_t count)
{
    sum_values(ret_moments, values, count);
}

void value_moments_of(struct value_moments *ret_moments, const uint64_t *values, size_t count)
{
    if (__builtin_cpu_supports("avx2")) {
        sum_values_avx2(ret_moments, values, count);
    } else {
        sum_values(ret_moments, values, count);
    }
}

#else

void value_moments_of(struct value_moments *ret_moments, const uint64_t *values, size_t count)
{
    sum_values(ret_moments, values, count);
}

#endif
