#include "batch_build.h"

#include "batch_details.h"
#include "batch_rules.h"

#include <errno.h>
#include <string.h>

enum { LEAST_ROWS = 256, ATTRIBUTES_PER_ENTRY = ENTRY_BYTES / 16 };

int batch_builder_init(struct batch_builder *builder, const struct recorder *recorder)
{
    *builder = (struct batch_builder){0};

    int r = batch_names_init(&builder->names, recorder);

    r = r < 0 ? r : batch_threads_init(&builder->threads, recorder);
    if (r < 0) {
        batch_builder_release(builder);
    }
    return r;
}

void batch_builder_release(struct batch_builder *builder)
{
    batch_release(&builder->batch);
    batch_names_release(&builder->names);
    batch_threads_release(&builder->threads);
    batch_texts_release(&builder->texts);
    row_order_release(&builder->order);
    free(builder->rows);
    free(builder->entry_of_row);
    free(builder->instants);
    *builder = (struct batch_builder){0};
}

/* --- Room --- */

static uint32_t grown_capacity(uint32_t count)
{
    uint32_t capacity = LEAST_ROWS;

    while (capacity < count) {
        capacity *= 2;
    }
    return capacity;
}

static int reserve_rows(struct batch_builder *builder, uint32_t count)
{
    if (count <= builder->row_capacity) {
        return 0;
    }
    free(builder->rows);
    free(builder->entry_of_row);
    builder->row_capacity = grown_capacity(count);
    builder->rows = malloc(builder->row_capacity * sizeof(*builder->rows));
    builder->entry_of_row = malloc(builder->row_capacity * sizeof(*builder->entry_of_row));
    if (builder->rows == NULL || builder->entry_of_row == NULL) {
        builder->row_capacity = 0;
        return -ENOMEM;
    }
    return 0;
}

static int reserve_instants(struct batch_builder *builder, uint32_t count)
{
    if (count <= builder->instant_capacity) {
        return 0;
    }
    free(builder->instants);
    builder->instant_capacity = grown_capacity(count);
    builder->instants = malloc(builder->instant_capacity * sizeof(*builder->instants));
    if (builder->instants == NULL) {
        builder->instant_capacity = 0;
        return -ENOMEM;
    }
    return 0;
}

static int reserve(struct batch_builder *builder, const struct staged *held, uint32_t own_samples)
{
    struct batch *batch = &builder->batch;
    uint32_t samples = held->samples + own_samples;
    size_t most_texts =
        min_u64((uint64_t)held->details * ATTRIBUTES_PER_ENTRY, BATCH_MAX_ATTRIBUTES);
    int r = reserve_rows(builder, held->operations);

    r = r < 0 ? r : reserve_instants(builder, held->samples + held->marks);
    r = r < 0 ? r
              : row_order_reserve(&builder->order,
                                  max_u64(max_u64(held->operations, samples), held->marks));
    r = r < 0 ? r : batch_reserve_operations(batch, held->operations);
    r = r < 0 ? r : batch_reserve_samples(batch, samples);
    r = r < 0 ? r : batch_reserve_marks(batch, held->marks);
    /* An attribute's text and its NUL fit into what the entry in front of it takes in staging. */
    return r < 0 ? r
                 : batch_texts_begin(&builder->texts, batch, most_texts,
                                     (size_t)held->details * ENTRY_BYTES);
}

/* --- From staging, in the order in which it was drained --- */

/* One pass over staging. */
struct build_pass {
    struct batch_builder *builder;
    const struct tick_clock *clock;
    uint32_t operations;
    uint32_t samples;
    uint32_t marks;
    uint32_t first_mark; /* where marks begin in builder->instants */
    /* The thread looked up last: mostly it is the next one, too. */
    uint32_t last_serial;
    int last_thread;
};

static inline int index_thread(struct build_pass *pass, uint32_t serial)
{
    if (UNLIKELY(serial != pass->last_serial)) {
        pass->last_thread =
            batch_threads_index(&pass->builder->threads, &pass->builder->batch, serial);
        pass->last_serial = serial;
    }
    return pass->last_thread;
}

