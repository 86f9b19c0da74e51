#include "report_markdown.h"

#include "markdown_text.h"
#include "record_names.h"
#include "report_markdown_parts.h"
#include "report_text.h"

#include <errno.h>
#include <math.h>

enum {
    OPERATION_ROWS = 100,
    SLOWEST_ROWS = 40,
    SLOWEST_PER_OPERATION = 3,
    STATE_ROWS = 60,
    PROCESS_ROWS = 50,
    METRIC_ROWS = 60,
    INPUT_ROWS = 50,
    MARK_ROWS = 20,
};

static void put_summary(FILE *stream, const void *context, size_t i)
{
    const struct report *report = context;
    const struct report_quality *quality = &report->quality;
    char text[TEXT_BYTES];
    char other[TEXT_BYTES];

    (void)i;
    (void)fprintf(stream,
                  "# Eddy report\n\nFiles: %zu. Processes: %zu. Operations: %s, of %zu names.",
                  report->input_count, report->process_count,
                  text_count(text, quality->stored.operations), report->operation_count);
    (void)fprintf(stream, " Samples: %s.\n", text_count(text, quality->stored.samples));
    if (report->first_realtime_ns < report->last_realtime_ns) {
        (void)fprintf(stream, "From %s to %s UTC",
                      report_text_second(text, report->first_realtime_ns),
                      report_text_second(other, report->last_realtime_ns));
        (void)fprintf(
            stream, " (%s).\n",
            text_duration(text, (double)(report->last_realtime_ns - report->first_realtime_ns)));
    }
    if (isfinite(quality->coverage_ratio)) {
        (void)fprintf(stream, "%s of the records that were produced are here.\n",
                      text_share(text, quality->coverage_ratio));
    }
}

static void put_doubt(FILE *stream, const void *context, size_t i)
{
    const struct report_doubt *doubt = (const struct report_doubt *)context + i;

    (void)fputs("| ", stream);
    if (doubt->subject[0] != '\0') {
        markdown_put_code(stream, doubt->subject);
        (void)fputc(' ', stream);
    }
    (void)fprintf(stream, "%s |\n", doubt->text);
}

static int put_doubts(struct markdown_page *page, const struct report *report)
{
    AUTO_FREE struct report_doubt *doubts = calloc(DOUBT_MAX, sizeof(*doubts));

    if (doubts == NULL) {
        return -ENOMEM;
    }

    const struct markdown_table table = {
        .title = "Data quality",
        .header = "| What to know before believing the numbers |\n| --- |\n",
        .row_count = report_doubts(report, doubts),
        .row_limit = DOUBT_MAX,
        .put_row = put_doubt,
    };

    markdown_put_table(page, &table, doubts);
    return 0;
}

static void put_operation(FILE *stream, const void *context, size_t i)
{
    static const size_t ranks[] = {RANK_P50, RANK_P95, RANK_P99, RANK_P999};
    const struct report_operation *operation = &((const struct report *)context)->operations[i];
    char text[TEXT_BYTES];

    markdown_put_name(stream, operation->name);
    markdown_put_count(stream, operation->count);
    markdown_put_cell(stream, text_rate(text, operation->rate_per_s));
    markdown_put_cell(stream, text_share(text, report_error_ratio(operation)));
    markdown_put_count(stream, operation->unfinished);
    markdown_put_duration(stream, operation->duration_ns.mean);
    for (size_t rank = 0; rank < ARRAY_SIZE(ranks); rank++) {
        markdown_put_duration(stream, operation->duration_ns.quantiles[ranks[rank]].value);
    }
    markdown_put_duration(stream, operation->duration_ns.max);
    markdown_put_cell(stream, text_share(text, operation->time_share));
    (void)fputc('\n', stream);
}

static const struct markdown_table operation_table = {
    .title = "Operations",
    .header =
        "| name | count | rate | errors | unfinished | mean | p50 | p95 | p99 | p99.9 | max | of "
        "time |\n"
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    .row_limit = OPERATION_ROWS,
    .put_row = put_operation,
};

