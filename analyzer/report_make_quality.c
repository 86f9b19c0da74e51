#include "report_make_parts.h"

#include "clock_line.h"

#include <errno.h>
#include <math.h>

static uint64_t missing(uint64_t produced, uint64_t stored, uint64_t lost)
{
    return produced - min_u64(produced, stored + lost);
}

static void add_process(struct report_quality *quality, const struct report_process *process)
{
    record_counts_add(&quality->produced, &process->produced);
    record_counts_add(&quality->stored, &process->stored);
    record_counts_add(&quality->lost, &process->lost);
    if (process->is_total_final) {
        quality->unaccounted.operations += missing(
            process->produced.operations, process->stored.operations, process->lost.operations);
        quality->unaccounted.samples +=
            missing(process->produced.samples, process->stored.samples, process->lost.samples);
        quality->unaccounted.marks +=
            missing(process->produced.marks, process->stored.marks, process->lost.marks);
        quality->unaccounted.long_runs += missing(
            process->produced.long_runs, process->stored.long_runs, process->lost.long_runs);
    }
}

/* --- Losses --- */

static void widen(struct report_loss *loss, uint64_t first_realtime_ns, uint64_t last_realtime_ns)
{
    loss->first_realtime_ns = loss->first_realtime_ns == 0
                                  ? first_realtime_ns
                                  : min_u64(loss->first_realtime_ns, first_realtime_ns);
    loss->last_realtime_ns = max_u64(loss->last_realtime_ns, last_realtime_ns);
}

static struct report_loss sum_losses(const struct report_plan *plan,
                                     const struct report_totals *totals, int cause)
{
    const struct loss_times *times = &totals->tally->losses[cause];
    struct report_loss loss = {.cause = (enum loss_cause)cause};

    if (times->is_known) {
        widen(&loss, times->first_realtime_ns, times->last_realtime_ns);
    }
    for (size_t i = 0; i < plan->process_count; i++) {
        const struct plan_process *process = &plan->processes[i];
        const struct plan_loss *planned = &process->losses[cause];

        if (process->totals != NULL) {
            record_counts_add(&loss.count, &process->totals->lost[cause]);
        }
        if (!record_counts_are_zero(&planned->count)) {
            record_counts_add(&loss.count, &planned->count);
            widen(&loss, clock_realtime_ns(planned->first_ns, process->offset_ns),
                  clock_realtime_ns(planned->last_ns, process->offset_ns));
        }
    }
    return loss;
}

static int add_losses(struct report_quality *quality, const struct report_plan *plan,
                      const struct report_totals *totals)
{
    quality->losses = calloc(LOSS_CAUSE_COUNT, sizeof(*quality->losses));
    if (quality->losses == NULL) {
        return -ENOMEM;
    }
    for (int cause = 0; cause < LOSS_CAUSE_COUNT; cause++) {
        struct report_loss loss = sum_losses(plan, totals, cause);

        if (!record_counts_are_zero(&loss.count)) {
            quality->losses[quality->loss_count++] = loss;
        }
    }
    return 0;
}

/* --- What recording cost --- */

static double tracer_cpu_ratio(const struct report *report)
{
    double cpu_ns = 0;
    double span_ns = 0;

    for (size_t i = 0; i < report->process_count; i++) {
        const struct report_process *process = &report->processes[i];

        if (process->kind == SOURCE_PROCESS) {
            cpu_ns += (double)process->client_cpu_ns;
            span_ns += (double)(process->last_realtime_ns - process->first_realtime_ns);
        }
    }
    return cpu_ns > 0 && span_ns > 0 ? cpu_ns / span_ns : NAN;
}

static double bytes_per_operation(const struct report *report, const struct report_plan *plan)
{
    uint64_t bytes = 0;
    uint64_t operations = 0;

    for (size_t i = 0; i < report->process_count; i++) {
        uint64_t stored = report->processes[i].stored.operations;

        bytes += stored > 0 ? plan->processes[i].frame_bytes : 0;
        operations += stored;
    }
    return operations > 0 ? (double)bytes / (double)operations : NAN;
}

int report_make_quality(struct report *report, const struct report_plan *plan,
                        const struct report_totals *totals)
{
    struct report_quality *quality = &report->quality;

    for (size_t i = 0; i < report->process_count; i++) {
        add_process(quality, &report->processes[i]);
    }

    uint64_t produced = record_counts_sum(&quality->produced);

    /* Files that say they hold more than was produced are wrong about what was produced. */
    quality->coverage_ratio =
        produced > 0 ? fmin((double)record_counts_sum(&quality->stored) / (double)produced, 1)
                     : NAN;
    quality->children_matched = totals->tally->kin.matched;
    quality->children_unmatched = totals->tally->kin.unmatched;
    quality->tracer_cpu_ratio = tracer_cpu_ratio(report);
    quality->bytes_per_operation = bytes_per_operation(report, plan);
    return add_losses(quality, plan, totals);
}
