#include "report_json_parts.h"

#include "record_names.h"

void report_json_metric(struct json_tree *tree, const struct report_metric *metric)
{
    json_open_object(tree, NULL);
    json_add_text(tree, "name", metric->name);
    json_add_text(tree, "unit", metric->unit);
    json_add_text(tree, "kind", name_kind_name(metric->kind));
    json_add_bool(tree, "is_per_thread", metric->is_per_thread);
    json_add_count(tree, "samples", metric->samples);
    report_json_number(tree, "total", metric->total, REASON_NOT_RECORDED);
    report_json_summary(tree, "values", &metric->summary, "");
    json_open_array(tree, "by_process");
    for (size_t i = 0; i < metric->process_count; i++) {
        json_open_object(tree, NULL);
        json_add_count(tree, "process", metric->processes[i].process);
        report_json_summary(tree, "values", &metric->processes[i].summary, "");
        json_close(tree);
    }
    json_close(tree);
    json_add_count(tree, "omitted_processes", metric->omitted_processes);
    json_close(tree);
}

void report_json_thread(struct json_tree *tree, const struct report_thread *thread)
{
    json_open_object(tree, NULL);
    json_add_count(tree, "process", thread->process);
    json_add_count(tree, "tid", thread->tid);
    json_add_text(tree, "name", thread->name);
    json_add_count(tree, "serial", thread->serial);
    json_add_count(tree, "operations", thread->operations);
    report_json_number(tree, "cpu_ns", thread->cpu_ns, REASON_NOT_RECORDED);
    report_json_number(tree, "voluntary_switches", thread->voluntary_switches, REASON_NOT_RECORDED);
    report_json_number(tree, "involuntary_switches", thread->involuntary_switches,
                       REASON_NOT_RECORDED);
    json_close(tree);
}

void report_json_mark(struct json_tree *tree, const struct report_mark *mark)
{
    json_open_object(tree, NULL);
    json_add_text(tree, "name", mark->name);
    json_add_count(tree, "count", mark->count);
    report_json_time(tree, "first", mark->first_realtime_ns);
    report_json_time(tree, "last", mark->last_realtime_ns);
    json_close(tree);
}
