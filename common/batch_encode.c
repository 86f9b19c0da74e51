#include "batch_encode.h"

#include "batch_rules.h"
#include "packet_batch.h"

#include <errno.h>
#include <string.h>

enum {
    /* Every column may end a block, and so do the head and what stands between. */
    MAX_BLOCKS = 160,
    /* Tags, lengths and numbers of a head, a name, a thread, a loss or a text, besides their texts. */
    HEAD_BYTES = 4096,
    ITEM_BYTES = 96,
};

struct batch_encoder {
    struct frame_writer *writer; /* owned */
    uint8_t *bytes;              /* owned; the columns of one batch, one behind the other */
    size_t used;
    size_t size;
    uint64_t *values; /* owned; gaps and differences of one column */
    size_t value_capacity;
};

int batch_encoder_new(struct batch_encoder **ret_encoder)
{
    struct batch_encoder *encoder = calloc(1, sizeof(*encoder));

    if (encoder == NULL) {
        return -ENOMEM;
    }

    int r = frame_writer_new(&encoder->writer);

    if (r < 0) {
        batch_encoder_free(encoder);
        return r;
    }
    *ret_encoder = encoder;
    return 0;
}

void batch_encoder_free(struct batch_encoder *encoder)
{
    if (encoder != NULL) {
        frame_writer_free(encoder->writer);
        free(encoder->bytes);
        free(encoder->values);
        free(encoder);
    }
}

/* --- Room --- */

static size_t numbers_bound(size_t columns, size_t count)
{
    return columns * (count + number_bits_bound(count));
}

static size_t operations_bound(const struct batch_operations *operations)
{
    size_t count = operations->count;
    size_t size = numbers_bound(2, count) + (2 + 1 + 2 + 2) * count + 2 * COLUMN_SLACK_BYTES;

    size += numbers_bound(2, operations->id.count) + numbers_bound(2, operations->parent.count);
    for (int state = 0; state < STATE_COUNT; state++) {
        size += numbers_bound(2, operations->state_ns[state].count);
    }
    return size;
}

/* Bytes that the columns of batch need at most, while they are made. */
static size_t columns_bound(const struct batch *batch)
{
    return operations_bound(&batch->operations) + numbers_bound(3, batch->queued.count) +
           2 * (size_t)batch->queued.count + numbers_bound(2, batch->attributes.count) +
           3 * (size_t)batch->attributes.count + numbers_bound(3, batch->samples.count) +
           (2 + 8) * (size_t)batch->samples.count + numbers_bound(1, batch->marks.count) +
           (2 + 2) * (size_t)batch->marks.count + COLUMN_SLACK_BYTES +
           numbers_bound(2, batch->open.count) + 3 * (size_t)batch->open.count +
           numbers_bound(3, batch->long_runs.count) + (2 + 2) * (size_t)batch->long_runs.count +
           COLUMN_SLACK_BYTES;
}

size_t batch_encode_bound(const struct batch *batch)
{
    size_t plain_size =
        columns_bound(batch) + HEAD_BYTES +
        (size_t)batch->name_count * (NAME_MAX_BYTES + NAME_UNIT_MAX_BYTES + ITEM_BYTES) +
        (size_t)batch->thread_count * (THREAD_NAME_MAX_BYTES + ITEM_BYTES) +
        (size_t)batch->loss_count * (NAME_MAX_BYTES + ITEM_BYTES) +
        (size_t)batch->attributes.text_count * (TEXT_MAX_BYTES + ITEM_BYTES);

    return frame_bound(min_u64(plain_size, FRAME_MAX_PLAIN_BYTES), MAX_BLOCKS);
}

static size_t longest_column(const struct batch *batch)
{
    size_t most = max_u64(batch->operations.count, batch->attributes.count);

    most = max_u64(most, batch->samples.count);
    most = max_u64(most, batch->marks.count);
    most = max_u64(most, batch->open.count);
    return max_u64(most, batch->long_runs.count);
}

static int reserve(struct batch_encoder *encoder, const struct batch *batch)
{
    size_t size = columns_bound(batch);
    size_t values = longest_column(batch);

    if (size > encoder->size) {
        free(encoder->bytes);
        encoder->bytes = malloc(size);
        encoder->size = encoder->bytes == NULL ? 0 : size;
    }
    if (values > encoder->value_capacity) {
        free(encoder->values);
        encoder->values = malloc(values * sizeof(*encoder->values));
        encoder->value_capacity = encoder->values == NULL ? 0 : values;
    }
    return size > encoder->size || values > encoder->value_capacity ? -ENOMEM : 0;
}

