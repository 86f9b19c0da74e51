#include "slowest.h"

#include "test_values.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

enum { COUNT = 3000 };

static int calls_until_failure = -1; /* below 0: none fails */

/* The linker's --wrap sends calls of reallocarray() here. */
void *__real_reallocarray(void *memory, size_t count, size_t size);
void *__wrap_reallocarray(void *memory, size_t count, size_t size);

void *__wrap_reallocarray(void *memory, size_t count, size_t size)
{
    return calls_until_failure >= 0 && calls_until_failure-- == 0
               ? NULL
               : __real_reallocarray(memory, count, size);
}

/* Different operations with few different durations, begins, sessions and sequences, so that each of them decides sometimes. */
static struct slow_operation operation_of(uint64_t number, uint64_t durations)
{
    uint64_t state = number + 1;
    uint64_t random = test_random(&state) >> 8;
    struct slow_operation operation = {.duration_ns = random % durations, .row = (uint32_t)number};

    operation.begin_realtime_ns = random / 1000 % 3;
    operation.session[0] = (uint8_t)(random / 3000 % 3);
    operation.session[15] = (uint8_t)(random / 9000 % 200);
    operation.sequence = random / 2000000 % 3;
    return operation;
}

/* The order as the header says it. */
static int expected_order(const void *left, const void *right)
{
    const struct slow_operation *a = left;
    const struct slow_operation *b = right;
    int sessions = memcmp(a->session, b->session, SESSION_ID_BYTES);

    if (a->duration_ns != b->duration_ns) {
        return a->duration_ns > b->duration_ns ? -1 : 1;
    }
    if (a->begin_realtime_ns != b->begin_realtime_ns) {
        return a->begin_realtime_ns < b->begin_realtime_ns ? -1 : 1;
    }
    if (sessions != 0) {
        return sessions;
    }
    if (a->sequence != b->sequence) {
        return a->sequence < b->sequence ? -1 : 1;
    }
    return a->row < b->row ? -1 : a->row > b->row;
}

static void check(struct slowest *slowest, const struct slow_operation *sorted, size_t count)
{
    slowest_sort(slowest);
    cr_assert_eq(slowest->count, min_u64(count, slowest->limit));
    for (size_t i = 0; i < slowest->count; i++) {
        cr_assert_eq(memcmp(&slowest->heap[i], &sorted[i], sizeof(sorted[i])), 0, "place %zu", i);
    }
}

static void fill(struct slow_operation *ret_operations, uint64_t durations)
{
    for (uint64_t i = 0; i < COUNT; i++) {
        ret_operations[i] = operation_of(i, durations);
    }
}

Test(slowest, keeps_the_slowest_in_their_order)
{
    static const size_t limits[] = {0, 1, 2, 3, 100, 1000, COUNT - 1, COUNT, COUNT + 1};
    static struct slow_operation operations[COUNT];

    for (size_t i = 0; i < ARRAY_SIZE(limits) * 3; i++) {
        struct slowest slowest = {.limit = limits[i / 3]};

        fill(operations, (const uint64_t[]){1, 10, 1ULL << 40}[i % 3]);
        for (size_t k = 0; k < COUNT; k++) {
            cr_assert_eq(slowest_add(&slowest, &operations[k]), 0);
            cr_assert_leq(slowest.capacity, slowest.limit);
        }
        qsort(operations, COUNT, sizeof(operations[0]), expected_order);
        check(&slowest, operations, COUNT);
        slowest_release(&slowest);
    }
}

Test(slowest, none_of_none_is_none)
{
    struct slowest slowest = {.limit = 10};
    struct slowest other = {.limit = 10};

    cr_assert_eq(slowest_merge(&slowest, &other), 0);
    slowest_sort(&slowest);
    cr_assert_eq(slowest.count, 0);
    slowest_release(&slowest);
    slowest_release(&other);
}

Test(slowest, merging_in_any_order_keeps_the_same)
{
    enum { PARTS = 8 };
    static struct slow_operation operations[COUNT];
    static struct slow_operation sorted[COUNT];
    uint64_t state = 1;

    fill(operations, 10);
    memcpy(sorted, operations, sizeof(sorted));
    qsort(sorted, COUNT, sizeof(sorted[0]), expected_order);
    for (int round = 0; round < 20; round++) {
        struct slowest parts[PARTS];

        for (size_t i = 0; i < PARTS; i++) {
            parts[i] = (struct slowest){.limit = 100};
        }
        for (size_t i = 0; i < COUNT; i++) {
            cr_assert_eq(slowest_add(&parts[test_random(&state) % PARTS], &operations[i]), 0);
        }
        for (size_t left = PARTS; left > 1; left--) {
            cr_assert_eq(slowest_merge(&parts[test_random(&state) % (left - 1)], &parts[left - 1]),
                         0);
            slowest_release(&parts[left - 1]);
        }
        check(&parts[0], sorted, COUNT);
        slowest_release(&parts[0]);
    }
}

/* What slowest_wants() turns away changes nothing; what it lets through may. */
Test(slowest, wants_all_that_it_would_keep)
{
    static struct slow_operation operations[COUNT];
    struct slowest all = {.limit = 50};
    struct slowest wanted = {.limit = 50};
    struct slowest nothing = {.limit = 0};
    size_t turned_away = 0;

    fill(operations, 1000);
    cr_assert_not(slowest_wants(&nothing, UINT64_MAX));
    for (size_t i = 0; i < COUNT; i++) {
        cr_assert_eq(slowest_add(&all, &operations[i]), 0);
        if (slowest_wants(&wanted, operations[i].duration_ns)) {
            cr_assert_eq(slowest_add(&wanted, &operations[i]), 0);
        } else {
            turned_away++;
        }
    }
    slowest_sort(&all);
    slowest_sort(&wanted);
    cr_assert_eq(memcmp(all.heap, wanted.heap, 50 * sizeof(*all.heap)), 0);
    cr_assert_gt(turned_away, COUNT / 2);
    slowest_release(&all);
    slowest_release(&wanted);
}

Test(slowest, says_when_memory_is_out)
{
    static struct slow_operation operations[COUNT];
    int calls = -1;
    int r;

    fill(operations, 1000);
    do {
        struct slowest slowest = {.limit = 100};

        r = 0;
        calls_until_failure = ++calls;
        for (size_t i = 0; r == 0 && i < COUNT; i++) {
            r = slowest_add(&slowest, &operations[i]);
        }
        calls_until_failure = -1;
        cr_assert(r == -ENOMEM || r == 0);
        slowest_release(&slowest);
    } while (r < 0);
    cr_assert_eq(calls, 4); /* 16, 32, 64, 100 */
}
