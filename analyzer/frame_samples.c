#include "frame_samples.h"

#include <errno.h>
#include <string.h>

enum { FEW_THREADS = 256, COUNTER_SETS = 4 };

/* The metrics that say what a thread used. */
static const char *const usage_names[USAGE_COUNT] = {
    [USAGE_USER_NS] = "process.cpu.user_time",
    [USAGE_SYSTEM_NS] = "process.cpu.system_time",
    [USAGE_VOLUNTARY] = "process.context_switches.voluntary",
    [USAGE_INVOLUNTARY] = "process.context_switches.involuntary",
};

/* Which usage a metric says, or USAGE_COUNT. */
static enum thread_usage usage_of(const struct batch_name *name)
{
    int usage = 0;

    if (name->kind != NAME_COUNTER_TOTAL || name->value != VALUE_INTEGER) {
        return USAGE_COUNT;
    }
    while (usage < USAGE_COUNT && strcmp(name->text, usage_names[usage]) != 0) {
        usage++;
    }
    return (enum thread_usage)usage;
}

static double real_of(uint64_t bits)
{
    double value;

    memcpy(&value, &bits, sizeof(value));
    return value;
}

static int add_counter(struct frame_tally *frame_tally, struct metric_tally *metric,
                       uint32_t number, uint32_t row)
{
    const struct batch *batch = frame_tally->batch;
    const struct batch_name *name = &batch->names[batch->samples.metric[row]];
    uint32_t thread = batch->samples.thread[row];
    uint64_t bits = batch->samples.value[row];
    bool is_delta = name->kind == NAME_COUNTER_DELTA;
    long double value =
        name->value == VALUE_INTEGER ? (long double)(int64_t)bits : (long double)real_of(bits);
    struct counter_entry *entry = NULL;
    double rate;
    int r =
        counter_table_enter(frame_tally->counters, number,
                            thread == 0 ? 0 : batch->threads[thread - 1].serial, is_delta, &entry);

    if (r < 0) {
        return r;
    }
    if (name->value == VALUE_DOUBLE && !__builtin_isfinite(real_of(bits))) {
        return 0;
    }
    return counter_series_add(&entry->series, is_delta, batch->samples.time_ns[row], value, &rate)
               ? metric_tally_add(metric, rate)
               : 0;
}

static int add_sample(struct frame_tally *frame_tally, uint32_t row)
{
    const struct batch *batch = frame_tally->batch;
    uint16_t index = batch->samples.metric[row];
    const struct batch_name *name = &batch->names[index];
    uint64_t bits = batch->samples.value[row];
    uint32_t number = 2 * frame_tally->numbers[index] + (batch->samples.thread[row] != 0 ? 1U : 0U);
    struct metric_tally *metric = NULL;
    int r = tally_metric(frame_tally->tally, number, &metric);

    if (r < 0) {
        return r;
    }
    metric->samples++;
    if (number / 2 == frame_tally->context->plan->names.groups[GROUP_METRIC].kept) {
        return 0; /* many metrics share this entry: their values do not go together */
    }
    if (name->kind != NAME_GAUGE) {
        return add_counter(frame_tally, metric, number, row);
    }
    return metric_tally_add(metric,
                            name->value == VALUE_INTEGER ? (double)(int64_t)bits : real_of(bits));
}

static int add_samples(struct frame_tally *frame_tally)
{
    int r = 0;

    for (uint32_t row = 0; r == 0 && row < frame_tally->batch->samples.count; row++) {
        r = add_sample(frame_tally, row);
    }
    return r;
}

/* --- Threads --- */

static int reserve_threads(struct frame_tally *frame_tally)
{
    size_t count = frame_tally->batch->thread_count + (size_t)1;

    if (count > frame_tally->thread_capacity) {
        free(frame_tally->threads);
        frame_tally->threads = malloc(count * sizeof(*frame_tally->threads));
        frame_tally->thread_capacity = frame_tally->threads == NULL ? 0 : count;
    }
    if (frame_tally->threads == NULL) {
        return -ENOMEM;
    }
    memset(frame_tally->threads, 0, count * sizeof(*frame_tally->threads));
    return 0;
}

