#include "report_make_parts.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* The text of a number; the others share one. */
static const char *text_of(const struct report_totals *totals, enum name_group group, size_t number)
{
    const struct name_ranks *names = &totals->plan->names;

    return number == names->groups[group].kept ? OTHER_NAME
                                               : name_ranks_entry(names, group, number)->text;
}

/* --- Metrics --- */

static void describe_values(const struct real_distribution *values,
                            struct report_summary *ret_summary)
{
    const struct distribution none = {0};

    if (values == NULL) {
        distribution_summarize(&none, ret_summary);
    } else {
        real_distribution_summarize(values, ret_summary);
    }
}

static int make_metric(struct report_metric *metric, struct report_totals *totals, size_t place)
{
    const struct name_ranks *names = &totals->plan->names;
    const struct metric_tally *tally = totals->tally->metrics[place];
    struct metric_rows *rows = &totals->metrics[place];
    size_t number = place / 2;
    bool is_other = number == names->groups[GROUP_METRIC].kept;
    const struct name_entry *entry =
        is_other ? NULL : name_ranks_entry(names, GROUP_METRIC, number);
    struct report_summary sums;

    *metric = (struct report_metric){
        .name = strdup(text_of(totals, GROUP_METRIC, number)),
        .unit = strdup(is_other ? "" : entry->unit),
        .kind = is_other ? NAME_GAUGE : entry->kind,
        .is_per_thread = place % 2 != 0,
        .samples = tally->samples,
        .total = NAN,
        .process_count = rows->count,
        .omitted_processes = rows->omitted,
    };
    describe_values(tally->values, &metric->summary);
    if (tally->totals != NULL) {
        real_distribution_summarize(tally->totals, &sums);
        metric->total = sums.sum;
    }
    metric->processes = take_pointer(&rows->rows);
    return metric->name == NULL || metric->unit == NULL ? -ENOMEM : 0;
}

static int compare_metrics(const void *left, const void *right)
{
    const struct report_metric *a = left;
    const struct report_metric *b = right;
    int order = strcmp(a->name, b->name);

    order = order != 0 ? order : strcmp(a->unit, b->unit);
    order = order != 0 ? order : (int)a->kind - (int)b->kind;
    return order != 0 ? order : (int)a->is_per_thread - (int)b->is_per_thread;
}

int report_make_metrics(struct report *report, struct report_totals *totals)
{
    size_t count = totals->tally->shape.counts[GROUP_METRIC];
    int r = 0;

    report->metrics = calloc(count, sizeof(*report->metrics));
    if (report->metrics == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; r == 0 && i < count; i++) {
        if (totals->tally->metrics[i] != NULL) {
            r = make_metric(&report->metrics[report->metric_count++], totals, i);
        }
    }
    qsort(report->metrics, report->metric_count, sizeof(*report->metrics), compare_metrics);
    return r;
}

/* --- Queues --- */

static int compare_queues(const void *left, const void *right)
{
    return strcmp(((const struct report_queue *)left)->name,
                  ((const struct report_queue *)right)->name);
}

int report_make_queues(struct report *report, const struct report_totals *totals,
                       const struct shared_queues *queues)
{
    size_t count = totals->tally->shape.counts[GROUP_QUEUE];

    report->queues = calloc(count, sizeof(*report->queues));
    if (report->queues == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        const struct queue_tally *tally = totals->tally->queues[i];

        if (tally == NULL) {
            continue;
        }

        struct report_queue *queue = &report->queues[report->queue_count++];

        queue->name = strdup(text_of(totals, GROUP_QUEUE, i));
        queue->capacity = tally->capacity;
        queue->entries = tally->entries;
        queue->lost_entries = tally->lost_entries;
        distribution_summarize(&tally->depth, &queue->depth);
        distribution_summarize(&tally->residence_ns, &queue->residence_ns);
        if (queue->name == NULL || report_make_queue_flow(&queue->flow, queues, i) < 0) {
            return -ENOMEM;
        }
    }
    qsort(report->queues, report->queue_count, sizeof(*report->queues), compare_queues);
    return 0;
}

/* --- Marks --- */

static int compare_marks(const void *left, const void *right)
{
    return strcmp(((const struct report_mark *)left)->name,
                  ((const struct report_mark *)right)->name);
}

int report_make_marks(struct report *report, const struct report_totals *totals)
{
    size_t count = totals->tally->shape.counts[GROUP_MARK];

    report->marks = calloc(count, sizeof(*report->marks));
    if (report->marks == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        const struct mark_tally *tally = &totals->tally->marks[i];

        if (tally->count == 0) {
            continue;
        }

        struct report_mark *mark = &report->marks[report->mark_count++];

        *mark = (struct report_mark){
            .name = strdup(text_of(totals, GROUP_MARK, i)),
            .count = tally->count,
            .first_realtime_ns = tally->first_realtime_ns,
            .last_realtime_ns = tally->last_realtime_ns,
        };
        if (mark->name == NULL) {
            return -ENOMEM;
        }
    }
    qsort(report->marks, report->mark_count, sizeof(*report->marks), compare_marks);
    return 0;
}
