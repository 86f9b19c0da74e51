#include "report_make_parts.h"

#include "budget_cohorts.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* What the operations of all names are related to. */
struct whole {
    struct report_totals *totals;
    struct shared_windows *windows;
    double total_ns;
    double span_s;
};

/* A list of count elements, never NULL. Empty ones are many: they take no more than they must. */
static void *new_list(size_t count, size_t element_size)
{
    return count == 0 ? malloc(1) : calloc(count, element_size);
}

static int make_states(struct report_operation *operation, const struct operation_tally *tally)
{
    size_t count = 0;

    for (int state = 0; state < STATE_COUNT; state++) {
        count += tally->state_ns[state] != NULL;
    }
    operation->states = new_list(count, sizeof(*operation->states));
    if (operation->states == NULL) {
        return -ENOMEM;
    }
    for (int state = 0; state < STATE_COUNT; state++) {
        const struct distribution *times = tally->state_ns[state];

        if (times == NULL) {
            continue;
        }

        struct report_state *made = &operation->states[operation->state_count++];

        made->state = (enum operation_state)state;
        made->time_share =
            tally->duration_ns.sum == 0 ? NAN : (double)times->sum / (double)tally->duration_ns.sum;
        distribution_summarize(times, &made->time_ns);
    }
    return 0;
}

static int make_budget(struct report_operation *operation, const struct operation_tally *tally,
                       const struct memory_plan *memory, size_t number)
{
    AUTO_FREE struct report_budget *budget = NULL;
    int r;

    operation->budget_reason = operation->state_count == 0               ? REASON_NOT_RECORDED
                               : !memory_plan_has_budget(memory, number) ? REASON_MEMORY_LIMIT
                                                                         : REASON_NONE;
    if (operation->budget_reason != REASON_NONE) {
        return 0;
    }
    budget = calloc(1, sizeof(*budget));
    r = budget == NULL ? -ENOMEM : budget_cohorts_make(budget, &tally->budget, &tally->duration_ns);
    if (r == 0) {
        operation->budget = take_pointer(&budget);
    }
    return r;
}

static int make_windows(struct report_operation *operation, struct shared_windows *windows,
                        size_t number)
{
    size_t count = number < windows->count ? windows->series[number].count : 0;

    operation->windows = new_list(count, sizeof(*operation->windows));
    if (operation->windows == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        operation->windows[i] = window_cell_describe(&windows->series[number].cells[i]);
    }
    operation->window_count = count;
    operation->has_windows = number < windows->count;
    operation->has_window_quantiles =
        operation->has_windows && windows->series[number].has_quantiles;
    if (number < windows->count) {
        window_series_release(&windows->series[number]);
    }
    return 0;
}

/* --- The slowest --- */

static int compare_threads(const void *left, const void *right)
{
    const struct report_thread *a = left;
    const struct report_thread *b = right;

    return a->process != b->process ? (a->process < b->process ? -1 : 1)
                                    : (a->serial > b->serial) - (a->serial < b->serial);
}

static char *thread_name(const struct report_totals *totals, size_t process, uint64_t serial)
{
    const struct report_thread key = {.process = process, .serial = serial};
    const struct report_thread *found =
        totals->thread_count == 0
            ? NULL
            : bsearch(&key, totals->threads, totals->thread_count, sizeof(key), compare_threads);

    return strdup(found == NULL ? "" : found->name);
}

static int make_slowest(struct report_operation *operation, const struct report_totals *totals,
                        const struct slowest *slowest)
{
    operation->slowest = new_list(slowest->count, sizeof(*operation->slowest));
    if (operation->slowest == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < slowest->count; i++) {
        const struct slow_operation *from = &slowest->heap[i];
        struct report_slow_operation *to = &operation->slowest[operation->slowest_count++];

        *to = (struct report_slow_operation){
            .place = {from->input, from->frame_offset_bytes, from->row},
            .begin_realtime_ns = from->begin_realtime_ns,
            .duration_ns = from->duration_ns,
            .process = from->process,
            .status = from->status,
            .begin_tid = from->begin_tid,
            .begin_thread = thread_name(totals, from->process, from->begin_serial),
            .end_tid = from->end_tid,
            .end_thread = thread_name(totals, from->process, from->end_serial),
        };
        if (to->begin_thread == NULL || to->end_thread == NULL) {
            return -ENOMEM;
        }
    }
    return 0;
}

/* --- Attributes --- */

static int compare_attributes(const void *left, const void *right)
{
    return strcmp(((const struct report_attribute *)left)->key,
                  ((const struct report_attribute *)right)->key);
}

static int make_attributes(struct report_operation *operation, const struct report_totals *totals,
                           const struct attribute_tally *tally)
{
    operation->attributes = new_list(tally->key_count, sizeof(*operation->attributes));
    if (operation->attributes == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < tally->key_count; i++) {
        struct report_attribute *made = &operation->attributes[operation->attribute_count++];
        int r = attribute_values_describe(&tally->keys[i], made);

        made->key = strdup(
            name_ranks_entry(&totals->plan->names, GROUP_ATTRIBUTE, tally->keys[i].key)->text);
        if (r < 0 || made->key == NULL) {
            return -ENOMEM;
        }
    }
    qsort(operation->attributes, operation->attribute_count, sizeof(*operation->attributes),
          compare_attributes);
    return 0;
}

