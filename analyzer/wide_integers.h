/*
 * Unsigned integers of any width, for sums that must be exact: arrays of 64-bit limbs, the least significant first.
 *
 * Pure. Whoever calls sees to it that results fit; what does not is cut off at the top.
 */
#pragma once

#include "base.h"

#include <stdbool.h>

__extension__ typedef unsigned __int128 uint128;

/* Adds value * 2^shift_bits. Threads: any, as all functions here. */
void wide_add(uint64_t *sum, size_t limb_count, uint128 value, size_t shift_bits);

/* sum += added, both of limb_count limbs. */
void wide_add_wide(uint64_t *sum, const uint64_t *added, size_t limb_count);

/* from -= subtracted, both of limb_count limbs. Returns true if that is below 0; from then holds it modulo 2^(64 limb_count). */
bool wide_subtract(uint64_t *from, const uint64_t *subtracted, size_t limb_count);

/* Writes a * b into a_count + b_count limbs, which are neither a's nor b's. */
void wide_multiply(uint64_t *ret_product, const uint64_t *a, size_t a_count, const uint64_t *b,
                   size_t b_count);

/*
 * Turns it into a fraction and a power of two, as frexp().
 *
 * Returns:  a fraction in [1/2, 1], off by less than 2^-52 of itself; value = fraction * 2^*ret_exponent. 0 is 0 * 2^0.
 */
double wide_to_fraction(const uint64_t *limbs, size_t limb_count, int *ret_exponent);
