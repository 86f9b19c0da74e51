#include "report_totals.h"

#include "growing_list.h"

#include <errno.h>
#include <math.h>
#include <string.h>

int report_totals_init(struct report_totals *ret_totals, const struct report_plan *plan,
                       size_t slowest_limit)
{
    struct tally_shape shape = tally_shape_of(&plan->names, slowest_limit);

    shape.families = plan->memory.families;
    *ret_totals = (struct report_totals){
        .plan = plan,
        .operations = calloc(shape.counts[GROUP_OPERATION], sizeof(*ret_totals->operations)),
        .metrics = calloc(shape.counts[GROUP_METRIC], sizeof(*ret_totals->metrics)),
        .processes = calloc(plan->process_count + 1, sizeof(*ret_totals->processes)),
    };
    (void)pthread_mutex_init(&ret_totals->lock, NULL);
    if (ret_totals->operations == NULL || ret_totals->metrics == NULL ||
        ret_totals->processes == NULL) {
        return -ENOMEM;
    }
    return tally_new(&ret_totals->tally, &shape);
}

void report_totals_release(struct report_totals *totals)
{
    if (totals->tally != NULL) {
        for (size_t i = 0; i < totals->tally->shape.counts[GROUP_OPERATION]; i++) {
            free(totals->operations[i].rows);
        }
        for (size_t i = 0; i < totals->tally->shape.counts[GROUP_METRIC]; i++) {
            free(totals->metrics[i].rows);
        }
    }
    for (size_t i = 0; i < totals->thread_count; i++) {
        free(totals->threads[i].name);
    }
    free(totals->threads);
    free(totals->operations);
    free(totals->metrics);
    free(totals->processes);
    tally_free(totals->tally);
    *totals = (struct report_totals){0};
}

/* --- Operations of a process --- */

static struct report_by_process describe(size_t process, const struct operation_tally *operation)
{
    static const double p[] = {.5, .95, .99};
    const struct distribution *duration = &operation->duration_ns;
    double quantiles_ns[ARRAY_SIZE(p)];
    struct report_by_process row = {
        .process = process,
        .count = duration->count,
        .mean_ns = (double)duration->sum / (double)duration->count,
        .max_ns = (double)duration->max,
    };

    distribution_quantiles(duration, p, ARRAY_SIZE(p), quantiles_ns);
    row.p50_ns = quantiles_ns[0];
    row.p95_ns = quantiles_ns[1];
    row.p99_ns = quantiles_ns[2];
    memcpy(row.by_status, operation->by_status, sizeof(row.by_status));
    return row;
}

/* By count, falling. */
static int compare_rows(const void *left, const void *right)
{
    const struct report_by_process *a = left;
    const struct report_by_process *b = right;

    return a->count != b->count ? (a->count > b->count ? -1 : 1)
                                : (a->process > b->process) - (a->process < b->process);
}

static void cut_rows(struct process_rows *rows, size_t limit)
{
    qsort(rows->rows, rows->count, sizeof(*rows->rows), compare_rows);
    if (rows->count > limit) {
        rows->omitted += rows->count - limit;
        rows->count = limit;
    }
}

static int add_row(struct process_rows *rows, const struct report_by_process *row, size_t limit)
{
    if (rows->count >= 2 * limit) {
        cut_rows(rows, limit);
    }

    int r = growing_list_reserve((void *)&rows->rows, &rows->capacity, rows->count,
                                 sizeof(*rows->rows));

    if (r == 0) {
        rows->rows[rows->count++] = *row;
    }
    return r;
}

/* What takes time is computed before the lock is taken. */
static int describe_operations(const struct tally *session, size_t process,
                               struct report_by_process **ret_rows)
{
    size_t count = session->shape.counts[GROUP_OPERATION];
    struct report_by_process *rows = calloc(count, sizeof(*rows));

    if (rows == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        if (session->operations[i] != NULL && session->operations[i]->duration_ns.count > 0) {
            rows[i] = describe(process, session->operations[i]);
        }
    }
    *ret_rows = rows;
    return 0;
}

static int add_operations(struct report_totals *totals, const struct report_by_process *rows)
{
    size_t count = totals->tally->shape.counts[GROUP_OPERATION];
    int r = 0;

    for (size_t i = 0; r == 0 && i < count; i++) {
        if (rows[i].count > 0) {
            r = add_row(&totals->operations[i], &rows[i], totals->plan->memory.process_limit);
        }
    }
    return r;
}

/* --- Metrics of a process --- */

/* Keeps the processes that stand first. */
static int add_metric_row(struct metric_rows *rows, size_t limit, size_t process,
                          const struct metric_tally *metric)
{
    size_t at = rows->count;

    while (at > 0 && rows->rows[at - 1].process > process) {
        at--;
    }
    if (at == limit) {
        rows->omitted++;
        return 0;
    }

    int r = growing_list_reserve((void *)&rows->rows, &rows->capacity, rows->count,
                                 sizeof(*rows->rows));

    if (r < 0) {
        return r;
    }
    memmove(&rows->rows[at + 1], &rows->rows[at], (rows->count - at) * sizeof(*rows->rows));
    rows->rows[at].process = process;
    real_distribution_summarize(metric->values, &rows->rows[at].summary);
    rows->count++;
    if (rows->count > limit) {
        rows->count--;
        rows->omitted++;
    }
    return 0;
}

static int add_metrics(struct report_totals *totals, size_t process, const struct tally *session)
{
    size_t limit = totals->plan->memory.metric_process_limit;
    int r = 0;

    for (size_t i = 0; r == 0 && i < session->shape.counts[GROUP_METRIC]; i++) {
        if (session->metrics[i] != NULL && session->metrics[i]->values != NULL) {
            r = add_metric_row(&totals->metrics[i], limit, process, session->metrics[i]);
        }
    }
    return r;
}

