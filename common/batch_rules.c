#include "batch_rules.h"

#include "columns.h"
#include "utf8.h"

#include <errno.h>
#include <string.h>

enum {
    SMALL_LIST = 256, /* of names: fits on the stack and into the first-level cache */
    COUNTER_SETS = 4,
};

/* --- What encoders and decoders share --- */

bool durations_are_valid(const uint64_t *durations_ns, size_t count)
{
    uint64_t all_bits = 0;

    for (size_t i = 0; i < count; i++) {
        all_bits |= durations_ns[i];
    }
    return all_bits < DURATION_LIMIT_NS;
}

static bool kind_is_wrong(const struct batch_name *name, unsigned int kinds)
{
    return (1U << name->kind & kinds) == 0;
}

bool batch_names_are_of_kinds(const struct batch *batch, const uint16_t *names, size_t count,
                              unsigned int kinds)
{
    uint8_t is_wrong[SMALL_LIST] = {0};
    unsigned int any = 0;
    unsigned int wrong = 0;

    if (batch->name_count > SMALL_LIST) {
        for (size_t i = 0; i < count; i++) {
            wrong |= kind_is_wrong(&batch->names[names[i]], kinds);
        }
        return wrong == 0;
    }
    for (uint32_t i = 0; i < batch->name_count; i++) {
        is_wrong[i] = kind_is_wrong(&batch->names[i], kinds);
        any |= is_wrong[i];
    }
    for (size_t i = 0; any != 0 && i < count; i++) {
        wrong |= is_wrong[names[i]];
    }
    return wrong == 0;
}

/* Ends of operations. */
struct ends {
    uint64_t min_ns;
    uint64_t max_ns;
    bool overflow;
};

static void add_ends(struct ends *ends, const uint64_t *begins_ns, const uint64_t *durations_ns,
                     size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t end_ns = begins_ns[i] + durations_ns[i];

        ends->overflow |= end_ns < begins_ns[i];
        ends->max_ns = end_ns > ends->max_ns ? end_ns : ends->max_ns;
        ends->min_ns = end_ns < ends->min_ns ? end_ns : ends->min_ns;
    }
}

#if defined(__x86_64__)

#include <immintrin.h>

enum { LANES = 4 };

/* Of begins and durations below 2^62, so that signed numbers hold the ends; count is a multiple of LANES, and not 0. */
__attribute__((target("avx2"))) static void add_ends_avx2(struct ends *ends,
                                                          const uint64_t *begins_ns,
                                                          const uint64_t *durations_ns,
                                                          size_t count)
{
    __m256i min = _mm256_set1_epi64x(INT64_MAX);
    __m256i max = _mm256_setzero_si256();
    uint64_t lanes[2][LANES];

    for (size_t i = 0; i < count; i += LANES) {
        __m256i ends_ns =
            _mm256_add_epi64(_mm256_loadu_si256((const __m256i *)(const void *)(begins_ns + i)),
                             _mm256_loadu_si256((const __m256i *)(const void *)(durations_ns + i)));

        min = _mm256_blendv_epi8(min, ends_ns, _mm256_cmpgt_epi64(min, ends_ns));
        max = _mm256_blendv_epi8(max, ends_ns, _mm256_cmpgt_epi64(ends_ns, max));
    }
    _mm256_storeu_si256((__m256i *)(void *)lanes[0], min);
    _mm256_storeu_si256((__m256i *)(void *)lanes[1], max);
    for (size_t lane = 0; lane < LANES; lane++) {
        ends->min_ns = min_u64(ends->min_ns, lanes[0][lane]);
        ends->max_ns = max_u64(ends->max_ns, lanes[1][lane]);
    }
}

/* Adds as many as can be added four at a time. Returns how many those are. */
static size_t add_most_ends(struct ends *ends, const uint64_t *begins_ns,
                            const uint64_t *durations_ns, size_t count)
{
    size_t most = count - count % LANES;

    /* Begins are sorted; durations are known to be below the limit. */
    if (most == 0 || begins_ns[count - 1] >= DURATION_LIMIT_NS || !__builtin_cpu_supports("avx2")) {
        return 0;
    }
    add_ends_avx2(ends, begins_ns, durations_ns, most);
    return most;
}

#else

static size_t add_most_ends(struct ends *ends, const uint64_t *begins_ns,
                            const uint64_t *durations_ns, size_t count)
{
    (void)ends;
    (void)begins_ns;
    (void)durations_ns;
    (void)count;
    return 0;
}

#endif

/* Rows are sorted by begin. */
static bool add_operations(struct time_range *range, const struct batch_operations *operations)
{
    struct ends ends = {.min_ns = UINT64_MAX};

    if (operations->count == 0) {
        return true; /* and there may be no arrays */
    }

    size_t done =
        add_most_ends(&ends, operations->begin_ns, operations->duration_ns, operations->count);

    add_ends(&ends, operations->begin_ns + done, operations->duration_ns + done,
             operations->count - done);
    *range = (struct time_range){operations->begin_ns[0], ends.min_ns, ends.max_ns};
    return !ends.overflow;
}

