#include "report_json_parts.h"

#include "record_names.h"

static void add_statuses(struct json_tree *tree, const uint64_t by_status[static STATUS_COUNT])
{
    json_open_object(tree, "by_status");
    for (int status = 0; status < STATUS_COUNT; status++) {
        json_add_count(tree, operation_status_name((enum operation_status)status),
                       by_status[status]);
    }
    json_close(tree);
}

static void add_states(struct json_tree *tree, const struct report_operation *operation)
{
    json_open_object(tree, "states");
    for (size_t i = 0; i < operation->state_count; i++) {
        const struct report_state *state = &operation->states[i];

        json_open_object(tree, operation_state_name(state->state));
        report_json_number(tree, "time_share", state->time_share, REASON_NO_DATA);
        report_json_summary(tree, "time", &state->time_ns, "_ns");
        json_close(tree);
    }
    json_close(tree);
}

static void add_processes(struct json_tree *tree, const struct report_operation *operation)
{
    json_open_array(tree, "by_process");
    for (size_t i = 0; i < operation->process_count; i++) {
        const struct report_by_process *process = &operation->processes[i];

        json_open_object(tree, NULL);
        json_add_count(tree, "process", process->process);
        json_add_count(tree, "count", process->count);
        add_statuses(tree, process->by_status);
        report_json_number(tree, "mean_ns", process->mean_ns, REASON_NO_DATA);
        report_json_number(tree, "p50_ns", process->p50_ns, REASON_TOO_FEW);
        report_json_number(tree, "p95_ns", process->p95_ns, REASON_TOO_FEW);
        report_json_number(tree, "p99_ns", process->p99_ns, REASON_TOO_FEW);
        report_json_number(tree, "max_ns", process->max_ns, REASON_NO_DATA);
        json_close(tree);
    }
    json_close(tree);
    json_add_count(tree, "omitted_processes", operation->omitted_processes);
}

static void add_windows(struct json_tree *tree, const struct report_operation *operation)
{
    enum report_reason reason =
        operation->has_window_quantiles ? REASON_TOO_FEW : REASON_MEMORY_LIMIT;

    json_open_array(tree, "over_time");
    for (size_t i = 0; i < operation->window_count; i++) {
        const struct report_window *window = &operation->windows[i];

        json_open_object(tree, NULL);
        json_add_count(tree, "window", window->window);
        json_add_count(tree, "count", window->count);
        json_add_count(tree, "errors", window->errors);
        report_json_number(tree, "p50_ns", window->p50_ns, reason);
        report_json_number(tree, "p95_ns", window->p95_ns, reason);
        report_json_number(tree, "p99_ns", window->p99_ns, reason);
        json_close(tree);
    }
    json_close(tree);
    if (!operation->has_windows) {
        json_add_text(tree, "over_time_reason", report_reason_name(REASON_MEMORY_LIMIT));
    }
}

static void add_thread(struct json_tree *tree, const char *key, uint32_t tid, const char *name)
{
    json_open_object(tree, key);
    json_add_count(tree, "tid", tid);
    json_add_text(tree, "name", name);
    json_close(tree);
}

static void add_slow_operation(struct json_tree *tree, const struct report_slow_operation *slow)
{
    json_open_object(tree, NULL);
    report_json_time(tree, "begin", slow->begin_realtime_ns);
    json_add_count(tree, "duration_ns", slow->duration_ns);
    json_add_text(tree, "status", operation_status_name(slow->status));
    json_add_count(tree, "process", slow->process);
    add_thread(tree, "begin_thread", slow->begin_tid, slow->begin_thread);
    add_thread(tree, "end_thread", slow->end_tid, slow->end_thread);
    json_open_object(tree, "place");
    json_add_count(tree, "input", slow->place.input);
    json_add_count(tree, "frame_offset_bytes", slow->place.frame_offset_bytes);
    json_add_count(tree, "row", slow->place.row);
    json_close(tree);
    json_close(tree);
}

static void add_slowest(struct json_tree *tree, const struct report_operation *operation)
{
    json_open_array(tree, "slowest");
    for (size_t i = 0; i < operation->slowest_count; i++) {
        add_slow_operation(tree, &operation->slowest[i]);
    }
    json_close(tree);
}

static void add_attributes(struct json_tree *tree, const struct report_operation *operation)
{
    json_open_array(tree, "attributes");
    for (size_t i = 0; i < operation->attribute_count; i++) {
        report_json_attribute(tree, &operation->attributes[i]);
    }
    json_close(tree);
}

static const char *const role_names[ROLE_COUNT] = {"ordinary", "loop_round", "collection"};

void report_json_operation(struct json_tree *tree, const struct report_operation *operation)
{
    json_open_object(tree, NULL);
    json_add_text(tree, "name", operation->name);
    json_add_bool(tree, "is_other", operation->is_other);
    json_add_text(tree, "role", role_names[operation->role]);
    if (operation->role == ROLE_LOOP_ROUND) {
        report_json_number(tree, "rest_mean_ns", operation->rest_mean_ns, REASON_TOO_FEW);
    }
    json_add_count(tree, "count", operation->count);
    report_json_number(tree, "rate_per_s", operation->rate_per_s, REASON_TOO_FEW);
    report_json_number(tree, "time_share", operation->time_share, REASON_NO_DATA);
    add_statuses(tree, operation->by_status);
    json_add_count(tree, "unfinished", operation->unfinished);
    report_json_number(tree, "longest_unfinished_ns", operation->longest_unfinished_ns,
                       REASON_NO_DATA);
    report_json_summary(tree, "duration", &operation->duration_ns, "_ns");
    add_states(tree, operation);
    report_json_censoring(tree, operation);
    report_json_children(tree, operation);
    report_json_budget(tree, operation);
    add_processes(tree, operation);
    add_windows(tree, operation);
    add_slowest(tree, operation);
    if (operation->attribute_count > 0) {
        add_attributes(tree, operation);
    }
    json_close(tree);
}
