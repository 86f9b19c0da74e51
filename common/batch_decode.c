#include "batch_decode.h"

#include "batch_rules.h"
#include "packet_batch.h"

#include <errno.h>
#include <string.h>

struct batch_decoder {
    struct packet_arena *arena; /* owned */
    uint64_t *values;           /* owned; one column of gaps or mixed values */
    size_t value_capacity;
};

int batch_decoder_new(struct batch_decoder **ret_decoder)
{
    struct batch_decoder *decoder = calloc(1, sizeof(*decoder));

    if (decoder == NULL) {
        return -ENOMEM;
    }

    int r = packet_arena_new(&decoder->arena);

    if (r < 0) {
        batch_decoder_free(decoder);
        return r;
    }
    *ret_decoder = decoder;
    return 0;
}

void batch_decoder_free(struct batch_decoder *decoder)
{
    if (decoder != NULL) {
        packet_arena_free(decoder->arena);
        free(decoder->values);
        free(decoder);
    }
}

struct packet_arena *batch_decoder_arena(struct batch_decoder *decoder)
{
    return decoder->arena;
}

/* --- Columns of one kind --- */

static int reserve_values(struct batch_decoder *decoder, size_t count)
{
    if (count <= decoder->value_capacity) {
        return 0;
    }
    free(decoder->values);
    decoder->values = malloc(count * sizeof(*decoder->values));
    decoder->value_capacity = decoder->values == NULL ? 0 : count;
    return decoder->values == NULL ? -ENOMEM : 0;
}

/* Decodes a column into decoder->values. */
static int take_values(struct batch_decoder *decoder, struct number_column column, size_t count)
{
    if (column.code.size != count) { /* before it makes memory grow */
        return -EBADMSG;
    }

    int r = reserve_values(decoder, count);

    return r < 0 ? r : number_decode(decoder->values, column, count);
}

static int take_durations(uint64_t *ret_durations_ns, struct number_column column, size_t count)
{
    return number_decode_below(ret_durations_ns, column, count, DURATION_LIMIT_BITS);
}

/* Name indexes, all of names of the kinds. */
static int take_names(uint16_t *ret_names, struct slice column, size_t count,
                      const struct batch *batch, unsigned int kinds)
{
    int r = index_decode(ret_names, column, count, batch->name_count);

    return r == 0 && !batch_names_are_of_kinds(batch, ret_names, count, kinds) ? -EBADMSG : r;
}

/* Bytes, each below limit. */
static int take_bytes(uint8_t *ret_bytes, struct slice column, size_t count, size_t limit)
{
    if (column.size != count || !bytes_are_below(column.data, count, limit)) {
        return -EBADMSG;
    }
    if (count > 0) {
        memcpy(ret_bytes, column.data, count);
    }
    return 0;
}

static int take_statuses(uint8_t *ret_statuses, struct slice column, size_t count)
{
    if (column.size == 0 && count > 0) { /* all OK */
        memset(ret_statuses, STATUS_OK, count);
        return 0;
    }
    return take_bytes(ret_statuses, column, count, STATUS_COUNT);
}

static int take_packed(uint16_t *ret_indexes, struct slice column, size_t count, size_t list_size)
{
    return packed_decode(ret_indexes, column, packed_width(list_size), count, list_size);
}

/* Rows from gaps: step rows on from the row before (1: strictly ascending; 0: rows may repeat), then the gap. */
static int take_rows(struct batch_decoder *decoder, uint32_t *ret_rows, struct number_column column,
                     size_t count, size_t row_count, uint64_t step)
{
    int r = take_values(decoder, column, count);
    uint64_t next = 0;

    if (r < 0) {
        return r;
    }
    for (size_t i = 0; i < count; i++) {
        if (decoder->values[i] >= row_count || next + decoder->values[i] >= row_count) {
            return -EBADMSG;
        }
        ret_rows[i] = (uint32_t)(next + decoder->values[i]);
        next = ret_rows[i] + step;
    }
    return 0;
}

/* Ids from zigzag differences. */
static int take_ids(uint64_t *ret_ids, struct number_column column, size_t count)
{
    int r = number_decode(ret_ids, column, count);
    uint64_t id = 0;

    for (size_t i = 0; r == 0 && i < count; i++) {
        id += (uint64_t)zigzag_decode(ret_ids[i]);
        ret_ids[i] = id;
    }
    return r;
}

typedef int take_column(uint64_t *ret_values, struct number_column column, size_t count);

static int take_sparse(struct batch_decoder *decoder, struct sparse_rows *rows,
                       const struct sparse_columns *columns, size_t row_count, take_column *take)
{
    size_t count = columns->row_gap.code.size;
    int r = count > row_count ? -EBADMSG : sparse_rows_reserve(rows, count);

    r = r < 0 ? r : take_rows(decoder, rows->row, columns->row_gap, count, row_count, 1);
    r = r < 0 ? r : take(rows->value, columns->value, count);
    rows->count = r < 0 ? 0 : (uint32_t)count;
    return r;
}

/* --- The columns of a batch --- */

