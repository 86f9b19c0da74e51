#include "packet_columns.h"

#include <errno.h>

/* Field numbers of trace.proto. */
enum { NUMBER_CODE = 1, NUMBER_BITS = 2 };
enum { SPARSE_ROW_GAP = 1, SPARSE_VALUE = 2 };
enum { QUEUE_ROW_GAP = 1, QUEUE_QUEUE, QUEUE_DEPTH, QUEUE_RESIDENCE };
enum { ATTRIBUTE_ROW_GAP = 1, ATTRIBUTE_KEY, ATTRIBUTE_TYPE, ATTRIBUTE_VALUE, ATTRIBUTE_TEXTS };
enum {
    OPERATIONS_BEGIN_GAP = 1,
    OPERATIONS_DURATION,
    OPERATIONS_NAME,
    OPERATIONS_STATUS,
    OPERATIONS_BEGIN_THREAD,
    OPERATIONS_END_THREAD,
    OPERATIONS_ID,
    OPERATIONS_PARENT,
    OPERATIONS_FIRST_STATE, /* one for each state, in their order */
    OPERATIONS_QUEUE = OPERATIONS_FIRST_STATE + STATE_COUNT,
    OPERATIONS_ATTRIBUTE,
};
enum { SAMPLES_TIME_GAP = 1, SAMPLES_METRIC, SAMPLES_THREAD, SAMPLES_INTEGER, SAMPLES_REAL };
enum { MARKS_TIME_GAP = 1, MARKS_NAME, MARKS_THREAD };
enum { OPEN_BEGIN_GAP = 1, OPEN_NAME, OPEN_STATE, OPEN_ID, OPEN_BASE, OPEN_AS_OF };
enum {
    LONG_RUNS_BEGIN_GAP = 1,
    LONG_RUNS_LENGTH,
    LONG_RUNS_NAME,
    LONG_RUNS_THREAD,
    LONG_RUNS_ID,
    LONG_RUNS_BASE
};

/* --- Writing --- */

/* What the functions below put, each one message, with or without a frame to write it to. */
typedef void put_message(struct proto_sink *sink, const struct batch *batch, const void *columns);

/* Puts a message as a field, its length before it; nothing if it is empty. */
static void put_field(struct proto_sink *sink, unsigned int number, put_message *put,
                      const struct batch *batch, const void *columns)
{
    struct proto_sink measure = {0};

    put(&measure, batch, columns);
    if (measure.size == 0) {
        return;
    }
    proto_put_header(sink, number, measure.size);
    if (sink->writer == NULL) {
        sink->size += measure.size;
    } else {
        put(sink, batch, columns);
    }
}

static void put_number(struct proto_sink *sink, const struct batch *batch, const void *columns)
{
    const struct number_column *number = columns;

    (void)batch;
    proto_put_column(sink, NUMBER_CODE, number->code);
    proto_put_column(sink, NUMBER_BITS, number->bits);
}

static void put_sparse(struct proto_sink *sink, const struct batch *batch, const void *columns)
{
    const struct sparse_columns *sparse = columns;

    put_field(sink, SPARSE_ROW_GAP, put_number, batch, &sparse->row_gap);
    put_field(sink, SPARSE_VALUE, put_number, batch, &sparse->value);
}

static void put_queue(struct proto_sink *sink, const struct batch *batch, const void *all)
{
    const struct batch_columns *columns = all;

    put_field(sink, QUEUE_ROW_GAP, put_number, batch, &columns->queued_row_gap);
    proto_put_column(sink, QUEUE_QUEUE, columns->queued_queue);
    put_field(sink, QUEUE_DEPTH, put_number, batch, &columns->queued_depth);
    put_field(sink, QUEUE_RESIDENCE, put_number, batch, &columns->queued_residence);
}

static void put_attributes(struct proto_sink *sink, const struct batch *batch, const void *all)
{
    const struct batch_columns *columns = all;

    put_field(sink, ATTRIBUTE_ROW_GAP, put_number, batch, &columns->attribute_row_gap);
    proto_put_column(sink, ATTRIBUTE_KEY, columns->attribute_key);
    proto_put_column(sink, ATTRIBUTE_TYPE, columns->attribute_type);
    put_field(sink, ATTRIBUTE_VALUE, put_number, batch, &columns->attribute_value);
    for (uint32_t i = 0; i < batch->attributes.text_count; i++) {
        proto_put_text(sink, ATTRIBUTE_TEXTS, batch->attributes.texts[i]);
    }
}

