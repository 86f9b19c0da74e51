#include "part_pool.h"

#include <criterion/criterion.h>

enum { PARTS = 5 };

static struct part_pool pool;
static struct part parts[PARTS];

static void set_up(void)
{
    pool.most_open = 3;
    for (size_t i = 0; i < PARTS; i++) {
        /* Descriptors that nobody uses here; those of later parts are suspended. */
        parts[i].writer.fd = i < 3 ? 1000 : -1;
        parts[i].writer.size_bytes = 10 * (i + 1);
        part_pool_add(&pool, &parts[i]);
    }
}

TestSuite(part_pool, .init = set_up);

static void expect_order(const size_t *order, size_t count)
{
    const struct part *part = pool.first_opened;

    for (size_t i = 0; i < count; i++, part = part->opened_after) {
        cr_assert_eq(part, &parts[order[i]]);
    }
    cr_expect_null(part);
    cr_expect_eq(part_pool_count(&pool), count);
}

Test(part_pool, keeps_the_order_in_which_parts_were_opened)
{
    const size_t all[] = {0, 1, 2, 3, 4};
    const size_t rest[] = {1, 3};

    cr_assert_eq(part_pool_use(&pool, &parts[0]), 0);
    expect_order(all, 5);
    part_pool_remove(&pool, &parts[0]);
    part_pool_remove(&pool, &parts[4]);
    part_pool_remove(&pool, &parts[2]);
    expect_order(rest, 2);
    part_pool_remove(&pool, &parts[1]);
    part_pool_remove(&pool, &parts[3]);
    expect_order(rest, 0);
    cr_expect_null(pool.first_opened);
    cr_expect_null(part_pool_any(&pool));
    cr_expect_null(part_pool_largest(&pool));
}

Test(part_pool, counts_bytes_as_parts_grow_and_go)
{
    cr_expect_eq(pool.bytes, 150);
    parts[1].writer.size_bytes += 1000;
    part_pool_note_growth(&pool, &parts[1]);
    cr_expect_eq(pool.bytes, 1150);
    cr_expect_eq(part_pool_largest(&pool), &parts[1]);
    /* An End was written behind what the pool has counted. */
    parts[1].writer.size_bytes += 7;
    part_pool_remove(&pool, &parts[1]);
    cr_expect_eq(pool.bytes, 130);
    cr_expect_eq(part_pool_largest(&pool), &parts[4]);
}

Test(part_pool, suspends_those_that_were_used_longest_ago)
{
    cr_expect_null(part_pool_surplus(&pool));
    pool.most_open = 2;
    cr_assert_eq(part_pool_use(&pool, &parts[0]), 0);
    cr_expect_eq(part_pool_surplus(&pool), &parts[1]);
}
