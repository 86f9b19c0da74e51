#include "blame_tally.h"
#include "coarse_buckets.h"

#include <criterion/criterion.h>
#include <string.h>

static struct blame_list runs = {.limit = BLAME_RUN_LIMIT};
static struct blame_list waits = {.limit = BLAME_WAIT_LIMIT};
static struct blame_tally tally;

static void release(void)
{
    blame_list_release(&runs);
    blame_list_release(&waits);
    blame_tally_release(&tally);
}

TestSuite(blame_tally, .fini = release);

static void add(struct blame_list *list, uint64_t serial, uint32_t name, uint64_t begin_ns,
                uint64_t length_ns)
{
    const struct blame_row row = {.begin_ns = begin_ns,
                                  .length_ns = length_ns,
                                  .duration_ns = 2 * length_ns,
                                  .serial = serial,
                                  .name = name};

    cr_assert_eq(blame_list_add(list, &row), 0);
}

static void join(void)
{
    blame_list_finish(&runs);
    blame_list_finish(&waits);
    cr_assert_eq(blame_tally_join(&tally, &runs, &waits), 0);
}

static const struct blame_pair *pair_of(const struct blame_tally *of, uint32_t holder,
                                        uint32_t delayed)
{
    for (size_t i = 0; i < of->pair_count; i++) {
        if (of->pairs[i].holder == holder && of->pairs[i].delayed == delayed) {
            return &of->pairs[i];
        }
    }
    return NULL;
}

Test(blame_tally, delay_is_what_run_and_wait_have_in_common)
{
    static const struct {
        uint64_t begin_ns;
        uint64_t length_ns;
        uint64_t delay_ns;
    } cases[] = {
        {500, 400, 0}, /* before */
        {500, 500, 0}, /* up to its begin */
        {500, 501, 1},    {500, 5000, 1000}, {1000, 1000, 1000},
        {1500, 100, 100}, {1999, 50, 1},     {2000, 50, 0}, /* behind */
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        release();
        add(&runs, 7, 1, 1000, 1000);
        add(&waits, 7, 2, cases[i].begin_ns, cases[i].length_ns);
        add(&waits, 8, 2, cases[i].begin_ns, cases[i].length_ns); /* ended by another thread */
        join();
        cr_expect_eq(tally.pair_count, cases[i].delay_ns > 0, "case %zu", i);
        if (tally.pair_count > 0) {
            cr_expect(tally.pairs[0].delay_ns == cases[i].delay_ns, "case %zu", i);
            cr_expect_eq(tally.pairs[0].delays, 1);
            cr_expect_eq(tally.pairs[0].cell_count, 1);
            cr_expect_eq(tally.pairs[0].cells[0].bucket, coarse_bucket_of(2 * cases[i].length_ns));
            cr_expect_eq(tally.pairs[0].exemplars[0].delay_ns, cases[i].delay_ns);
        }
    }
}

Test(blame_tally, a_long_wait_that_began_early_is_found_behind_short_ones)
{
    add(&waits, 1, 5, 0, 100000);
    for (uint64_t i = 1; i < 100; i++) {
        add(&waits, 1, 6, i * 100, 10);
    }
    add(&runs, 1, 9, 50000, 1000);
    join();
    cr_assert_eq(tally.pair_count, 1);
    cr_assert(pair_of(&tally, 9, 5)->delay_ns == 1000);
}

Test(blame_tally, nobody_is_held_up_by_himself)
{
    const struct blame_row run = {
        .begin_ns = 10, .length_ns = 10, .serial = 1, .id = 77, .name = 3};

    cr_assert_eq(blame_list_add(&runs, &run), 0);
    cr_assert_eq(blame_list_add(&waits, &run), 0);
    join();
    cr_assert_eq(tally.pair_count, 0);
    cr_assert_eq(tally.runs, 1);
    cr_assert_eq(tally.waits, 1);
}

Test(blame_tally, the_runs_with_most_delay_are_kept)
{
    for (uint64_t i = 0; i < 10; i++) {
        add(&runs, 1, 4, 1000 * i, 100);
        for (uint64_t k = 0; k <= (i * 7) % 10; k++) {
            add(&waits, 1, 5, 1000 * i, 50);
        }
    }
    join();

    const struct blame_pair *pair = pair_of(&tally, 4, 5);

    cr_assert_eq(pair->delays, 55);
    cr_assert_eq(pair->exemplar_count, BLAME_EXEMPLARS);
    for (uint64_t i = 0; i < BLAME_EXEMPLARS; i++) {
        cr_expect_eq(pair->exemplars[i].delayed, 10 - i);
        cr_expect_eq(pair->exemplars[i].delay_ns, 50 * (10 - i));
    }
}

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
    return *state >> 33;
}

static struct blame_row random_row(uint64_t *state)
{
    return (struct blame_row){.begin_ns = next_random(state) % 100000,
                              .length_ns = next_random(state) % 3000,
                              .duration_ns = next_random(state) % 100000,
                              .serial = next_random(state) % 3,
                              .name = (uint32_t)(next_random(state) % 4),
                              .row = (uint32_t)next_random(state)};
}

