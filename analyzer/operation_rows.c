#include "operation_rows.h"

#include "log_codes.h"

#include <errno.h>
#include <string.h>

_Static_assert(BATCH_MAX_OPERATIONS <= UINT16_MAX + 1, "rows are numbered in 16 bits");

enum {
    /*
     * A batch is read at several places at once, each with counters and cursors of its own: rows of the same name, of which
     * several often stand together, need not wait for each other then.
     */
    LANES = 4,
};

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
    rows->next = malloc(count * LANES * sizeof(*rows->next));
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
    rows->rows = malloc(count * sizeof(*rows->rows));
    rows->begins_ns = malloc(count * sizeof(*rows->begins_ns));
    rows->durations_ns = malloc(count * sizeof(*rows->durations_ns));
    rows->codes = malloc(count * sizeof(*rows->codes));
    rows->statuses = malloc(count * sizeof(*rows->statuses));

    bool is_whole = rows->rows != NULL && rows->begins_ns != NULL && rows->durations_ns != NULL &&
                    rows->codes != NULL && rows->statuses != NULL;

    rows->row_capacity = is_whole ? count : 0;
    return is_whole ? 0 : -ENOMEM;
}

/* --- Sorting: next[] has a part for each lane, with an entry for each name --- */

static void count_names(uint32_t *restrict next, size_t name_count, const uint16_t *restrict names,
                        size_t count)
{
    size_t lane_rows = count / LANES;

    for (size_t i = 0; i < lane_rows; i++) {
        next[names[i]]++;
        next[name_count + names[lane_rows + i]]++;
        next[2 * name_count + names[2 * lane_rows + i]]++;
        next[3 * name_count + names[3 * lane_rows + i]]++;
    }
    for (size_t i = LANES * lane_rows; i < count; i++) { /* the last lane is longer */
        next[3 * name_count + names[i]]++;
    }
}

/* From counts to places: the rows of a name begin with those of the first lane. */
static void place_names(uint32_t *restrict starts, uint32_t *restrict next, size_t name_count)
{
    uint32_t begin = 0;

    for (size_t name = 0; name < name_count; name++) {
        starts[name] = begin;
        for (size_t lane = 0; lane < LANES; lane++) {
            uint32_t count = next[lane * name_count + name];

            next[lane * name_count + name] = begin;
            begin += count;
        }
    }
    starts[name_count] = begin;
}

static void put_rows(uint16_t *restrict ret_rows, uint32_t *restrict next, size_t name_count,
                     const uint16_t *restrict names, size_t count)
{
    size_t lane_rows = count / LANES;

    for (size_t i = 0; i < lane_rows; i++) {
        ret_rows[next[names[i]]++] = (uint16_t)i;
        ret_rows[next[name_count + names[lane_rows + i]]++] = (uint16_t)(lane_rows + i);
        ret_rows[next[2 * name_count + names[2 * lane_rows + i]]++] = (uint16_t)(2 * lane_rows + i);
        ret_rows[next[3 * name_count + names[3 * lane_rows + i]]++] = (uint16_t)(3 * lane_rows + i);
    }
    for (size_t i = LANES * lane_rows; i < count; i++) {
        ret_rows[next[3 * name_count + names[i]]++] = (uint16_t)i;
    }
}

static bool are_all_ok(const uint8_t *statuses, size_t count)
{
    uint8_t any = STATUS_OK;

    for (size_t i = 0; i < count; i++) {
        any |= statuses[i];
    }
    return any == STATUS_OK;
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
    memset(rows->next, 0, name_count * LANES * sizeof(*rows->next));
    count_names(rows->next, name_count, operations->name, count);
    place_names(rows->starts, rows->next, name_count);
    put_rows(rows->rows, rows->next, name_count, operations->name, count);
    rows->are_all_ok = are_all_ok(operations->status, count);
    rows->batch = batch;
    return 0;
}

/* --- Gathering --- */

static void gather_u64(uint64_t *restrict ret_values, const uint64_t *restrict column,
                       const uint16_t *restrict rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ret_values[i] = column[rows[i]];
    }
}

static void gather_u8(uint8_t *restrict ret_values, const uint8_t *restrict column,
                      const uint16_t *restrict rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        ret_values[i] = column[rows[i]];
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

    gather_u64(rows->durations_ns, operations->duration_ns, run.rows, run.count);
    if (rows->are_all_ok) {
        memset(rows->statuses, STATUS_OK, run.count);
    } else {
        gather_u8(rows->statuses, operations->status, run.rows, run.count);
    }
    log_codes_of(rows->codes, rows->durations_ns, run.count);
    return run;
}

void operation_rows_gather_begins(struct operation_rows *rows, struct operation_run *run)
{
    gather_u64(rows->begins_ns, rows->batch->operations.begin_ns, run->rows, run->count);
    run->begins_ns = rows->begins_ns;
}
