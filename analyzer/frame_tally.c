#include "frame_tally.h"

#include "clock_line.h"
#include "frame_details.h"
#include "frame_samples.h"

#include <errno.h>
#include <string.h>

void frame_tally_release(struct frame_tally *frame_tally)
{
    row_groups_release(&frame_tally->groups);
    free(frame_tally->values);
    free(frame_tally->more_values);
    free(frame_tally->statuses);
    free(frame_tally->numbers);
    free(frame_tally->threads);
    frame_budget_release(&frame_tally->budget);
    *frame_tally = (struct frame_tally){0};
}

/* --- Memory --- */

static int reserve_rows(struct frame_tally *frame_tally, size_t count)
{
    if (count <= frame_tally->row_capacity) {
        return 0;
    }
    free(frame_tally->values);
    free(frame_tally->more_values);
    free(frame_tally->statuses);
    frame_tally->values = malloc(count * sizeof(*frame_tally->values));
    frame_tally->more_values = malloc(count * sizeof(*frame_tally->more_values));
    frame_tally->statuses = malloc(count);
    frame_tally->row_capacity = count;
    if (frame_tally->values == NULL || frame_tally->more_values == NULL ||
        frame_tally->statuses == NULL) {
        frame_tally->row_capacity = 0;
        return -ENOMEM;
    }
    return 0;
}

static int resolve_names(struct frame_tally *frame_tally)
{
    const struct batch *batch = frame_tally->batch;
    const struct name_ranks *names = &frame_tally->context->plan->names;

    if (batch->name_count > frame_tally->name_capacity) {
        free(frame_tally->numbers);
        frame_tally->numbers = malloc(batch->name_count * sizeof(*frame_tally->numbers));
        frame_tally->name_capacity = frame_tally->numbers == NULL ? 0 : batch->name_count;
        if (frame_tally->numbers == NULL) {
            return -ENOMEM;
        }
    }
    for (uint32_t i = 0; i < batch->name_count; i++) {
        frame_tally->numbers[i] = name_ranks_find(names, batch->names[i].kind, batch->names[i].text,
                                                  batch->names[i].unit);
    }
    return 0;
}

/* --- Operations --- */

/* Puts the columns into the order of the groups: values are durations, more_values begins. */
static int gather_operations(struct frame_tally *frame_tally)
{
    const struct batch *batch = frame_tally->batch;
    const struct batch_operations *operations = &batch->operations;
    const uint32_t *rows;
    int r = row_groups_make(&frame_tally->groups, operations->name, operations->count,
                            batch->name_count);

    if (r < 0) {
        return r;
    }
    rows = frame_tally->groups.rows;
    for (uint32_t i = 0; i < operations->count; i++) {
        frame_tally->values[i] = operations->duration_ns[rows[i]];
        frame_tally->more_values[i] = operations->begin_ns[rows[i]];
        frame_tally->statuses[i] = operations->status[rows[i]];
    }
    return 0;
}

static int add_slow(struct frame_tally *frame_tally, struct slowest *slowest, uint32_t at)
{
    const struct batch *batch = frame_tally->batch;
    uint32_t row = frame_tally->groups.rows[at];
    const struct batch_thread *begin = &batch->threads[batch->operations.begin_thread[row]];
    const struct batch_thread *end = &batch->threads[batch->operations.end_thread[row]];
    struct slow_operation slow = {
        .duration_ns = frame_tally->values[at],
        .begin_realtime_ns =
            clock_realtime_ns(frame_tally->more_values[at], frame_tally->offset_ns),
        .sequence = batch->id.sequence,
        .frame_offset_bytes = frame_tally->frame->offset_bytes,
        .input = frame_tally->frame->input,
        .row = row,
        .process = frame_tally->frame->process,
        .begin_tid = begin->tid,
        .end_tid = end->tid,
        .begin_serial = begin->serial,
        .end_serial = end->serial,
        .status = (enum operation_status)frame_tally->statuses[at],
    };

    memcpy(slow.session, batch->id.session, SESSION_ID_BYTES);
    return slowest_add(slowest, &slow);
}

static int add_slowest(struct frame_tally *frame_tally, struct slowest *slowest, uint32_t first,
                       uint32_t count)
{
    int r = 0;

    for (uint32_t i = first; r == 0 && i < first + count; i++) {
        if (slowest_wants(slowest, frame_tally->values[i])) {
            r = add_slow(frame_tally, slowest, i);
        }
    }
    return r;
}

