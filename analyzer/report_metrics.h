/*
 * The queues, metrics, threads and marks of a report. Plain data, part of report.h.
 */
#pragma once

#include "batch.h"
#include "report_queues.h"
#include "report_summary.h"

struct report_queue {
    char *name;
    uint64_t capacity; /* 0 if unbounded or unknown */
    uint64_t entries;
    uint64_t lost_entries;       /* operations that were not recorded and would have entered it */
    struct report_summary depth; /* just after entering, itself included */
    struct report_summary residence_ns;
    struct report_queue_flow flow;
};

struct report_metric_by_process {
    size_t process;
    struct report_summary summary;
};

/* A gauge's values; of a counter its increments per second. */
struct report_metric {
    char *name;
    char *unit; /* UCUM; of a counter that of its increments: "/s" is to be added */
    enum name_kind kind;
    bool is_per_thread;
    uint64_t samples;
    double total; /* sum of a counter's increments; NaN for gauges */
    struct report_summary summary;
    size_t process_count;
    struct report_metric_by_process *processes;
    uint64_t omitted_processes;
};

struct report_thread {
    size_t process;
    uint32_t tid;
    char *name;
    uint64_t serial;
    uint64_t operations; /* ended on it */
    double cpu_ns;       /* NaN if not recorded, as below */
    double voluntary_switches;
    double involuntary_switches;
};

struct report_mark {
    char *name;
    uint64_t count;
    uint64_t first_realtime_ns;
    uint64_t last_realtime_ns;
};