/* A row for each of the first entries of a list that each operation has: the row's number to the entry. */
static const struct report_operation *find_entry(
    const struct report *report, size_t row, size_t (*entries_of)(const struct report_operation *),
    size_t *ret_entry)
{
    for (size_t i = 0; i < report->operation_count; i++) {
        size_t entries = entries_of(&report->operations[i]);

        if (row < entries) {
            *ret_entry = row;
            return &report->operations[i];
        }
        row -= entries;
    }
    return NULL;
}

static size_t count_entries(const struct report *report,
                            size_t (*entries_of)(const struct report_operation *))
{
    size_t count = 0;

    for (size_t i = 0; i < report->operation_count; i++) {
        count += entries_of(&report->operations[i]);
    }
    return count;
}

static size_t slowest_of(const struct report_operation *operation)
{
    return min_u64(operation->slowest_count, SLOWEST_PER_OPERATION);
}

static size_t states_of(const struct report_operation *operation)
{
    return operation->state_count;
}

static void put_slow(FILE *stream, const void *context, size_t i)
{
    const struct report *report = context;
    size_t entry = 0;
    const struct report_operation *operation = find_entry(report, i, slowest_of, &entry);
    const struct report_slow_operation *slow = &operation->slowest[entry];
    const struct report_input *input = &report->inputs[slow->place.input];
    char label[REPORT_LABEL_BYTES];
    char text[TEXT_BYTES];

    markdown_put_name(stream, operation->name);
    markdown_put_duration(stream, (double)slow->duration_ns);
    markdown_put_cell(stream, operation_status_name(slow->status));
    markdown_put_cell(stream, text_time(text, slow->begin_realtime_ns));
    markdown_put_code_cell(stream, report_text_process(label, report, slow->process));
    (void)fprintf(stream, " %u |", slow->begin_tid);
    markdown_put_code_cell(stream, input->file);
    markdown_put_count(stream, slow->place.frame_offset_bytes);
    (void)fprintf(stream, " %u |\n", slow->place.row);
}

static const struct markdown_table slowest_table = {
    .title = "Slowest operations",
    .header =
        "| name | duration | status | begin (UTC) | process | thread | file | frame at | row |\n"
        "| --- | ---: | --- | --- | --- | ---: | --- | ---: | ---: |\n",
    .row_limit = SLOWEST_ROWS,
    .put_row = put_slow,
};

static void put_state(FILE *stream, const void *context, size_t i)
{
    static const size_t ranks[] = {RANK_P50, RANK_P95, RANK_P99};
    size_t entry = 0;
    const struct report_operation *operation = find_entry(context, i, states_of, &entry);
    const struct report_state *state = &operation->states[entry];
    char text[TEXT_BYTES];

    markdown_put_name(stream, operation->name);
    markdown_put_cell(stream, report_state_words(state->state));
    markdown_put_cell(stream, text_share(text, state->time_share));
    markdown_put_count(stream, state->time_ns.count);
    for (size_t rank = 0; rank < ARRAY_SIZE(ranks); rank++) {
        markdown_put_duration(stream, state->time_ns.quantiles[ranks[rank]].value);
    }
    markdown_put_duration(stream, state->time_ns.max);
    (void)fputc('\n', stream);
}

static const struct markdown_table state_table = {
    .title = "Where the time went",
    .header = "| name | state | of its time | operations | p50 | p95 | p99 | max |\n"
              "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    .row_limit = STATE_ROWS,
    .put_row = put_state,
};

static void put_metric(FILE *stream, const void *context, size_t i)
{
    static const size_t ranks[] = {RANK_P50, RANK_P95, RANK_P99};
    const struct report_metric *metric = &((const struct report *)context)->metrics[i];
    char name[REPORT_LABEL_BYTES];
    char text[TEXT_BYTES];

    markdown_put_name(stream, report_text_metric_name(name, metric));
    markdown_put_cell(stream, name_kind_name(metric->kind));
    markdown_put_count(stream, metric->samples);
    markdown_put_code_cell(stream, report_text_metric(text, metric, metric->summary.mean));
    for (size_t rank = 0; rank < ARRAY_SIZE(ranks); rank++) {
        markdown_put_code_cell(
            stream, report_text_metric(text, metric, metric->summary.quantiles[ranks[rank]].value));
    }
    markdown_put_code_cell(stream, report_text_metric(text, metric, metric->summary.max));
    (void)fputc('\n', stream);
}

