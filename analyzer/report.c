#include "report.h"

#include <stdlib.h>

static void release_inputs(struct report *report)
{
    for (size_t i = 0; i < report->input_count; i++) {
        free(report->inputs[i].file);
        free(report->inputs[i].problem);
    }
    free(report->inputs);
}

static void release_processes(struct report *report)
{
    for (size_t i = 0; i < report->process_count; i++) {
        struct report_process *process = &report->processes[i];

        free(process->executable);
        free(process->host_name);
        for (size_t label = 0; label < process->label_count; label++) {
            free(process->labels[label].key);
            free(process->labels[label].value);
        }
    }
    free(report->processes);
}

static void release_attribute(struct report_attribute *attribute)
{
    for (size_t i = 0; i < attribute->value_count; i++) {
        free(attribute->values[i].text);
    }
    free(attribute->values);
    free(attribute->key);
}

static void release_children(struct report_children *children)
{
    for (size_t i = 0; children != NULL && i < children->child_count; i++) {
        free(children->children[i].name);
    }
    if (children != NULL) {
        free(children->children);
        free(children);
    }
}

static void release_operation(struct report_operation *operation)
{
    for (size_t i = 0; i < operation->slowest_count; i++) {
        free(operation->slowest[i].begin_thread);
        free(operation->slowest[i].end_thread);
    }
    for (size_t i = 0; i < operation->attribute_count; i++) {
        release_attribute(&operation->attributes[i]);
    }
    free(operation->slowest);
    free(operation->attributes);
    free(operation->states);
    free(operation->budget);
    release_children(operation->children);
    if (operation->censoring != NULL) {
        free(operation->censoring->oldest);
        free(operation->censoring);
    }
    free(operation->processes);
    free(operation->windows);
    free(operation->name);
}

static void release_operations(struct report *report)
{
    for (size_t i = 0; i < report->operation_count; i++) {
        release_operation(&report->operations[i]);
    }
    free(report->operations);
}

static void release_metrics(struct report *report)
{
    for (size_t i = 0; i < report->metric_count; i++) {
        free(report->metrics[i].name);
        free(report->metrics[i].unit);
        free(report->metrics[i].processes);
    }
    free(report->metrics);
}

static void release_lists(struct report *report)
{
    for (size_t i = 0; i < report->queue_count; i++) {
        free(report->queues[i].name);
        free(report->queues[i].flow.windows);
    }
    for (size_t i = 0; i < report->pool_count; i++) {
        free(report->pools[i].name);
    }
    for (size_t i = 0; i < report->thread_count; i++) {
        free(report->threads[i].name);
    }
    for (size_t i = 0; i < report->mark_count; i++) {
        free(report->marks[i].name);
    }
    for (size_t i = 0; i < report->options.redacted_count; i++) {
        free(report->options.redacted_keys[i]);
    }
    free(report->queues);
    free(report->pools);
    free(report->threads);
    free(report->marks);
    report_blame_release(&report->blame);
    free((void *)report->options.redacted_keys);
}

void report_release(struct report *report)
{
    release_inputs(report);
    release_processes(report);
    release_operations(report);
    release_metrics(report);
    release_lists(report);
    report_loads_free(report->loads);
    free(report->quality.losses);
    *report = (struct report){0};
}
