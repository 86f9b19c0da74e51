#include "log_codes.h"

enum {
    BLOCK = 512, /* values that are coded again if one of them is too great */
    DOUBLE_MANTISSA_BITS = 52,
    DOUBLE_BIAS = 1023,
};

static void code_any(uint16_t *restrict ret_codes, const uint64_t *restrict values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ret_codes[i] = log_code_of(values[i]);
    }
}

#if defined(__x86_64__)

#include <immintrin.h>

/*
 * Four values below 2^52: a double's exponent and the first bits of its mantissa are the code already, but for a constant,
 * and no value of that size is rounded. Those below 2^8 are left as they are.
 */
__attribute__((target("avx2"))) static inline __m256i code_four(const uint64_t *values,
                                                                __m256i *all_bits)
{
    const __m256i two_to_52 =
        _mm256_set1_epi64x((long long)(DOUBLE_BIAS + DOUBLE_MANTISSA_BITS) << DOUBLE_MANTISSA_BITS);
    const __m256i bias = _mm256_set1_epi64x((DOUBLE_BIAS + LOG_CODE_BITS - 1) << LOG_CODE_BITS);
    const __m256i linear_below = _mm256_set1_epi64x(LOG_CODES_PER_OCTAVE);
    __m256i integers = _mm256_loadu_si256((const __m256i *)(const void *)values);

    *all_bits = _mm256_or_si256(*all_bits, integers);

    __m256d reals = _mm256_sub_pd(_mm256_castsi256_pd(_mm256_or_si256(integers, two_to_52)),
                                  _mm256_castsi256_pd(two_to_52));
    __m256i codes = _mm256_sub_epi64(
        _mm256_srli_epi64(_mm256_castpd_si256(reals), DOUBLE_MANTISSA_BITS - LOG_CODE_BITS), bias);

    return _mm256_blendv_epi8(codes, integers, _mm256_cmpgt_epi64(linear_below, integers));
}

/* Sixteen values below 2^52. */
__attribute__((target("avx2"))) static inline void code_sixteen(uint16_t *ret_codes,
                                                                const uint64_t *values,
                                                                __m256i *all_bits)
{
    __m256i narrow[2];

    for (size_t half = 0; half < 2; half++) {
        /* Even places hold the first four, odd ones the second four. */
        __m256i first = code_four(values + 8 * half, all_bits);
        __m256i second = code_four(values + 8 * half + 4, all_bits);
        __m256 packed = _mm256_shuffle_ps(_mm256_castsi256_ps(first), _mm256_castsi256_ps(second),
                                          _MM_SHUFFLE(2, 0, 2, 0));

        narrow[half] =
            _mm256_permute4x64_epi64(_mm256_castps_si256(packed), _MM_SHUFFLE(3, 1, 2, 0));
    }
    _mm256_storeu_si256((__m256i *)(void *)ret_codes,
                        _mm256_permute4x64_epi64(_mm256_packus_epi32(narrow[0], narrow[1]),
                                                 _MM_SHUFFLE(3, 1, 2, 0)));
}

/* Codes as if all values were below 2^52; if that turns out to be wrong, again. */
__attribute__((target("avx2"))) static void code_block_avx2(uint16_t *restrict ret_codes,
                                                            const uint64_t *restrict values,
                                                            size_t count)
{
    const __m256i wide = _mm256_set1_epi64x(-(1LL << DOUBLE_MANTISSA_BITS));
    __m256i all_bits = _mm256_setzero_si256();
    size_t done = 0;

    for (; done + 16 <= count; done += 16) {
        code_sixteen(ret_codes + done, values + done, &all_bits);
    }
    if (!_mm256_testz_si256(all_bits, wide)) {
        done = 0;
    }
    code_any(ret_codes + done, values + done, count - done);
}

void log_codes_of(uint16_t *restrict ret_codes, const uint64_t *restrict values, size_t count)
{
    if (!__builtin_cpu_supports("avx2")) {
        code_any(ret_codes, values, count);
        return;
    }
    for (size_t done = 0; done < count; done += BLOCK) {
        code_block_avx2(ret_codes + done, values + done, min_u64(count - done, BLOCK));
    }
}

#else

void log_codes_of(uint16_t *restrict ret_codes, const uint64_t *restrict values, size_t count)
{
    code_any(ret_codes, values, count);
}

#endif