/* --- Columns of one kind --- */

static struct slice take_bytes(struct batch_encoder *encoder, size_t size)
{
    struct slice taken = {encoder->bytes + encoder->used, size};

    encoder->used += size;
    return taken;
}

static struct number_column put_numbers(struct batch_encoder *encoder, const uint64_t *values,
                                        size_t count)
{
    uint8_t *code = encoder->bytes + encoder->used;
    size_t bits_size = number_encode(code, code + count, values, count);
    struct number_column column;

    column.code = take_bytes(encoder, count);
    column.bits = take_bytes(encoder, bits_size);
    return column;
}

static struct slice put_indexes(struct batch_encoder *encoder, const uint16_t *indexes,
                                size_t count, size_t list_size)
{
    return take_bytes(encoder,
                      index_encode(encoder->bytes + encoder->used, indexes, count, list_size));
}

static struct slice put_packed(struct batch_encoder *encoder, const uint16_t *indexes, size_t count,
                               size_t list_size)
{
    return take_bytes(encoder, packed_encode(encoder->bytes + encoder->used,
                                             packed_width(list_size), indexes, count));
}

static struct slice put_bytes(struct batch_encoder *encoder, const uint8_t *bytes, size_t count)
{
    if (count > 0) {
        memcpy(encoder->bytes + encoder->used, bytes, count);
    }
    return take_bytes(encoder, count);
}

static bool is_all_zero(const void *bytes, size_t size)
{
    const uint8_t *first = bytes;

    return size == 0 || (first[0] == 0 && memcmp(first, first + 1, size - 1) == 0);
}

/* Returns false if times are not in order, or begin before base. */
static bool put_gaps(uint64_t *restrict ret_gaps, const uint64_t *restrict times, size_t count,
                     uint64_t base)
{
    bool is_unsorted = count > 0 && times[0] < base;

    if (count > 0) {
        ret_gaps[0] = times[0] - base;
    }
    for (size_t i = 1; i < count; i++) {
        is_unsorted |= times[i] < times[i - 1];
        ret_gaps[i] = times[i] - times[i - 1];
    }
    return !is_unsorted;
}

/* Times as gaps, the first to base_ns. */
static int put_times(struct batch_encoder *encoder, const uint64_t *times_ns, size_t count,
                     uint64_t base_ns, struct number_column *ret_column)
{
    if (!put_gaps(encoder->values, times_ns, count, base_ns)) {
        return -EINVAL;
    }
    *ret_column = put_numbers(encoder, encoder->values, count);
    return 0;
}

/* Rows, strictly ascending, as the number of rows skipped before each. */
static int put_rows(struct batch_encoder *encoder, const uint32_t *rows, size_t count,
                    size_t row_count, struct number_column *ret_column)
{
    uint64_t next = 0;

    for (size_t i = 0; i < count; i++) {
        if (rows[i] < next || rows[i] >= row_count) {
            return -EINVAL;
        }
        encoder->values[i] = rows[i] - next;
        next = (uint64_t)rows[i] + 1;
    }
    *ret_column = put_numbers(encoder, encoder->values, count);
    return 0;
}

/* Rows that may repeat, as differences. */
static int put_repeated_rows(struct batch_encoder *encoder, const uint32_t *rows, size_t count,
                             size_t row_count, struct number_column *ret_column)
{
    uint32_t before = 0;

    for (size_t i = 0; i < count; i++) {
        if (rows[i] < before || rows[i] >= row_count) {
            return -EINVAL;
        }
        encoder->values[i] = rows[i] - before;
        before = rows[i];
    }
    *ret_column = put_numbers(encoder, encoder->values, count);
    return 0;
}

/* Ids as zigzag of the difference to the one before, which may wrap. */
static struct number_column put_ids(struct batch_encoder *encoder, const uint64_t *ids,
                                    size_t count)
{
    uint64_t before = 0;

    for (size_t i = 0; i < count; i++) {
        encoder->values[i] = zigzag_encode((int64_t)(ids[i] - before));
        before = ids[i];
    }
    return put_numbers(encoder, encoder->values, count);
}