/* How many rows name each of a few threads. Several sets of counters, so that rows of the same one need not wait. */
static void count_few(uint32_t ret_counts[static FEW_THREADS], const uint16_t *rows, size_t count)
{
    uint32_t sets[COUNTER_SETS][FEW_THREADS] = {0};
    size_t i = 0;

    for (; i + COUNTER_SETS <= count; i += COUNTER_SETS) {
        for (size_t set = 0; set < COUNTER_SETS; set++) {
            sets[set][rows[i + set]]++;
        }
    }
    for (; i < count; i++) {
        sets[0][rows[i]]++;
    }
    for (size_t thread = 0; thread < FEW_THREADS; thread++) {
        ret_counts[thread] = 0;
        for (size_t set = 0; set < COUNTER_SETS; set++) {
            ret_counts[thread] += sets[set][thread];
        }
    }
}

/* Most operations end on the thread where they began. */
static void count_operations_of_few(struct frame_tally *frame_tally)
{
    const struct batch *batch = frame_tally->batch;
    const struct batch_operations *operations = &batch->operations;
    size_t count = operations->count;
    uint32_t begun[FEW_THREADS];
    uint32_t other[FEW_THREADS];
    const uint32_t *ended = begun;

    count_few(begun, operations->begin_thread, count);
    if (memcmp(operations->begin_thread, operations->end_thread,
               count * sizeof(*operations->end_thread)) != 0) {
        count_few(other, operations->end_thread, count);
        ended = other;
    }
    for (uint32_t thread = 0; thread < batch->thread_count; thread++) {
        frame_tally->threads[thread].begun += begun[thread];
        frame_tally->threads[thread].ended += ended[thread];
    }
}

static void count_operations(struct frame_tally *frame_tally)
{
    const struct batch_operations *operations = &frame_tally->batch->operations;
    struct thread_counts *threads = frame_tally->threads;

    if (frame_tally->batch->thread_count <= FEW_THREADS && operations->count >= FEW_THREADS) {
        count_operations_of_few(frame_tally);
        return;
    }
    for (uint32_t i = 0; i < operations->count; i++) {
        threads[operations->begin_thread[i]].begun++;
        threads[operations->end_thread[i]].ended++;
    }
}

static void note_usage(struct frame_tally *frame_tally)
{
    const struct batch *batch = frame_tally->batch;
    const struct batch_samples *samples = &batch->samples;
    uint16_t metric = 0;
    enum thread_usage usage = USAGE_COUNT;

    for (uint32_t i = 0; i < samples->count; i++) {
        if (samples->thread[i] == 0) {
            continue;
        }
        if (i == 0 || samples->metric[i] != metric || usage == USAGE_COUNT) {
            metric = samples->metric[i];
            usage = usage_of(&batch->names[metric]);
        }
        if (usage != USAGE_COUNT && (int64_t)samples->value[i] >= 0) {
            struct thread_counts *thread = &frame_tally->threads[samples->thread[i] - 1];

            thread->has_usage[usage] = true;
            thread->usage[usage] = max_u64(thread->usage[usage], samples->value[i]);
        }
    }
}

static int enter_threads(struct frame_tally *frame_tally)
{
    const struct batch *batch = frame_tally->batch;

    for (uint32_t i = 0; i < batch->thread_count; i++) {
        const struct thread_counts *counts = &frame_tally->threads[i];
        struct thread_entry *entry = NULL;
        int r = thread_table_enter(&frame_tally->tally->threads, &batch->threads[i],
                                   batch->id.sequence, &entry);

        if (r < 0) {
            return r;
        }
        if (entry == NULL) {
            continue;
        }
        entry->begun += counts->begun;
        entry->ended += counts->ended;
        for (int usage = 0; usage < USAGE_COUNT; usage++) {
            if (counts->has_usage[usage]) {
                thread_entry_use(entry, (enum thread_usage)usage, counts->usage[usage]);
            }
        }
    }
    return 0;
}

int frame_samples_add(struct frame_tally *frame_tally)
{
    int r = add_samples(frame_tally);

    r = r < 0 ? r
              : shared_queues_add_samples(frame_tally->context->queues, frame_tally->frame,
                                          frame_tally->batch, frame_tally->numbers);
    r = r < 0 ? r : reserve_threads(frame_tally);
    if (r < 0) {
        return r;
    }
    count_operations(frame_tally);
    note_usage(frame_tally);
    return enter_threads(frame_tally);
}