/* One total for each metric: the entries of its threads in their order. */
static int add_counter_totals(struct tally *session, const struct counter_table *counters)
{
    size_t count = session->shape.counts[GROUP_METRIC];
    AUTO_FREE long double *sums = calloc(count, sizeof(*sums));
    AUTO_FREE bool *is_counter = calloc(count, sizeof(*is_counter));
    int r = sums == NULL || is_counter == NULL ? -ENOMEM : 0;

    for (size_t i = 0; r == 0 && i < counters->count; i++) {
        const struct counter_entry *entry = &counters->entries[i];

        sums[entry->metric] += entry->earlier_total + entry->series.total;
        is_counter[entry->metric] = true;
    }
    for (size_t i = 0; r == 0 && i < count; i++) {
        struct metric_tally *metric = NULL;

        if (is_counter[i]) {
            r = tally_metric(session, i, &metric);
            r = r < 0 ? r : metric_tally_add_total(metric, (double)sums[i]);
        }
    }
    return r;
}

/* --- Threads --- */

/* By operations, falling; the rest of the keys makes the order total. */
static int compare_activity(const void *left, const void *right)
{
    const struct report_thread *a = left;
    const struct report_thread *b = right;

    if (a->operations != b->operations) {
        return a->operations > b->operations ? -1 : 1;
    }
    if (a->process != b->process) {
        return a->process < b->process ? -1 : 1;
    }
    return (a->serial > b->serial) - (a->serial < b->serial);
}

static int compare_places(const void *left, const void *right)
{
    const struct report_thread *a = left;
    const struct report_thread *b = right;

    return a->process != b->process ? (a->process < b->process ? -1 : 1)
                                    : (a->serial > b->serial) - (a->serial < b->serial);
}

static void cut_threads(struct report_totals *totals)
{
    qsort(totals->threads, totals->thread_count, sizeof(*totals->threads), compare_activity);
    while (totals->thread_count > THREADS_LISTED) {
        free(totals->threads[--totals->thread_count].name);
        totals->omitted_threads++;
    }
}

static double usage_of(const struct thread_entry *entry, enum thread_usage usage)
{
    return entry->has_usage[usage] ? (double)entry->usage[usage] : NAN;
}

/* Takes the names. */
static int add_threads(struct report_totals *totals, size_t process, struct thread_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        struct thread_entry *entry = &table->entries[i];

        if (totals->thread_count >= 2 * THREADS_LISTED) {
            cut_threads(totals);
        }

        int r = growing_list_reserve((void *)&totals->threads, &totals->thread_capacity,
                                     totals->thread_count, sizeof(*totals->threads));

        if (r < 0) {
            return r;
        }
        totals->threads[totals->thread_count++] = (struct report_thread){
            .process = process,
            .tid = entry->tid,
            .name = take_pointer(&entry->name),
            .serial = entry->serial,
            .operations = entry->ended,
            .cpu_ns = usage_of(entry, USAGE_USER_NS) + usage_of(entry, USAGE_SYSTEM_NS),
            .voluntary_switches = usage_of(entry, USAGE_VOLUNTARY),
            .involuntary_switches = usage_of(entry, USAGE_INVOLUNTARY),
        };
    }
    totals->omitted_threads +=
        table->greatest_serial - min_u64(table->greatest_serial, THREAD_SERIAL_LIMIT);
    return 0;
}

/* --- A session --- */

static int add_locked(struct report_totals *totals, size_t process, struct tally *session,
                      const struct report_by_process *rows)
{
    int r = add_operations(totals, rows);

    r = r < 0 ? r : add_metrics(totals, process, session);
    totals->processes[process] = (struct process_facts){
        .stored = session->stored,
        .threads = thread_table_active(&session->threads),
    };
    r = r < 0 ? r : add_threads(totals, process, &session->threads);
    thread_table_release(&session->threads);
    r = r < 0 ? r : tally_absorb(totals->tally, session);
    return r < 0 || tally_memory_bytes(totals->tally) <= totals->plan->memory.memory_bytes ? r
                                                                                           : -E2BIG;
}

/* All of the session's long runs and waits are known: who held up whom. */
static int join_blame(struct tally *session)
{
    blame_list_finish(&session->long_runs);
    blame_list_finish(&session->waits);

    int r = blame_tally_join(&session->blame, &session->long_runs, &session->waits);

    blame_list_release(&session->long_runs);
    blame_list_release(&session->waits);
    return r;
}

int report_totals_add_session(struct report_totals *totals, size_t process, struct tally *session,
                              const struct counter_table *counters)
{
    AUTO_FREE struct report_by_process *rows = NULL;
    int r = add_counter_totals(session, counters);

    r = r < 0 ? r : join_blame(session);

    r = r < 0 ? r : describe_operations(session, process, &rows);
    if (r < 0) {
        return r;
    }
    (void)pthread_mutex_lock(&totals->lock);
    r = add_locked(totals, process, session, rows);
    (void)pthread_mutex_unlock(&totals->lock);
    return r;
}

void report_totals_finish(struct report_totals *totals)
{
    for (size_t i = 0; i < totals->tally->shape.counts[GROUP_OPERATION]; i++) {
        struct operation_tally *operation = totals->tally->operations[i];

        if (totals->operations[i].count > 0) {
            cut_rows(&totals->operations[i], totals->plan->memory.process_limit);
        }
        if (operation != NULL) {
            slowest_sort(&operation->slowest);
        }
    }
    if (totals->thread_count > 0) {
        cut_threads(totals);
        qsort(totals->threads, totals->thread_count, sizeof(*totals->threads), compare_places);
    }
}
