#include "batch_build.h"

#include "batch_details.h"
#include "batch_rules.h"

#include <errno.h>
#include <string.h>

enum {
    LEAST_ROWS = 256,
    ATTRIBUTES_PER_ENTRY = ENTRY_BYTES / 16,
    /* How far ahead records are asked for: staging is larger than a cache that is near. */
    PREFETCH_ENTRIES = 16,
    PREFETCH_ROWS = 16, /* likewise: they are not met in the order in which they lie */
};

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

    r = r < 0 ? r : reserve_instants(builder, held->samples + held->marks + held->long_runs);
    r = r < 0 ? r
              : row_order_reserve(&builder->order, max_u64(max_u64(held->operations, samples),
                                                           max_u64(held->marks, held->long_runs)));
    r = r < 0 ? r : batch_reserve_operations(batch, held->operations);
    r = r < 0 ? r : batch_reserve_samples(batch, samples);
    r = r < 0 ? r : batch_reserve_marks(batch, held->marks);
    r = r < 0 ? r : batch_reserve_long_runs(batch, held->long_runs);
    /* An attribute's text and its NUL fit into what the entry in front of it takes in staging. */
    return r < 0 ? r
                 : batch_texts_begin(&builder->texts, batch, most_texts,
                                     (size_t)held->details * ENTRY_BYTES);
}

/* --- From staging, in the order in which it was drained --- */

/* One pass over staging. */
struct build_pass {
    struct batch_builder *builder;
    const struct stager *stager;
    struct tick_clock clock;
    uint32_t operations;
    uint32_t samples;
    uint32_t marks;
    uint32_t long_runs;
    uint32_t first_mark; /* where marks begin in builder->instants */
    uint32_t first_long_run;
};

/* Between two ticks by the slope alone, so that rounding cannot make it negative; 0 if the end is before the begin. */
static inline uint64_t duration_of_ticks(const struct tick_clock *clock, uint64_t begin,
                                         uint64_t end)
{
    int64_t ticks = (int64_t)(end - begin);
    double ns = (double)(ticks > 0 ? ticks : 0) * clock->ns_per_tick + 0.5;

    /* As a signed number: other conversions of double are slow. */
    return LIKELY(ns < (double)DURATION_LIMIT_NS) ? (uint64_t)(int64_t)ns : DURATION_LIMIT_NS;
}

struct lifetime {
    uint64_t begin_ns;
    uint64_t duration_ns;
};

static inline struct lifetime lifetime_of(const struct tick_clock *clock,
                                          const struct record *record)
{
    uint64_t begin_ns = record->begin;
    uint64_t end_ns = record->end;

    if (LIKELY((record->flags & (RECORD_BEGIN_IS_NS | RECORD_END_IS_NS)) == 0)) {
        return (struct lifetime){tick_clock_ns(clock, record->begin),
                                 duration_of_ticks(clock, record->begin, record->end)};
    }
    if ((record->flags & RECORD_BEGIN_IS_NS) == 0) {
        begin_ns = tick_clock_ns(clock, begin_ns);
    }
    if ((record->flags & RECORD_END_IS_NS) == 0) {
        end_ns = tick_clock_ns(clock, end_ns);
    }
    return (struct lifetime){begin_ns, end_ns > begin_ns ? end_ns - begin_ns : 0};
}

static inline bool has_details(const struct record *record)
{
    /* Put together before they are tested: one step instead of three branches. */
    return (record->parent | record->continuations | (record->flags & RECORD_NEEDS_ID)) != 0;
}

