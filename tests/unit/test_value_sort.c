#include "value_sort.h"

#include "test_values.h"

#include <criterion/criterion.h>
#include <string.h>

enum { MAX_VALUES = 5000 };

static int compare_values(const void *a, const void *b)
{
    return (*(const uint64_t *)a > *(const uint64_t *)b) -
           (*(const uint64_t *)a < *(const uint64_t *)b);
}

static void check(uint64_t *values, size_t count)
{
    static uint64_t expected[MAX_VALUES];
    static uint64_t spare[MAX_VALUES];

    memcpy(expected, values, count * sizeof(*values));
    qsort(expected, count, sizeof(*expected), compare_values);
    value_sort(values, count, spare);
    cr_assert_eq(memcmp(values, expected, count * sizeof(*values)), 0, "%zu values", count);
}

Test(value_sort, sorts_as_qsort_does)
{
    static const size_t counts[] = {0, 1, 2, 3, 31, 32, 33, 34, 255, 256, 257, MAX_VALUES};
    static uint64_t values[MAX_VALUES];
    uint64_t state = 1;

    for (size_t i = 0; i < ARRAY_SIZE(counts) * SHAPE_COUNT; i++) {
        test_values(i % SHAPE_COUNT, i, values, counts[i / SHAPE_COUNT]);
        check(values, counts[i / SHAPE_COUNT]);
        check(values, counts[i / SHAPE_COUNT]); /* sorted already */
    }
    /* An odd number of bytes that differ, all of them, and the topmost alone. */
    for (unsigned int bits = 1; bits <= 64; bits++) {
        for (size_t i = 0; i < 100; i++) {
            values[i] = test_random(&state) >> (64 - bits);
            values[i + 100] = test_random(&state) << (64 - bits);
        }
        check(values, 200);
    }
}