static inline uint64_t time_of(const struct build_pass *pass, uint64_t time, bool is_ns)
{
    return UNLIKELY(is_ns) ? time : tick_clock_ns(pass->clock, time);
}

/* Between two ticks by the slope alone, so that rounding cannot make it negative; 0 if the end is before the begin. */
static inline uint64_t duration_of(const struct build_pass *pass, const struct record *record,
                                   uint64_t begin_ns)
{
    if (LIKELY((record->flags & (RECORD_BEGIN_IS_NS | RECORD_END_IS_NS)) == 0)) {
        int64_t ticks = (int64_t)(record->end - record->begin);

        return ticks > 0 ? (uint64_t)((double)ticks * pass->clock->ns_per_tick + 0.5) : 0;
    }

    uint64_t end_ns = time_of(pass, record->end, (record->flags & RECORD_END_IS_NS) != 0);

    return end_ns > begin_ns ? end_ns - begin_ns : 0;
}

static inline int take_operation(struct build_pass *pass, const struct record *record,
                                 uint32_t entry)
{
    struct batch_builder *builder = pass->builder;
    uint64_t begin_ns = time_of(pass, record->begin, (record->flags & RECORD_BEGIN_IS_NS) != 0);
    uint64_t duration_ns = duration_of(pass, record, begin_ns);
    int name = batch_names_index(&builder->names, &builder->batch, record->name, OPERATION_KINDS);
    int end_thread = index_thread(pass, record->end_thread);
    int begin_thread = index_thread(pass, record->begin_thread);

    if (UNLIKELY((name | end_thread | begin_thread) < 0)) {
        return -ENOMEM;
    }
    if (UNLIKELY(duration_ns >= DURATION_LIMIT_NS || begin_ns > UINT64_MAX - duration_ns)) {
        builder->refused_operations++;
        return 0;
    }
    builder->order.times[pass->operations] = begin_ns;
    builder->entry_of_row[pass->operations] = entry;
    builder->rows[pass->operations++] = (struct operation_row){
        .duration_ns = duration_ns,
        .name = (uint16_t)name,
        .begin_thread = (uint16_t)begin_thread,
        .end_thread = (uint16_t)end_thread,
        .status = record->status < STATUS_COUNT ? record->status : (uint8_t)STATUS_ERROR,
        .has_details = record->continuations != 0 || record->parent != 0 ||
                       (record->flags & RECORD_HAS_CHILDREN) != 0,
    };
    return 0;
}

static int read_staging(struct build_pass *pass, const struct stager *stager)
{
    uint32_t *instants = pass->builder->instants;
    const struct record *entries = stager->entries;

    for (uint32_t i = 0; i < stager->held.entries; i += 1U + entries[i].continuations) {
        if (LIKELY(entries[i].kind == ENTRY_OPERATION)) {
            int r = take_operation(pass, &entries[i], i);

            if (r < 0) {
                return r;
            }
        } else if (entries[i].kind == ENTRY_SAMPLE) {
            instants[pass->samples++] = i;
        } else if (entries[i].kind == ENTRY_MARK) {
            instants[pass->first_mark + pass->marks++] = i;
        }
    }
    return 0;
}

/* --- To the columns, in the order of time --- */

static int put_operations(struct build_pass *pass, const struct stager *stager)
{
    struct batch_builder *builder = pass->builder;
    struct batch_operations *operations = &builder->batch.operations;
    const struct detail_sink sink = {&builder->batch, &builder->names, &builder->texts,
                                     pass->clock->ns_per_tick};

    row_order_sort(&builder->order, pass->operations);
    operations->count = pass->operations;
    for (uint32_t i = 0; i < pass->operations; i++) {
        uint32_t row = builder->order.rows[i];
        const struct operation_row *operation = &builder->rows[row];

        operations->begin_ns[i] = builder->order.times[i];
        operations->duration_ns[i] = operation->duration_ns;
        operations->name[i] = operation->name;
        operations->status[i] = operation->status;
        operations->begin_thread[i] = operation->begin_thread;
        operations->end_thread[i] = operation->end_thread;
        if (UNLIKELY(operation->has_details)) {
            int r = batch_details_add(&sink, i, &stager->entries[builder->entry_of_row[row]]);

            if (r < 0) {
                return r;
            }
        }
    }
    return 0;
}

