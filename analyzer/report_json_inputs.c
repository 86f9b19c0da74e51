#include "report_json_parts.h"

#include "record_names.h"

#include <inttypes.h>
#include <math.h>

enum { HEX_BYTES = 2 * SESSION_ID_BYTES + 1 };

static const char *state_name(enum input_state state)
{
    switch (state) {
    case INPUT_WHOLE:
        return "whole";
    case INPUT_NO_END:
        return "no_end";
    case INPUT_CUT_OFF:
        return "cut_off";
    case INPUT_DAMAGED:
        return "damaged";
    case INPUT_NEWER:
        return "newer_format";
    case INPUT_UNUSABLE:
        break;
    }
    return "unusable";
}

void report_json_input(struct json_tree *tree, const struct report_input *input)
{
    char hash[HEX_BYTES];

    (void)snprintf(hash, sizeof(hash), "%016" PRIx64, input->content_hash);
    json_open_object(tree, NULL);
    json_add_text(tree, "file", input->file);
    json_add_text(tree, "state", state_name(input->state));
    json_add_text(tree, "content_hash", hash);
    json_add_count(tree, "size_bytes", input->size_bytes);
    json_add_count(tree, "skipped_bytes", input->skipped_bytes);
    json_add_count(tree, "frames", input->frames);
    json_add_count(tree, "repeated_batches", input->repeated_batches);
    json_add_count(tree, "missing_batches", input->missing_batches);
    report_json_counts(tree, "rows", &input->rows);
    if (input->process == SIZE_MAX) {
        report_json_number(tree, "process", NAN, REASON_NOT_RECORDED);
    } else {
        json_add_count(tree, "process", input->process);
        json_add_count(tree, "part", input->part);
    }
    if (input->problem[0] != '\0') {
        json_add_text(tree, "problem", input->problem);
        json_add_count(tree, "problem_offset_bytes", input->problem_offset_bytes);
    }
    json_close(tree);
}

static void add_session(struct json_tree *tree, const uint8_t session[static SESSION_ID_BYTES])
{
    char text[HEX_BYTES];

    for (size_t i = 0; i < SESSION_ID_BYTES; i++) {
        (void)snprintf(text + 2 * i, 3, "%02x", session[i]);
    }
    json_add_text(tree, "session", text);
}

static void add_labels(struct json_tree *tree, const struct report_process *process)
{
    json_open_object(tree, "labels");
    for (size_t i = 0; i < process->label_count; i++) {
        json_add_text(tree, process->labels[i].key, process->labels[i].value);
    }
    json_close(tree);
}

static void add_totals(struct json_tree *tree, const struct report_process *process)
{
    report_json_counts(tree, "produced", &process->produced);
    report_json_counts(tree, "stored", &process->stored);
    report_json_counts(tree, "lost", &process->lost);
    json_add_bool(tree, "is_total_final", process->is_total_final);
    json_add_count(tree, "stale_ends", process->stale_ends);
    json_add_count(tree, "names_folded", process->names_folded);
    json_add_count(tree, "attributes_cut", process->attributes_cut);
    json_add_count(tree, "client_cpu_ns", process->client_cpu_ns);
    json_add_count(tree, "frame_bytes", process->frame_bytes);
}

void report_json_process(struct json_tree *tree, const struct report_process *process)
{
    json_open_object(tree, NULL);
    add_session(tree, process->session);
    json_add_text(tree, "kind", source_kind_name(process->kind));
    json_add_text(tree, "executable", process->executable);
    json_add_text(tree, "host_name", process->host_name);
    json_add_count(tree, "pid", process->pid);
    json_add_count(tree, "claimed_pid", process->claimed_pid);
    json_add_count(tree, "threads", process->threads);
    add_labels(tree, process);
    report_json_time(tree, "first", process->first_realtime_ns);
    report_json_time(tree, "last", process->last_realtime_ns);
    add_totals(tree, process);
    json_add_count(tree, "clock_steps", process->clock_steps);
    json_add_number(tree, "greatest_clock_step_ns", (double)process->greatest_clock_step_ns);
    json_close(tree);
}

static void add_loss(struct json_tree *tree, const struct report_loss *loss)
{
    json_open_object(tree, NULL);
    json_add_text(tree, "cause", loss_cause_name(loss->cause));
    json_add_text(tree, "advice", loss_cause_advice(loss->cause));
    report_json_counts(tree, "count", &loss->count);
    report_json_time(tree, "first", loss->first_realtime_ns);
    report_json_time(tree, "last", loss->last_realtime_ns);
    json_close(tree);
}

void report_json_quality(struct json_tree *tree, const struct report_quality *quality)
{
    json_open_object(tree, NULL);
    report_json_number(tree, "coverage_ratio", quality->coverage_ratio, REASON_NO_DATA);
    report_json_counts(tree, "produced", &quality->produced);
    report_json_counts(tree, "stored", &quality->stored);
    report_json_counts(tree, "lost", &quality->lost);
    report_json_counts(tree, "unaccounted", &quality->unaccounted);
    json_open_array(tree, "losses");
    for (size_t i = 0; i < quality->loss_count; i++) {
        add_loss(tree, &quality->losses[i]);
    }
    json_close(tree);
    json_open_object(tree, "children");
    json_add_count(tree, "matched", quality->children_matched);
    json_add_count(tree, "unmatched", quality->children_unmatched);
    json_close(tree);
    report_json_number(tree, "tracer_cpu_ratio", quality->tracer_cpu_ratio, REASON_NOT_RECORDED);
    report_json_number(tree, "bytes_per_operation", quality->bytes_per_operation, REASON_NO_DATA);
    json_close(tree);
}
