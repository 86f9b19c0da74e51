/*
 * The parts of the JSON report: each writes one value into an open array, or one member into an open object. For
 * report_json.c only. All are pure; one tree, one thread at a time.
 */
#pragma once

#include "json_tree.h"
#include "report.h"

/* A number, or null with KEY_reason beside it. */
void report_json_number(struct json_tree *tree, const char *key, double value,
                        enum report_reason reason);

/* KEY in ISO 8601 and KEY_realtime_ns, or null with KEY_reason where the time is 0. */
void report_json_time(struct json_tree *tree, const char *key, uint64_t realtime_ns);

void report_json_counts(struct json_tree *tree, const char *key,
                        const struct record_counts *counts);

/* unit is the end of the keys: "_ns" or "". */
void report_json_summary(struct json_tree *tree, const char *key,
                         const struct report_summary *summary, const char *unit);

void report_json_input(struct json_tree *tree, const struct report_input *input);
void report_json_process(struct json_tree *tree, const struct report_process *process);
void report_json_quality(struct json_tree *tree, const struct report_quality *quality);
void report_json_operation(struct json_tree *tree, const struct report_operation *operation);
void report_json_censoring(struct json_tree *tree, const struct report_operation *operation);
void report_json_children(struct json_tree *tree, const struct report_operation *operation);
void report_json_budget(struct json_tree *tree, const struct report_operation *operation);
void report_json_pool(struct json_tree *tree, const struct report_pool *pool);
void report_json_queue(struct json_tree *tree, const struct report_queue *queue);
void report_json_spread(struct json_tree *tree, const char *key,
                        const struct report_spread *spread);
void report_json_attribute(struct json_tree *tree, const struct report_attribute *attribute);
void report_json_load(struct json_tree *tree, const struct report_load *load);
void report_json_named_load(struct json_tree *tree, const struct report_named_load *named);
void report_json_metric(struct json_tree *tree, const struct report_metric *metric);
void report_json_thread(struct json_tree *tree, const struct report_thread *thread);
void report_json_blame(struct json_tree *tree, const struct report_blame *blame);
void report_json_mark(struct json_tree *tree, const struct report_mark *mark);
