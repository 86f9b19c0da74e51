#include "row_order.h"

#include <criterion/criterion.h>
#include <errno.h>

struct row {
    uint64_t time;
    uint16_t place;
};

static int compare(const void *a, const void *b)
{
    const struct row *left = a;
    const struct row *right = b;

    if (left->time != right->time) {
        return left->time < right->time ? -1 : 1;
    }
    return left->place < right->place ? -1 : 1;
}

/* Each makes the times of one kind of input. */
static uint64_t times_in_order(uint64_t i, uint64_t random)
{
    return 1000 * i + random % 1000;
}

static uint64_t times_nearly_in_order(uint64_t i, uint64_t random)
{
    return UINT64_C(1) << 60 | (1000 * i + random % 50000);
}

static uint64_t times_with_ties(uint64_t i, uint64_t random)
{
    return i % 7 + random % 3;
}

static uint64_t times_all_equal(uint64_t i, uint64_t random)
{
    (void)i, (void)random;
    return 42;
}

static uint64_t times_in_reverse(uint64_t i, uint64_t random)
{
    (void)random;
    return 1000000 - i;
}

static uint64_t times_just_in_a_key(uint64_t i, uint64_t random)
{
    return i == 1 ? 0 : i == 0 ? (UINT64_C(1) << 48) - 1 : random >> 16;
}

static uint64_t times_just_not_in_a_key(uint64_t i, uint64_t random)
{
    return i == 1 ? 0 : i == 0 ? UINT64_C(1) << 48 : random >> 16;
}

static uint64_t times_of_all_bits(uint64_t i, uint64_t random)
{
    return i == 0 ? UINT64_MAX : i == 1 ? 0 : random % 5 == 0 ? UINT64_MAX : random;
}

/* As of two threads that ended the same number of operations at the same time, drained one after the other. */
static uint64_t times_of_two_threads(uint64_t i, uint64_t random)
{
    return 1000 * (i / 512 * 256 + i % 256) + random % 1000;
}

/* Two runs: the second one begins within the first and ends behind it, or within, or before it begins. */
static uint64_t times_that_begin_again(uint64_t i, uint64_t random)
{
    (void)random;
    return i < 150 ? i : i - 100;
}

static uint64_t times_inside_others(uint64_t i, uint64_t random)
{
    (void)random;
    return i < 150 ? 10 * i : 500 + i;
}

static uint64_t times_before_others(uint64_t i, uint64_t random)
{
    (void)random;
    return i < 150 ? 1000000 + i : i;
}

/* 32 runs of 65,536 rows, and one more: as many as are merged, and the fewest that are not. */
static uint64_t times_of_most_runs(uint64_t i, uint64_t random)
{
    return i % 2048 * 1000 + random % 1000;
}

static uint64_t times_of_too_many_runs(uint64_t i, uint64_t random)
{
    return i % 1986 * 1000 + random % 1000;
}

static void check(struct row_order *order, uint64_t (*make)(uint64_t, uint64_t), size_t count)
{
    static struct row rows[ROW_ORDER_MAX];
    uint64_t random = count + 1;

    cr_assert_eq(row_order_reserve(order, count), 0);
    for (size_t i = 0; i < count; i++) {
        random = random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
        rows[i] = (struct row){make(i, random ^ random >> 32), (uint16_t)i};
        order->times[i] = rows[i].time;
    }
    qsort(rows, count, sizeof(rows[0]), compare);
    row_order_sort(order, count);
    for (size_t i = 0; i < count; i++) {
        cr_assert_eq(order->times[i], rows[i].time, "%zu rows, place %zu", count, i);
        cr_assert_eq(order->rows[i], rows[i].place, "%zu rows, place %zu", count, i);
    }
}

Test(row_order, sorts_as_qsort_does_and_keeps_the_order_of_ties)
{
    static uint64_t (*const kinds[])(uint64_t, uint64_t) = {
        times_in_order,       times_nearly_in_order,  times_with_ties,         times_all_equal,
        times_in_reverse,     times_just_in_a_key,    times_just_not_in_a_key, times_of_all_bits,
        times_of_two_threads, times_that_begin_again, times_inside_others,     times_before_others,
        times_of_most_runs,   times_of_too_many_runs,
    };
    static const size_t counts[] = {0, 1, 2, 3, 7, 255, 256, 257, 511, 1000, 4097, 65535, 65536, 2};
    struct row_order order = {0};

    for (size_t kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
        for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
            check(&order, kinds[kind], counts[i]);
        }
    }
    row_order_release(&order);
}

Test(row_order, refuses_more_rows_than_a_batch_has)
{
    struct row_order order = {0};

    cr_assert_eq(row_order_reserve(&order, ROW_ORDER_MAX + 1), -E2BIG);
    cr_assert_eq(order.capacity, 0);
    row_order_sort(&order, 0); /* nothing is nothing */
    row_order_release(&order);
}
