#include "frame_tally.h"

#include "clock_line.h"
#include "frame_blame.h"
#include "frame_details.h"
#include "frame_samples.h"
#include "log_codes.h"

#include <errno.h>
#include <string.h>

enum {
    SLOWEST_BLOCK = 128, /* rows that are passed over together if none of them was slow */
    LANES = 16,          /* loops of a fixed length become vector instructions */
};

void frame_tally_release(struct frame_tally *frame_tally)
{
    operation_rows_release(&frame_tally->operations);
    window_cuts_release(&frame_tally->cuts);
    row_groups_release(&frame_tally->groups);
    free(frame_tally->values);
    free(frame_tally->more_values);
    free(frame_tally->numbers);
    free(frame_tally->slow_floors_ns);
    free(frame_tally->threads);
    frame_budget_release(&frame_tally->budget);
    frame_kin_release(&frame_tally->kin);
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
    frame_tally->values = malloc(count * sizeof(*frame_tally->values));
    frame_tally->more_values = malloc(count * sizeof(*frame_tally->more_values));
    frame_tally->row_capacity = count;
    if (frame_tally->values == NULL || frame_tally->more_values == NULL) {
        frame_tally->row_capacity = 0;
        return -ENOMEM;
    }
    return 0;
}

static int reserve_floors(struct frame_tally *frame_tally)
{
    const struct name_ranks *names = &frame_tally->context->plan->names;

    if (frame_tally->slow_floors_ns == NULL) {
        frame_tally->slow_floors_ns =
            calloc(names->groups[GROUP_OPERATION].kept + 1, sizeof(*frame_tally->slow_floors_ns));
    }
    return frame_tally->slow_floors_ns == NULL ? -ENOMEM : 0;
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

static int add_slow(struct frame_tally *frame_tally, struct slowest *slowest,
                    const struct operation_run *run, size_t at)
{
    const struct batch *batch = frame_tally->batch;
    uint16_t row = run->rows[at];
    const struct batch_thread *begin = &batch->threads[batch->operations.begin_thread[row]];
    const struct batch_thread *end = &batch->threads[batch->operations.end_thread[row]];
    struct slow_operation slow = {
        .duration_ns = run->durations_ns[at],
        .begin_realtime_ns =
            clock_realtime_ns(batch->operations.begin_ns[row], frame_tally->offset_ns),
        .sequence = batch->id.sequence,
        .frame_offset_bytes = frame_tally->frame->offset_bytes,
        .input = frame_tally->frame->input,
        .row = row,
        .process = frame_tally->frame->process,
        .begin_tid = begin->tid,
        .end_tid = end->tid,
        .begin_serial = begin->serial,
        .end_serial = end->serial,
        .status = (enum operation_status)run->statuses[at],
    };

    memcpy(slow.session, batch->id.session, SESSION_ID_BYTES);
    return slowest_add(slowest, &slow);
}

/* Whether one of SLOWEST_BLOCK codes reaches the least one of interest. */
static bool has_code_from(const uint16_t *codes, uint16_t least)
{
    uint16_t found[LANES] = {0};
    unsigned int any = 0;

    for (size_t i = 0; i < SLOWEST_BLOCK; i += LANES) {
        for (size_t lane = 0; lane < LANES; lane++) {
            /* Both are below 2^15: the sign says which one is greater. */
            found[lane] |= (uint16_t) ~(codes[i + lane] - least);
        }
    }
    for (size_t lane = 0; lane < LANES; lane++) {
        any |= found[lane];
    }
    return any >> 15 != 0;
}

/*
 * Blocks without a slow one, nearly all, are passed over by their codes. What was kept for other sessions counts too: what
 * took less than all of a full list is not among the slowest of the report.
 */
static int add_slowest(struct frame_tally *frame_tally, uint32_t number, struct slowest *slowest,
                       const struct operation_run *run)
{
    uint64_t *floor_ns = &frame_tally->slow_floors_ns[number];
    int r = 0;

    for (size_t first = 0; r == 0 && first < run->count; first += SLOWEST_BLOCK) {
        size_t end = min_u64(run->count, first + SLOWEST_BLOCK);

        *floor_ns = max_u64(*floor_ns, slowest_least_wanted(slowest));
        if (end - first == SLOWEST_BLOCK &&
            !has_code_from(&run->codes[first], log_code_of(*floor_ns))) {
            continue;
        }
        for (size_t i = first; r == 0 && i < end; i++) {
            if (run->durations_ns[i] >= *floor_ns && slowest_wants(slowest, run->durations_ns[i])) {
                r = add_slow(frame_tally, slowest, run, i);
            }
        }
    }
    return r;
}

/* Nearly all are OK: only words of eight that hold another one are looked at closely. */
static void count_statuses(struct operation_tally *operation, const struct operation_run *run)
{
    uint64_t counts[STATUS_COUNT] = {0};
    size_t first = 0;
    size_t others = 0;

    for (; first < run->count; first += sizeof(uint64_t)) {
        size_t end = min_u64(run->count, first + sizeof(uint64_t));

        if (end - first == sizeof(uint64_t) && read_le64(&run->statuses[first]) == 0) {
            continue;
        }
        for (size_t i = first; i < end; i++) {
            counts[run->statuses[i]]++;
        }
    }
    for (int status = STATUS_OK + 1; status < STATUS_COUNT; status++) {
        operation->by_status[status] += counts[status];
        others += counts[status];
    }
    operation->by_status[STATUS_OK] += run->count - others;
}

/* The operations of one name of the batch, to all that counts them. */
static int add_operation_run(struct frame_tally *frame_tally, uint32_t number,
                             const struct operation_run *run)
{
    struct operation_tally *operation = NULL;
    int r = tally_operation(frame_tally->tally, number, &operation);

    r = r < 0 ? r
              : distribution_add_coded(&operation->duration_ns, run->durations_ns, run->codes,
                                       run->count);
    r = r < 0 ? r : add_slowest(frame_tally, number, &operation->slowest, run);
    r = r < 0 ? r
              : shared_windows_add(frame_tally->context->windows, number, run, &frame_tally->cuts);
    r = r < 0 ? r
              : shared_load_add(frame_tally->context->load, number, run, frame_tally->offset_ns);
    if (r == 0) {
        count_statuses(operation, run);
    }
    return r;
}

static int add_operations(struct frame_tally *frame_tally)
{
    const struct batch *batch = frame_tally->batch;
    int r = operation_rows_sort(&frame_tally->operations, batch);

    r = r < 0 ? r
              : window_cuts_make(&frame_tally->cuts, &frame_tally->context->windows->grid,
                                 batch->operations.begin_ns, batch->operations.count,
                                 frame_tally->offset_ns);
    for (uint32_t name = 0; r == 0 && name < batch->name_count; name++) {
        if (operation_rows_count(&frame_tally->operations, name) > 0) {
            struct operation_run run = operation_rows_gather(&frame_tally->operations, name);

            if (frame_tally->context->load != NULL) {
                operation_rows_gather_begins(&frame_tally->operations, &run);
            }
            r = add_operation_run(frame_tally, frame_tally->numbers[name], &run);
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
    kin_rows_clear(&frame_tally->kin.rows);
    r = r < 0 ? r : reserve_floors(frame_tally);
    r = r < 0 ? r : resolve_names(frame_tally);
    r = r < 0 ? r : add_operations(frame_tally);
    r = r < 0 ? r : frame_budget_add(frame_tally);
    r = r < 0 ? r : frame_kin_add(frame_tally);
    r = r < 0 ? r : frame_details_add(frame_tally);
    r = r < 0 ? r : frame_samples_add(frame_tally);
    r = r < 0 ? r : frame_blame_add(frame_tally);
    r = r < 0 ? r : add_losses(frame_tally);
    if (r == 0) {
        add_marks(frame_tally);
        count_stored(frame_tally);
    }
    return r;
}
