/*
 * The parts of report_make(), for report_make.c only. Each fills lists of the report and returns 0 or -ENOMEM.
 */
#pragma once

#include "report_make.h"

MUST_USE int report_make_inputs(struct report *report, const struct report_plan *plan);
MUST_USE int report_make_processes(struct report *report, const struct report_plan *plan,
                                   const struct report_totals *totals);
MUST_USE int report_make_quality(struct report *report, const struct report_plan *plan,
                                 const struct report_totals *totals);
MUST_USE int report_make_operations(struct report *report, struct report_totals *totals,
                                    struct shared_windows *windows);
MUST_USE int report_make_load(struct report *report, const struct report_totals *totals,
                              const struct load_effects *effects);
MUST_USE int report_make_censoring(struct report_operation *operation,
                                   const struct operation_tally *tally);
MUST_USE int report_make_children(struct report_operation *operation,
                                  const struct operation_tally *tally,
                                  const struct name_ranks *names);
MUST_USE int report_make_metrics(struct report *report, struct report_totals *totals);
MUST_USE int report_make_queues(struct report *report, const struct report_totals *totals,
                                const struct shared_queues *queues);

/* What is known of the queue of that number over time; to be released with report. */
MUST_USE int report_make_queue_flow(struct report_queue_flow *flow,
                                    const struct shared_queues *queues, size_t number);
MUST_USE int report_make_pools(struct report *report, const struct shared_queues *queues);

/* Reads the tallies of operations: before report_make_operations(). */
MUST_USE int report_make_blame(struct report *report, struct report_totals *totals);
MUST_USE int report_make_marks(struct report *report, const struct report_totals *totals);
