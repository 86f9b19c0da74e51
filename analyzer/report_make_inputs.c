#include "report_make_parts.h"

#include "clock_line.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define UNKNOWN_EXECUTABLE "unknown"

/* --- Files --- */

static int make_input(struct report_input *ret_input, const struct plan_input *input)
{
    const struct scanned_file *file = &input->file;

    *ret_input = (struct report_input){
        .file = strdup(input->name),
        .state = file->state,
        .problem = strdup(file->problem),
        .problem_offset_bytes = file->problem_offset_bytes,
        .size_bytes = file->size_bytes,
        .skipped_bytes = file->skipped_bytes,
        .frames = file->packets,
        .repeated_batches = input->repeated_batches,
        .missing_batches = file->missing_batches,
        .rows = file->rows,
        .process = file->session_count > 0 ? input->processes[0] : SIZE_MAX,
        .part = file->session_count > 0 ? file->sessions[0].source.part : 0,
        .content_hash = file->content_hash,
    };
    return ret_input->file == NULL || ret_input->problem == NULL ? -ENOMEM : 0;
}

int report_make_inputs(struct report *report, const struct report_plan *plan)
{
    int r = 0;

    report->inputs = calloc(plan->input_count + 1, sizeof(*report->inputs));
    if (report->inputs == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; r == 0 && i < plan->input_count; i++) {
        r = make_input(&report->inputs[report->input_count++], &plan->inputs[i]);
    }
    return r;
}

/* --- Processes --- */

static bool has_label(const struct report_process *process, const char *key)
{
    for (size_t i = 0; i < process->label_count; i++) {
        if (strcmp(process->labels[i].key, key) == 0) {
            return true;
        }
    }
    return false;
}

static int copy_source(struct report_process *process, const struct source_facts *source)
{
    bool is_whole = true;

    process->executable = strdup(source == NULL ? UNKNOWN_EXECUTABLE : source->executable);
    process->host_name = strdup(source == NULL ? "" : source->host_name);
    if (process->executable == NULL || process->host_name == NULL) {
        return -ENOMEM;
    }
    if (source == NULL) {
        return 0;
    }
    process->kind = source->kind;
    process->pid = source->pid;
    process->claimed_pid = source->claimed_pid;
    for (size_t i = 0; is_whole && i < source->label_count; i++) {
        size_t at = process->label_count;

        if (has_label(process, source->label_keys[i])) {
            continue;
        }
        process->labels[at].key = strdup(source->label_keys[i]);
        process->labels[at].value = strdup(source->label_values[i]);
        process->label_count++;
        is_whole = process->labels[at].key != NULL && process->labels[at].value != NULL;
    }
    return is_whole ? 0 : -ENOMEM;
}

static void copy_totals(struct report_process *process, const struct plan_process *planned)
{
    const struct totals *totals = planned->totals;

    if (totals != NULL) {
        process->produced = totals->produced;
        process->lost = totals_lost(totals);
        process->client_cpu_ns = totals->client_cpu_ns;
        process->frame_bytes = totals->frame_bytes;
        process->stale_ends = totals->stale_ends;
        process->names_folded = totals->names_folded;
        process->attributes_cut = totals->attributes_cut;
    }
    for (int cause = 0; cause < LOSS_CAUSE_COUNT; cause++) {
        record_counts_add(&process->lost, &planned->losses[cause].count);
    }
}

static int make_process(struct report_process *process, const struct plan_process *planned,
                        const struct process_facts *facts)
{
    *process = (struct report_process){
        .stored = facts->stored,
        .is_total_final = planned->is_final,
        .clock_steps = planned->clock_steps,
        .greatest_clock_step_ns = planned->greatest_clock_step_ns,
        .threads = facts->threads,
    };
    memcpy(process->session, planned->session, SESSION_ID_BYTES);
    if (planned->has_records) {
        process->first_realtime_ns = clock_realtime_ns(planned->first_ns, planned->offset_ns);
        process->last_realtime_ns = clock_realtime_ns(planned->last_ns, planned->offset_ns);
    }
    copy_totals(process, planned);
    return copy_source(process, planned->source);
}

int report_make_processes(struct report *report, const struct report_plan *plan,
                          const struct report_totals *totals)
{
    int r = 0;

    report->processes = calloc(plan->process_count + 1, sizeof(*report->processes));
    if (report->processes == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; r == 0 && i < plan->process_count; i++) {
        r = make_process(&report->processes[report->process_count++], &plan->processes[i],
                         &totals->processes[i]);
    }
    return r;
}
