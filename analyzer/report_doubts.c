#include "report_text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* A recorder that takes more of a CPU than this is worth a word. */
#define NOTABLE_TRACER_CPU_RATIO 0.01

/* So is a greater share of operations whose parents were not found. */
#define NOTABLE_UNMATCHED_RATIO 0.01

/* Names whose quantiles are too low, at most. */
enum { CENSORED_DOUBTS = 3 };

struct doubts {
    struct report_doubt *list;
    size_t count;
};

PRINTF_LIKE(3, 4)
static void doubt(struct doubts *doubts, const char *subject, const char *format, ...)
{
    if (doubts->count < DOUBT_MAX) {
        struct report_doubt *at = &doubts->list[doubts->count];
        va_list arguments;

        (void)snprintf(at->subject, sizeof(at->subject), "%.255s", subject);
        va_start(arguments, format);
        (void)vsnprintf(at->text, sizeof(at->text), format, arguments);
        va_end(arguments);
    }
    doubts->count++;
}

static void doubt_losses(struct doubts *doubts, const struct report_quality *quality)
{
    for (size_t i = 0; i < quality->loss_count; i++) {
        const struct report_loss *loss = &quality->losses[i];
        char operations[TEXT_BYTES];
        char others[TEXT_BYTES];

        doubt(doubts, "", "%s operations and %s other records were lost (%s). %s",
              text_count(operations, loss->count.operations),
              text_count(others, record_counts_sum(&loss->count) - loss->count.operations),
              loss_cause_name(loss->cause), loss_cause_advice(loss->cause));
    }
    if (record_counts_sum(&quality->unaccounted) > 0) {
        char records[TEXT_BYTES];

        doubt(doubts, "",
              "%s records were produced, but are neither in the files nor counted as lost: files "
              "are missing "
              "or damaged.",
              text_count(records, record_counts_sum(&quality->unaccounted)));
    }
}

static void doubt_input(struct doubts *doubts, const struct report_input *input)
{
    char skipped[TEXT_BYTES];
    char offset[TEXT_BYTES];

    (void)text_count(skipped, input->skipped_bytes);
    (void)text_count(offset, input->problem_offset_bytes);
    switch (input->state) {
    case INPUT_WHOLE:
        break;
    case INPUT_NO_END:
        doubt(doubts, input->file,
              "has no End: it is still being written, or its writer was killed.");
        break;
    case INPUT_CUT_OFF:
        doubt(doubts, input->file,
              "ends within a frame: its last %s bytes, from offset %s, are not used.", skipped,
              offset);
        break;
    case INPUT_DAMAGED:
        doubt(doubts, input->file, "is damaged, first at offset %s; %s bytes are not used.", offset,
              skipped);
        break;
    case INPUT_NEWER:
        doubt(doubts, input->file,
              "holds packets of a newer format at offset %s, which are not used.", offset);
        break;
    case INPUT_UNUSABLE:
        doubt(doubts, input->file, "could not be used.");
        break;
    }
    if (input->missing_batches > 0) {
        doubt(doubts, input->file, "lacks %llu batches that never arrived.",
              (unsigned long long)input->missing_batches);
    }
}

static void doubt_process(struct doubts *doubts, const struct report *report, size_t index)
{
    const struct report_process *process = &report->processes[index];
    char label[REPORT_LABEL_BYTES];
    char step[TEXT_BYTES];

    (void)report_text_process(label, report, index);
    if (process->clock_steps > 0) {
        doubt(
            doubts, label,
            "saw its wall clock step %llu times, by up to %s: times of day may be off by as much.",
            (unsigned long long)process->clock_steps,
            text_duration(step, fabs((double)process->greatest_clock_step_ns)));
    }
    if (process->names_folded > 0) {
        doubt(doubts, label, "used more names than its table holds; %llu became (other).",
              (unsigned long long)process->names_folded);
    }
    if (process->claimed_pid != 0 && process->claimed_pid != process->pid) {
        doubt(doubts, label, "calls itself pid %u: it runs in a container, or it lies.",
              process->claimed_pid);
    }
}

