#include "report_terminal_parts.h"

#include "report_chart.h"
#include "report_text.h"
#include "text_cell.h"

#include <string.h>

enum {
    NAME_COLUMNS = 36,
    NUMBER_COLUMNS = 11,
    LINE_COLUMNS = 12,
    PROCESSES_SHOWN = 30,
    METRICS_SHOWN = 40,
    METRIC_PROCESSES_SHOWN = 6,
    MARKS_SHOWN = 10,
};

static void put_header(const struct terminal_page *page, const char *first,
                       const char *const *titles, size_t count)
{
    terminal_put_color(page->stream, page->style, COLOR_DIM);
    (void)fputs("  ", page->stream);
    text_put_left(page->stream, first, NAME_COLUMNS);
    for (size_t i = 0; i < count; i++) {
        text_put_right(page->stream, titles[i], NUMBER_COLUMNS);
    }
    terminal_put_color(page->stream, page->style, COLOR_NONE);
    (void)fputc('\n', page->stream);
}

static void put_name(const struct terminal_page *page, const char *name)
{
    (void)fputs("  ", page->stream);
    text_put_left(page->stream, name, NAME_COLUMNS);
}

static void put_cell(const struct terminal_page *page, const char *text)
{
    text_put_right(page->stream, text, NUMBER_COLUMNS);
}

static void put_rest(const struct terminal_page *page, size_t count, size_t shown)
{
    if (count > shown) {
        (void)fprintf(page->stream, "  and %zu more\n", count - shown);
    }
}

static void put_process(const struct terminal_page *page, size_t index)
{
    const struct report_process *process = &page->report->processes[index];
    char label[REPORT_LABEL_BYTES];
    char text[TEXT_BYTES];
    double span_ns = (double)process->last_realtime_ns - (double)process->first_realtime_ns;

    put_name(page, report_text_process(label, page->report, index));
    put_cell(page, text_count(text, process->stored.operations));
    put_cell(page, text_count(text, process->stored.samples));
    put_cell(page, text_count(text, record_counts_sum(&process->lost)));
    put_cell(page, text_count(text, process->threads));
    put_cell(page, text_duration(text, span_ns));
    put_cell(page, text_bytes(text, (double)process->frame_bytes));
    (void)fputc('\n', page->stream);
}

void terminal_put_processes(const struct terminal_page *page)
{
    static const char *const titles[] = {"operations", "samples",  "lost",
                                         "threads",    "seen for", "bytes"};
    size_t shown = min_u64(page->report->process_count, PROCESSES_SHOWN);

    if (shown == 0) {
        return;
    }
    terminal_put_title(page, "Processes", "");
    put_header(page, "name", titles, ARRAY_SIZE(titles));
    for (size_t i = 0; i < shown; i++) {
        put_process(page, i);
    }
    put_rest(page, page->report->process_count, shown);
}

static void put_metric_numbers(const struct terminal_page *page, const struct report_metric *metric,
                               const struct report_summary *summary)
{
    static const size_t ranks[] = {RANK_P50, RANK_P95, RANK_P99};
    struct report_chart chart;
    char text[TEXT_BYTES];

    put_cell(page, report_text_metric(text, metric, summary->mean));
    for (size_t i = 0; i < ARRAY_SIZE(ranks); i++) {
        put_cell(page, report_text_metric(text, metric, summary->quantiles[ranks[i]].value));
    }
    put_cell(page, report_text_metric(text, metric, summary->max));
    (void)fputs("  ", page->stream);
    report_chart_make(&chart, summary, LINE_COLUMNS);
    terminal_put_color(page->stream, page->style, COLOR_ACCENT);
    chart_put_line(page->stream, chart.columns, chart.column_count);
    terminal_put_color(page->stream, page->style, COLOR_NONE);
    (void)fputc('\n', page->stream);
}

/* That of threads stands below that of the process: the name once is enough. */
static void put_metric_name(const struct terminal_page *page, size_t index)
{
    const struct report_metric *metric = &page->report->metrics[index];
    char name[REPORT_LABEL_BYTES];

    if (index > 0 && metric->is_per_thread && strcmp(metric[-1].name, metric->name) == 0) {
        put_name(page, "  by thread");
    } else {
        put_name(page, report_text_metric_name(name, metric));
    }
}

static void put_metric(const struct terminal_page *page, size_t index)
{
    const struct report_metric *metric = &page->report->metrics[index];

    put_metric_name(page, index);
    put_metric_numbers(page, metric, &metric->summary);
    if (metric->process_count < 2) {
        return;
    }
    for (size_t i = 0; i < min_u64(metric->process_count, METRIC_PROCESSES_SHOWN); i++) {
        char label[REPORT_LABEL_BYTES];

        (void)fputs("    ", page->stream);
        terminal_put_color(page->stream, page->style, COLOR_DIM);
        text_put_left(page->stream,
                      report_text_process(label, page->report, metric->processes[i].process),
                      NAME_COLUMNS - 2);
        terminal_put_color(page->stream, page->style, COLOR_NONE);
        put_metric_numbers(page, metric, &metric->processes[i].summary);
    }
    if (metric->process_count > METRIC_PROCESSES_SHOWN) {
        (void)fprintf(page->stream, "    and %zu more processes\n",
                      metric->process_count - METRIC_PROCESSES_SHOWN);
    }
}

void terminal_put_metrics(const struct terminal_page *page)
{
    static const char *const titles[] = {"mean", "p50", "p95", "p99", "max"};
    size_t shown = min_u64(page->report->metric_count, METRICS_SHOWN);

    if (shown == 0) {
        return;
    }
    terminal_put_title(page, "Metrics",
                       "over time; counters per second, CPU times as shares of one CPU");
    put_header(page, "name", titles, ARRAY_SIZE(titles));
    for (size_t i = 0; i < shown; i++) {
        put_metric(page, i);
    }
    put_rest(page, page->report->metric_count, shown);
}

void terminal_put_marks(const struct terminal_page *page)
{
    size_t shown = min_u64(page->report->mark_count, MARKS_SHOWN);

    if (shown == 0) {
        return;
    }
    terminal_put_title(page, "Marks", "");
    for (size_t i = 0; i < shown; i++) {
        const struct report_mark *mark = &page->report->marks[i];
        char text[TEXT_BYTES];

        put_name(page, mark->name);
        put_cell(page, text_count(text, mark->count));
        (void)fprintf(page->stream, "  first at %s\n",
                      report_text_second(text, mark->first_realtime_ns));
    }
    put_rest(page, page->report->mark_count, shown);
}
