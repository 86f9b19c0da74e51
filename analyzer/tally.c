#include "tally.h"

#include <errno.h>

enum {
    /* What a metric's distribution takes, about: the values it may keep, or its histogram. */
    METRIC_BYTES = 16 << 10,
};

struct tally_shape tally_shape_of(const struct name_ranks *names, size_t slowest_limit)
{
    struct tally_shape shape = {.slowest_limit = slowest_limit};

    for (int group = 0; group < GROUP_COUNT; group++) {
        shape.counts[group] = names->groups[group].kept + 1;
    }
    shape.counts[GROUP_METRIC] *= 2;
    return shape;
}

int tally_new(struct tally **ret_tally, const struct tally_shape *shape)
{
    struct tally *tally = calloc(1, sizeof(*tally));

    if (tally == NULL) {
        return -ENOMEM;
    }
    tally->shape = *shape;
    tally->long_runs.limit = BLAME_RUN_LIMIT;
    tally->waits.limit = BLAME_WAIT_LIMIT;
    tally->operations =
        (struct operation_tally **)calloc(shape->counts[GROUP_OPERATION], sizeof(void *));
    tally->metrics = (struct metric_tally **)calloc(shape->counts[GROUP_METRIC], sizeof(void *));
    tally->queues = (struct queue_tally **)calloc(shape->counts[GROUP_QUEUE], sizeof(void *));
    tally->marks = calloc(shape->counts[GROUP_MARK], sizeof(*tally->marks));
    if (tally->operations == NULL || tally->metrics == NULL || tally->queues == NULL ||
        tally->marks == NULL) {
        tally_free(tally);
        return -ENOMEM;
    }
    *ret_tally = tally;
    return 0;
}

static void free_metric(struct metric_tally *metric)
{
    if (metric != NULL) {
        real_distribution_free(metric->values);
        real_distribution_free(metric->totals);
        free(metric);
    }
}

static void free_queue(struct queue_tally *queue)
{
    if (queue != NULL) {
        distribution_release(&queue->depth);
        distribution_release(&queue->residence_ns);
        free(queue);
    }
}

void tally_free(struct tally *tally)
{
    if (tally == NULL) {
        return;
    }
    for (size_t i = 0; tally->operations != NULL && i < tally->shape.counts[GROUP_OPERATION]; i++) {
        operation_tally_free(tally->operations[i]);
    }
    for (size_t i = 0; tally->metrics != NULL && i < tally->shape.counts[GROUP_METRIC]; i++) {
        free_metric(tally->metrics[i]);
    }
    for (size_t i = 0; tally->queues != NULL && i < tally->shape.counts[GROUP_QUEUE]; i++) {
        free_queue(tally->queues[i]);
    }
    free((void *)tally->operations);
    free((void *)tally->metrics);
    free((void *)tally->queues);
    free(tally->marks);
    thread_table_release(&tally->threads);
    blame_list_release(&tally->long_runs);
    blame_list_release(&tally->waits);
    blame_tally_release(&tally->blame);
    free(tally);
}

int tally_operation(struct tally *tally, size_t number, struct operation_tally **ret_operation)
{
    int r = 0;

    if (tally->operations[number] == NULL) {
        r = operation_tally_new(&tally->operations[number], tally->shape.slowest_limit);
    }
    *ret_operation = tally->operations[number];
    return r;
}

int tally_queue(struct tally *tally, size_t number, struct queue_tally **ret_queue)
{
    if (tally->queues[number] == NULL) {
        tally->queues[number] = calloc(1, sizeof(*tally->queues[number]));
    }
    *ret_queue = tally->queues[number];
    return *ret_queue == NULL ? -ENOMEM : 0;
}

int tally_metric(struct tally *tally, size_t number, struct metric_tally **ret_metric)
{
    if (tally->metrics[number] == NULL) {
        tally->metrics[number] = calloc(1, sizeof(*tally->metrics[number]));
    }
    *ret_metric = tally->metrics[number];
    return *ret_metric == NULL ? -ENOMEM : 0;
}

/* The family of a parent's name; NULL if none is kept. */
static int family_of(struct tally *tally, uint32_t number, struct family_tally **ret_family)
{
    struct operation_tally *operation = NULL;

    if (number >= tally->shape.families) {
        *ret_family = NULL;
        return 0;
    }

    int r = tally_operation(tally, number, &operation);

    return r < 0 ? r : operation_tally_family(operation, ret_family);
}

int tally_add_child(struct tally *tally, const struct kin *parent, const struct kin *child)
{
    struct family_tally *family = NULL;
    int r = family_of(tally, parent->number, &family);

    tally->kin.matched++;
    return r < 0 || family == NULL ? r : family_tally_add_child(family, parent, child);
}

int tally_add_parent(struct tally *tally, const struct kin *parent)
{
    struct family_tally *family = NULL;
    int r = parent->children == 0 ? 0 : family_of(tally, parent->number, &family);

    return r < 0 || family == NULL ? r : family_tally_add_parent(family, parent);
}

int metric_tally_add(struct metric_tally *metric, double value)
{
    int r = metric->values == NULL ? real_distribution_new(&metric->values) : 0;

    return r < 0 ? r : real_distribution_add(metric->values, value);
}

int metric_tally_add_total(struct metric_tally *metric, double total)
{
    int r = metric->totals == NULL ? real_distribution_new(&metric->totals) : 0;

    return r < 0 ? r : real_distribution_add(metric->totals, total);
}