static void put_operations(struct proto_sink *sink, const struct batch *batch, const void *all)
{
    const struct batch_columns *columns = all;

    put_field(sink, OPERATIONS_BEGIN_GAP, put_number, batch, &columns->begin_gap);
    put_field(sink, OPERATIONS_DURATION, put_number, batch, &columns->duration);
    proto_put_column(sink, OPERATIONS_NAME, columns->name);
    proto_put_column(sink, OPERATIONS_STATUS, columns->status);
    proto_put_column(sink, OPERATIONS_BEGIN_THREAD, columns->begin_thread);
    proto_put_column(sink, OPERATIONS_END_THREAD, columns->end_thread);
    put_field(sink, OPERATIONS_ID, put_sparse, batch, &columns->id);
    put_field(sink, OPERATIONS_PARENT, put_sparse, batch, &columns->parent);
    for (unsigned int state = 0; state < STATE_COUNT; state++) {
        put_field(sink, OPERATIONS_FIRST_STATE + state, put_sparse, batch,
                  &columns->state_ns[state]);
    }
    put_field(sink, OPERATIONS_QUEUE, put_queue, batch, columns);
    put_field(sink, OPERATIONS_ATTRIBUTE, put_attributes, batch, columns);
}

static void put_samples(struct proto_sink *sink, const struct batch *batch, const void *all)
{
    const struct batch_columns *columns = all;

    put_field(sink, SAMPLES_TIME_GAP, put_number, batch, &columns->sample_time_gap);
    proto_put_column(sink, SAMPLES_METRIC, columns->sample_metric);
    put_field(sink, SAMPLES_THREAD, put_number, batch, &columns->sample_thread);
    put_field(sink, SAMPLES_INTEGER, put_number, batch, &columns->sample_integer);
    proto_put_column(sink, SAMPLES_REAL, columns->sample_real);
}

static void put_marks(struct proto_sink *sink, const struct batch *batch, const void *all)
{
    const struct batch_columns *columns = all;

    put_field(sink, MARKS_TIME_GAP, put_number, batch, &columns->mark_time_gap);
    proto_put_column(sink, MARKS_NAME, columns->mark_name);
    proto_put_column(sink, MARKS_THREAD, columns->mark_thread);
}

static void put_open(struct proto_sink *sink, const struct batch *batch, const void *all)
{
    const struct batch_columns *columns = all;

    put_field(sink, OPEN_BEGIN_GAP, put_number, batch, &columns->open_begin_gap);
    proto_put_column(sink, OPEN_NAME, columns->open_name);
    proto_put_column(sink, OPEN_STATE, columns->open_state);
    put_field(sink, OPEN_ID, put_number, batch, &columns->open_id);
    proto_put_uint64(sink, OPEN_BASE, columns->open_base_ns);
    proto_put_uint64(sink, OPEN_AS_OF, batch->open.as_of_ns);
}

static void put_long_runs(struct proto_sink *sink, const struct batch *batch, const void *all)
{
    const struct batch_columns *columns = all;

    put_field(sink, LONG_RUNS_BEGIN_GAP, put_number, batch, &columns->long_run_begin_gap);
    put_field(sink, LONG_RUNS_LENGTH, put_number, batch, &columns->long_run_length);
    proto_put_column(sink, LONG_RUNS_NAME, columns->long_run_name);
    proto_put_column(sink, LONG_RUNS_THREAD, columns->long_run_thread);
    put_field(sink, LONG_RUNS_ID, put_number, batch, &columns->long_run_id);
    proto_put_uint64(sink, LONG_RUNS_BASE, columns->long_run_base_ns);
}

void packet_put_columns(struct proto_sink *sink, const struct batch *batch,
                        const struct batch_columns *columns)
{
    put_field(sink, BATCH_OPERATIONS_FIELD, put_operations, batch, columns);
    put_field(sink, BATCH_SAMPLES_FIELD, put_samples, batch, columns);
    put_field(sink, BATCH_MARKS_FIELD, put_marks, batch, columns);
    put_field(sink, BATCH_OPEN_FIELD, put_open, batch, columns);
}

