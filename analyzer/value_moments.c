#include "value_moments.h"

#include <stdbool.h>

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

#if defined(__x86_64__)

#include <immintrin.h>

enum { LANES = 4 };

/* As values below 2^32 lie in 64 bits: sums need no look at carries. */
struct narrow_sums {
    __m256i min;
    __m256i max;
    __m256i sum;
    __m256i square_low; /* of the squares' low and high halves */
    __m256i square_high;
    __m256i all_bits;
};

__attribute__((target("avx2"))) static inline void add_four(struct narrow_sums *sums,
                                                            __m256i values)
{
    const __m256i low_half = _mm256_set1_epi64x(UINT32_MAX);
    __m256i squares = _mm256_mul_epu32(values, values);

    sums->min = _mm256_min_epu32(sums->min, values);
    sums->max = _mm256_max_epu32(sums->max, values);
    sums->sum = _mm256_add_epi64(sums->sum, values);
    sums->square_low = _mm256_add_epi64(sums->square_low, _mm256_and_si256(squares, low_half));
    sums->square_high = _mm256_add_epi64(sums->square_high, _mm256_srli_epi64(squares, 32));
    sums->all_bits = _mm256_or_si256(sums->all_bits, values);
}

__attribute__((target("avx2"))) static inline void lanes_of(uint64_t ret_lanes[static LANES],
                                                            __m256i four)
{
    _mm256_storeu_si256((__m256i *)(void *)ret_lanes, four);
}

/* Returns false if a value turns out to be too great. */
__attribute__((target("avx2"))) static bool sum_narrow(struct value_moments *ret_moments,
                                                       const uint64_t *values, size_t count)
{
    const __m256i zero = _mm256_setzero_si256();
    struct narrow_sums sums = {_mm256_set1_epi64x(UINT32_MAX), zero, zero, zero, zero, zero};
    uint64_t min[LANES];
    uint64_t max[LANES];
    uint64_t sum[LANES];
    uint64_t low[LANES];
    uint64_t high[LANES];
    size_t i = 0;

    for (; i + LANES <= count; i += LANES) {
        add_four(&sums, _mm256_loadu_si256((const __m256i *)(const void *)(values + i)));
    }
    if (!_mm256_testz_si256(sums.all_bits, _mm256_set1_epi64x(-(1LL << 32)))) {
        return false;
    }
    sum_wide(ret_moments, values + i, count - i);
    lanes_of(min, sums.min);
    lanes_of(max, sums.max);
    lanes_of(sum, sums.sum);
    lanes_of(low, sums.square_low);
    lanes_of(high, sums.square_high);
    for (size_t lane = 0; i > 0 && lane < LANES; lane++) {
        ret_moments->min = min[lane] < ret_moments->min ? min[lane] : ret_moments->min;
        ret_moments->max = max[lane] > ret_moments->max ? max[lane] : ret_moments->max;
        ret_moments->sum += sum[lane];
        ret_moments->square_low += low[lane] + ((uint128)high[lane] << 32);
    }
    return true;
}

void value_moments_of(struct value_moments *ret_moments, const uint64_t *values, size_t count)
{
    if (!__builtin_cpu_supports("avx2") || !sum_narrow(ret_moments, values, count)) {
        sum_wide(ret_moments, values, count);
    }
}

#else

void value_moments_of(struct value_moments *ret_moments, const uint64_t *values, size_t count)
{
    sum_wide(ret_moments, values, count);
}

#endif
