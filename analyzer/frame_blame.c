#include "frame_blame.h"

#include "clock_line.h"
#include "frame_tally.h"

static struct blame_row row_in(const struct frame_tally *frame_tally, uint32_t row)
{
    return (struct blame_row){
        .frame_offset_bytes = frame_tally->frame->offset_bytes,
        .input = frame_tally->frame->input,
        .process = frame_tally->frame->process,
        .row = row,
    };
}

static int add_runs(struct frame_tally *frame_tally)
{
    const struct batch *batch = frame_tally->batch;
    const struct batch_long_runs *runs = &batch->long_runs;
    int r = 0;

    for (uint32_t i = 0; r == 0 && i < runs->count; i++) {
        struct blame_row row = row_in(frame_tally, i);

        row.begin_ns = clock_realtime_ns(runs->begin_ns[i], frame_tally->offset_ns);
        row.length_ns = runs->length_ns[i];
        row.serial = batch->threads[runs->thread[i]].serial;
        row.id = runs->id[i];
        row.name = frame_tally->numbers[runs->name[i]];
        r = blame_list_add(&frame_tally->tally->long_runs, &row);
    }
    return r;
}

/* The value of a row, or 0. Rows are asked for in ascending order; *at goes along. */
static uint64_t value_of(const struct sparse_rows *rows, uint32_t row, uint32_t *at)
{
    while (*at < rows->count && rows->row[*at] < row) {
        (*at)++;
    }
    return *at < rows->count && rows->row[*at] == row ? rows->value[*at] : 0;
}

static bool has_value(const struct sparse_rows *rows, uint32_t row, uint32_t *at)
{
    (void)value_of(rows, row, at);
    return *at < rows->count && rows->row[*at] == row;
}

static int add_wait(struct frame_tally *frame_tally, uint32_t at, uint64_t id)
{
    const struct batch *batch = frame_tally->batch;
    const struct batch_operations *operations = &batch->operations;
    uint32_t i = batch->queued.row[at];
    struct blame_row row = row_in(frame_tally, i);

    row.begin_ns = clock_realtime_ns(operations->begin_ns[i], frame_tally->offset_ns);
    row.length_ns = min_u64(batch->queued.residence_ns[at], operations->duration_ns[i]);
    row.duration_ns = operations->duration_ns[i];
    row.serial = batch->threads[operations->end_thread[i]].serial;
    row.id = id;
    row.name = frame_tally->numbers[operations->name[i]];
    return blame_list_add(&frame_tally->tally->waits, &row);
}

/* Who was in another state first entered the queue nobody knows when. */
static int add_waits(struct frame_tally *frame_tally)
{
    const struct batch *batch = frame_tally->batch;
    const struct sparse_rows *others = &batch->operations.state_ns[STATE_OTHER];
    uint32_t other_at = 0;
    uint32_t id_at = 0;
    int r = 0;

    for (uint32_t i = 0; r == 0 && i < batch->queued.count; i++) {
        uint32_t row = batch->queued.row[i];

        if (batch->queued.residence_ns[i] < BLAME_LEAST_WAIT_US * NS_PER_US) {
            continue;
        }
        if (has_value(others, row, &other_at)) {
            frame_tally->tally->blame.unplaced++;
        } else {
            r = add_wait(frame_tally, i, value_of(&batch->operations.id, row, &id_at));
        }
    }
    return r;
}

int frame_blame_add(struct frame_tally *frame_tally)
{
    int r = add_runs(frame_tally);

    return r < 0 ? r : add_waits(frame_tally);
}