/* One sample, from the program (whose samples are those of the whole process) or from the flusher. */
static int put_sample(struct build_pass *pass, uint32_t row, const struct own_sample *sample)
{
    struct batch_builder *builder = pass->builder;
    struct batch_samples *samples = &builder->batch.samples;
    int metric = batch_names_index(&builder->names, &builder->batch, sample->name, METRIC_KINDS);
    int thread = sample->thread == 0
                     ? -1
                     : batch_threads_index(&builder->threads, &builder->batch, sample->thread);

    if (metric < 0 || (thread < 0 && sample->thread != 0)) {
        return -ENOMEM;
    }
    samples->time_ns[row] = builder->order.times[row];
    samples->metric[row] = (uint16_t)metric;
    samples->thread[row] = (uint32_t)(thread + 1);
    samples->value[row] = sample->value;
    return 0;
}

static int put_samples(struct build_pass *pass, const struct stager *stager,
                       const struct own_sample *own, uint32_t own_count)
{
    struct row_order *order = &pass->builder->order;
    const uint32_t *instants = pass->builder->instants;
    uint32_t count = pass->samples + own_count;
    int r = 0;

    for (uint32_t i = 0; i < count; i++) {
        order->times[i] = i < pass->samples
                              ? time_of(pass, stager->entries[instants[i]].begin, false)
                              : own[i - pass->samples].time_ns;
    }
    row_order_sort(order, count);
    for (uint32_t i = 0; r == 0 && i < count; i++) {
        uint32_t row = order->rows[i];

        if (row < pass->samples) {
            const struct record *record = &stager->entries[instants[row]];

            r = put_sample(pass, i,
                           &(struct own_sample){.value = record->end, .name = record->name});
        } else {
            r = put_sample(pass, i, &own[row - pass->samples]);
        }
    }
    pass->builder->batch.samples.count = count;
    return r;
}

static int put_marks(struct build_pass *pass, const struct stager *stager)
{
    struct batch_builder *builder = pass->builder;
    struct batch_marks *marks = &builder->batch.marks;
    const uint32_t *instants = builder->instants + pass->first_mark;

    for (uint32_t i = 0; i < pass->marks; i++) {
        builder->order.times[i] = time_of(pass, stager->entries[instants[i]].begin, false);
    }
    row_order_sort(&builder->order, pass->marks);
    for (uint32_t i = 0; i < pass->marks; i++) {
        const struct record *record = &stager->entries[instants[builder->order.rows[i]]];
        int name = batch_names_index(&builder->names, &builder->batch, record->name, MARK_KINDS);
        int thread = index_thread(pass, record->end_thread);

        if ((name | thread) < 0) {
            return -ENOMEM;
        }
        marks->time_ns[i] = builder->order.times[i];
        marks->name[i] = (uint16_t)name;
        marks->thread[i] = (uint16_t)thread;
    }
    marks->count = pass->marks;
    return 0;
}

int batch_builder_build(struct batch_builder *builder, const struct stager *stager,
                        const struct tick_clock *clock, const struct own_sample *samples,
                        uint32_t count)
{
    struct build_pass pass = {
        .builder = builder,
        .clock = clock,
        .first_mark = stager->held.samples,
        .last_thread = -1,
        .last_serial = UINT32_MAX, /* of no thread */
    };

    batch_clear(&builder->batch);
    batch_names_clear(&builder->names);
    batch_threads_clear(&builder->threads, clock_monotonic_ns());
    builder->refused_operations = 0;

    int r = reserve(builder, &stager->held, count);

    r = r < 0 ? r : read_staging(&pass, stager);
    r = r < 0 ? r : put_operations(&pass, stager);
    r = r < 0 ? r : put_samples(&pass, stager, samples, count);
    return r < 0 ? r : put_marks(&pass, stager);
}
