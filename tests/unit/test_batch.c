#include "batch.h"

#include <criterion/criterion.h>
#include <errno.h>

Test(batch, reserves_up_to_its_limits_and_no_further)
{
    static const struct {
        int (*reserve)(struct batch *batch, size_t count);
        size_t limit;
    } cases[] = {
        {batch_reserve_names, BATCH_MAX_NAMES},
        {batch_reserve_threads, BATCH_MAX_THREADS},
        {batch_reserve_operations, BATCH_MAX_OPERATIONS},
        {batch_reserve_queued, BATCH_MAX_OPERATIONS},
        {batch_reserve_attributes, BATCH_MAX_ATTRIBUTES},
        {batch_reserve_texts, BATCH_MAX_ATTRIBUTES},
        {batch_reserve_samples, BATCH_MAX_SAMPLES},
        {batch_reserve_marks, BATCH_MAX_MARKS},
        {batch_reserve_open, BATCH_MAX_OPEN},
        {batch_reserve_long_runs, BATCH_MAX_LONG_RUNS},
        {batch_reserve_losses, BATCH_MAX_LOSSES},
    };
    struct batch batch;

    batch_init(&batch);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        cr_assert_eq(cases[i].reserve(&batch, 0), 0);
        cr_assert_eq(cases[i].reserve(&batch, 1), 0);
        cr_assert_eq(cases[i].reserve(&batch, cases[i].limit), 0);
        cr_assert_eq(cases[i].reserve(&batch, cases[i].limit + 1), -E2BIG);
        cr_assert_eq(cases[i].reserve(&batch, SIZE_MAX), -E2BIG);
    }
    cr_assert_eq(batch.operations.capacity, BATCH_MAX_OPERATIONS);
    batch.operations.begin_ns[BATCH_MAX_OPERATIONS - 1] = 1;
    batch.operations.status[BATCH_MAX_OPERATIONS - 1] = 1;
    batch.names[BATCH_MAX_NAMES - 1].rows = 1;
    batch_release(&batch);
}

Test(batch, keeps_rows_when_it_grows)
{
    struct batch batch = {0};

    cr_assert_eq(batch_reserve_operations(&batch, 3), 0);
    for (uint16_t i = 0; i < 3; i++) {
        batch.operations.begin_ns[i] = i;
        batch.operations.name[i] = i;
    }
    batch.operations.count = 3;
    cr_assert_eq(batch_reserve_operations(&batch, 5000), 0);
    cr_assert_geq(batch.operations.capacity, 5000);
    for (uint16_t i = 0; i < 3; i++) {
        cr_assert_eq(batch.operations.begin_ns[i], i);
        cr_assert_eq(batch.operations.name[i], i);
    }
    batch_release(&batch);
}

Test(batch, clearing_forgets_rows_but_keeps_memory_and_id)
{
    struct batch batch = {0};
    struct sparse_rows *states = batch.operations.state_ns;

    cr_assert_eq(batch_reserve_operations(&batch, 10), 0);
    cr_assert_eq(batch_reserve_text_bytes(&batch, 10), 0);
    cr_assert_eq(sparse_rows_reserve(&states[STATE_RUNNING], 10), 0);
    batch.operations.count = 10;
    states[STATE_RUNNING].count = 10;
    batch.name_count = 1;
    batch.salvaged = true;
    batch.id.sequence = 7;
    cr_assert_not_null(batch_copy_text(&batch, "abc", 3));

    uint64_t *memory = batch.operations.begin_ns;

    batch_clear(&batch);
    cr_assert_eq(batch.operations.count, 0);
    cr_assert_eq(states[STATE_RUNNING].count, 0);
    cr_assert_eq(batch.name_count, 0);
    cr_assert_eq(batch.text_used, 0);
    cr_assert_not(batch.salvaged);
    cr_assert_eq(batch.id.sequence, 7);
    cr_assert_eq(batch.operations.begin_ns, memory);
    cr_assert_geq(batch.operations.capacity, 10);
    batch_release(&batch);
    cr_assert_null(batch.operations.begin_ns);
    batch_release(&batch); /* an empty one */
}

Test(batch, keeps_texts_as_far_as_there_is_room)
{
    struct batch batch = {0};

    cr_assert_null(batch_copy_text(&batch, "", 0));
    cr_assert_eq(batch_reserve_text_bytes(&batch, 8), 0);

    const char *first = batch_copy_text(&batch, "abcdef", 3);
    const char *second = batch_copy_text(&batch, "xyz", 3);

    cr_assert_str_eq(first, "abc");
    cr_assert_str_eq(second, "xyz");
    cr_assert_null(batch_copy_text(&batch, "", 0));
    batch_clear(&batch);
    cr_assert_str_eq(batch_copy_text(&batch, "1234567", 7), "1234567");
    batch_release(&batch);
}
