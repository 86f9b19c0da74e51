#include "salvage_batch.h"

#include "batch_details.h"
#include "batch_rules.h"
#include "salvage_time.h"

#include <errno.h>
#include <string.h>

enum {
    THREAD_BUCKETS = 262144, /* a power of two; twice the threads that fit into a batch, and more */
    ATTRIBUTES_PER_ENTRY = ENTRY_BYTES / 16,
};

/* Rows of one kind, on their way into the columns. */
struct kind_rows {
    const struct record *entries;
    uint32_t count;
    uint8_t kind; /* enum entry_kind */
};

int salvage_batch_init(struct salvage_batch *salvage, const struct recorder_reader *reader)
{
    *salvage = (struct salvage_batch){
        .reader = reader,
        .places = malloc(SALVAGE_BATCH_ENTRIES * sizeof(*salvage->places)),
        .thread_buckets = malloc(THREAD_BUCKETS * sizeof(*salvage->thread_buckets)),
    };
    int r = salvage->places == NULL || salvage->thread_buckets == NULL ? -ENOMEM : 0;

    r = r < 0 ? r : batch_names_init(&salvage->names, reader->names);
    r = r < 0 ? r : row_order_reserve(&salvage->order, ROW_ORDER_MAX);
    if (r < 0) {
        salvage_batch_release(salvage);
    }
    return r;
}

void salvage_batch_release(struct salvage_batch *salvage)
{
    batch_release(&salvage->batch);
    batch_names_release(&salvage->names);
    batch_texts_release(&salvage->texts);
    row_order_release(&salvage->order);
    free(salvage->places);
    free(salvage->thread_buckets);
    *salvage = (struct salvage_batch){0};
}

/* --- Entries --- */

uint32_t salvage_record_entries(const struct record *entry)
{
    bool is_record = entry->kind >= ENTRY_OPERATION && entry->kind <= ENTRY_LONG_RUN &&
                     entry->continuations <= MAX_CONTINUATIONS;

    return is_record ? 1U + entry->continuations : 0;
}

/* Whole records were made sure of before: an entry that begins none does not occur, and must not hang the loop. */
static uint32_t next_record(const struct record *entries, uint32_t at)
{
    return at + (uint32_t)max_u64(salvage_record_entries(&entries[at]), 1);
}

struct record_counts salvage_count(const struct record *entries, uint32_t count)
{
    struct record_counts counts = {0};

    for (uint32_t i = 0; i < count; i = next_record(entries, i)) {
        counts.operations += entries[i].kind == ENTRY_OPERATION;
        counts.samples += entries[i].kind == ENTRY_SAMPLE;
        counts.marks += entries[i].kind == ENTRY_MARK;
        counts.long_runs += entries[i].kind == ENTRY_LONG_RUN;
    }
    return counts;
}

/* --- Time --- */

static uint64_t begin_of(const struct salvage_batch *salvage, const struct record *record)
{
    return record->kind == ENTRY_OPERATION && (record->flags & RECORD_BEGIN_IS_NS) != 0
               ? record->begin
               : salvage_time_ns(&salvage->reader->books, record->begin);
}

/* Between two ticks by the slope alone, so that rounding cannot make it negative; 0 if the end is before the begin. */
static uint64_t length_of(const struct salvage_batch *salvage, const struct record *record)
{
    const struct recorder_books *books = &salvage->reader->books;
    unsigned int ns_flags = record->flags & (RECORD_BEGIN_IS_NS | RECORD_END_IS_NS);

    if (record->kind == ENTRY_OPERATION && ns_flags != 0) {
        uint64_t begin_ns = begin_of(salvage, record);
        uint64_t end_ns = (record->flags & RECORD_END_IS_NS) != 0
                              ? record->end
                              : salvage_time_ns(books, record->end);

        return end_ns > begin_ns ? end_ns - begin_ns : 0;
    }
    int64_t ticks = (int64_t)(record->end - record->begin);
    double ns = (double)(ticks > 0 ? ticks : 0) * books->ns_per_tick + 0.5;

    return ns < (double)DURATION_LIMIT_NS ? (uint64_t)ns : DURATION_LIMIT_NS;
}

/* --- Threads --- */