/* --- One name --- */

static void take_processes(struct report_operation *operation, struct process_rows *rows)
{
    operation->processes = take_pointer(&rows->rows);
    operation->process_count = rows->count;
    operation->omitted_processes = rows->omitted;
    rows->count = 0;
}

/*
 * Who comes at a random moment while a loop is busy meets a round in proportion to its length, and half of it is left on
 * average: E(b^2) / 2 E(b).
 * Source: Cox, "Renewal Theory", 1962.
 */
static double mean_rest_ns(const struct report_summary *rounds)
{
    double n = (double)rounds->count;
    double square = rounds->mean * rounds->mean + rounds->stddev * rounds->stddev * (n - 1) / n;

    return n < 2 || rounds->mean <= 0 ? NAN : square / (2 * rounds->mean);
}

static int make_operation(struct report_operation *operation, const struct whole *whole,
                          size_t number)
{
    struct report_totals *totals = whole->totals;
    const struct operation_tally *tally = totals->tally->operations[number];
    const struct name_ranks *names = &totals->plan->names;
    double total_ns = (double)tally->duration_ns.sum;

    operation->is_other = number == names->groups[GROUP_OPERATION].kept;
    operation->name = strdup(
        operation->is_other ? OTHER_NAME : name_ranks_entry(names, GROUP_OPERATION, number)->text);
    operation->count = tally->duration_ns.count;
    operation->rate_per_s =
        whole->span_s > 0 ? (double)tally->duration_ns.count / whole->span_s : NAN;
    operation->unfinished = tally->censored == NULL ? 0 : tally->censored->age_ns.count;
    operation->longest_unfinished_ns =
        operation->unfinished > 0 ? (double)tally->censored->age_ns.max : NAN;
    operation->time_share = whole->total_ns > 0 ? total_ns / whole->total_ns : NAN;
    memcpy(operation->by_status, tally->by_status, sizeof(operation->by_status));
    distribution_summarize(&tally->duration_ns, &operation->duration_ns);
    operation->role = operation->is_other ? ROLE_ORDINARY
                                          : name_ranks_entry(names, GROUP_OPERATION, number)->role;
    operation->rest_mean_ns =
        operation->role == ROLE_LOOP_ROUND ? mean_rest_ns(&operation->duration_ns) : NAN;
    take_processes(operation, &totals->operations[number]);
    if (operation->name == NULL) {
        return -ENOMEM;
    }

    int r = make_states(operation, tally);

    r = r < 0 ? r : report_make_censoring(operation, tally);
    r = r < 0 ? r : report_make_children(operation, tally, names);
    r = r < 0 ? r : make_budget(operation, tally, &totals->plan->memory, number);
    r = r < 0 ? r : make_windows(operation, whole->windows, number);
    r = r < 0 ? r : make_slowest(operation, totals, &tally->slowest);
    return r < 0 ? r : make_attributes(operation, totals, &tally->attributes);
}

/* By total time, falling; names are unique. */
static int compare_operations(const void *left, const void *right)
{
    const struct report_operation *a = left;
    const struct report_operation *b = right;

    return a->duration_ns.sum != b->duration_ns.sum
               ? (a->duration_ns.sum > b->duration_ns.sum ? -1 : 1)
               : strcmp(a->name, b->name);
}

static double sum_of_durations(const struct tally *tally)
{
    uint128 sum = 0;

    for (size_t i = 0; i < tally->shape.counts[GROUP_OPERATION]; i++) {
        sum += tally->operations[i] == NULL ? 0 : tally->operations[i]->duration_ns.sum;
    }
    return (double)sum;
}

int report_make_operations(struct report *report, struct report_totals *totals,
                           struct shared_windows *windows)
{
    struct tally *tally = totals->tally;
    const struct whole whole = {
        .totals = totals,
        .windows = windows,
        .total_ns = sum_of_durations(tally),
        .span_s = (double)(report->last_realtime_ns - report->first_realtime_ns) / (double)NS_PER_S,
    };
    int r = 0;

    report->operations =
        new_list(tally->shape.counts[GROUP_OPERATION], sizeof(*report->operations));
    if (report->operations == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; r == 0 && i < tally->shape.counts[GROUP_OPERATION]; i++) {
        if (tally->operations[i] == NULL) {
            continue;
        }
        r = make_operation(&report->operations[report->operation_count++], &whole, i);
        /* What is described is not needed any more: descriptions take memory too. */
        operation_tally_free(tally->operations[i]);
        tally->operations[i] = NULL;
    }
    if (r == 0) {
        qsort(report->operations, report->operation_count, sizeof(*report->operations),
              compare_operations);
    }
    return r;
}