static int take_end_threads(struct batch_operations *operations, struct slice column,
                            size_t thread_count)
{
    if (operations->count > 0 && column.size == 0) { /* as begin_thread */
        memcpy(operations->end_thread, operations->begin_thread,
               operations->count * sizeof(*operations->end_thread));
        return 0;
    }
    return take_packed(operations->end_thread, column, operations->count, thread_count);
}

static int take_details(struct batch_decoder *decoder, const struct batch_columns *columns,
                        struct batch_operations *operations)
{
    size_t count = operations->count;
    int r = take_sparse(decoder, &operations->id, &columns->id, count, take_ids);

    r = r < 0 ? r : take_sparse(decoder, &operations->parent, &columns->parent, count, take_ids);
    for (int state = 0; r == 0 && state < STATE_COUNT; state++) {
        r = take_sparse(decoder, &operations->state_ns[state], &columns->state_ns[state], count,
                        take_durations);
    }
    return r;
}

static int take_operations(struct batch_decoder *decoder, const struct batch_columns *columns,
                           struct batch *batch)
{
    struct batch_operations *operations = &batch->operations;
    size_t count = operations->count;
    int r = batch_reserve_operations(batch, count);

    r = r < 0 ? r
              : number_decode_sums(operations->begin_ns, columns->begin_gap, count,
                                   batch->min_begin_ns);
    r = r < 0 ? r : take_durations(operations->duration_ns, columns->duration, count);
    r = r < 0 ? r : take_names(operations->name, columns->name, count, batch, OPERATION_KINDS);
    r = r < 0 ? r : take_statuses(operations->status, columns->status, count);
    r = r < 0 ? r
              : take_packed(operations->begin_thread, columns->begin_thread, count,
                            batch->thread_count);
    r = r < 0 ? r : take_end_threads(operations, columns->end_thread, batch->thread_count);
    return r < 0 ? r : take_details(decoder, columns, operations);
}

static int take_queued(struct batch_decoder *decoder, const struct batch_columns *columns,
                       struct batch *batch)
{
    struct batch_queued *queued = &batch->queued;
    size_t count = columns->queued_row_gap.code.size;
    size_t row_count = batch->operations.count;
    int r = count > row_count ? -EBADMSG : batch_reserve_queued(batch, count);

    r = r < 0 ? r : take_rows(decoder, queued->row, columns->queued_row_gap, count, row_count, 1);
    r = r < 0 ? r : take_names(queued->queue, columns->queued_queue, count, batch, QUEUE_KINDS);
    r = r < 0 ? r : number_decode(queued->depth, columns->queued_depth, count);
    r = r < 0 ? r : take_durations(queued->residence_ns, columns->queued_residence, count);
    queued->count = (uint32_t)count;
    return r;
}

static int finish_attribute_values(struct batch_attributes *attributes)
{
    for (uint32_t i = 0; i < attributes->count; i++) {
        uint64_t value = attributes->value[i];

        switch (attributes->type[i]) {
        case ATTRIBUTE_I64:
            attributes->value[i] = (uint64_t)zigzag_decode(value);
            break;
        case ATTRIBUTE_TEXT:
        case ATTRIBUTE_TEXT_CUT:
            if (value >= attributes->text_count) {
                return -EBADMSG;
            }
            break;
        default:
            break;
        }
    }
    return 0;
}

static int take_attributes(struct batch_decoder *decoder, const struct batch_columns *columns,
                           struct batch *batch)
{
    struct batch_attributes *attributes = &batch->attributes;
    size_t count = columns->attribute_row_gap.code.size;
    int r = batch_reserve_attributes(batch, count);

    r = r < 0 ? r
              : take_rows(decoder, attributes->row, columns->attribute_row_gap, count,
                          batch->operations.count, 0);
    r = r < 0 ? r
              : take_names(attributes->key, columns->attribute_key, count, batch, ATTRIBUTE_KINDS);
    r = r < 0 ? r
              : take_bytes(attributes->type, columns->attribute_type, count, ATTRIBUTE_TYPE_COUNT);
    r = r < 0 ? r : number_decode(attributes->value, columns->attribute_value, count);
    attributes->count = (uint32_t)count;
    return r < 0 ? r : finish_attribute_values(attributes);
}

static int take_sample_threads(struct batch_decoder *decoder, struct number_column column,
                               struct batch *batch)
{
    struct batch_samples *samples = &batch->samples;
    size_t count = samples->count;
    int r = column.code.size == 0 ? 0 : take_values(decoder, column, count);

    for (size_t i = 0; r == 0 && i < count; i++) {
        uint64_t thread = column.code.size == 0 ? 0 : decoder->values[i];

        r = thread > batch->thread_count ? -EBADMSG : 0;
        samples->thread[i] = (uint32_t)thread;
    }
    return r;
}

static bool sample_is_double(const struct batch *batch, size_t row)
{
    return batch->names[batch->samples.metric[row]].value == VALUE_DOUBLE;
}

static int take_sample_values(struct batch_decoder *decoder, const struct batch_columns *columns,
                              struct batch *batch)
{
    struct batch_samples *samples = &batch->samples;
    size_t doubles = 0;
    size_t integers = 0;