static int put_sparse_ids(struct batch_encoder *encoder, const struct sparse_rows *rows,
                          size_t row_count, struct sparse_columns *ret_columns)
{
    int r = put_rows(encoder, rows->row, rows->count, row_count, &ret_columns->row_gap);

    if (r == 0) {
        ret_columns->value = put_ids(encoder, rows->value, rows->count);
    }
    return r;
}

static int put_sparse(struct batch_encoder *encoder, const struct sparse_rows *rows,
                      size_t row_count, struct sparse_columns *ret_columns)
{
    int r = put_rows(encoder, rows->row, rows->count, row_count, &ret_columns->row_gap);

    if (r == 0) {
        ret_columns->value = put_numbers(encoder, rows->value, rows->count);
    }
    return r;
}

/* --- The columns of a batch --- */

static void put_threads(struct batch_encoder *encoder, const struct batch *batch,
                        struct batch_columns *columns)
{
    const struct batch_operations *operations = &batch->operations;
    size_t size = operations->count * sizeof(*operations->begin_thread);

    if (!is_all_zero(operations->begin_thread, size)) {
        columns->begin_thread =
            put_packed(encoder, operations->begin_thread, operations->count, batch->thread_count);
    }
    if (size > 0 && memcmp(operations->begin_thread, operations->end_thread, size) != 0) {
        columns->end_thread =
            put_packed(encoder, operations->end_thread, operations->count, batch->thread_count);
    }
}

static int put_operations(struct batch_encoder *encoder, const struct batch *batch,
                          struct batch_columns *columns)
{
    const struct batch_operations *operations = &batch->operations;
    size_t count = operations->count;
    int r =
        put_times(encoder, operations->begin_ns, count, batch->min_begin_ns, &columns->begin_gap);

    columns->duration = put_numbers(encoder, operations->duration_ns, count);
    columns->name = put_indexes(encoder, operations->name, count, batch->name_count);
    if (!is_all_zero(operations->status, count)) {
        columns->status = put_bytes(encoder, operations->status, count);
    }
    put_threads(encoder, batch, columns);
    r = r < 0 ? r : put_sparse_ids(encoder, &operations->id, count, &columns->id);
    r = r < 0 ? r : put_sparse_ids(encoder, &operations->parent, count, &columns->parent);
    for (int state = 0; r == 0 && state < STATE_COUNT; state++) {
        r = put_sparse(encoder, &operations->state_ns[state], count, &columns->state_ns[state]);
    }
    return r;
}

static int put_queued(struct batch_encoder *encoder, const struct batch *batch,
                      struct batch_columns *columns)
{
    const struct batch_queued *queued = &batch->queued;
    size_t count = queued->count;

    columns->queued_queue = put_indexes(encoder, queued->queue, count, batch->name_count);
    columns->queued_depth = put_numbers(encoder, queued->depth, count);
    columns->queued_residence = put_numbers(encoder, queued->residence_ns, count);
    return put_rows(encoder, queued->row, count, batch->operations.count, &columns->queued_row_gap);
}

static int put_attributes(struct batch_encoder *encoder, const struct batch *batch,
                          struct batch_columns *columns)
{
    const struct batch_attributes *attributes = &batch->attributes;
    size_t count = attributes->count;

    for (size_t i = 0; i < count; i++) {
        uint64_t value = attributes->value[i];

        encoder->values[i] =
            attributes->type[i] == ATTRIBUTE_I64 ? zigzag_encode((int64_t)value) : value;
    }
    columns->attribute_value = put_numbers(encoder, encoder->values, count);
    columns->attribute_key = put_indexes(encoder, attributes->key, count, batch->name_count);
    columns->attribute_type = put_bytes(encoder, attributes->type, count);
    return put_repeated_rows(encoder, attributes->row, count, batch->operations.count,
                             &columns->attribute_row_gap);
}

static bool sample_is_double(const struct batch *batch, size_t row)
{
    return batch->names[batch->samples.metric[row]].value == VALUE_DOUBLE;
}

static void put_sample_values(struct batch_encoder *encoder, const struct batch *batch,
                              struct batch_columns *columns)
{
    const struct batch_samples *samples = &batch->samples;
    size_t integers = 0;
    size_t doubles = 0;

