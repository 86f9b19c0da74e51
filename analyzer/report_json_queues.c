#include "report_json_parts.h"

static void add_little(struct json_tree *tree, const struct report_little *little)
{
    json_open_object(tree, "little");
    report_json_number(tree, "depth", little->depth, REASON_TOO_FEW);
    report_json_number(tree, "rate_per_s", little->rate_per_s, REASON_TOO_FEW);
    report_json_number(tree, "residence_ns", little->residence_ns, REASON_NO_DATA);
    report_json_number(tree, "identity_error", little->identity_error, REASON_NO_DATA);
    report_json_number(tree, "entry_ratio", little->entry_ratio, REASON_TOO_FEW);
    report_json_number(tree, "gauge_ratio", little->gauge_ratio, REASON_NOT_RECORDED);
    json_add_text(tree, "verdict", little_verdict_name(little->verdict));
    report_json_number(tree, "deviation", little->deviation, REASON_TOO_FEW);
    json_close(tree);
}

static void add_windows(struct json_tree *tree, const struct report_queue_flow *flow)
{
    json_add_count(tree, "window_ns", flow->window_ns);
    report_json_time(tree, "window_first", flow->window_first_realtime_ns);
    json_open_array(tree, "over_time");
    for (size_t i = 0; i < flow->window_count; i++) {
        const struct report_queue_window *window = &flow->windows[i];

        json_open_object(tree, NULL);
        json_add_count(tree, "entered", window->entered);
        json_add_count(tree, "left", window->left);
        report_json_number(tree, "depth", window->depth, REASON_NO_DATA);
        report_json_number(tree, "gauge_depth", window->gauge_depth, REASON_NOT_RECORDED);
        json_close(tree);
    }
    json_close(tree);
}

static void add_flow(struct json_tree *tree, const struct report_queue_flow *flow)
{
    json_open_object(tree, "flow");
    if (flow->reason != REASON_NONE) {
        json_add_text(tree, "flow_reason", report_reason_name(flow->reason));
        json_close(tree);
        return;
    }
    if (flow->load.reason != REASON_NONE) {
        json_add_text(tree, "rates_reason", report_reason_name(flow->load.reason));
    } else {
        json_add_count(tree, "active_ns", flow->load.active_ns);
        json_add_count(tree, "cell_ns", flow->load.cell_ns);
        json_add_count(tree, "rate_window_ns", flow->load.rate_window_ns);
        report_json_spread(tree, "enters_per_s", &flow->load.arrivals_per_s);
        report_json_spread(tree, "leaves_per_s", &flow->leaves_per_s);
        report_json_spread(tree, "depth", &flow->load.concurrency);
        report_json_number(tree, "empty_ratio", flow->load.idle_ratio, REASON_TOO_FEW);
    }
    report_json_number(tree, "full_ratio", flow->full_ratio, REASON_NOT_RECORDED);
    json_add_count(tree, "full_entries", flow->full_entries);
    json_add_count(tree, "omitted_processes", flow->omitted_processes);
    add_little(tree, &flow->little);
    add_windows(tree, flow);
    json_close(tree);
}

void report_json_queue(struct json_tree *tree, const struct report_queue *queue)
{
    json_open_object(tree, NULL);
    json_add_text(tree, "name", queue->name);
    json_add_count(tree, "capacity", queue->capacity);
    json_add_count(tree, "entries", queue->entries);
    json_add_count(tree, "lost_entries", queue->lost_entries);
    report_json_summary(tree, "depth", &queue->depth, "");
    report_json_summary(tree, "residence", &queue->residence_ns, "_ns");
    add_flow(tree, &queue->flow);
    json_close(tree);
}

void report_json_pool(struct json_tree *tree, const struct report_pool *pool)
{
    json_open_object(tree, NULL);
    json_add_text(tree, "name", pool->name);
    json_add_count(tree, "samples", pool->samples);
    json_add_count(tree, "workers", pool->workers);
    report_json_number(tree, "known_ns", pool->known_ns, REASON_NO_DATA);
    report_json_number(tree, "busy_mean", pool->busy_mean, REASON_NO_DATA);
    json_open_object(tree, "utilization");
    report_json_number(tree, "mean", pool->utilization_mean, REASON_NOT_RECORDED);
    report_json_number(tree, "p50", pool->utilization_p50, REASON_NOT_RECORDED);
    report_json_number(tree, "p95", pool->utilization_p95, REASON_NOT_RECORDED);
    report_json_number(tree, "p99", pool->utilization_p99, REASON_NOT_RECORDED);
    json_close(tree);
    report_json_number(tree, "all_busy_ratio", pool->all_busy_ratio, REASON_NOT_RECORDED);
    json_close(tree);
}
