#include "batch.h"

#include <errno.h>
#include <string.h>

enum { LEAST_CAPACITY = 64 };

/* An array of a group that grows as one: all columns of a group have the same capacity. */
struct column {
    void *
        pointer; /* where the pointer to the array stands; copied, since it may be one to any type */
    size_t element_bytes;
};

/* What grown arrays hold from now on: powers of two, at most limit. */
static uint32_t next_capacity(size_t count, size_t limit)
{
    size_t capacity = LEAST_CAPACITY;

    while (capacity < count) {
        capacity *= 2;
    }
    return (uint32_t)(capacity < limit ? capacity : limit);
}

static int reserve(struct column *columns, size_t column_count, uint32_t *capacity, size_t count,
                   size_t limit)
{
    if (count <= *capacity) {
        return 0;
    }
    if (count > limit) {
        return -E2BIG;
    }

    uint32_t grown = next_capacity(count, limit);

    for (size_t i = 0; i < column_count; i++) {
        void *array;

        memcpy(&array, columns[i].pointer, sizeof(array));
        array = realloc(array, grown * columns[i].element_bytes);
        if (array == NULL) {
            return -ENOMEM; /* columns that grew already are larger than their capacity says: no harm */
        }
        memcpy(columns[i].pointer, &array, sizeof(array));
    }
    *capacity = grown;
    return 0;
}

#define COLUMN(array)                                                                              \
    {                                                                                              \
        (void *)&(array), sizeof((array)[0])                                                       \
    }

int sparse_rows_reserve(struct sparse_rows *rows, size_t count)
{
    struct column columns[] = {COLUMN(rows->row), COLUMN(rows->value)};

    return reserve(columns, ARRAY_SIZE(columns), &rows->capacity, count, BATCH_MAX_OPERATIONS);
}

int batch_reserve_names(struct batch *batch, size_t count)
{
    struct column columns[] = {COLUMN(batch->names)};

    return reserve(columns, ARRAY_SIZE(columns), &batch->name_capacity, count, BATCH_MAX_NAMES);
}

int batch_reserve_threads(struct batch *batch, size_t count)
{
    struct column columns[] = {COLUMN(batch->threads)};

    return reserve(columns, ARRAY_SIZE(columns), &batch->thread_capacity, count, BATCH_MAX_THREADS);
}

int batch_reserve_operations(struct batch *batch, size_t count)
{
    struct batch_operations *operations = &batch->operations;
    struct column columns[] = {COLUMN(operations->begin_ns),     COLUMN(operations->duration_ns),
                               COLUMN(operations->name),         COLUMN(operations->status),
                               COLUMN(operations->begin_thread), COLUMN(operations->end_thread)};

    return reserve(columns, ARRAY_SIZE(columns), &operations->capacity, count,
                   BATCH_MAX_OPERATIONS);
}

int batch_reserve_queued(struct batch *batch, size_t count)
{
    struct batch_queued *queued = &batch->queued;
    struct column columns[] = {COLUMN(queued->row), COLUMN(queued->queue), COLUMN(queued->depth),
                               COLUMN(queued->residence_ns)};

    return reserve(columns, ARRAY_SIZE(columns), &queued->capacity, count, BATCH_MAX_OPERATIONS);
}

int batch_reserve_attributes(struct batch *batch, size_t count)
{
    struct batch_attributes *attributes = &batch->attributes;
    struct column columns[] = {COLUMN(attributes->row), COLUMN(attributes->key),
                               COLUMN(attributes->type), COLUMN(attributes->value)};

    return reserve(columns, ARRAY_SIZE(columns), &attributes->capacity, count,
                   BATCH_MAX_ATTRIBUTES);
}

int batch_reserve_texts(struct batch *batch, size_t count)
{
    struct batch_attributes *attributes = &batch->attributes;
    struct column columns[] = {COLUMN(attributes->texts)};

    return reserve(columns, ARRAY_SIZE(columns), &attributes->text_capacity, count,
                   BATCH_MAX_ATTRIBUTES);
}

int batch_reserve_samples(struct batch *batch, size_t count)
{
    struct batch_samples *samples = &batch->samples;
    struct column columns[] = {COLUMN(samples->time_ns), COLUMN(samples->metric),
                               COLUMN(samples->thread), COLUMN(samples->value)};

    return reserve(columns, ARRAY_SIZE(columns), &samples->capacity, count, BATCH_MAX_SAMPLES);
}

int batch_reserve_marks(struct batch *batch, size_t count)
{
    struct batch_marks *marks = &batch->marks;
    struct column columns[] = {COLUMN(marks->time_ns), COLUMN(marks->name), COLUMN(marks->thread)};

    return reserve(columns, ARRAY_SIZE(columns), &marks->capacity, count, BATCH_MAX_MARKS);
}