static void add_instants(struct time_range *range, const uint64_t *times_ns, size_t count)
{
    if (count > 0) {
        range->min_begin_ns = min_u64(range->min_begin_ns, times_ns[0]);
        range->min_end_ns = min_u64(range->min_end_ns, times_ns[0]);
        range->max_end_ns = max_u64(range->max_end_ns, times_ns[count - 1]);
    }
}

bool batch_find_time_range(const struct batch *batch, struct time_range *ret_range)
{
    struct time_range range = {UINT64_MAX, UINT64_MAX, 0};

    if (!add_operations(&range, &batch->operations)) {
        return false;
    }
    add_instants(&range, batch->samples.time_ns, batch->samples.count);
    add_instants(&range, batch->marks.time_ns, batch->marks.count);
    if (batch->operations.count == 0 && batch->samples.count == 0 && batch->marks.count == 0) {
        range = (struct time_range){0};
    }
    *ret_range = range;
    return true;
}

/* --- Lists --- */

static bool text_is_valid(const char *text, size_t limit)
{
    size_t length = text == NULL ? limit + 1 : strnlen(text, limit + 1);

    return length <= limit && utf8_is_valid(text, length);
}

static bool counts_are_valid(const struct batch *batch)
{
    return batch->name_count <= BATCH_MAX_NAMES && batch->thread_count <= BATCH_MAX_THREADS &&
           batch->loss_count <= BATCH_MAX_LOSSES &&
           batch->operations.count <= BATCH_MAX_OPERATIONS &&
           batch->samples.count <= BATCH_MAX_SAMPLES && batch->marks.count <= BATCH_MAX_MARKS &&
           batch->open.count <= BATCH_MAX_OPEN && batch->long_runs.count <= BATCH_MAX_LONG_RUNS &&
           batch->attributes.count <= BATCH_MAX_ATTRIBUTES &&
           batch->attributes.text_count <= BATCH_MAX_ATTRIBUTES;
}

static bool names_are_valid(struct batch *batch)
{
    for (uint32_t i = 0; i < batch->name_count; i++) {
        struct batch_name *name = &batch->names[i];

        if (!text_is_valid(name->text, NAME_MAX_BYTES) ||
            !text_is_valid(name->unit, NAME_UNIT_MAX_BYTES) ||
            (unsigned int)name->kind >= NAME_KIND_COUNT ||
            (unsigned int)name->value >= VALUE_TYPE_COUNT) {
            return false;
        }
        name->rows = 0;
    }
    return true;
}

static bool lists_are_valid(const struct batch *batch)
{
    for (uint32_t i = 0; i < batch->thread_count; i++) {
        if (!text_is_valid(batch->threads[i].name, THREAD_NAME_MAX_BYTES)) {
            return false;
        }
    }
    for (uint32_t i = 0; i < batch->loss_count; i++) {
        const struct loss *loss = &batch->losses[i];

        if ((unsigned int)loss->cause >= LOSS_CAUSE_COUNT ||
            (loss->queue != NULL && !text_is_valid(loss->queue, NAME_MAX_BYTES))) {
            return false;
        }
    }
    for (uint32_t i = 0; i < batch->attributes.text_count; i++) {
        if (!text_is_valid(batch->attributes.texts[i], TEXT_MAX_BYTES)) {
            return false;
        }
    }
    return true;
}

/* --- Columns --- */

/* Several sets of counters, so that rows of the same name do not wait for each other. */
static bool count_rows_of_small_list(struct batch *batch, const uint16_t *names, size_t count,
                                     unsigned int kinds)
{
    uint32_t counters[COUNTER_SETS][SMALL_LIST] = {0};
    bool is_wrong = false;
    size_t i = 0;

    for (; i + COUNTER_SETS <= count; i += COUNTER_SETS) {
        for (size_t set = 0; set < COUNTER_SETS; set++) {
            counters[set][names[i + set]]++;
        }
    }
    for (; i < count; i++) {
        counters[0][names[i]]++;
    }
    for (uint32_t name = 0; name < batch->name_count; name++) {
        uint32_t rows = 0;

        for (size_t set = 0; set < COUNTER_SETS; set++) {
            rows += counters[set][name];
        }
        batch->names[name].rows += rows;
        is_wrong |= rows > 0 && kind_is_wrong(&batch->names[name], kinds);
    }
    return !is_wrong;
}

