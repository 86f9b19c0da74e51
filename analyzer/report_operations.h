/*
 * The operations of a report. Plain data, part of report.h.
 */
#pragma once

#include "batch.h"
#include "name_ranks.h"
#include "report_attributes.h"
#include "report_budget.h"
#include "report_censoring.h"
#include "report_children.h"
#include "report_summary.h"

/* Where a record stands in the files, so that it can be found again. */
struct report_place {
    size_t input;
    uint64_t frame_offset_bytes;
    uint32_t row;
};

struct report_slow_operation {
    struct report_place place;
    uint64_t begin_realtime_ns;
    uint64_t duration_ns;
    size_t process;
    enum operation_status status;
    uint32_t begin_tid;
    char *begin_thread; /* name of the thread; "" if it has none */
    uint32_t end_tid;
    char *end_thread;
};

struct report_by_process {
    size_t process;
    uint64_t count;
    uint64_t by_status[STATUS_COUNT];
    double mean_ns;
    double p50_ns; /* NaN if n is too small, as below */
    double p95_ns;
    double p99_ns;
    double max_ns;
};

struct report_window {
    size_t window; /* of the time grid */
    uint64_t count;
    uint64_t errors; /* all that are not ok */
    double p50_ns;
    double p95_ns;
    double p99_ns;
};

/* Time that operations spent in a state. Only states that were set by at least one operation. */
struct report_state {
    enum operation_state state;
    double time_share;             /* of the total time of all operations of this name */
    struct report_summary time_ns; /* over the operations that were in it */
};

struct report_operation {
    char *name;
    bool is_other; /* stands for all names beyond the limit */
    enum operation_role role;
    double
        rest_mean_ns; /* of loop rounds: what is left of a round, on average, when somebody comes during one; else NaN */
    uint64_t count;
    double rate_per_s; /* count / time span of the report; NaN if that is 0 */
    uint64_t by_status[STATUS_COUNT];
    uint64_t unfinished;          /* begun and never ended, as far as the files say */
    double longest_unfinished_ns; /* NaN if none */
    double time_share;            /* of the total time of all operations */
    struct report_summary duration_ns;
    size_t state_count;
    struct report_state *states;
    struct report_budget *budget;       /* NULL: no operation said a state, or no memory */
    enum report_reason budget_reason;   /* why it is NULL */
    struct report_censoring *censoring; /* NULL: all ended, and none was given up */
    struct report_children *children;   /* NULL: none were found */
    size_t process_count;
    struct report_by_process *processes;
    uint64_t omitted_processes;
    bool has_windows;          /* else there was no memory for them */
    bool has_window_quantiles; /* likewise */
    size_t window_count;
    struct report_window *windows;
    size_t slowest_count;
    struct report_slow_operation *slowest; /* by duration, falling */
    size_t attribute_count;
    struct report_attribute *attributes; /* only if asked for */
};