/* Returns 1 if the operation became the row of that number, 0 if it was refused, or -ENOMEM. */
static inline int take_operation(struct batch_builder *builder, const struct tick_clock *clock,
                                 const struct record *record, uint32_t row)
{
    struct batch *batch = &builder->batch;
    struct lifetime lifetime = lifetime_of(clock, record);
    int name = batch_names_index(&builder->names, batch, record->name, OPERATION_KINDS);
    int end_thread = batch_threads_index(&builder->threads, batch, record->end_thread);
    int begin_thread = batch_threads_index(&builder->threads, batch, record->begin_thread);

    if (UNLIKELY((name | end_thread | begin_thread) < 0)) {
        return -ENOMEM;
    }
    if (UNLIKELY(lifetime.duration_ns >= DURATION_LIMIT_NS ||
                 lifetime.begin_ns > UINT64_MAX - lifetime.duration_ns)) {
        builder->refused_operations++;
        return 0;
    }
    builder->order.times[row] = lifetime.begin_ns;
    builder->rows[row] = (struct operation_row){
        .duration_ns = lifetime.duration_ns,
        .name = (uint16_t)name,
        .begin_thread = (uint16_t)begin_thread,
        .end_thread = (uint16_t)end_thread,
        .status = record->status < STATUS_COUNT ? record->status : (uint8_t)STATUS_ERROR,
        .has_details = has_details(record),
    };
    return 1;
}

/* Operations from an entry on, as far as there is nothing else. Returns the entry behind them, or a negative errno. */
static int64_t take_operations(struct build_pass *pass, uint32_t first)
{
    struct batch_builder *builder = pass->builder;
    const struct record *entries = pass->stager->entries;
    const uint32_t count = pass->stager->held.entries;
    const struct tick_clock clock = pass->clock;
    uint32_t row = pass->operations;
    uint32_t i = first;

    while (i < count && entries[i].kind == ENTRY_OPERATION) {
        __builtin_prefetch(&entries[i + PREFETCH_ENTRIES]);
        int taken = take_operation(builder, &clock, &entries[i], row);

        if (UNLIKELY(taken < 0)) {
            return taken;
        }
        builder->entry_of_row[row] = i;
        row += (uint32_t)taken;
        i += 1U + entries[i].continuations;
    }
    pass->operations = row;
    return i;
}

static int read_staging(struct build_pass *pass)
{
    uint32_t *instants = pass->builder->instants;
    const struct record *entries = pass->stager->entries;
    int64_t at = 0;

    while (at < pass->stager->held.entries) {
        uint32_t i = (uint32_t)at;

        switch (entries[i].kind) {
        case ENTRY_OPERATION:
            at = take_operations(pass, i);
            if (at < 0) {
                return (int)at;
            }
            continue;
        case ENTRY_SAMPLE:
            instants[pass->samples++] = i;
            break;
        case ENTRY_MARK:
            instants[pass->first_mark + pass->marks++] = i;
            break;
        case ENTRY_LONG_RUN:
            instants[pass->first_long_run + pass->long_runs++] = i;
            break;
        default:
            break;
        }
        at += 1 + entries[i].continuations;
    }
    return 0;
}

/* --- To the columns, in the order of time --- */

static void put_row(struct batch_operations *operations, uint32_t i,
                    const struct operation_row *row)
{
    operations->duration_ns[i] = row->duration_ns;
    operations->name[i] = row->name;
    operations->status[i] = row->status;
    operations->begin_thread[i] = row->begin_thread;
    operations->end_thread[i] = row->end_thread;
}

