#include "report_make.h"

#include "report_make_parts.h"

static void take_threads(struct report *report, struct report_totals *totals)
{
    report->threads = take_pointer(&totals->threads);
    report->thread_count = totals->thread_count;
    report->omitted_threads = totals->omitted_threads;
    totals->thread_count = 0;
    totals->thread_capacity = 0;
}

int report_make(struct report *ret_report, const struct report_plan *plan,
                struct report_totals *totals, struct shared_windows *windows,
                const struct load_effects *effects, const struct shared_queues *queues)
{
    ret_report->first_realtime_ns = plan->first_realtime_ns;
    ret_report->last_realtime_ns = plan->last_realtime_ns;
    ret_report->window_first_realtime_ns = plan->grid.first_ns;
    ret_report->window_width_ns = plan->grid.width_ns;
    ret_report->window_count = plan->grid.count;
    ret_report->folded_names = name_ranks_folded(&plan->names, GROUP_OPERATION);

    int r = report_make_inputs(ret_report, plan);

    r = r < 0 ? r : report_make_processes(ret_report, plan, totals);
    r = r < 0 ? r : report_make_quality(ret_report, plan, totals);
    r = r < 0 ? r : report_make_load(ret_report, totals, effects); /* operations are freed next */
    r = r < 0 ? r : report_make_blame(ret_report, totals);
    r = r < 0 ? r : report_make_operations(ret_report, totals, windows);
    r = r < 0 ? r : report_make_metrics(ret_report, totals);
    r = r < 0 ? r : report_make_queues(ret_report, totals, queues);
    r = r < 0 ? r : report_make_pools(ret_report, queues);
    r = r < 0 ? r : report_make_marks(ret_report, totals);
    if (r == 0) {
        take_threads(ret_report, totals);
    }
    return r;
}
