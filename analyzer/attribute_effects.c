#include "attribute_effects.h"

#include "frame_revisit.h"
#include "log_codes.h"
#include "window_series.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <string.h>

enum {
    EFFECT_SHARE = 8, /* of the memory: one part of so many */
    DIMENSION_LOCKS = 64,
    OTHER_SLICE = 64, /* slices below are values, above bins */
    FIRST_BIN_SLICE = OTHER_SLICE + 1,
    SLICE_COUNT = FIRST_BIN_SLICE + ATTRIBUTE_BINS,
    SLICE_BYTES = 10 * WINDOW_BUCKETS * 4, /* durations of one, over about ten octaves */
};

/* A key of the operations of one name. */
struct dimension {
    uint64_t id;                        /* number of the operation name, and of the key */
    struct report_attribute *attribute; /* borrowed from the report */
    const struct report_attribute_value **by_text; /* owned; its values */
    struct window_series slices;
    uint64_t max_ns[SLICE_COUNT];
};

/* An operation in a slice. */
struct slice_entry {
    uint32_t dimension;
    uint16_t slice;
    uint8_t status;
    uint64_t duration_ns;
};

struct dimension_worker {
    size_t entry_capacity;
    struct slice_entry *entries; /* owned, as all below */
    uint64_t *durations_ns;
    uint16_t *codes; /* of durations_ns */
    uint8_t *statuses;
    size_t name_capacity;
    uint32_t *numbers; /* of the batch's names */
};

struct attribute_effects {
    const struct report_plan *plan;
    const struct redacted_keys *redacted;
    size_t count;
    struct dimension *dimensions;     /* owned; by id */
    struct dimension_worker *workers; /* owned */
    pthread_mutex_t locks[DIMENSION_LOCKS];
};

static void release(struct attribute_effects *effects)
{
    for (size_t i = 0; i < effects->count; i++) {
        free((void *)effects->dimensions[i].by_text);
        window_series_release(&effects->dimensions[i].slices);
    }
    for (size_t i = 0; effects->workers != NULL && i < effects->plan->memory.jobs; i++) {
        free(effects->workers[i].entries);
        free(effects->workers[i].durations_ns);
        free(effects->workers[i].codes);
        free(effects->workers[i].statuses);
        free(effects->workers[i].numbers);
    }
    free(effects->dimensions);
    free(effects->workers);
}

/* --- Which there are --- */

static uint64_t id_of(uint32_t operation, uint32_t key)
{
    return (uint64_t)operation << 32 | key;
}

static int compare_texts(const void *left, const void *right)
{
    const struct report_attribute_value *a = *(const struct report_attribute_value *const *)left;
    const struct report_attribute_value *b = *(const struct report_attribute_value *const *)right;

    return strcmp(a->text, b->text);
}

static int compare_dimensions(const void *left, const void *right)
{
    uint64_t a = ((const struct dimension *)left)->id;
    uint64_t b = ((const struct dimension *)right)->id;

    return (a > b) - (a < b);
}

static int add_dimension(struct attribute_effects *effects, struct report_attribute *attribute,
                         uint32_t operation)
{
    struct dimension *made = &effects->dimensions[effects->count];
    uint32_t key = name_ranks_find(&effects->plan->names, NAME_ATTRIBUTE, attribute->key, "");

    *made = (struct dimension){
        .id = id_of(operation, key),
        .attribute = attribute,
        .by_text = (const struct report_attribute_value **)calloc(attribute->value_count + 1,
                                                                  sizeof(void *)),
        .slices.has_quantiles = true,
    };
    if (made->by_text == NULL) {
        return -ENOMEM;
    }
    effects->count++;
    for (size_t i = 0; i < attribute->value_count; i++) {
        made->by_text[i] = &attribute->values[i];
    }
    qsort((void *)made->by_text, attribute->value_count, sizeof(*made->by_text), compare_texts);
    attribute->reason = REASON_NONE;
    return 0;
}

static size_t count_attributes(const struct report *report)
{
    size_t count = 0;

    for (size_t i = 0; i < report->operation_count; i++) {
        count += report->operations[i].attribute_count;
    }
    return count;
}

