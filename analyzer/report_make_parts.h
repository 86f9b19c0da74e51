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
MUST_USE int report_make_queues(struct report *report, const struct report_totals *totals);
MUST_USE int report_make_marks(struct report *report, const struct report_totals *totals);
