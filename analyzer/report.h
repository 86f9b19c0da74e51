/*
 * The report as plain data: made from the merged accumulators, written by report_json.h, report_markdown.h and
 * report_terminal.h, which change nothing and compute nothing but the layout.
 *
 * Everything is owned by the report and freed by report_release(); texts are valid UTF-8, as found in the trace files, and
 * never NULL. All lists are in their final order, which depends on neither threads nor the order of files. Times called
 * *_realtime_ns are since the Unix epoch, UTC; 0 where unknown. Indexes name entries of inputs[] and processes[].
 */
#pragma once

#include "report_blame.h"
#include "report_inputs.h"
#include "report_load.h"
#include "report_metrics.h"
#include "report_operations.h"

enum { REPORT_SCHEMA_VERSION = 1 };

struct report_options {
    bool with_attributes;
    bool with_load;
    uint64_t memory_bytes;
    size_t slowest_limit;
    size_t name_limit;
    size_t redacted_count;
    char **redacted_keys;
};

struct report {
    struct report_options options;
    uint64_t first_realtime_ns;        /* least begin of all records; 0 if there are none */
    uint64_t last_realtime_ns;         /* greatest end */
    uint64_t window_first_realtime_ns; /* begin of the time grid */
    uint64_t window_width_ns;
    size_t window_count;
    size_t input_count;
    struct report_input *inputs;
    size_t process_count;
    struct report_process *processes;
    struct report_quality quality;
    size_t operation_count;
    struct report_operation *operations; /* by total time, falling */
    uint64_t folded_names;               /* that became (other) */
    struct report_loads *loads;          /* owned; NULL: not asked for */
    size_t queue_count;
    struct report_queue *queues;
    size_t pool_count;
    struct report_pool *pools; /* by name */
    size_t metric_count;
    struct report_metric *metrics;
    size_t thread_count;
    struct report_thread *threads;
    uint64_t omitted_threads;
    size_t mark_count;
    struct report_mark *marks;
    struct report_blame blame;
};

/* Frees what report owns. {0} is an empty report. Threads: any, on different objects. */
void report_release(struct report *report);