void mark_tally_add(struct mark_tally *mark, uint64_t count, uint64_t first_realtime_ns,
                    uint64_t last_realtime_ns)
{
    if (count == 0) {
        return;
    }
    mark->first_realtime_ns =
        mark->count == 0 ? first_realtime_ns : min_u64(mark->first_realtime_ns, first_realtime_ns);
    mark->last_realtime_ns = max_u64(mark->last_realtime_ns, last_realtime_ns);
    mark->count += count;
}

void loss_times_add(struct loss_times *times, uint64_t first_realtime_ns, uint64_t last_realtime_ns)
{
    times->first_realtime_ns =
        times->is_known ? min_u64(times->first_realtime_ns, first_realtime_ns) : first_realtime_ns;
    times->last_realtime_ns = max_u64(times->last_realtime_ns, last_realtime_ns);
    times->is_known = true;
}

/* --- Merging: what the other has alone is moved --- */

static int absorb_operations(struct tally *tally, struct tally *source)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < source->shape.counts[GROUP_OPERATION]; i++) {
        if (source->operations[i] == NULL) {
            continue;
        }
        if (tally->operations[i] == NULL) {
            tally->operations[i] = take_pointer(&source->operations[i]);
        } else {
            r = operation_tally_merge(tally->operations[i], source->operations[i]);
            operation_tally_free(source->operations[i]);
            source->operations[i] = NULL;
        }
    }
    return r;
}

static int merge_values(struct real_distribution **values, struct real_distribution **source)
{
    if (*source == NULL) {
        return 0;
    }
    if (*values == NULL) {
        *values = take_pointer(source);
        return 0;
    }
    return real_distribution_merge(*values, *source);
}

static int merge_metric(struct metric_tally *to, struct metric_tally *from)
{
    int r = merge_values(&to->values, &from->values);

    to->samples += from->samples;
    return r < 0 ? r : merge_values(&to->totals, &from->totals);
}

static int absorb_metrics(struct tally *tally, struct tally *source)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < source->shape.counts[GROUP_METRIC]; i++) {
        if (source->metrics[i] == NULL) {
            continue;
        }
        if (tally->metrics[i] == NULL) {
            tally->metrics[i] = take_pointer(&source->metrics[i]);
        } else {
            r = merge_metric(tally->metrics[i], source->metrics[i]);
        }
    }
    return r;
}

static int merge_queue(struct queue_tally *to, const struct queue_tally *from)
{
    int r = distribution_merge(&to->depth, &from->depth);

    to->capacity = max_u64(to->capacity, from->capacity);
    to->entries += from->entries;
    to->lost_entries += from->lost_entries;
    return r < 0 ? r : distribution_merge(&to->residence_ns, &from->residence_ns);
}

static int absorb_queues(struct tally *tally, struct tally *source)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < source->shape.counts[GROUP_QUEUE]; i++) {
        if (source->queues[i] == NULL) {
            continue;
        }
        if (tally->queues[i] == NULL) {
            tally->queues[i] = take_pointer(&source->queues[i]);
        } else {
            r = merge_queue(tally->queues[i], source->queues[i]);
        }
    }
    return r;
}

static void merge_rest(struct tally *tally, const struct tally *source)
{
    for (size_t i = 0; i < source->shape.counts[GROUP_MARK]; i++) {
        mark_tally_add(&tally->marks[i], source->marks[i].count, source->marks[i].first_realtime_ns,
                       source->marks[i].last_realtime_ns);
    }
    for (int cause = 0; cause < LOSS_CAUSE_COUNT; cause++) {
        if (source->losses[cause].is_known) {
            loss_times_add(&tally->losses[cause], source->losses[cause].first_realtime_ns,
                           source->losses[cause].last_realtime_ns);
        }
    }
    record_counts_add(&tally->stored, &source->stored);
    tally->kin.matched += source->kin.matched;
    tally->kin.unmatched += source->kin.unmatched;
}

int tally_absorb(struct tally *tally, struct tally *source)
{
    int r = absorb_operations(tally, source);

    r = r < 0 ? r : absorb_metrics(tally, source);
    r = r < 0 ? r : absorb_queues(tally, source);
    r = r < 0 ? r : thread_table_merge(&tally->threads, &source->threads);
    r = r < 0 ? r : blame_list_merge(&tally->long_runs, &source->long_runs);
    r = r < 0 ? r : blame_list_merge(&tally->waits, &source->waits);
    r = r < 0 ? r : blame_tally_merge(&tally->blame, &source->blame);
    if (r == 0) {
        merge_rest(tally, source);
    }
    return r;
}

size_t tally_memory_bytes(const struct tally *tally)
{
    const size_t *counts = tally->shape.counts;
    size_t bytes =
        (counts[GROUP_OPERATION] + counts[GROUP_METRIC] + counts[GROUP_QUEUE]) * sizeof(void *) +
        counts[GROUP_MARK] * sizeof(*tally->marks) + thread_table_memory_bytes(&tally->threads) +
        (tally->long_runs.capacity + tally->waits.capacity) * sizeof(struct blame_row) +
        blame_tally_memory_bytes(&tally->blame);

    for (size_t i = 0; i < counts[GROUP_OPERATION]; i++) {
        bytes +=
            tally->operations[i] == NULL ? 0 : operation_tally_memory_bytes(tally->operations[i]);
    }
    for (size_t i = 0; i < counts[GROUP_METRIC]; i++) {
        bytes += tally->metrics[i] == NULL ? 0 : METRIC_BYTES;
    }
    for (size_t i = 0; i < counts[GROUP_QUEUE]; i++) {
        const struct queue_tally *queue = tally->queues[i];

        bytes += queue == NULL ? 0
                               : sizeof(*queue) + distribution_memory_bytes(&queue->depth) +
                                     distribution_memory_bytes(&queue->residence_ns);
    }
    return bytes;
}
