#include "report_json.h"

#include "report_json_parts.h"

#include <errno.h>

/* The document is written piece by piece: as one tree it would not fit into the analyzer's memory limit. */
struct document {
    const struct report *report;
    FILE *stream;
    struct json_tree tree; /* of the piece at hand */
    int r;                 /* the first error */
};

static void put(struct document *document, const char *text)
{
    if (document->r == 0 && fputs(text, document->stream) < 0) {
        document->r = -EIO;
    }
}

static void put_tree(struct document *document)
{
    if (document->r == 0) {
        document->r = json_write(&document->tree, document->stream);
    }
}

/* Adds the i-th element of a list to the tree. */
typedef void element_function(struct json_tree *tree, const struct report *report, size_t i);

/* A member of the document whose value is a list: one element a line. */
static void put_list(struct document *document, const char *opening, size_t count,
                     element_function *add)
{
    put(document, opening);
    for (size_t i = 0; document->r == 0 && i < count; i++) {
        put(document, i == 0 ? "\n" : ",\n");
        add(&document->tree, document->report, i);
        put_tree(document);
    }
    put(document, "]");
}

static void add_input(struct json_tree *tree, const struct report *report, size_t i)
{
    report_json_input(tree, &report->inputs[i]);
}

static void add_named_load(struct json_tree *tree, const struct report *report, size_t i)
{
    report_json_named_load(tree, &report->loads->names[i]);
}

static void add_mark(struct json_tree *tree, const struct report *report, size_t i)
{
    report_json_mark(tree, &report->marks[i]);
}

static void add_metric(struct json_tree *tree, const struct report *report, size_t i)
{
    report_json_metric(tree, &report->metrics[i]);
}

static void add_operation(struct json_tree *tree, const struct report *report, size_t i)
{
    report_json_operation(tree, &report->operations[i]);
}

static void add_process(struct json_tree *tree, const struct report *report, size_t i)
{
    report_json_process(tree, &report->processes[i]);
}

static void add_pool(struct json_tree *tree, const struct report *report, size_t i)
{
    report_json_pool(tree, &report->pools[i]);
}

static void add_queue(struct json_tree *tree, const struct report *report, size_t i)
{
    report_json_queue(tree, &report->queues[i]);
}

static void add_thread(struct json_tree *tree, const struct report *report, size_t i)
{
    report_json_thread(tree, &report->threads[i]);
}

static void put_options(struct document *document)
{
    const struct report_options *options = &document->report->options;
    struct json_tree *tree = &document->tree;

    json_open_object(tree, NULL);
    json_add_bool(tree, "attributes", options->with_attributes);
    json_add_bool(tree, "load", options->with_load);
    json_add_count(tree, "memory_bytes", options->memory_bytes);
    json_add_count(tree, "name_limit", options->name_limit);
    json_add_count(tree, "slowest_limit", options->slowest_limit);
    json_open_array(tree, "redacted_keys");
    for (size_t i = 0; i < options->redacted_count; i++) {
        json_add_text(tree, NULL, options->redacted_keys[i]);
    }
    json_close(tree);
    json_close(tree);
    put_tree(document);
}

static void put_time(struct document *document)
{
    const struct report *report = document->report;
    struct json_tree *tree = &document->tree;

    json_open_object(tree, NULL);
    report_json_time(tree, "first", report->first_realtime_ns);
    report_json_time(tree, "last", report->last_realtime_ns);
    json_add_count(tree, "span_ns", report->last_realtime_ns - report->first_realtime_ns);
    report_json_time(tree, "window_first", report->window_first_realtime_ns);
    json_add_count(tree, "window_width_ns", report->window_width_ns);
    json_add_count(tree, "windows", report->window_count);
    json_close(tree);
    put_tree(document);
}

static void put_tool(struct document *document)
{
    struct json_tree *tree = &document->tree;

    json_open_object(tree, NULL);
    json_add_text(tree, "name", "eddy-analyzer");
    json_add_text(tree, "version", EDDY_PROJECT_VERSION);
    json_close(tree);
    put_tree(document);
}

static void put_load(struct document *document)
{
    const struct report_loads *loads = document->report->loads;
    char number[64];

    if (loads == NULL) {
        return;
    }
    put(document, ",\n\"load\":{\"all\":");
    report_json_load(&document->tree, &loads->all);
    put_tree(document);
    put_list(document, ",\n\"by_operation\":[", loads->count, add_named_load);
    (void)snprintf(number, sizeof(number), ",\"omitted_names\":%llu}",
                   (unsigned long long)loads->omitted_names);
    put(document, number);
}

/* The members in the order of their keys. */
static void put_document(struct document *document)
{
    const struct report *report = document->report;
    char number[64];

    put(document, "{\"blame\":");
    report_json_blame(&document->tree, &report->blame);
    put_tree(document);
    (void)snprintf(number, sizeof(number), ",\n\"folded_names\":%llu,",
                   (unsigned long long)report->folded_names);
    put(document, number);
    put_list(document, "\n\"inputs\":[", report->input_count, add_input);
    put_load(document);
    put_list(document, ",\n\"marks\":[", report->mark_count, add_mark);
    put_list(document, ",\n\"metrics\":[", report->metric_count, add_metric);
    (void)snprintf(number, sizeof(number), ",\n\"omitted_threads\":%llu",
                   (unsigned long long)report->omitted_threads);
    put(document, number);
    put_list(document, ",\n\"operations\":[", report->operation_count, add_operation);
    put(document, ",\n\"options\":");
    put_options(document);
    put_list(document, ",\n\"pools\":[", report->pool_count, add_pool);
    put_list(document, ",\n\"processes\":[", report->process_count, add_process);
    put(document, ",\n\"quality\":");
    report_json_quality(&document->tree, &report->quality);
    put_tree(document);
    put_list(document, ",\n\"queues\":[", report->queue_count, add_queue);
    (void)snprintf(number, sizeof(number), ",\n\"schema_version\":%d", REPORT_SCHEMA_VERSION);
    put(document, number);
    put_list(document, ",\n\"threads\":[", report->thread_count, add_thread);
    put(document, ",\n\"time\":");
    put_time(document);
    put(document, ",\n\"tool\":");
    put_tool(document);
    put(document, "}\n");
}

int report_json_write(const struct report *report, FILE *stream)
{
    struct document document = {.report = report, .stream = stream};

    put_document(&document);
    json_release(&document.tree);
    return document.r;
}