    for (size_t i = 0; i < samples->count; i++) {
        doubles += sample_is_double(batch, i);
    }

    int r = take_values(decoder, columns->sample_integer, samples->count - doubles);

    for (size_t i = 0; r == 0 && i < samples->count; i++) {
        if (!sample_is_double(batch, i)) {
            samples->value[i] = (uint64_t)zigzag_decode(decoder->values[integers++]);
        }
    }
    r = r < 0 ? r : reserve_values(decoder, doubles);
    r = r < 0 ? r : planes_decode(decoder->values, columns->sample_real, doubles);
    doubles = 0;
    for (size_t i = 0; r == 0 && i < samples->count; i++) {
        if (sample_is_double(batch, i)) {
            samples->value[i] = decoder->values[doubles++];
        }
    }
    return r;
}

static int take_samples(struct batch_decoder *decoder, const struct batch_columns *columns,
                        struct batch *batch)
{
    struct batch_samples *samples = &batch->samples;
    size_t count = samples->count;
    int r = batch_reserve_samples(batch, count);

    r = r < 0 ? r
              : number_decode_sums(samples->time_ns, columns->sample_time_gap, count,
                                   batch->min_begin_ns);
    r = r < 0 ? r : take_names(samples->metric, columns->sample_metric, count, batch, METRIC_KINDS);
    r = r < 0 ? r : take_sample_threads(decoder, columns->sample_thread, batch);
    return r < 0 ? r : take_sample_values(decoder, columns, batch);
}

static int take_marks(const struct batch_columns *columns, struct batch *batch)
{
    struct batch_marks *marks = &batch->marks;
    size_t count = marks->count;
    int r = batch_reserve_marks(batch, count);

    r = r < 0 ? r
              : number_decode_sums(marks->time_ns, columns->mark_time_gap, count,
                                   batch->min_begin_ns);
    r = r < 0 ? r : take_names(marks->name, columns->mark_name, count, batch, MARK_KINDS);
    return r < 0 ? r : take_packed(marks->thread, columns->mark_thread, count, batch->thread_count);
}

static int take_open(const struct batch_columns *columns, struct batch *batch)
{
    struct batch_open *open = &batch->open;
    size_t count = open->count;
    int r = batch_reserve_open(batch, count);

    r = r < 0 ? r
              : number_decode_sums(open->begin_ns, columns->open_begin_gap, count,
                                   columns->open_base_ns);
    r = r < 0 ? r : take_names(open->name, columns->open_name, count, batch, OPERATION_KINDS);
    r = r < 0 ? r : take_bytes(open->state, columns->open_state, count, STATE_COUNT);
    return r < 0 ? r : take_ids(open->id, columns->open_id, count);
}

static int take_long_runs(const struct batch_columns *columns, struct batch *batch)
{
    struct batch_long_runs *runs = &batch->long_runs;
    size_t count = runs->count;
    int r = batch_reserve_long_runs(batch, count);

    r = r < 0 ? r
              : number_decode_sums(runs->begin_ns, columns->long_run_begin_gap, count,
                                   columns->long_run_base_ns);
    r = r < 0 ? r : take_durations(runs->length_ns, columns->long_run_length, count);
    r = r < 0 ? r : take_names(runs->name, columns->long_run_name, count, batch, OPERATION_KINDS);
    r = r < 0 ? r : take_packed(runs->thread, columns->long_run_thread, count, batch->thread_count);
    r = r < 0 ? r : take_ids(runs->id, columns->long_run_id, count);
    return r == 0 && !long_runs_fit_into_time(runs) ? -EBADMSG : r;
}

/* What the head says of the time must hold, since readers plan with it. */
static int check_time_range(const struct batch *batch)
{
    struct time_range range;

    return batch_find_time_range(batch, &range) && range.min_begin_ns == batch->min_begin_ns &&
                   range.min_end_ns == batch->min_end_ns && range.max_end_ns == batch->max_end_ns
               ? 0
               : -EBADMSG;
}

static int take_columns(struct batch_decoder *decoder, const struct batch_columns *columns,
                        struct batch *batch)
{
    int r = take_operations(decoder, columns, batch);

    r = r < 0 ? r : take_queued(decoder, columns, batch);
    r = r < 0 ? r : take_attributes(decoder, columns, batch);
    r = r < 0 ? r : take_samples(decoder, columns, batch);
    r = r < 0 ? r : take_marks(columns, batch);
    r = r < 0 ? r : take_open(columns, batch);
    r = r < 0 ? r : take_long_runs(columns, batch);
    return r < 0 ? r : check_time_range(batch);
}

int batch_decode(struct batch_decoder *decoder, struct slice plain, struct batch *batch)
{
    struct batch_columns columns;
    int r = packet_read_batch(decoder->arena, plain, batch, &columns);

    r = r < 0 ? r : take_columns(decoder, &columns, batch);
    if (r < 0) {
        batch_clear(batch);
    }
    return r == -E2BIG ? -EBADMSG : r;
}