void packet_put_long_runs(struct proto_sink *sink, const struct batch *batch,
                          const struct batch_columns *columns)
{
    put_field(sink, BATCH_LONG_RUNS_FIELD, put_long_runs, batch, columns);
}

/* --- Reading --- */

/* Where texts and rows of one batch go. */
struct target {
    struct packet_arena *arena;
    struct batch *batch;
    struct batch_columns *columns;
};

/* Takes a column's bytes. A column that stands there twice would be two columns: refused. */
static int read_bytes(const struct proto_field *field, struct slice *column)
{
    if (field->type != PROTO_BYTES || column->data != NULL) {
        return -EBADMSG;
    }
    *column = field->content;
    return 0;
}

static int read_number(const struct proto_field *field, struct number_column *column)
{
    struct slice rest = field->content;
    struct proto_field inner;
    int r = field->type != PROTO_BYTES || column->code.data != NULL ? -EBADMSG
                                                                    : proto_next(&rest, &inner);

    while (r > 0) {
        switch (inner.number) {
        case NUMBER_CODE:
            r = read_bytes(&inner, &column->code);
            break;
        case NUMBER_BITS:
            r = read_bytes(&inner, &column->bits);
            break;
        default:
            r = 0;
        }
        r = r < 0 ? r : proto_next(&rest, &inner);
    }
    return r;
}

static int read_sparse(const struct proto_field *field, struct sparse_columns *columns)
{
    struct slice rest = field->content;
    struct proto_field inner;
    int r = field->type != PROTO_BYTES ? -EBADMSG : proto_next(&rest, &inner);

    while (r > 0) {
        switch (inner.number) {
        case SPARSE_ROW_GAP:
            r = read_number(&inner, &columns->row_gap);
            break;
        case SPARSE_VALUE:
            r = read_number(&inner, &columns->value);
            break;
        default:
            r = 0;
        }
        r = r < 0 ? r : proto_next(&rest, &inner);
    }
    return r;
}

/* Reads one field of a message; unknown ones are skipped. */
typedef int read_field(const struct proto_field *field, struct target *target);

static int read_message(const struct proto_field *message, struct target *target, read_field *read)
{
    struct slice rest = message->content;
    struct proto_field field;
    int r = message->type != PROTO_BYTES ? -EBADMSG : proto_next(&rest, &field);

    while (r > 0) {
        r = read(&field, target);
        r = r < 0 ? r : proto_next(&rest, &field);
    }
    return r;
}

static int read_queue(const struct proto_field *field, struct target *target)
{
    struct batch_columns *columns = target->columns;

    switch (field->number) {
    case QUEUE_ROW_GAP:
        return read_number(field, &columns->queued_row_gap);
    case QUEUE_QUEUE:
        return read_bytes(field, &columns->queued_queue);
    case QUEUE_DEPTH:
        return read_number(field, &columns->queued_depth);
    case QUEUE_RESIDENCE:
        return read_number(field, &columns->queued_residence);
    default:
        return 0;
    }
}

static int read_text(const struct proto_field *field, struct target *target)
{
    struct batch_attributes *attributes = &target->batch->attributes;
    int r = field->type != PROTO_BYTES
                ? -EBADMSG
                : batch_reserve_texts(target->batch, (size_t)attributes->text_count + 1);

    r = r < 0 ? r
              : packet_arena_copy_text(target->arena, field->content, TEXT_MAX_BYTES,
                                       &attributes->texts[attributes->text_count]);
    if (r == 0) {
        attributes->text_count++;
    }
    return r;
}

static int read_attribute(const struct proto_field *field, struct target *target)
{
    struct batch_columns *columns = target->columns;

    switch (field->number) {
    case ATTRIBUTE_ROW_GAP:
        return read_number(field, &columns->attribute_row_gap);
    case ATTRIBUTE_KEY:
        return read_bytes(field, &columns->attribute_key);
    case ATTRIBUTE_TYPE:
        return read_bytes(field, &columns->attribute_type);
    case ATTRIBUTE_VALUE:
        return read_number(field, &columns->attribute_value);
    case ATTRIBUTE_TEXTS:
        return read_text(field, target);
    default:
        return 0;
    }
}

