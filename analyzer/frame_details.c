#include "frame_details.h"

#include "clock_line.h"

#include <string.h>

/* --- States --- */

static int add_state(struct frame_tally *frame_tally, enum operation_state state)
{
    const struct batch *batch = frame_tally->batch;
    const struct sparse_rows *rows = &batch->operations.state_ns[state];
    struct row_groups *groups = &frame_tally->groups;
    int r = row_groups_make_sparse(groups, batch->operations.name, rows->row, rows->count,
                                   batch->name_count);

    for (uint32_t i = 0; r == 0 && i < rows->count; i++) {
        frame_tally->values[i] = rows->value[groups->rows[i]];
    }
    for (uint32_t name = 0; r == 0 && name < batch->name_count; name++) {
        uint32_t first = groups->starts[name];
        uint32_t count = groups->starts[name + 1] - first;
        struct operation_tally *operation = NULL;

        if (count > 0) {
            r = tally_operation(frame_tally->tally, frame_tally->numbers[name], &operation);
            r = r < 0 ? r
                      : operation_tally_add_state(operation, state, &frame_tally->values[first],
                                                  count);
        }
    }
    return r;
}

static int add_states(struct frame_tally *frame_tally)
{
    int r = 0;

    for (int state = 0; r == 0 && state < STATE_COUNT; state++) {
        if (frame_tally->batch->operations.state_ns[state].count > 0) {
            r = add_state(frame_tally, (enum operation_state)state);
        }
    }
    return r;
}

/* --- Queues --- */

static int add_queue_run(struct frame_tally *frame_tally, uint32_t name)
{
    const struct row_groups *groups = &frame_tally->groups;
    uint32_t first = groups->starts[name];
    uint32_t count = groups->starts[name + 1] - first;
    const struct queue_run run = {frame_tally->batch, &groups->rows[first], count,
                                  frame_tally->batch->names[name].queue_capacity};
    struct queue_tally *queue = NULL;
    int r = tally_queue(frame_tally->tally, frame_tally->numbers[name], &queue);

    r = r < 0 ? r : distribution_add(&queue->depth, &frame_tally->values[first], count);
    r = r < 0 ? r : distribution_add(&queue->residence_ns, &frame_tally->more_values[first], count);
    if (r == 0) {
        queue->entries += count;
        queue->capacity = max_u64(queue->capacity, run.capacity);
        r = shared_queues_add(frame_tally->context->queues, frame_tally->frame,
                              frame_tally->numbers[name], &run);
    }
    return r;
}

static int add_queues(struct frame_tally *frame_tally)
{
    const struct batch *batch = frame_tally->batch;
    const struct batch_queued *queued = &batch->queued;
    struct row_groups *groups = &frame_tally->groups;
    int r = row_groups_make(groups, queued->queue, queued->count, batch->name_count);

    for (uint32_t i = 0; r == 0 && i < queued->count; i++) {
        frame_tally->values[i] = queued->depth[groups->rows[i]];
        frame_tally->more_values[i] = queued->residence_ns[groups->rows[i]];
    }
    for (uint32_t name = 0; r == 0 && name < batch->name_count; name++) {
        if (batch->names[name].kind == NAME_QUEUE) {
            r = add_queue_run(frame_tally, name);
        }
    }
    return r;
}

/* --- Attributes --- */

static int add_attribute(struct frame_tally *frame_tally, uint32_t at)
{
    const struct frame_context *context = frame_tally->context;
    const struct batch *batch = frame_tally->batch;
    uint32_t key = frame_tally->numbers[batch->attributes.key[at]];
    uint16_t name = batch->operations.name[batch->attributes.row[at]];
    struct operation_tally *operation = NULL;
    char text[ATTRIBUTE_TEXT_BYTES];
    double number;

    if (key == context->plan->names.groups[GROUP_ATTRIBUTE].kept) {
        return 0;
    }

    int r = tally_operation(frame_tally->tally, frame_tally->numbers[name], &operation);

    r = r < 0 ? r
              : attribute_tally_add(&operation->attributes, key,
                                    attribute_text(text, &context->redacted, batch, at), 1);
    return r == 0 && attribute_number(&context->redacted, batch, at, &number)
               ? attribute_tally_add_number(&operation->attributes, key, number)
               : r;
}

static int add_attributes(struct frame_tally *frame_tally)
{
    int r = 0;

    for (uint32_t i = 0; r == 0 && i < frame_tally->batch->attributes.count; i++) {
        r = add_attribute(frame_tally, i);
    }
    return r;
}