/* What was not sent while one was slow stands in no quantile. */
static void doubt_arrivals(struct doubts *doubts, const struct report_loads *loads)
{
    for (size_t i = 0; loads != NULL && i < loads->count; i++) {
        const struct report_arrivals *arrivals = &loads->names[i].arrivals;
        char within[TEXT_BYTES];
        char usual[TEXT_BYTES];

        if (arrivals->pattern == ARRIVALS_CLOSED) {
            doubt(
                doubts, loads->names[i].name,
                "comes when the one before has ended (a closed loop: %s after it, usual duration "
                "%s): what a slow one held back was not measured, and the true tail may be longer "
                "(coordinated omission).",
                text_duration(within, arrivals->gap_p50_ns),
                text_duration(usual, arrivals->duration_p50_ns));
        }
    }
}

/* Parents that never ended, or that stand too far away in the trace. */
static void doubt_children(struct doubts *doubts, const struct report_quality *quality)
{
    uint64_t children = quality->children_matched + quality->children_unmatched;
    char count[TEXT_BYTES];

    if ((double)quality->children_unmatched > NOTABLE_UNMATCHED_RATIO * (double)children) {
        doubt(doubts, "",
              "The parents of %s operations were not found: they had not ended, are lost, or ended "
              "much later or earlier.",
              text_count(count, quality->children_unmatched));
    }
}

/* Quantiles of those that ended are too low where many did not. */
static void doubt_censored(struct doubts *doubts, const struct report *report)
{
    size_t named = 0;

    for (size_t i = 0; i < report->operation_count && named < CENSORED_DOUBTS; i++) {
        const struct report_operation *operation = &report->operations[i];
        char share[TEXT_BYTES];
        char naive[TEXT_BYTES];
        char p99[TEXT_BYTES];

        if (operation->censoring == NULL || !operation->censoring->has_quantiles) {
            continue;
        }
        named++;
        doubt(doubts, operation->name,
              "timed out or had not ended in %s of all cases. p99: %s of those that ended, %s with "
              "them.",
              text_share(share, operation->censoring->share),
              text_duration(naive, operation->duration_ns.quantiles[RANK_P99].value),
              report_text_survival(p99, operation->censoring, RANK_P99));
    }
}

/* The trace against what the program counted. */
static void doubt_queue(struct doubts *doubts, const struct report_queue *queue)
{
    const struct report_little *little = &queue->flow.little;
    char share[TEXT_BYTES];

    if (queue->flow.reason != REASON_NONE) {
        return;
    }
    (void)text_share(share, fabs(little->deviation));
    if (little->verdict == LITTLE_MISSING) {
        doubt(
            doubts, queue->name,
            "held %s more than the operations in the trace explain (Little's law): operations that "
            "went through this queue were lost, or had not ended.",
            share);
    } else if (little->verdict == LITTLE_SURPLUS) {
        doubt(doubts, queue->name,
              "held %s less than the trace has in it (Little's law): operations leave this queue "
              "without saying so, or enter it after they began.",
              share);
    }
}

size_t report_doubts(const struct report *report, struct report_doubt *ret_doubts)
{
    struct doubts doubts = {.list = ret_doubts};
    char share[TEXT_BYTES];

    doubt_losses(&doubts, &report->quality);
    for (size_t i = 0; i < report->input_count; i++) {
        doubt_input(&doubts, &report->inputs[i]);
    }
    for (size_t i = 0; i < report->process_count; i++) {
        doubt_process(&doubts, report, i);
    }
    doubt_censored(&doubts, report);
    doubt_children(&doubts, &report->quality);
    for (size_t i = 0; i < report->queue_count; i++) {
        doubt_queue(&doubts, &report->queues[i]);
    }
    doubt_arrivals(&doubts, report->loads);
    if (report->folded_names > 0) {
        doubt(&doubts, "", "%llu operation names beyond the limit are counted as (other).",
              (unsigned long long)report->folded_names);
    }
    if (report->quality.tracer_cpu_ratio > NOTABLE_TRACER_CPU_RATIO) {
        doubt(&doubts, "", "Recording took %s of a CPU in each process.",
              text_share(share, report->quality.tracer_cpu_ratio));
    }
    return doubts.count;
}