static int add_dimensions(struct attribute_effects *effects, struct report *report)
{
    const uint64_t most = effects->plan->memory.memory_bytes / EFFECT_SHARE /
                          (sizeof(struct dimension) + (uint64_t)SLICE_COUNT * SLICE_BYTES);
    size_t wanted = count_attributes(report);
    int r = 0;

    effects->dimensions = calloc(min_u64(wanted, most) + 1, sizeof(*effects->dimensions));
    effects->workers = calloc(effects->plan->memory.jobs + 1, sizeof(*effects->workers));
    if (effects->dimensions == NULL || effects->workers == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; r == 0 && i < report->operation_count; i++) {
        struct report_operation *operation = &report->operations[i];
        uint32_t number =
            name_ranks_find(&effects->plan->names, NAME_OPERATION, operation->name, "");

        for (size_t k = 0; r == 0 && k < operation->attribute_count && effects->count < most; k++) {
            r = add_dimension(effects, &operation->attributes[k], number);
        }
    }
    qsort(effects->dimensions, effects->count, sizeof(*effects->dimensions), compare_dimensions);
    return r;
}

/* --- A frame --- */

static int reserve(struct dimension_worker *worker, const struct batch *batch)
{
    size_t entries = 2 * (size_t)batch->attributes.count + 1; /* a value and a bin */

    if (entries > worker->entry_capacity) {
        free(worker->entries);
        free(worker->durations_ns);
        free(worker->codes);
        free(worker->statuses);
        worker->entries = malloc(entries * sizeof(*worker->entries));
        worker->durations_ns = malloc(entries * sizeof(*worker->durations_ns));
        worker->codes = malloc(entries * sizeof(*worker->codes));
        worker->statuses = malloc(entries);
        worker->entry_capacity = entries;
    }
    if (batch->name_count > worker->name_capacity) {
        free(worker->numbers);
        worker->numbers = malloc(batch->name_count * sizeof(*worker->numbers));
        worker->name_capacity = batch->name_count;
    }
    if (worker->entries == NULL || worker->durations_ns == NULL || worker->codes == NULL ||
        worker->statuses == NULL || worker->numbers == NULL) {
        worker->entry_capacity = 0;
        worker->name_capacity = 0;
        return -ENOMEM;
    }
    return 0;
}

static size_t slice_of_value(const struct dimension *dimension, const char *text)
{
    const struct report_attribute_value key = {.text = (char *)(uintptr_t)text};
    const struct report_attribute_value *wanted = &key;
    const struct report_attribute_value **found = (const struct report_attribute_value **)bsearch(
        (const void *)&wanted, (const void *)dimension->by_text, dimension->attribute->value_count,
        sizeof(*dimension->by_text), compare_texts);

    return found == NULL ? OTHER_SLICE : (size_t)(*found - dimension->attribute->values);
}

/* Puts down an operation that carries an attribute. Returns how many entries there are then. */
static size_t put_entries(const struct attribute_effects *effects, struct dimension_worker *worker,
                          const struct batch *batch, uint32_t at, size_t count)
{
    uint32_t row = batch->attributes.row[at];
    const struct dimension wanted = {.id = id_of(worker->numbers[batch->operations.name[row]],
                                                 worker->numbers[batch->attributes.key[at]])};
    const struct dimension *found = effects->count == 0
                                        ? NULL
                                        : bsearch(&wanted, effects->dimensions, effects->count,
                                                  sizeof(wanted), compare_dimensions);
    char text[ATTRIBUTE_TEXT_BYTES];
    double number;

    if (found == NULL) {
        return count;
    }

    struct slice_entry entry = {
        .dimension = (uint32_t)(found - effects->dimensions),
        .status = batch->operations.status[row],
        .duration_ns = batch->operations.duration_ns[row],
    };

    entry.slice =
        (uint16_t)slice_of_value(found, attribute_text(text, effects->redacted, batch, at));
    worker->entries[count++] = entry;
    if (attribute_number(effects->redacted, batch, at, &number)) {
        size_t bin = attribute_bins_find(&found->attribute->bins, number);

        entry.slice = (uint16_t)(FIRST_BIN_SLICE + bin);
        if (bin != SIZE_MAX) {
            worker->entries[count++] = entry;
        }
    }
    return count;
}