/* --- Operations that did not end --- */

static int compare_ids(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;

    return (a > b) - (a < b);
}

/* Sorts the ids of operations that ended in this batch into values. */
static size_t sort_ended_ids(struct frame_tally *frame_tally)
{
    const struct sparse_rows *ids = &frame_tally->batch->operations.id;

    if (ids->count > 0) {
        memcpy(frame_tally->values, ids->value, ids->count * sizeof(*ids->value));
        qsort(frame_tally->values, ids->count, sizeof(*ids->value), compare_ids);
    }
    return ids->count;
}

/* As far as it is known, it was in flight from its begin to when the batch was made. */
static int add_open_load(struct frame_tally *frame_tally, uint32_t at)
{
    const struct batch_open *open = &frame_tally->batch->open;
    uint64_t as_of_ns = max_u64(open->as_of_ns, open->begin_ns[at]);
    uint64_t age_ns = as_of_ns - open->begin_ns[at];
    const struct operation_run run = {
        .count = 1, .begins_ns = &open->begin_ns[at], .durations_ns = &age_ns};

    return shared_load_add(frame_tally->context->load, frame_tally->numbers[open->name[at]], &run,
                           frame_tally->offset_ns);
}

/* Operations that were given up would have taken longer. They are few: the search for them is what must be fast. */
static int add_timeouts(struct frame_tally *frame_tally)
{
    const struct batch_operations *operations = &frame_tally->batch->operations;
    size_t row = 0;
    int r = 0;

    for (; r == 0 && row < operations->count; row++) {
        const uint8_t *found =
            memchr(&operations->status[row], STATUS_TIMEOUT, operations->count - row);

        if (found == NULL) {
            break;
        }
        row = (size_t)(found - operations->status);

        struct operation_tally *operation = NULL;
        struct censored_tally *censored = NULL;

        r = tally_operation(frame_tally->tally, frame_tally->numbers[operations->name[row]],
                            &operation);
        r = r < 0 ? r : operation_tally_censored(operation, &censored);
        r = r < 0 ? r : censored_tally_add_timeouts(censored, &operations->duration_ns[row], 1);
    }
    return r;
}

static int add_unfinished(struct frame_tally *frame_tally, struct operation_tally *operation,
                          uint32_t row)
{
    const struct batch_open *open = &frame_tally->batch->open;
    const struct open_operation unfinished = {
        .age_ns = open->as_of_ns - min_u64(open->begin_ns[row], open->as_of_ns),
        .begin_realtime_ns = clock_realtime_ns(open->begin_ns[row], frame_tally->offset_ns),
        .id = open->id[row],
        .process = frame_tally->frame->process,
        .state = (enum operation_state)open->state[row],
    };
    struct censored_tally *censored = NULL;
    int r = operation_tally_censored(operation, &censored);

    return r < 0 ? r : censored_tally_add_open(censored, &unfinished);
}

/*
 * Open operations stand in each batch again until they end, so those of the last one count; imported ones stand in one
 * batch only.
 */
static int add_open(struct frame_tally *frame_tally)
{
    const struct report_plan *plan = frame_tally->context->plan;
    const struct batch_open *open = &frame_tally->batch->open;
    const struct source_facts *source = plan->processes[frame_tally->frame->process].source;
    bool is_imported = source != NULL && source->kind == SOURCE_IMPORTED;

    if (open->count == 0 ||
        (!is_imported && !report_plan_is_last_frame(plan, frame_tally->frame))) {
        return 0;
    }

    size_t ended = is_imported ? 0 : sort_ended_ids(frame_tally);

    for (uint32_t i = 0; i < open->count; i++) {
        struct operation_tally *operation = NULL;

        if (ended > 0 && bsearch(&open->id[i], frame_tally->values, ended, sizeof(uint64_t),
                                 compare_ids) != NULL) {
            continue;
        }

        int r =
            tally_operation(frame_tally->tally, frame_tally->numbers[open->name[i]], &operation);

        if (r < 0) {
            return r;
        }
        r = add_open_load(frame_tally, i);
        if (r < 0) {
            return r;
        }
        r = add_unfinished(frame_tally, operation, i);
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

int frame_details_add(struct frame_tally *frame_tally)
{
    int r = add_states(frame_tally);

    r = r < 0 ? r : add_queues(frame_tally);
    if (r == 0 && frame_tally->context->with_attributes) {
        r = add_attributes(frame_tally);
    }
    r = r < 0 ? r : add_timeouts(frame_tally);
    return r < 0 ? r : add_open(frame_tally);
}