int batch_reserve_open(struct batch *batch, size_t count)
{
    struct batch_open *open = &batch->open;
    struct column columns[] = {COLUMN(open->begin_ns), COLUMN(open->name), COLUMN(open->state),
                               COLUMN(open->id)};

    return reserve(columns, ARRAY_SIZE(columns), &open->capacity, count, BATCH_MAX_OPEN);
}

int batch_reserve_long_runs(struct batch *batch, size_t count)
{
    struct batch_long_runs *runs = &batch->long_runs;
    struct column columns[] = {COLUMN(runs->begin_ns), COLUMN(runs->length_ns), COLUMN(runs->name),
                               COLUMN(runs->thread), COLUMN(runs->id)};

    return reserve(columns, ARRAY_SIZE(columns), &runs->capacity, count, BATCH_MAX_LONG_RUNS);
}

int batch_reserve_losses(struct batch *batch, size_t count)
{
    struct column columns[] = {COLUMN(batch->losses)};

    return reserve(columns, ARRAY_SIZE(columns), &batch->loss_capacity, count, BATCH_MAX_LOSSES);
}

int batch_reserve_text_bytes(struct batch *batch, size_t size)
{
    if (size <= batch->text_size) {
        return 0;
    }

    char *bytes = realloc(batch->text_bytes, size);

    if (bytes == NULL) {
        return -ENOMEM;
    }
    batch->text_bytes = bytes;
    batch->text_size = size;
    return 0;
}

const char *batch_copy_text(struct batch *batch, const char *text, size_t length)
{
    if (length >= batch->text_size - batch->text_used) {
        return NULL;
    }

    char *copy = batch->text_bytes + batch->text_used;

    if (length > 0) {
        memcpy(copy, text, length);
    }
    copy[length] = '\0';
    batch->text_used += length + 1;
    return copy;
}

void batch_init(struct batch *batch)
{
    *batch = (struct batch){0};
}

void batch_clear(struct batch *batch)
{
    struct batch_operations *operations = &batch->operations;

    batch->name_count = 0;
    batch->thread_count = 0;
    operations->count = 0;
    operations->id.count = 0;
    operations->parent.count = 0;
    for (int state = 0; state < STATE_COUNT; state++) {
        operations->state_ns[state].count = 0;
    }
    batch->queued.count = 0;
    batch->attributes.count = 0;
    batch->attributes.text_count = 0;
    batch->samples.count = 0;
    batch->marks.count = 0;
    batch->open.count = 0;
    batch->open.as_of_ns = 0;
    batch->long_runs.count = 0;
    batch->loss_count = 0;
    batch->text_used = 0;
    batch->salvaged = false;
    batch->min_begin_ns = 0;
    batch->min_end_ns = 0;
    batch->max_end_ns = 0;
}

static void sparse_rows_release(struct sparse_rows *rows)
{
    free(rows->row);
    free(rows->value);
}

static void operations_release(struct batch_operations *operations)
{
    free(operations->begin_ns);
    free(operations->duration_ns);
    free(operations->name);
    free(operations->status);
    free(operations->begin_thread);
    free(operations->end_thread);
    sparse_rows_release(&operations->id);
    sparse_rows_release(&operations->parent);
    for (int state = 0; state < STATE_COUNT; state++) {
        sparse_rows_release(&operations->state_ns[state]);
    }
}

static void details_release(struct batch *batch)
{
    free(batch->queued.row);
    free(batch->queued.queue);
    free(batch->queued.depth);
    free(batch->queued.residence_ns);
    free(batch->attributes.row);
    free(batch->attributes.key);
    free(batch->attributes.type);
    free(batch->attributes.value);
    free((void *)batch->attributes.texts);
}

static void instants_release(struct batch *batch)
{
    free(batch->samples.time_ns);
    free(batch->samples.metric);
    free(batch->samples.thread);
    free(batch->samples.value);
    free(batch->marks.time_ns);
    free(batch->marks.name);
    free(batch->marks.thread);
    free(batch->open.begin_ns);
    free(batch->open.name);
    free(batch->open.state);
    free(batch->open.id);
    free(batch->long_runs.begin_ns);
    free(batch->long_runs.length_ns);
    free(batch->long_runs.name);
    free(batch->long_runs.thread);
    free(batch->long_runs.id);
}

void batch_release(struct batch *batch)
{
    free(batch->names);
    free(batch->threads);
    operations_release(&batch->operations);
    details_release(batch);
    instants_release(batch);
    free(batch->losses);
    free(batch->text_bytes);
    *batch = (struct batch){0};
}
