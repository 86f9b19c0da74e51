#include "memory_plan.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>

enum { NAMES = 12000, WINDOWS = 1000 };

static struct name_ranks names;

/* Names with 12,000, 11,999 ... 1 times rows_per_rank operations. */
static void make_names(uint64_t rows_per_rank)
{
    char text[NAME_MAX_BYTES];

    names = (struct name_ranks){.memory_limit_bytes = GIB};
    for (uint64_t i = 0; i < NAMES; i++) {
        struct batch_name name = {.text = text, .unit = "", .kind = NAME_OPERATION};

        (void)snprintf(text, sizeof(text), "name %llu", (unsigned long long)i);
        name.rows = (NAMES - i) * rows_per_rank;
        cr_assert_eq(name_ranks_count(&names, &name), 0);
    }
    cr_assert_eq(name_ranks_rank(&names), 0);
}

static int plan(struct memory_plan *ret_plan, uint64_t memory_bytes, size_t jobs)
{
    const struct memory_wish wish = {
        .memory_bytes = memory_bytes, .jobs = jobs, .slowest_limit = 10};
    const struct memory_need need = {.window_count = WINDOWS, .plan_bytes = MIB};

    return memory_plan_make(ret_plan, &names, &wish, &need);
}

Test(memory_plan, with_enough_memory_ten_thousand_names_are_kept)
{
    struct memory_plan found;

    make_names(1);
    cr_assert_eq(plan(&found, 64 * GIB, 7), 0);
    cr_assert_eq(names.groups[GROUP_OPERATION].kept, OPERATION_NAME_LIMIT);
    cr_assert_eq(name_ranks_folded(&names, GROUP_OPERATION), NAMES - OPERATION_NAME_LIMIT);
    cr_assert_eq(found.full_windows, OPERATION_NAME_LIMIT);
    cr_assert_eq(found.counted_windows, OPERATION_NAME_LIMIT);
    cr_assert_eq(found.jobs, 7);
    name_ranks_release(&names);
}

Test(memory_plan, less_memory_keeps_less_and_never_more)
{
    struct memory_plan found;
    size_t kept = SIZE_MAX;
    size_t windows = SIZE_MAX;

    make_names(5);
    for (uint64_t memory_bytes = 4 * GIB; memory_bytes >= 64 * MIB; memory_bytes /= 2) {
        cr_assert_eq(plan(&found, memory_bytes, 1000), 0);
        cr_assert_leq(names.groups[GROUP_OPERATION].kept, kept);
        cr_assert_leq(found.full_windows, windows);
        cr_assert_leq(found.full_windows, found.counted_windows);
        cr_assert_leq(found.counted_windows, names.groups[GROUP_OPERATION].kept);
        cr_assert_geq(found.jobs, 1);
        cr_assert_lt(found.jobs, 1000);
        kept = names.groups[GROUP_OPERATION].kept;
        windows = found.full_windows;
    }
    cr_assert_lt(kept, OPERATION_NAME_LIMIT);
    name_ranks_release(&names);
}

Test(memory_plan, what_is_kept_does_not_depend_on_the_number_of_threads)
{
    static const size_t jobs[] = {1, 2, 7, 1000};
    struct memory_plan first;
    struct memory_plan found;

    make_names(3);
    cr_assert_eq(plan(&first, 128 * MIB, 1), 0);

    size_t kept = names.groups[GROUP_OPERATION].kept;

    for (size_t i = 0; i < ARRAY_SIZE(jobs); i++) {
        cr_assert_eq(plan(&found, 128 * MIB, jobs[i]), 0);
        cr_assert_eq(names.groups[GROUP_OPERATION].kept, kept);
        cr_assert_eq(found.full_windows, first.full_windows);
        cr_assert_eq(found.counted_windows, first.counted_windows);
        cr_assert_eq(found.process_limit, first.process_limit);
        cr_assert_eq(found.metric_process_limit, first.metric_process_limit);
    }
    name_ranks_release(&names);
}

Test(memory_plan, too_little_for_one_thread_is_refused)
{
    struct memory_plan found = {.jobs = 77};

    make_names(1);
    cr_assert_eq(plan(&found, 8 * MIB, 1), -E2BIG);
    cr_assert_eq(found.jobs, 77);
    name_ranks_release(&names);
}