/* Returns the index of the thread in the batch, entered if it is new, or a negative errno. */
static int thread_index(struct salvage_batch *salvage, uint32_t serial)
{
    struct batch *batch = &salvage->batch;
    uint32_t at = serial & (THREAD_BUCKETS - 1);

    while (salvage->thread_buckets[at] != 0) {
        uint32_t index = salvage->thread_buckets[at] - 1;

        if (batch->threads[index].serial == serial) {
            return (int)index;
        }
        at = (at + 1) & (THREAD_BUCKETS - 1);
    }
    int r = batch_reserve_threads(batch, batch->thread_count + (size_t)1);
    if (r < 0) {
        return r;
    }
    batch->threads[batch->thread_count] = (struct batch_thread){
        .tid = recorder_reader_tid(salvage->reader, serial),
        .name = "",
        .serial = serial,
    };
    salvage->thread_buckets[at] = ++batch->thread_count;
    return (int)batch->thread_count - 1;
}

/* --- Rows --- */

/* Finds the rows of a kind that the format holds, in the order of time. */
static struct kind_rows sort_rows(struct salvage_batch *salvage, const struct record *entries,
                                  uint32_t count, enum entry_kind kind)
{
    struct kind_rows rows = {.entries = entries, .kind = (uint8_t)kind};

    for (uint32_t i = 0; i < count; i = next_record(entries, i)) {
        if (entries[i].kind != kind) {
            continue;
        }
        uint64_t begin_ns = begin_of(salvage, &entries[i]);
        uint64_t length_ns = kind == ENTRY_OPERATION ? length_of(salvage, &entries[i]) : 0;

        if (length_ns >= DURATION_LIMIT_NS || begin_ns > UINT64_MAX - length_ns) {
            salvage->refused_operations++;
            continue;
        }
        salvage->places[rows.count] = i;
        salvage->order.times[rows.count++] = begin_ns;
    }
    row_order_sort(&salvage->order, rows.count);
    return rows;
}

static const struct record *row_at(const struct salvage_batch *salvage,
                                   const struct kind_rows *rows, uint32_t i)
{
    return &rows->entries[salvage->places[salvage->order.rows[i]]];
}

static int put_operation(struct salvage_batch *salvage, const struct record *record, uint32_t row)
{
    struct batch *batch = &salvage->batch;
    struct batch_operations *operations = &batch->operations;
    const struct detail_sink sink = {batch, &salvage->names, &salvage->texts,
                                     salvage->reader->books.ns_per_tick};
    int name = batch_names_index(&salvage->names, batch, record->name, OPERATION_KINDS);
    int begin_thread = thread_index(salvage, record->begin_thread);
    int end_thread = thread_index(salvage, record->end_thread);

    if (name < 0 || begin_thread < 0 || end_thread < 0) {
        return name < 0 ? name : -E2BIG;
    }
    operations->begin_ns[row] = salvage->order.times[row];
    operations->duration_ns[row] = length_of(salvage, record);
    operations->name[row] = (uint16_t)name;
    operations->status[row] =
        record->status < STATUS_COUNT ? record->status : (uint8_t)STATUS_ERROR;
    operations->begin_thread[row] = (uint16_t)begin_thread;
    operations->end_thread[row] = (uint16_t)end_thread;
    return batch_details_add(&sink, row, record);
}

static int put_operations(struct salvage_batch *salvage, const struct kind_rows *rows)
{
    int r = batch_reserve_operations(&salvage->batch, rows->count);

    for (uint32_t i = 0; r == 0 && i < rows->count; i++) {
        r = put_operation(salvage, row_at(salvage, rows, i), i);
    }
    salvage->batch.operations.count = rows->count;
    return r;
}

static int put_samples(struct salvage_batch *salvage, const struct kind_rows *rows)
{
    struct batch *batch = &salvage->batch;
    int r = batch_reserve_samples(batch, rows->count);

    for (uint32_t i = 0; r == 0 && i < rows->count; i++) {
        const struct record *record = row_at(salvage, rows, i);
        int metric = batch_names_index(&salvage->names, batch, record->name, METRIC_KINDS);

        r = metric < 0 ? metric : 0;
        batch->samples.time_ns[i] = salvage->order.times[i];
        batch->samples.metric[i] = (uint16_t)metric;
        batch->samples.thread[i] = 0;
        batch->samples.value[i] = record->end;
    }
    batch->samples.count = rows->count;
    return r;
}