/* One pass for each status: without branches, many rows at a time. */
static void count_statuses(struct operation_tally *operation, const struct operation_run *run)
{
    size_t others = 0;

    for (int status = 1; status < STATUS_COUNT; status++) {
        size_t count = 0;

        for (size_t i = 0; i < run->count; i++) {
            count += run->statuses[i] == status;
        }
        operation->by_status[status] += count;
        others += count;
    }
    operation->by_status[STATUS_OK] += run->count - others;
}

static int add_operation_run(struct frame_tally *frame_tally, uint32_t number, uint32_t first,
                             uint32_t count)
{
    const struct operation_run run = {count, &frame_tally->more_values[first],
                                      &frame_tally->values[first], &frame_tally->statuses[first]};
    struct operation_tally *operation = NULL;
    int r = tally_operation(frame_tally->tally, number, &operation);

    r = r < 0 ? r : distribution_add(&operation->duration_ns, run.durations_ns, count);
    r = r < 0 ? r : add_slowest(frame_tally, &operation->slowest, first, count);
    r = r < 0 ? r
              : shared_windows_add(frame_tally->context->windows, &frame_tally->counts, number,
                                   &run, frame_tally->offset_ns);
    r = r < 0 ? r
              : shared_load_add(frame_tally->context->load, number, &run, frame_tally->offset_ns);
    if (r == 0) {
        count_statuses(operation, &run);
    }
    return r;
}

static int add_operations(struct frame_tally *frame_tally)
{
    const struct batch *batch = frame_tally->batch;
    const uint32_t *starts;
    int r = gather_operations(frame_tally);

    starts = frame_tally->groups.starts;
    for (uint32_t name = 0; r == 0 && name < batch->name_count; name++) {
        uint32_t count = starts[name + 1] - starts[name];

        if (count > 0) {
            r = add_operation_run(frame_tally, frame_tally->numbers[name], starts[name], count);
        }
    }
    return r;
}

/* --- Marks and losses --- */

static void add_marks(struct frame_tally *frame_tally)
{
    const struct batch_marks *marks = &frame_tally->batch->marks;

    for (uint32_t i = 0; i < marks->count; i++) {
        uint64_t time_ns = clock_realtime_ns(marks->time_ns[i], frame_tally->offset_ns);

        mark_tally_add(&frame_tally->tally->marks[frame_tally->numbers[marks->name[i]]], 1, time_ns,
                       time_ns);
    }
}

static int add_losses(struct frame_tally *frame_tally)
{
    const struct batch *batch = frame_tally->batch;
    struct tally *tally = frame_tally->tally;

    for (uint32_t i = 0; i < batch->loss_count; i++) {
        const struct loss *loss = &batch->losses[i];
        struct queue_tally *queue = NULL;

        if (!record_counts_are_zero(&loss->count)) {
            loss_times_add(&tally->losses[loss->cause],
                           clock_realtime_ns(loss->first_ns, frame_tally->offset_ns),
                           clock_realtime_ns(loss->last_ns, frame_tally->offset_ns));
        }
        if (loss->queue == NULL || loss->queue[0] == '\0') {
            continue;
        }

        uint32_t number =
            name_ranks_find(&frame_tally->context->plan->names, NAME_QUEUE, loss->queue, "");
        int r = tally_queue(tally, number, &queue);

        if (r < 0) {
            return r;
        }
        queue->lost_entries += loss->count.operations;
    }
    return 0;
}

static void count_stored(struct frame_tally *frame_tally)
{
    const struct batch *batch = frame_tally->batch;
    const struct record_counts rows = {batch->operations.count, batch->samples.count,
                                       batch->marks.count, batch->long_runs.count};

    record_counts_add(&frame_tally->tally->stored, &rows);
}

int frame_tally_add(struct frame_tally *frame_tally, const struct plan_frame *frame,
                    const struct batch *batch, struct tally *tally, struct counter_table *counters)
{
    size_t rows = max_u64(max_u64(batch->operations.count, batch->queued.count), 1);
    int r = reserve_rows(frame_tally, rows);

    frame_tally->batch = batch;
    frame_tally->frame = frame;
    frame_tally->offset_ns = frame_tally->context->plan->processes[frame->process].offset_ns;
    frame_tally->tally = tally;
    frame_tally->counters = counters;
    counter_table_clear(counters);
    r = r < 0 ? r : resolve_names(frame_tally);
    r = r < 0 ? r : add_operations(frame_tally);
    r = r < 0 ? r : frame_budget_add(frame_tally);
    r = r < 0 ? r : frame_details_add(frame_tally);
    r = r < 0 ? r : frame_samples_add(frame_tally);
    r = r < 0 ? r : add_losses(frame_tally);
    if (r == 0) {
        add_marks(frame_tally);
        count_stored(frame_tally);
    }
    return r;
}