static uint64_t overlap(const struct blame_row *a, const struct blame_row *b)
{
    uint64_t begin_ns = max_u64(a->begin_ns, b->begin_ns);
    uint64_t end_ns = min_u64(a->begin_ns + a->length_ns, b->begin_ns + b->length_ns);

    return a->serial == b->serial && end_ns > begin_ns ? end_ns - begin_ns : 0;
}

/* Every run with every wait. */
Test(blame_tally, finds_what_a_plain_search_finds)
{
    uint64_t sums[4][4] = {{0}};
    uint64_t state = 1;

    for (int i = 0; i < 300; i++) {
        const struct blame_row run = random_row(&state);
        const struct blame_row wait = random_row(&state);

        cr_assert_eq(blame_list_add(&runs, &run), 0);
        cr_assert_eq(blame_list_add(&waits, &wait), 0);
    }
    for (size_t i = 0; i < runs.count; i++) {
        for (size_t k = 0; k < waits.count; k++) {
            sums[runs.rows[i].name][waits.rows[k].name] += overlap(&runs.rows[i], &waits.rows[k]);
        }
    }
    join();
    cr_assert_eq(tally.pair_count, 16);
    for (uint32_t i = 0; i < 4; i++) {
        for (uint32_t k = 0; k < 4; k++) {
            cr_expect(pair_of(&tally, i, k)->delay_ns == sums[i][k], "%u %u", i, k);
        }
    }
}

static void expect_same(const struct blame_tally *a, const struct blame_tally *b)
{
    cr_assert_eq(a->pair_count, b->pair_count);
    cr_assert_eq(a->runs, b->runs);
    cr_assert_eq(a->waits, b->waits);
    for (size_t i = 0; i < a->pair_count; i++) {
        const struct blame_pair *left = &a->pairs[i];
        const struct blame_pair *right = &b->pairs[i];

        cr_assert_eq(left->holder, right->holder);
        cr_assert_eq(left->delayed, right->delayed);
        cr_assert(left->delay_ns == right->delay_ns);
        cr_assert_eq(left->delays, right->delays);
        cr_assert_eq(left->cell_count, right->cell_count);
        for (size_t k = 0; k < left->cell_count; k++) {
            cr_assert_eq(left->cells[k].bucket, right->cells[k].bucket);
            cr_assert(left->cells[k].delay_ns == right->cells[k].delay_ns);
        }
        cr_assert_eq(left->exemplar_count, right->exemplar_count);
        cr_assert_eq(memcmp(left->exemplars, right->exemplars,
                            left->exemplar_count * sizeof(left->exemplars[0])),
                     0);
    }
}

/* Sessions are joined one by one and merged as they end: in any order the same comes out. */
Test(blame_tally, merging_in_any_order_leaves_the_same_tally)
{
    struct blame_tally sessions[5] = {0};
    struct blame_tally backwards = {0};
    uint64_t state = 2;

    for (int session = 0; session < 5; session++) {
        struct blame_list some_runs = {.limit = 20};
        struct blame_list some_waits = {.limit = 30};

        for (int i = 0; i < 100; i++) {
            const struct blame_row run = random_row(&state);
            const struct blame_row wait = random_row(&state);

            cr_assert_eq(blame_list_add(&some_runs, &run), 0);
            cr_assert_eq(blame_list_add(&some_waits, &wait), 0);
        }
        blame_list_finish(&some_runs);
        blame_list_finish(&some_waits);
        cr_assert_eq(blame_tally_join(&sessions[session], &some_runs, &some_waits), 0);
        cr_assert_eq(sessions[session].runs_left_out, 80);
        cr_assert_eq(sessions[session].waits_left_out, 70);
        blame_list_release(&some_runs);
        blame_list_release(&some_waits);
    }
    for (int i = 0; i < 5; i++) {
        cr_assert_eq(blame_tally_merge(&tally, &sessions[i]), 0);
        cr_assert_eq(blame_tally_merge(&backwards, &sessions[4 - i]), 0);
    }
    expect_same(&tally, &backwards);
    cr_assert_eq(tally.runs, 500);
    cr_assert_gt(blame_tally_memory_bytes(&tally), 0);
    for (int i = 0; i < 5; i++) {
        blame_tally_release(&sessions[i]);
    }
    blame_tally_release(&backwards);
}

/* A list of a worker that got some frames, and of one that got the others, hold what one list would. */
Test(blame_tally, the_longest_rows_are_kept_whatever_the_order)
{
    struct blame_list all = {.limit = 40};
    struct blame_list halves[2] = {{.limit = 40}, {.limit = 40}};
    uint64_t state = 3;

    for (int i = 0; i < 1000; i++) {
        const struct blame_row row = random_row(&state);

        cr_assert_eq(blame_list_add(&all, &row), 0);
        cr_assert_eq(blame_list_add(&halves[next_random(&state) % 2], &row), 0);
    }
    cr_assert_eq(blame_list_merge(&halves[1], &halves[0]), 0);
    blame_list_finish(&all);
    blame_list_finish(&halves[1]);
    cr_assert_eq(all.count, 40);
    cr_assert_eq(halves[1].count, 40);
    cr_assert_eq(halves[1].added, 1000);
    cr_assert_arr_eq(all.rows, halves[1].rows, 40 * sizeof(all.rows[0]));
    blame_list_release(&all);
    blame_list_release(&halves[0]);
    blame_list_release(&halves[1]);
}
