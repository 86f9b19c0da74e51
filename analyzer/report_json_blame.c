#include "report_json_parts.h"

static void add_exemplar(struct json_tree *tree, const struct report_blame_exemplar *exemplar)
{
    json_open_object(tree, NULL);
    report_json_time(tree, "begin", exemplar->begin_realtime_ns);
    json_add_count(tree, "length_ns", exemplar->length_ns);
    json_add_count(tree, "delay_ns", exemplar->delay_ns);
    json_add_count(tree, "delayed_operations", exemplar->delayed);
    json_add_count(tree, "process", exemplar->process);
    json_open_object(tree, "thread");
    json_add_count(tree, "tid", exemplar->tid);
    json_add_text(tree, "name", exemplar->thread);
    json_close(tree);
    json_open_object(tree, "place");
    json_add_count(tree, "input", exemplar->place.input);
    json_add_count(tree, "frame_offset_bytes", exemplar->place.frame_offset_bytes);
    json_add_count(tree, "row", exemplar->place.row);
    json_close(tree);
    json_close(tree);
}

static void add_pair(struct json_tree *tree, const struct report_blame_pair *pair)
{
    json_open_object(tree, NULL);
    json_add_text(tree, "holder", pair->holder);
    json_add_text(tree, "delayed", pair->delayed);
    json_add_count(tree, "delays", pair->delays);
    json_add_number(tree, "delay_ns", pair->delay_ns);
    report_json_number(tree, "tail_ratio", pair->tail_ratio, REASON_TOO_FEW);
    json_open_array(tree, "longest");
    for (size_t i = 0; i < pair->exemplar_count; i++) {
        add_exemplar(tree, &pair->exemplars[i]);
    }
    json_close(tree);
    json_close(tree);
}

void report_json_blame(struct json_tree *tree, const struct report_blame *blame)
{
    json_open_object(tree, NULL);
    json_add_count(tree, "long_runs", blame->runs);
    json_add_number(tree, "long_runs_ns", blame->run_ns);
    json_add_count(tree, "omitted_long_runs", blame->omitted_runs);
    json_add_count(tree, "waits", blame->waits);
    json_add_count(tree, "omitted_waits", blame->omitted_waits);
    json_add_count(tree, "unplaced_waits", blame->unplaced_waits);
    json_open_array(tree, "pairs");
    for (size_t i = 0; i < blame->pair_count; i++) {
        add_pair(tree, &blame->pairs[i]);
    }
    json_close(tree);
    json_add_count(tree, "omitted_pairs", blame->omitted_pairs);
    json_add_number(tree, "omitted_delay_ns", blame->omitted_delay_ns);
    json_close(tree);
}