static int put_operations(struct build_pass *pass)
{
    struct batch_builder *builder = pass->builder;
    const struct row_order *order = &builder->order;
    const struct record *entries = pass->stager->entries;
    const struct detail_sink sink = {&builder->batch, &builder->names, &builder->texts,
                                     pass->clock.ns_per_tick};
    struct batch_operations operations = builder->batch.operations; /* stores leave a copy alone */
    const struct operation_row *rows = builder->rows;
    uint32_t count = pass->operations;
    uint32_t last = count == 0 ? 0 : count - 1;

    row_order_sort(&builder->order, count);
    builder->batch.operations.count = count;
    if (count > 0) {
        memcpy(operations.begin_ns, order->times, count * sizeof(*order->times));
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = order->rows[i];

        __builtin_prefetch(&rows[order->rows[min_u64(i + PREFETCH_ROWS, last)]]);
        put_row(&operations, i, &rows[row]);
        if (UNLIKELY(rows[row].has_details)) {
            int r = batch_details_add(&sink, i, &entries[builder->entry_of_row[row]]);

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

static int put_samples(struct build_pass *pass, const struct own_sample *own, uint32_t own_count)
{
    const struct record *entries = pass->stager->entries;
    struct row_order *order = &pass->builder->order;
    const uint32_t *instants = pass->builder->instants;
    uint32_t count = pass->samples + own_count;
    int r = 0;

    for (uint32_t i = 0; i < count; i++) {
        order->times[i] = i < pass->samples
                              ? tick_clock_ns(&pass->clock, entries[instants[i]].begin)
                              : own[i - pass->samples].time_ns;
    }
    row_order_sort(order, count);
    for (uint32_t i = 0; r == 0 && i < count; i++) {
        uint32_t row = order->rows[i];

        if (row < pass->samples) {
            const struct record *record = &entries[instants[row]];

            r = put_sample(pass, i,
                           &(struct own_sample){.value = record->end, .name = record->name});
        } else {
            r = put_sample(pass, i, &own[row - pass->samples]);
        }
    }
    pass->builder->batch.samples.count = count;
    return r;
}

static int put_marks(struct build_pass *pass)
{
    const struct record *entries = pass->stager->entries;
    struct batch_builder *builder = pass->builder;
    struct batch_marks *marks = &builder->batch.marks;
    const uint32_t *instants = builder->instants + pass->first_mark;

    for (uint32_t i = 0; i < pass->marks; i++) {
        builder->order.times[i] = tick_clock_ns(&pass->clock, entries[instants[i]].begin);
    }
    row_order_sort(&builder->order, pass->marks);
    for (uint32_t i = 0; i < pass->marks; i++) {
        const struct record *record = &entries[instants[builder->order.rows[i]]];
        int name = batch_names_index(&builder->names, &builder->batch, record->name, MARK_KINDS);
        int thread = batch_threads_index(&builder->threads, &builder->batch, record->end_thread);

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

/* None is refused: their times are stamps of the library's own. */
static int put_long_runs(struct build_pass *pass)
{
    const struct record *entries = pass->stager->entries;
    struct batch_builder *builder = pass->builder;
    struct batch *batch = &builder->batch;
    struct batch_long_runs *runs = &batch->long_runs;
    const uint32_t *instants = builder->instants + pass->first_long_run;

    for (uint32_t i = 0; i < pass->long_runs; i++) {
        builder->order.times[i] = tick_clock_ns(&pass->clock, entries[instants[i]].begin);
    }
    row_order_sort(&builder->order, pass->long_runs);
    for (uint32_t i = 0; i < pass->long_runs; i++) {
        const struct record *record = &entries[instants[builder->order.rows[i]]];
        int name = batch_names_index(&builder->names, batch, record->name, OPERATION_KINDS);
        int thread = batch_threads_index(&builder->threads, batch, record->end_thread);

        if ((name | thread) < 0) {
            return -ENOMEM;
        }
        runs->begin_ns[i] = builder->order.times[i];
        runs->length_ns[i] = min_u64(duration_of_ticks(&pass->clock, record->begin, record->end),
                                     DURATION_LIMIT_NS - 1);
        runs->name[i] = (uint16_t)name;
        runs->thread[i] = (uint16_t)thread;
        runs->id[i] = record->id;
    }
    runs->count = pass->long_runs;
    return 0;
}

int batch_builder_build(struct batch_builder *builder, const struct stager *stager,
                        const struct tick_clock *clock, const struct own_sample *samples,
                        uint32_t count)
{
    struct build_pass pass = {
        .builder = builder,
        .stager = stager,
        .clock = *clock,
        .first_mark = stager->held.samples,
        .first_long_run = stager->held.samples + stager->held.marks,
    };

    batch_clear(&builder->batch);
    batch_names_clear(&builder->names);
    batch_threads_clear(&builder->threads, clock_monotonic_ns());
    builder->refused_operations = 0;

    int r = reserve(builder, &stager->held, count);

    r = r < 0 ? r : read_staging(&pass);
    r = r < 0 ? r : put_operations(&pass);
    r = r < 0 ? r : put_samples(&pass, samples, count);
    r = r < 0 ? r : put_marks(&pass);
    return r < 0 ? r : put_long_runs(&pass);
}
