#include "value_sort.h"

#include <stdbool.h>
#include <string.h>

enum {
    DIGIT_BITS = 8,
    DIGITS = 256,
    VALUE_BITS = 64,
    INSERTION_MAX = 32, /* below that counting 256 digits costs more than it saves */
};

static void sort_by_insertion(uint64_t *values, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        uint64_t value = values[i];
        size_t at = i;

        for (; at > 0 && values[at - 1] > value; at--) {
            values[at] = values[at - 1];
        }
        values[at] = value;
    }
}

/* Distributes by one digit, keeping the order of equal ones. */
static void distribute(const uint64_t *from, uint64_t *to, size_t count, unsigned int shift)
{
    size_t next[DIGITS] = {0};
    size_t begin = 0;

    for (size_t i = 0; i < count; i++) {
        next[(from[i] >> shift) % DIGITS]++;
    }
    for (size_t digit = 0; digit < DIGITS; digit++) {
        size_t size = next[digit];

        next[digit] = begin;
        begin += size;
    }
    for (size_t i = 0; i < count; i++) {
        to[next[(from[i] >> shift) % DIGITS]++] = from[i];
    }
}

static uint64_t differing_bits(const uint64_t *values, size_t count)
{
    uint64_t differing = 0;

    for (size_t i = 1; i < count; i++) {
        differing |= values[i] ^ values[0];
    }
    return differing;
}

void value_sort(uint64_t *values, size_t count, uint64_t *spare)
{
    if (count <= INSERTION_MAX) {
        sort_by_insertion(values, count);
        return;
    }

    uint64_t differing = differing_bits(values, count);
    uint64_t *from = values;
    uint64_t *to = spare;

    for (unsigned int shift = 0; shift < VALUE_BITS; shift += DIGIT_BITS) {
        if ((differing >> shift) % DIGITS != 0) {
            uint64_t *sorted = to;

            distribute(from, to, count, shift);
            to = from;
            from = sorted;
        }
    }
    if (from != values) {
        memcpy(values, from, count * sizeof(*values));
    }
}