static const struct markdown_table metric_table = {
    .title = "Metrics",
    .header = "| name | kind | samples | mean | p50 | p95 | p99 | max |\n"
              "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n",
    .row_limit = METRIC_ROWS,
    .put_row = put_metric,
};

static void put_process(FILE *stream, const void *context, size_t i)
{
    const struct report *report = context;
    const struct report_process *process = &report->processes[i];
    char label[REPORT_LABEL_BYTES];
    char text[TEXT_BYTES];

    markdown_put_name(stream, report_text_process(label, report, i));
    markdown_put_cell(stream, source_kind_name(process->kind));
    markdown_put_code_cell(stream, process->host_name);
    markdown_put_cell(stream, report_text_second(text, process->first_realtime_ns));
    markdown_put_cell(stream, report_text_second(text, process->last_realtime_ns));
    markdown_put_count(stream, process->threads);
    markdown_put_count(stream, process->stored.operations);
    markdown_put_count(stream, process->lost.operations);
    markdown_put_count(stream, process->stored.samples);
    (void)fputc('\n', stream);
}

static const struct markdown_table process_table = {
    .title = "Processes",
    .header =
        "| process | kind | host | first (UTC) | last | threads | operations | lost | samples |\n"
        "| --- | --- | --- | --- | --- | ---: | ---: | ---: | ---: |\n",
    .row_limit = PROCESS_ROWS,
    .put_row = put_process,
};

static void put_mark(FILE *stream, const void *context, size_t i)
{
    const struct report_mark *mark = &((const struct report *)context)->marks[i];
    char text[TEXT_BYTES];

    markdown_put_name(stream, mark->name);
    markdown_put_count(stream, mark->count);
    markdown_put_cell(stream, report_text_second(text, mark->first_realtime_ns));
    markdown_put_cell(stream, report_text_second(text, mark->last_realtime_ns));
    (void)fputc('\n', stream);
}

static const struct markdown_table mark_table = {
    .title = "Marks",
    .header = "| name | count | first (UTC) | last |\n| --- | ---: | --- | --- |\n",
    .row_limit = MARK_ROWS,
    .put_row = put_mark,
};

static void put_input(FILE *stream, const void *context, size_t i)
{
    const struct report_input *input = &((const struct report *)context)->inputs[i];
    char text[TEXT_BYTES];

    markdown_put_name(stream, input->file);
    markdown_put_cell(stream, text_bytes(text, (double)input->size_bytes));
    markdown_put_count(stream, input->frames);
    markdown_put_count(stream, input->rows.operations);
    markdown_put_count(stream, input->skipped_bytes);
    (void)fputc('\n', stream);
}

static const struct markdown_table input_table = {
    .title = "Files",
    .header = "| file | size | frames | operations | bytes not used |\n| --- | ---: | ---: | ---: "
              "| ---: |\n",
    .row_limit = INPUT_ROWS,
    .put_row = put_input,
};

static void put_table(struct markdown_page *page, const struct report *report,
                      struct markdown_table table, size_t row_count)
{
    table.row_count = row_count;
    markdown_put_table(page, &table, report);
}

int report_markdown_write(const struct report *report, FILE *stream)
{
    /* Bytes are counted: there are never fewer of them than characters. */
    struct markdown_page page = {.stream = stream, .left_bytes = MARKDOWN_MAX_CHARACTERS};

    markdown_put_block(&page, put_summary, report);

    int r = put_doubts(&page, report);

    markdown_put_tail_budgets(&page, report);
    put_table(&page, report, operation_table, report->operation_count);
    put_table(&page, report, slowest_table, count_entries(report, slowest_of));
    markdown_put_children(&page, report);
    markdown_put_censoring(&page, report);
    put_table(&page, report, state_table, count_entries(report, states_of));
    markdown_put_budgets(&page, report);
    markdown_put_blame(&page, report);
    markdown_put_loads(&page, report);
    markdown_put_attributes(&page, report);
    markdown_put_queues(&page, report);
    put_table(&page, report, metric_table, report->metric_count);
    put_table(&page, report, process_table, report->process_count);
    put_table(&page, report, mark_table, report->mark_count);
    put_table(&page, report, input_table, report->input_count);
    r = r < 0 ? r : page.r;
    return r < 0 ? r : ferror(stream) != 0 ? -EIO : 0;
}
