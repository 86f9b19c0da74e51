/*
 * What both text renderers say in the same words: short texts for parts of a report, and what to distrust in it.
 */
#pragma once

#include "report.h"
#include "text_format.h"

enum {
    REPORT_LABEL_BYTES = 320,
    DOUBT_TEXT_BYTES = 320,
    DOUBT_MAX = 24,
};

/* Writes "2026-11-24 15:27:17" (UTC), or "-" if 0. Returns ret_text. Threads: any, as all functions here. */
const char *report_text_second(char ret_text[static TEXT_BYTES], uint64_t realtime_ns);

/*
 * A metric's value with its unit: a counter's is per second, one of times is a share of a second ("35 %" of a CPU). What is
 * counted ("{fault}") the name says already.
 */
const char *report_text_metric(char ret_text[static TEXT_BYTES], const struct report_metric *metric,
                               double value);

/* The name as a row of a table; of samples of single threads "name, by thread". */
const char *report_text_metric_name(char ret_text[static REPORT_LABEL_BYTES],
                                    const struct report_metric *metric);

/* "web (pid 4711)"; text from outside stays as it is. */
const char *report_text_process(char ret_text[static REPORT_LABEL_BYTES],
                                const struct report *report, size_t process);

/* A state in words: "running", "waiting for I/O". */
const char *report_state_words(enum operation_state state);

/* Parts of a cohort's time that are less are not shown: an instant before the first state, a rounding. */
#define BUDGET_LEAST_SHARE 0.001

/* A part of a time budget in words: a state, or "unaccounted". */
const char *report_budget_part_words(int part);

/*
 * The quantile of a rank (RANK_P99) with those that were not seen to end: "45.6 ms", "> 2 s" if more than what was seen, "-"
 * if there are too few of either.
 */
const char *report_text_survival(char ret_text[static TEXT_BYTES],
                                 const struct report_censoring *censoring, size_t rank);

/* The share of operations that are not ok. */
double report_error_ratio(const struct report_operation *operation);

/* A reason to distrust some numbers. */
struct report_doubt {
    char subject
        [REPORT_LABEL_BYTES]; /* a file or a process, text from outside; "" if it is the whole report */
    char text[DOUBT_TEXT_BYTES]; /* our words only */
};

/*
 * What a reader must know before believing the numbers: losses, damage, files cut off, steps of clocks.
 *
 * ret_doubts room for DOUBT_MAX; the gravest first
 * Returns:   how many there are, which may be more than were written.
 */
size_t report_doubts(const struct report *report, struct report_doubt *ret_doubts);
