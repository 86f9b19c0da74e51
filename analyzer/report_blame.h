/*
 * Who held up whom, in a report. Plain data, part of report.h.
 */
#pragma once

#include "report_operations.h"

enum { BLAME_PAIRS_LISTED = 64, BLAME_EXEMPLARS_LISTED = 3 };

/* A long run, and the delay that it brought the operations of one name. */
struct report_blame_exemplar {
    struct report_place place; /* row: of the batch's long runs */
    uint64_t begin_realtime_ns;
    uint64_t length_ns;
    uint64_t delay_ns; /* summed over the operations */
    uint64_t delayed;  /* operations */
    size_t process;
    uint32_t tid;
    char *thread; /* name; "" if it has none */
};

struct report_blame_pair {
    char *holder;  /* name of the operations that held a thread */
    char *delayed; /* name of those that waited */
    uint64_t delays;
    double delay_ns;
    double tail_ratio; /* of the time of delayed operations above p99; NaN if too few have ended */
    size_t exemplar_count;
    struct report_blame_exemplar exemplars[BLAME_EXEMPLARS_LISTED]; /* by delay, falling */
};

struct report_blame {
    uint64_t runs; /* long runs of all operations */
    uint64_t omitted_runs;
    double run_ns;
    uint64_t waits; /* long enough to be looked at */
    uint64_t omitted_waits;
    uint64_t unplaced_waits; /* that began nobody knows when */
    size_t pair_count;
    struct report_blame_pair *pairs; /* owned; by delay, falling */
    uint64_t omitted_pairs;
    double omitted_delay_ns;
};

void report_blame_release(struct report_blame *blame);