static int compare_entries(const void *left, const void *right)
{
    const struct slice_entry *a = left;
    const struct slice_entry *b = right;

    return a->dimension != b->dimension ? (a->dimension < b->dimension ? -1 : 1)
                                        : (a->slice > b->slice) - (a->slice < b->slice);
}

/* Adds entries of one slice. */
static int add_slice(struct attribute_effects *effects, struct dimension_worker *worker,
                     const struct slice_entry *entries, size_t count)
{
    struct dimension *dimension = &effects->dimensions[entries[0].dimension];
    pthread_mutex_t *lock = &effects->locks[entries[0].dimension % DIMENSION_LOCKS];
    uint64_t max_ns = 0;

    for (size_t i = 0; i < count; i++) {
        worker->durations_ns[i] = entries[i].duration_ns;
        worker->statuses[i] = entries[i].status;
        max_ns = max_u64(max_ns, entries[i].duration_ns);
    }
    log_codes_of(worker->codes, worker->durations_ns, count);

    const struct coded_operations operations = {count, worker->codes, worker->statuses};

    (void)pthread_mutex_lock(lock);
    int r = window_series_add(&dimension->slices, entries[0].slice, &operations);

    dimension->max_ns[entries[0].slice] = max_u64(dimension->max_ns[entries[0].slice], max_ns);
    (void)pthread_mutex_unlock(lock);
    return r;
}

static int visit(void *context, size_t number, const struct plan_frame *frame,
                 const struct batch *batch)
{
    struct attribute_effects *effects = context;
    struct dimension_worker *worker = &effects->workers[number];
    int r = batch->attributes.count == 0 ? 0 : reserve(worker, batch);
    size_t count = 0;

    (void)frame;
    for (uint32_t i = 0; r == 0 && batch->attributes.count > 0 && i < batch->name_count; i++) {
        worker->numbers[i] = name_ranks_find(&effects->plan->names, batch->names[i].kind,
                                             batch->names[i].text, batch->names[i].unit);
    }
    for (uint32_t i = 0; r == 0 && i < batch->attributes.count; i++) {
        count = put_entries(effects, worker, batch, i, count);
    }
    if (count > 0) {
        qsort(worker->entries, count, sizeof(*worker->entries), compare_entries);
    }
    for (size_t first = 0, end; r == 0 && first < count; first = end) {
        for (end = first + 1;
             end < count && compare_entries(&worker->entries[first], &worker->entries[end]) == 0;) {
            end++;
        }
        r = add_slice(effects, worker, &worker->entries[first], end - first);
    }
    return r;
}

/* --- The result --- */

static struct report_slice *place_of(struct report_attribute *attribute, size_t slice)
{
    if (slice < OTHER_SLICE) {
        return &attribute->values[slice].slice;
    }
    return slice == OTHER_SLICE ? &attribute->other : &attribute->slices[slice - FIRST_BIN_SLICE];
}

static void describe(const struct dimension *dimension)
{
    for (size_t i = 0; i < dimension->slices.count; i++) {
        const struct window_cell *cell = &dimension->slices.cells[i];
        const struct report_window window = window_cell_describe(cell);
        struct report_slice *slice = place_of(dimension->attribute, cell->window);

        *slice = (struct report_slice){
            .count = window.count,
            .errors = window.errors,
            .p50_ns = window.p50_ns,
            .p95_ns = window.p95_ns,
            .p99_ns = window.p99_ns,
            .max_ns = (double)dimension->max_ns[cell->window],
        };
    }
}

int attribute_effects_find(struct report *report, const struct report_plan *plan,
                           const struct redacted_keys *redacted)
{
    struct attribute_effects effects = {.plan = plan, .redacted = redacted};

    for (size_t i = 0; i < DIMENSION_LOCKS; i++) {
        (void)pthread_mutex_init(&effects.locks[i], NULL);
    }

    int r = add_dimensions(&effects, report);

    if (r == 0 && effects.count > 0) {
        r = frame_revisit_run(plan, visit, &effects);
    }
    for (size_t i = 0; r == 0 && i < effects.count; i++) {
        describe(&effects.dimensions[i]);
    }
    release(&effects);
    return r;
}
