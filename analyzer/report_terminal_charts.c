#include "report_terminal_parts.h"

#include "report_chart.h"
#include "report_text.h"
#include "text_cell.h"

#include <math.h>
#include <string.h>

enum {
    NAME_MOST_COLUMNS = 20,
    CHARTS_SHOWN = 5,
    CHART_ROWS = 4,
    MARGIN_COLUMNS = 8,
};

/* Whether length characters at that place of the line are free, and one on each side of them. */
static bool is_free(const char *line, size_t width, size_t at, size_t length)
{
    size_t until = min_u64(at + length + 1, width);

    for (size_t i = at > 0 ? at - 1 : 0; i < until; i++) {
        if (line[i] != ' ') {
            return false;
        }
    }
    return true;
}

/* Puts text into line, its middle at column or, if others stand there, as near to the right of it as there is room. */
static void place(char *line, size_t width, size_t column, const char *text)
{
    size_t length = strlen(text);
    size_t at = column >= length / 2 ? column - length / 2 : 0;

    at = min_u64(at, width > length ? width - length : 0);
    while (at + length <= width && !is_free(line, width, at, length)) {
        at++;
    }
    for (size_t i = 0; at + length <= width && i < length; i++) {
        line[at + i] = text[i];
    }
}

static const struct mark {
    size_t rank;
    const char *label;
} chart_marks[] = {{RANK_P50, "p50"}, {RANK_P95, "p95"}, {RANK_P99, "p99"}};

static void put_axis(const struct terminal_page *page, const struct report_chart *chart,
                     const struct report_summary *summary)
{
    bool is_marked[CHART_MAX_COLUMNS] = {false};

    for (size_t i = 0; i < ARRAY_SIZE(chart_marks); i++) {
        double value = summary->quantiles[chart_marks[i].rank].value;

        if (isfinite(value)) {
            is_marked[report_chart_column(chart, value)] = true;
        }
    }
    (void)fputs("    ", page->stream);
    for (size_t i = 0; i < chart->column_count; i++) {
        (void)fputs(is_marked[i] ? "┴" : "─", page->stream);
    }
    (void)fputc('\n', page->stream);
}

static void put_axis_labels(const struct terminal_page *page, const struct report_chart *chart,
                            const struct report_summary *summary)
{
    char line[CHART_MAX_COLUMNS + 1];
    char low[TEXT_BYTES];
    char high[TEXT_BYTES];
    size_t width = chart->column_count;

    memset(line, ' ', width);
    line[width] = '\0';
    for (size_t i = 0; i < ARRAY_SIZE(chart_marks); i++) {
        double value = summary->quantiles[chart_marks[i].rank].value;

        if (isfinite(value)) {
            place(line, width, report_chart_column(chart, value), chart_marks[i].label);
        }
    }
    terminal_put_color(page->stream, page->style, COLOR_DIM);
    (void)fprintf(page->stream, "    %s\n    %s", line, text_duration(low, summary->min));
    text_put_right(page->stream, text_duration(high, summary->max), width - text_columns(low));
    terminal_put_color(page->stream, page->style, COLOR_NONE);
    (void)fputc('\n', page->stream);
}

static void put_chart_title(const struct terminal_page *page,
                            const struct report_operation *operation)
{
    char count[TEXT_BYTES];
    char longest[TEXT_BYTES];

    (void)fputs("  ", page->stream);
    terminal_put_color(page->stream, page->style, COLOR_BOLD);
    text_put_left(page->stream, operation->name,
                  min_u64(text_columns(operation->name), NAME_MOST_COLUMNS));
    terminal_put_color(page->stream, page->style, COLOR_NONE);
    (void)fprintf(page->stream, "  %s operations", text_count(count, operation->count));
    if (operation->unfinished > 0) {
        terminal_put_color(page->stream, page->style, COLOR_WARNING);
        (void)fprintf(page->stream, ", %s unfinished (longest %s)",
                      text_count(count, operation->unfinished),
                      text_duration(longest, operation->longest_unfinished_ns));
        terminal_put_color(page->stream, page->style, COLOR_NONE);
    }
    (void)fputc('\n', page->stream);
}

static void put_states(const struct terminal_page *page, const struct report_operation *operation)
{
    char share[TEXT_BYTES];

    for (size_t i = 0; i < operation->state_count; i++) {
        (void)fprintf(page->stream, "%s%s %s", i == 0 ? "    " : " · ",
                      text_share(share, operation->states[i].time_share),
                      report_state_words(operation->states[i].state));
    }
    (void)fputs(operation->state_count > 0 ? "\n" : "", page->stream);
}

static void put_chart(const struct terminal_page *page, const struct report_operation *operation)
{
    struct report_chart chart;

    put_chart_title(page, operation);
    report_chart_make(&chart, &operation->duration_ns,
                      min_u64(page->style->columns - MARGIN_COLUMNS, CHART_MAX_COLUMNS));
    if (chart.column_count == 0) {
        char text[TEXT_BYTES];

        (void)fprintf(page->stream, "    all of %s\n",
                      text_duration(text, operation->duration_ns.min));
    } else {
        for (size_t row = CHART_ROWS; row-- > 0;) {
            (void)fputs("    ", page->stream);
            terminal_put_color(page->stream, page->style, COLOR_ACCENT);
            chart_put_row(page->stream, chart.columns, chart.column_count, row, CHART_ROWS);
            terminal_put_color(page->stream, page->style, COLOR_NONE);
            (void)fputc('\n', page->stream);
        }
        put_axis(page, &chart, &operation->duration_ns);
        put_axis_labels(page, &chart, &operation->duration_ns);
    }
    put_states(page, operation);
}

void terminal_put_distributions(const struct terminal_page *page)
{
    const struct report *report = page->report;
    bool is_first = true;

    for (size_t i = 0; i < min_u64(report->operation_count, CHARTS_SHOWN); i++) {
        if (report->operations[i].count == 0) {
            continue;
        }
        if (is_first) {
            terminal_put_title(page, "Distributions",
                               "of durations; logarithmic where they span much");
        } else {
            (void)fputc('\n', page->stream);
        }
        put_chart(page, &report->operations[i]);
        is_first = false;
    }
}
