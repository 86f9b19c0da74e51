#include "report_make_parts.h"

#include "coarse_buckets.h"
#include "distribution_steps.h"

#include <errno.h>
#include <math.h>
#include <string.h>

void report_blame_release(struct report_blame *blame)
{
    for (size_t i = 0; i < blame->pair_count; i++) {
        struct report_blame_pair *pair = &blame->pairs[i];

        free(pair->holder);
        free(pair->delayed);
        for (size_t k = 0; k < pair->exemplar_count; k++) {
            free(pair->exemplars[k].thread);
        }
    }
    free(blame->pairs);
    *blame = (struct report_blame){0};
}

/* --- The share of the tail --- */

/* The time of the operations whose durations fall into the buckets from least on: by the middle of each. */
static int time_from(const struct distribution *durations, size_t least, double *ret_ns)
{
    struct distribution_steps steps = {0};
    int r = distribution_steps_make(&steps, durations, false);
    double sum_ns = 0;

    for (size_t i = 0; r == 0 && i < steps.count; i++) {
        const struct distribution_step *step = &steps.steps[i];

        if (coarse_bucket_of(step->low) >= least) {
            sum_ns += (double)step->count * ((double)step->low + ((double)step->width - 1) / 2);
        }
    }
    distribution_steps_release(&steps);
    *ret_ns = sum_ns;
    return r;
}

/* The tail begins with the bucket of p99, so that delays and durations are cut at the same place. */
static int find_tail_ratio(const struct tally *tally, const struct blame_pair *pair,
                           double *ret_ratio)
{
    const struct operation_tally *operation = tally->operations[pair->delayed];
    double p99_ns = operation == NULL ? NAN : distribution_quantile(&operation->duration_ns, .99);
    double delay_ns = 0;
    double tail_ns = 0;

    *ret_ratio = NAN;
    if (isnan(p99_ns)) {
        return 0;
    }

    size_t least = coarse_bucket_of((uint64_t)p99_ns);
    int r = time_from(&operation->duration_ns, least, &tail_ns);

    for (size_t i = 0; i < pair->cell_count; i++) {
        delay_ns += pair->cells[i].bucket >= least ? (double)pair->cells[i].delay_ns : 0;
    }
    if (r == 0 && tail_ns > 0) {
        *ret_ratio = delay_ns / tail_ns;
    }
    return r;
}

/* --- Pairs --- */

static char *name_of(const struct name_ranks *names, uint32_t number)
{
    return strdup(number == names->groups[GROUP_OPERATION].kept
                      ? OTHER_NAME
                      : name_ranks_entry(names, GROUP_OPERATION, number)->text);
}

static int compare_threads(const void *left, const void *right)
{
    const struct report_thread *a = left;
    const struct report_thread *b = right;

    return a->process != b->process ? (a->process < b->process ? -1 : 1)
                                    : (a->serial > b->serial) - (a->serial < b->serial);
}

static int make_exemplar(struct report_blame_pair *pair, const struct report_totals *totals,
                         const struct blame_exemplar *from)
{
    const struct report_thread key = {.process = from->run.process, .serial = from->run.serial};
    const struct report_thread *thread =
        totals->thread_count == 0
            ? NULL
            : bsearch(&key, totals->threads, totals->thread_count, sizeof(key), compare_threads);
    struct report_blame_exemplar *to = &pair->exemplars[pair->exemplar_count++];

    *to = (struct report_blame_exemplar){
        .place = {from->run.input, from->run.frame_offset_bytes, from->run.row},
        .begin_realtime_ns = from->run.begin_ns,
        .length_ns = from->run.length_ns,
        .delay_ns = from->delay_ns,
        .delayed = from->delayed,
        .process = from->run.process,
        .tid = thread == NULL ? 0 : thread->tid,
        .thread = strdup(thread == NULL ? "" : thread->name),
    };
    return to->thread == NULL ? -ENOMEM : 0;
}

static int make_pair(struct report_blame_pair *made, const struct report_totals *totals,
                     const struct blame_pair *pair)
{
    *made = (struct report_blame_pair){
        .holder = name_of(&totals->plan->names, pair->holder),
        .delayed = name_of(&totals->plan->names, pair->delayed),
        .delays = pair->delays,
        .delay_ns = (double)pair->delay_ns,
    };

    int r = made->holder == NULL || made->delayed == NULL ? -ENOMEM : 0;

    for (size_t i = 0; r == 0 && i < pair->exemplar_count && i < BLAME_EXEMPLARS_LISTED; i++) {
        r = make_exemplar(made, totals, &pair->exemplars[i]);
    }
    return r < 0 ? r : find_tail_ratio(totals->tally, pair, &made->tail_ratio);
}

/* By delay, falling; pairs of the same delay by number. */
static int compare_delays(const void *left, const void *right)
{
    const struct blame_pair *a = left;
    const struct blame_pair *b = right;

    if (a->delay_ns != b->delay_ns) {
        return a->delay_ns > b->delay_ns ? -1 : 1;
    }
    if (a->holder != b->holder) {
        return a->holder < b->holder ? -1 : 1;
    }
    return (a->delayed > b->delayed) - (a->delayed < b->delayed);
}

int report_make_blame(struct report *report, struct report_totals *totals)
{
    struct blame_tally *tally = &totals->tally->blame;
    struct report_blame *blame = &report->blame;
    size_t listed = min_u64(tally->pair_count, BLAME_PAIRS_LISTED);
    int r = 0;

    *blame = (struct report_blame){
        .runs = tally->runs,
        .omitted_runs = tally->runs_left_out,
        .run_ns = (double)tally->run_ns,
        .waits = tally->waits,
        .omitted_waits = tally->waits_left_out,
        .unplaced_waits = tally->unplaced,
        .pairs = calloc(listed + 1, sizeof(*blame->pairs)),
        .omitted_pairs = tally->pair_count - listed,
    };
    if (blame->pairs == NULL) {
        return -ENOMEM;
    }
    if (tally->pair_count > 0) {
        qsort(tally->pairs, tally->pair_count, sizeof(*tally->pairs), compare_delays);
    }
    for (size_t i = 0; r == 0 && i < tally->pair_count; i++) {
        if (i < listed) {
            r = make_pair(&blame->pairs[blame->pair_count++], totals, &tally->pairs[i]);
        } else {
            blame->omitted_delay_ns += (double)tally->pairs[i].delay_ns;
        }
    }
    return r;
}