/* Counts the rows of each name, all of which must be of the kinds. */
static bool count_rows(struct batch *batch, const uint16_t *names, size_t count, unsigned int kinds)
{
    if (!indexes_are_below(names, count, batch->name_count)) {
        return false;
    }
    if (batch->name_count <= SMALL_LIST && count > SMALL_LIST) {
        return count_rows_of_small_list(batch, names, count, kinds);
    }
    for (size_t i = 0; i < count; i++) {
        batch->names[names[i]].rows++;
    }
    return batch_names_are_of_kinds(batch, names, count, kinds);
}

static bool times_per_state_are_valid(const struct batch_operations *operations)
{
    for (int state = 0; state < STATE_COUNT; state++) {
        const struct sparse_rows *rows = &operations->state_ns[state];

        if (!durations_are_valid(rows->value, rows->count)) {
            return false;
        }
    }
    return true;
}

static bool operations_are_valid(struct batch *batch)
{
    const struct batch_operations *operations = &batch->operations;
    size_t count = operations->count;

    return count_rows(batch, operations->name, count, OPERATION_KINDS) &&
           durations_are_valid(operations->duration_ns, count) &&
           bytes_are_below(operations->status, count, STATUS_COUNT) &&
           indexes_are_below(operations->begin_thread, count, batch->thread_count) &&
           indexes_are_below(operations->end_thread, count, batch->thread_count) &&
           times_per_state_are_valid(operations);
}

static bool queued_are_valid(struct batch *batch)
{
    const struct batch_queued *queued = &batch->queued;

    return count_rows(batch, queued->queue, queued->count, QUEUE_KINDS) &&
           durations_are_valid(queued->residence_ns, queued->count);
}

static bool attributes_are_valid(struct batch *batch)
{
    const struct batch_attributes *attributes = &batch->attributes;

    for (uint32_t i = 0; i < attributes->count; i++) {
        uint8_t type = attributes->type[i];

        if ((type == ATTRIBUTE_TEXT || type == ATTRIBUTE_TEXT_CUT) &&
            attributes->value[i] >= attributes->text_count) {
            return false;
        }
    }
    return bytes_are_below(attributes->type, attributes->count, ATTRIBUTE_TYPE_COUNT) &&
           count_rows(batch, attributes->key, attributes->count, ATTRIBUTE_KINDS);
}

static bool samples_are_valid(struct batch *batch)
{
    const struct batch_samples *samples = &batch->samples;

    for (uint32_t i = 0; i < samples->count; i++) {
        if (samples->thread[i] > batch->thread_count) {
            return false;
        }
    }
    return count_rows(batch, samples->metric, samples->count, METRIC_KINDS);
}

static bool marks_are_valid(struct batch *batch)
{
    const struct batch_marks *marks = &batch->marks;

    return count_rows(batch, marks->name, marks->count, MARK_KINDS) &&
           indexes_are_below(marks->thread, marks->count, batch->thread_count);
}

/* Rows of open operations are not counted: the same ones stand in many batches. */
static bool open_are_valid(const struct batch *batch)
{
    const struct batch_open *open = &batch->open;

    return indexes_are_below(open->name, open->count, batch->name_count) &&
           batch_names_are_of_kinds(batch, open->name, open->count, OPERATION_KINDS) &&
           bytes_are_below(open->state, open->count, STATE_COUNT);
}

bool long_runs_fit_into_time(const struct batch_long_runs *runs)
{
    bool overflows = false;

    for (uint32_t i = 0; i < runs->count; i++) {
        overflows |= runs->begin_ns[i] + runs->length_ns[i] < runs->begin_ns[i];
    }
    return !overflows;
}

/* Their names are not counted: the operations themselves are, in this batch or in a later one. */
static bool long_runs_are_valid(const struct batch *batch)
{
    const struct batch_long_runs *runs = &batch->long_runs;

    return indexes_are_below(runs->name, runs->count, batch->name_count) &&
           batch_names_are_of_kinds(batch, runs->name, runs->count, OPERATION_KINDS) &&
           indexes_are_below(runs->thread, runs->count, batch->thread_count) &&
           durations_are_valid(runs->length_ns, runs->count) && long_runs_fit_into_time(runs);
}

static bool set_time_range(struct batch *batch)
{
    struct time_range range;

    if (!batch_find_time_range(batch, &range)) {
        return false;
    }
    batch->min_begin_ns = range.min_begin_ns;
    batch->min_end_ns = range.min_end_ns;
    batch->max_end_ns = range.max_end_ns;
    return true;
}

int batch_summarize(struct batch *batch)
{
    bool is_valid = counts_are_valid(batch) && names_are_valid(batch) && lists_are_valid(batch) &&
                    operations_are_valid(batch) && queued_are_valid(batch) &&
                    attributes_are_valid(batch) && samples_are_valid(batch) &&
                    marks_are_valid(batch) && open_are_valid(batch) && long_runs_are_valid(batch) &&
                    set_time_range(batch);

    return is_valid ? 0 : -EINVAL;
}
