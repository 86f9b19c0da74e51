#include "wide_integers.h"

enum { LIMB_BITS = 64 };

/* Adds to one limb and returns the carry. */
static uint64_t add_limb(uint64_t *limb, uint64_t value, uint64_t carry)
{
    uint128 sum = (uint128)*limb + value + carry;

    *limb = (uint64_t)sum;
    return (uint64_t)(sum >> LIMB_BITS);
}

void wide_add(uint64_t *sum, size_t limb_count, uint128 value, size_t shift_bits)
{
    size_t at = shift_bits / LIMB_BITS;
    unsigned int shift = shift_bits % LIMB_BITS;
    uint64_t low = (uint64_t)value;
    uint64_t high = (uint64_t)(value >> LIMB_BITS);
    /* Shifted in two steps, because a shift by 64 is undefined. */
    const uint64_t parts[3] = {
        low << shift,
        high << shift | low >> 1 >> (LIMB_BITS - 1 - shift),
        high >> 1 >> (LIMB_BITS - 1 - shift),
    };
    uint64_t carry = 0;

    for (size_t i = 0; at + i < limb_count && (i < ARRAY_SIZE(parts) || carry != 0); i++) {
        carry = add_limb(&sum[at + i], i < ARRAY_SIZE(parts) ? parts[i] : 0, carry);
    }
}

void wide_add_wide(uint64_t *sum, const uint64_t *added, size_t limb_count)
{
    uint64_t carry = 0;

    for (size_t i = 0; i < limb_count; i++) {
        carry = add_limb(&sum[i], added[i], carry);
    }
}

bool wide_subtract(uint64_t *from, const uint64_t *subtracted, size_t limb_count)
{
    uint64_t borrow = 0;

    for (size_t i = 0; i < limb_count; i++) {
        uint128 difference = (uint128)from[i] - subtracted[i] - borrow;

        from[i] = (uint64_t)difference;
        borrow = (uint64_t)(difference >> LIMB_BITS) & 1;
    }
    return borrow != 0;
}

void wide_multiply(uint64_t *ret_product, const uint64_t *a, size_t a_count, const uint64_t *b,
                   size_t b_count)
{
    for (size_t i = 0; i < a_count + b_count; i++) {
        ret_product[i] = 0;
    }
    for (size_t i = 0; i < a_count; i++) {
        uint64_t carry = 0;

        for (size_t j = 0; j < b_count; j++) {
            /* At most (2^64 - 1)^2 + 2 (2^64 - 1) = 2^128 - 1. */
            uint128 step = (uint128)a[i] * b[j] + ret_product[i + j] + carry;

            ret_product[i + j] = (uint64_t)step;
            carry = (uint64_t)(step >> LIMB_BITS);
        }
        ret_product[i + b_count] = carry;
    }
}

double wide_to_fraction(const uint64_t *limbs, size_t limb_count, int *ret_exponent)
{
    size_t top = limb_count;

    while (top > 0 && limbs[top - 1] == 0) {
        top--;
    }
    *ret_exponent = 0;
    if (top == 0) {
        return 0;
    }

    unsigned int zeros = (unsigned int)__builtin_clzll(limbs[top - 1]);
    uint64_t next = top > 1 ? limbs[top - 2] : 0;
    uint64_t leading = limbs[top - 1] << zeros | next >> 1 >> (LIMB_BITS - 1 - zeros);

    *ret_exponent = (int)(top * LIMB_BITS) - (int)zeros;
    return (double)leading * 0x1p-64;
}