    for (size_t i = 0; i < samples->count; i++) {
        if (!sample_is_double(batch, i)) {
            encoder->values[integers++] = zigzag_encode((int64_t)samples->value[i]);
        }
    }
    columns->sample_integer = put_numbers(encoder, encoder->values, integers);
    for (size_t i = 0; i < samples->count; i++) {
        if (sample_is_double(batch, i)) {
            encoder->values[doubles++] = samples->value[i];
        }
    }
    planes_encode(encoder->bytes + encoder->used, encoder->values, doubles);
    columns->sample_real = take_bytes(encoder, doubles * sizeof(uint64_t));
}

static int put_samples(struct batch_encoder *encoder, const struct batch *batch,
                       struct batch_columns *columns)
{
    const struct batch_samples *samples = &batch->samples;
    size_t count = samples->count;

    columns->sample_metric = put_indexes(encoder, samples->metric, count, batch->name_count);
    if (!is_all_zero(samples->thread, count * sizeof(*samples->thread))) {
        for (size_t i = 0; i < count; i++) {
            encoder->values[i] = samples->thread[i];
        }
        columns->sample_thread = put_numbers(encoder, encoder->values, count);
    }
    put_sample_values(encoder, batch, columns);
    return put_times(encoder, samples->time_ns, count, batch->min_begin_ns,
                     &columns->sample_time_gap);
}

static int put_marks(struct batch_encoder *encoder, const struct batch *batch,
                     struct batch_columns *columns)
{
    const struct batch_marks *marks = &batch->marks;
    size_t count = marks->count;

    columns->mark_name = put_indexes(encoder, marks->name, count, batch->name_count);
    if (!is_all_zero(marks->thread, count * sizeof(*marks->thread))) {
        columns->mark_thread = put_packed(encoder, marks->thread, count, batch->thread_count);
    }
    return put_times(encoder, marks->time_ns, count, batch->min_begin_ns, &columns->mark_time_gap);
}

static int put_open(struct batch_encoder *encoder, const struct batch *batch,
                    struct batch_columns *columns)
{
    const struct batch_open *open = &batch->open;
    size_t count = open->count;

    columns->open_base_ns = count == 0 ? 0 : open->begin_ns[0];
    columns->open_name = put_indexes(encoder, open->name, count, batch->name_count);
    columns->open_state = put_bytes(encoder, open->state, count);
    columns->open_id = put_ids(encoder, open->id, count);
    return put_times(encoder, open->begin_ns, count, columns->open_base_ns,
                     &columns->open_begin_gap);
}

static int put_long_runs(struct batch_encoder *encoder, const struct batch *batch,
                         struct batch_columns *columns)
{
    const struct batch_long_runs *runs = &batch->long_runs;
    size_t count = runs->count;

    columns->long_run_base_ns = count == 0 ? 0 : runs->begin_ns[0];
    columns->long_run_length = put_numbers(encoder, runs->length_ns, count);
    columns->long_run_name = put_indexes(encoder, runs->name, count, batch->name_count);
    if (!is_all_zero(runs->thread, count * sizeof(*runs->thread))) {
        columns->long_run_thread = put_packed(encoder, runs->thread, count, batch->thread_count);
    }
    columns->long_run_id = put_ids(encoder, runs->id, count);
    return put_times(encoder, runs->begin_ns, count, columns->long_run_base_ns,
                     &columns->long_run_begin_gap);
}

int batch_encode(struct batch_encoder *encoder, struct batch *batch, uint8_t *destination,
                 size_t size, size_t *ret_size)
{
    struct batch_columns columns = {0};
    int r = batch_summarize(batch);

    r = r < 0 ? r : reserve(encoder, batch);
    encoder->used = 0;
    r = r < 0 ? r : put_operations(encoder, batch, &columns);
    r = r < 0 ? r : put_queued(encoder, batch, &columns);
    r = r < 0 ? r : put_attributes(encoder, batch, &columns);
    r = r < 0 ? r : put_samples(encoder, batch, &columns);
    r = r < 0 ? r : put_marks(encoder, batch, &columns);
    r = r < 0 ? r : put_open(encoder, batch, &columns);
    r = r < 0 ? r : put_long_runs(encoder, batch, &columns);
    return r < 0
               ? r
               : packet_write_batch(encoder->writer, batch, &columns, destination, size, ret_size);
}