static int put_marks(struct salvage_batch *salvage, const struct kind_rows *rows)
{
    struct batch *batch = &salvage->batch;
    int r = batch_reserve_marks(batch, rows->count);

    for (uint32_t i = 0; r == 0 && i < rows->count; i++) {
        const struct record *record = row_at(salvage, rows, i);
        int name = batch_names_index(&salvage->names, batch, record->name, MARK_KINDS);
        int thread = thread_index(salvage, record->end_thread);

        r = name < 0 ? name : thread < 0 ? thread : 0;
        batch->marks.time_ns[i] = salvage->order.times[i];
        batch->marks.name[i] = (uint16_t)name;
        batch->marks.thread[i] = (uint16_t)thread;
    }
    batch->marks.count = rows->count;
    return r;
}

static int put_long_runs(struct salvage_batch *salvage, const struct kind_rows *rows)
{
    struct batch *batch = &salvage->batch;
    struct batch_long_runs *runs = &batch->long_runs;
    int r = batch_reserve_long_runs(batch, rows->count);

    for (uint32_t i = 0; r == 0 && i < rows->count; i++) {
        const struct record *record = row_at(salvage, rows, i);
        int name = batch_names_index(&salvage->names, batch, record->name, OPERATION_KINDS);
        int thread = thread_index(salvage, record->end_thread);

        r = name < 0 ? name : thread < 0 ? thread : 0;
        runs->begin_ns[i] = salvage->order.times[i];
        runs->length_ns[i] = min_u64(length_of(salvage, record), DURATION_LIMIT_NS - 1);
        runs->name[i] = (uint16_t)name;
        runs->thread[i] = (uint16_t)thread;
        runs->id[i] = record->id;
    }
    runs->count = rows->count;
    return r;
}

static int put_open(struct salvage_batch *salvage, const struct left_operation *open,
                    uint32_t count, uint64_t as_of_ns)
{
    struct batch *batch = &salvage->batch;
    int r = batch_reserve_open(batch, count);

    for (uint32_t i = 0; i < count; i++) {
        salvage->order.times[i] = open[i].begin_ns;
    }
    row_order_sort(&salvage->order, count);
    for (uint32_t i = 0; r == 0 && i < count; i++) {
        const struct left_operation *operation = &open[salvage->order.rows[i]];
        int name = batch_names_index(&salvage->names, batch, operation->name, OPERATION_KINDS);

        r = name < 0 ? name : 0;
        batch->open.begin_ns[i] = operation->begin_ns;
        batch->open.name[i] = (uint16_t)name;
        batch->open.state[i] =
            operation->state < STATE_COUNT ? operation->state : (uint8_t)STATE_OTHER;
        batch->open.id[i] = operation->id;
    }
    batch->open.count = count;
    batch->open.as_of_ns = as_of_ns;
    return r;
}

/* --- The batch --- */

static int reserve_texts(struct salvage_batch *salvage, uint32_t entry_count)
{
    size_t most = min_u64((uint64_t)entry_count * ATTRIBUTES_PER_ENTRY, BATCH_MAX_ATTRIBUTES);

    return batch_texts_begin(&salvage->texts, &salvage->batch, most,
                             (size_t)entry_count * ENTRY_BYTES);
}

int salvage_batch_build(struct salvage_batch *salvage, const struct record *entries, uint32_t count,
                        const struct left_operation *open, uint32_t open_count, uint64_t as_of_ns)
{
    static int (*const put[])(struct salvage_batch *, const struct kind_rows *) = {
        [ENTRY_OPERATION] = put_operations,
        [ENTRY_SAMPLE] = put_samples,
        [ENTRY_MARK] = put_marks,
        [ENTRY_LONG_RUN] = put_long_runs,
    };

    batch_clear(&salvage->batch);
    batch_names_clear(&salvage->names);
    memset(salvage->thread_buckets, 0, THREAD_BUCKETS * sizeof(*salvage->thread_buckets));
    salvage->refused_operations = 0;
    int r = reserve_texts(salvage, count);

    for (unsigned int kind = 0; r == 0 && kind < ARRAY_SIZE(put); kind++) {
        if (put[kind] != NULL) {
            struct kind_rows rows = sort_rows(salvage, entries, count, (enum entry_kind)kind);

            r = put[kind](salvage, &rows);
        }
    }
    return r < 0 ? r : put_open(salvage, open, open_count, as_of_ns);
}
