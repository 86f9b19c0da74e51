#include "log_codes.h"
#include "operation_rows.h"

#include <criterion/criterion.h>

enum { NAMES = 7, COUNT = 1003 };

/* Rows of a few names, one of them without any, most of the same. */
static void fill(struct batch *batch, uint32_t count, bool are_all_ok)
{
    struct batch_operations *operations = &batch->operations;

    batch_clear(batch);
    cr_assert_eq(batch_reserve_names(batch, NAMES), 0);
    cr_assert_eq(batch_reserve_operations(batch, count), 0);
    batch->name_count = NAMES;
    operations->count = count;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t name = i * i % 11;

        operations->name[i] = (uint16_t)(name >= NAMES || name == 2 ? 5 : name);
        operations->begin_ns[i] = 1000 + 3ULL * i;
        operations->duration_ns[i] = 1ULL << i % 60;
        operations->status[i] = are_all_ok ? STATUS_OK : (uint8_t)(i % STATUS_COUNT);
    }
}

/* What the head says: nothing, the truth, the same sum in other places, or too much. */
enum claim { CLAIM_NOTHING, CLAIM_TRUTH, CLAIM_OTHERS, CLAIM_TOO_MUCH, CLAIM_COUNT };

static void claim_rows(struct batch *batch, enum claim claim)
{
    for (uint32_t name = 0; name < NAMES; name++) {
        batch->names[name].kind = name == 2 ? NAME_GAUGE : NAME_OPERATION;
        batch->names[name].rows = name == 2 ? 1000 : 0;
    }
    for (uint32_t i = 0; i < batch->operations.count && claim != CLAIM_NOTHING; i++) {
        uint16_t name = claim == CLAIM_OTHERS ? (uint16_t)(i % 2) : batch->operations.name[i];

        batch->names[name].rows++;
    }
    batch->names[6].rows = claim == CLAIM_TOO_MUCH ? UINT64_MAX : batch->names[6].rows;
}

static void check_run(const struct batch *batch, const struct operation_run *run, uint32_t name)
{
    const struct batch_operations *operations = &batch->operations;

    for (size_t i = 0; i < run->count; i++) {
        uint16_t row = run->rows[i];

        cr_assert(i == 0 || run->rows[i - 1] < row);
        cr_assert_eq(operations->name[row], name);
        cr_assert_eq(run->durations_ns[i], operations->duration_ns[row]);
        cr_assert_eq(run->codes[i], log_code_of(operations->duration_ns[row]));
        cr_assert_eq(run->statuses[i], operations->status[row]);
        cr_assert_eq(run->begins_ns[i], operations->begin_ns[row]);
    }
}

Test(operation_rows, every_row_stands_with_its_name_and_in_order)
{
    static const uint32_t counts[] = {0, 1, 2, 3, 4, 5, 100, COUNT, 7};
    struct operation_rows rows = {0};
    struct batch batch;

    batch_init(&batch);
    for (size_t i = 0; i < ARRAY_SIZE(counts) * CLAIM_COUNT; i++) {
        uint32_t count = counts[i % ARRAY_SIZE(counts)];
        size_t found = 0;

        fill(&batch, count, i % 2 == 0);
        claim_rows(&batch, (enum claim)(i / ARRAY_SIZE(counts)));
        cr_assert_eq(operation_rows_sort(&rows, &batch), 0);
        for (uint32_t name = 0; name < NAMES; name++) {
            struct operation_run run = operation_rows_gather(&rows, name);

            cr_assert_eq(run.count, operation_rows_count(&rows, name));
            cr_assert_null(run.begins_ns);
            operation_rows_gather_begins(&rows, &run);
            check_run(&batch, &run, name);
            found += run.count;
        }
        cr_assert_eq(found, count);
    }
    batch_release(&batch);
    operation_rows_release(&rows);
}

Test(operation_rows, a_whole_batch_of_one_name_fits)
{
    struct operation_rows rows = {0};
    struct batch batch;

    batch_init(&batch);
    cr_assert_eq(batch_reserve_names(&batch, 1), 0);
    cr_assert_eq(batch_reserve_operations(&batch, BATCH_MAX_OPERATIONS), 0);
    batch.name_count = 1;
    batch.operations.count = BATCH_MAX_OPERATIONS;
    for (uint32_t i = 0; i < BATCH_MAX_OPERATIONS; i++) {
        batch.operations.name[i] = 0;
        batch.operations.duration_ns[i] = i;
        batch.operations.status[i] = STATUS_OK;
    }
    cr_assert_eq(operation_rows_sort(&rows, &batch), 0);

    struct operation_run run = operation_rows_gather(&rows, 0);

    cr_assert_eq(run.count, BATCH_MAX_OPERATIONS);
    for (uint32_t i = 0; i < BATCH_MAX_OPERATIONS; i++) {
        cr_assert_eq(run.rows[i], i);
        cr_assert_eq(run.durations_ns[i], i);
    }
    batch_release(&batch);
    operation_rows_release(&rows);
}