static int read_operations(const struct proto_field *field, struct target *target)
{
    struct batch_columns *columns = target->columns;

    switch (field->number) {
    case OPERATIONS_BEGIN_GAP:
        return read_number(field, &columns->begin_gap);
    case OPERATIONS_DURATION:
        return read_number(field, &columns->duration);
    case OPERATIONS_NAME:
        return read_bytes(field, &columns->name);
    case OPERATIONS_STATUS:
        return read_bytes(field, &columns->status);
    case OPERATIONS_BEGIN_THREAD:
        return read_bytes(field, &columns->begin_thread);
    case OPERATIONS_END_THREAD:
        return read_bytes(field, &columns->end_thread);
    case OPERATIONS_ID:
        return read_sparse(field, &columns->id);
    case OPERATIONS_PARENT:
        return read_sparse(field, &columns->parent);
    case OPERATIONS_QUEUE:
        return read_message(field, target, read_queue);
    case OPERATIONS_ATTRIBUTE:
        return read_message(field, target, read_attribute);
    default:
        return field->number >= OPERATIONS_FIRST_STATE && field->number < OPERATIONS_QUEUE
                   ? read_sparse(field, &columns->state_ns[field->number - OPERATIONS_FIRST_STATE])
                   : 0;
    }
}

static int read_samples(const struct proto_field *field, struct target *target)
{
    struct batch_columns *columns = target->columns;

    switch (field->number) {
    case SAMPLES_TIME_GAP:
        return read_number(field, &columns->sample_time_gap);
    case SAMPLES_METRIC:
        return read_bytes(field, &columns->sample_metric);
    case SAMPLES_THREAD:
        return read_number(field, &columns->sample_thread);
    case SAMPLES_INTEGER:
        return read_number(field, &columns->sample_integer);
    case SAMPLES_REAL:
        return read_bytes(field, &columns->sample_real);
    default:
        return 0;
    }
}

static int read_marks(const struct proto_field *field, struct target *target)
{
    switch (field->number) {
    case MARKS_TIME_GAP:
        return read_number(field, &target->columns->mark_time_gap);
    case MARKS_NAME:
        return read_bytes(field, &target->columns->mark_name);
    case MARKS_THREAD:
        return read_bytes(field, &target->columns->mark_thread);
    default:
        return 0;
    }
}

static int read_open(const struct proto_field *field, struct target *target)
{
    struct batch_columns *columns = target->columns;

    switch (field->number) {
    case OPEN_BEGIN_GAP:
        return read_number(field, &columns->open_begin_gap);
    case OPEN_NAME:
        return read_bytes(field, &columns->open_name);
    case OPEN_STATE:
        return read_bytes(field, &columns->open_state);
    case OPEN_ID:
        return read_number(field, &columns->open_id);
    case OPEN_BASE:
        return proto_uint64(field, &columns->open_base_ns);
    case OPEN_AS_OF:
        return proto_uint64(field, &target->batch->open.as_of_ns);
    default:
        return 0;
    }
}

static int read_long_runs(const struct proto_field *field, struct target *target)
{
    struct batch_columns *columns = target->columns;

    switch (field->number) {
    case LONG_RUNS_BEGIN_GAP:
        return read_number(field, &columns->long_run_begin_gap);
    case LONG_RUNS_LENGTH:
        return read_number(field, &columns->long_run_length);
    case LONG_RUNS_NAME:
        return read_bytes(field, &columns->long_run_name);
    case LONG_RUNS_THREAD:
        return read_bytes(field, &columns->long_run_thread);
    case LONG_RUNS_ID:
        return read_number(field, &columns->long_run_id);
    case LONG_RUNS_BASE:
        return proto_uint64(field, &columns->long_run_base_ns);
    default:
        return 0;
    }
}

int packet_read_columns(const struct proto_field *field, struct packet_arena *arena,
                        struct batch *batch, struct batch_columns *columns)
{
    struct target target = {arena, batch, columns};

    switch (field->number) {
    case BATCH_OPERATIONS_FIELD:
        return read_message(field, &target, read_operations);
    case BATCH_SAMPLES_FIELD:
        return read_message(field, &target, read_samples);
    case BATCH_MARKS_FIELD:
        return read_message(field, &target, read_marks);
    case BATCH_OPEN_FIELD:
        return read_message(field, &target, read_open);
    case BATCH_LONG_RUNS_FIELD:
        return read_message(field, &target, read_long_runs);
    default:
        return 0;
    }
}
