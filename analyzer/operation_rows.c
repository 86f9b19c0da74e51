#include "operation_rows.h"

#include "log_codes.h"

#include <errno.h>
#include <string.h>

_Static_assert(BATCH_MAX_OPERATIONS <= UINT16_MAX + 1, "rows are numbered in 16 bits");

void operation_rows_release(struct operation_rows *rows)
{
    free(rows->starts);
    free(rows->next);
    free(rows->rows);
    free(rows->begins_ns);
    free(rows->durations_ns);
    free(rows->codes);
    free(rows->statuses);
    *rows = (struct operation_rows){0};
}

static int reserve_names(struct operation_rows *rows, size_t count)
{
    if (count <= rows->name_capacity) {
        return 0;
    }
    free(rows->starts);
    free(rows->next);
    rows->starts = malloc((count + 1) * sizeof(*rows->starts));
    rows->next = malloc(count * sizeof(*rows->next));
    rows->name_capacity = rows->starts == NULL || rows->next == NULL ? 0 : count;
    return rows->name_capacity == 0 ? -ENOMEM : 0;
}

static int reserve_rows(struct operation_rows *rows, size_t count)
{
    if (count <= rows->row_capacity) {
        return 0;
    }
    free(rows->rows);
    free(rows->begins_ns);
    free(rows->durations_ns);
    free(rows->codes);
    free(rows->statuses);
    rows->rows = malloc(2 * count * sizeof(*rows->rows)); /* twice: see put_rows() */
    rows->begins_ns = malloc(count * sizeof(*rows->begins_ns));
    rows->durations_ns = malloc(count * sizeof(*rows->durations_ns));
    rows->codes = malloc(count * sizeof(*rows->codes));
    rows->statuses = malloc(count * sizeof(*rows->statuses));

    bool is_whole = rows->rows != NULL && rows->begins_ns != NULL && rows->durations_ns != NULL &&
                    rows->codes != NULL && rows->statuses != NULL;

    rows->row_capacity = is_whole ? count : 0;
    return is_whole ? 0 : -ENOMEM;
}

/* --- Where the rows of each name begin --- */

/* Takes the head's word for it. Returns false if that cannot be right: rows would be too many or too few. */
static bool place_as_claimed(uint32_t *ret_starts, const struct batch *batch)
{
    uint32_t count = batch->operations.count;
    uint32_t begin = 0;

    for (uint32_t name = 0; name < batch->name_count; name++) {
        uint64_t claimed = batch->names[name].kind == NAME_OPERATION ? batch->names[name].rows : 0;

        if (claimed > count - begin) {
            return false;
        }
        ret_starts[name] = begin;
        begin += (uint32_t)claimed;
    }
    ret_starts[batch->name_count] = begin;
    return begin == count;
}

static void place_as_counted(uint32_t *ret_starts, const struct batch *batch)
{
    const struct batch_operations *operations = &batch->operations;
    uint32_t begin = 0;

    memset(ret_starts, 0, (batch->name_count + (size_t)1) * sizeof(*ret_starts));
    for (uint32_t i = 0; i < operations->count; i++) {
        ret_starts[operations->name[i]]++;
    }
    for (uint32_t name = 0; name <= batch->name_count; name++) {
        uint32_t count = ret_starts[name];

        ret_starts[name] = begin;
        begin += count;
    }
}

/* --- Sorting --- */

/*
 * Puts the numbers of rows where their names begin. If a name has more rows than its place is long, they go on behind it, but
 * never by more than there are rows in all: therefore ret_rows is twice as long as that.
 */
static void put_rows(uint16_t *restrict ret_rows, uint32_t *restrict next,
                     const uint16_t *restrict names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ret_rows[next[names[i]]++] = (uint16_t)i;
    }
}

/* Returns whether each name had as many rows as its place is long. */
static bool sort_rows(struct operation_rows *rows, const struct batch *batch)
{
    size_t size = batch->name_count * sizeof(*rows->next);

    memcpy(rows->next, rows->starts, size);
    put_rows(rows->rows, rows->next, batch->operations.name, batch->operations.count);
    return memcmp(rows->next, rows->starts + 1, size) == 0;
}

static bool are_all_ok(const uint8_t *statuses, size_t count)
{
    uint64_t any = 0;
    size_t i = 0;

    for (; i + sizeof(any) <= count; i += sizeof(any)) {
        any |= read_le64(statuses + i);
    }
    return any == 0 && count_not_ok(statuses + i, count - i) == 0;
}

int operation_rows_sort(struct operation_rows *rows, const struct batch *batch)
{
    const struct batch_operations *operations = &batch->operations;
    size_t name_count = batch->name_count;
    size_t count = operations->count;
    int r = reserve_names(rows, max_u64(name_count, 1));

    r = r < 0 ? r : reserve_rows(rows, max_u64(count, 1));
    if (r < 0) {
        return r;
    }
    if (!place_as_claimed(rows->starts, batch) || !sort_rows(rows, batch)) {
        place_as_counted(rows->starts, batch);
        (void)sort_rows(rows, batch);
    }
    rows->are_all_ok = are_all_ok(operations->status, count);
    rows->batch = batch;
    return 0;
}

/* --- Gathering --- */

static void gather_u64(uint64_t *restrict ret_values, const uint64_t *restrict column,
                       const uint16_t *restrict rows, size_t count)
{
#pragma GCC unroll 4
    for (size_t i = 0; i < count; i++) {
        ret_values[i] = column[rows[i]];
    }
}

/* Two columns with one look at each row's number. */
static void gather_two(uint64_t *restrict ret_values, const uint64_t *restrict column,
                       uint8_t *restrict ret_bytes, const uint8_t *restrict bytes,
                       const uint16_t *restrict rows, size_t count)
{
#pragma GCC unroll 4
    for (size_t i = 0; i < count; i++) {
        ret_values[i] = column[rows[i]];
        ret_bytes[i] = bytes[rows[i]];
    }
}

struct operation_run operation_rows_gather(struct operation_rows *rows, uint32_t name)
{
    const struct batch_operations *operations = &rows->batch->operations;
    const struct operation_run run = {
        .count = operation_rows_count(rows, name),
        .rows = &rows->rows[rows->starts[name]],
        .durations_ns = rows->durations_ns,
        .codes = rows->codes,
        .statuses = rows->statuses,
    };

    if (rows->are_all_ok) {
        gather_u64(rows->durations_ns, operations->duration_ns, run.rows, run.count);
        memset(rows->statuses, STATUS_OK, run.count);
    } else {
        gather_two(rows->durations_ns, operations->duration_ns, rows->statuses, operations->status,
                   run.rows, run.count);
    }
    log_codes_of(rows->codes, rows->durations_ns, run.count);
    return run;
}

void operation_rows_gather_begins(struct operation_rows *rows, struct operation_run *run)
{
    gather_u64(rows->begins_ns, rows->batch->operations.begin_ns, run->rows, run->count);
    run->begins_ns = rows->begins_ns;
}
