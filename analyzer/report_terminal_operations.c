#include "report_terminal_parts.h"

#include "report_text.h"
#include "text_cell.h"
#include "text_chart.h"

#include <string.h>

enum {
    NAME_LEAST_COLUMNS = 16,
    NAME_MOST_COLUMNS = 40,
    NUMBER_COLUMNS = 9,
    SHARE_COLUMNS = 8,
    OPERATIONS_SHOWN = 25,
    SLOWEST_SHOWN = 8,
};

enum value {
    VALUE_COUNT,
    VALUE_RATE,
    VALUE_ERRORS,
    VALUE_MEAN,
    VALUE_P50,
    VALUE_P95,
    VALUE_P99,
    VALUE_P999,
    VALUE_MAX
};

/* The numbers of an operation. A narrow terminal does without some. */
static const struct column {
    enum value value;
    const char *title;
    size_t least_columns; /* of the terminal */
} columns[] = {
    {VALUE_COUNT, "count", 0}, {VALUE_RATE, "rate", 90},  {VALUE_ERRORS, "errors", 0},
    {VALUE_MEAN, "mean", 81},  {VALUE_P50, "p50", 0},     {VALUE_P95, "p95", 0},
    {VALUE_P99, "p99", 0},     {VALUE_P999, "p99.9", 99}, {VALUE_MAX, "max", 0},
};

enum { LEAST_COLUMNS_WITH_SHARE = 110 };

static bool has_share(const struct terminal_page *page)
{
    return page->style->columns >= LEAST_COLUMNS_WITH_SHARE;
}

/* Columns of the name: the longest one shown, within limits and what the numbers leave. */
static size_t name_columns(const struct terminal_page *page)
{
    size_t longest = NAME_LEAST_COLUMNS;
    size_t fixed = 2 + (has_share(page) ? 2 + SHARE_COLUMNS : 0);

    for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
        fixed += page->style->columns >= columns[i].least_columns ? NUMBER_COLUMNS : 0;
    }
    for (size_t i = 0; i < min_u64(page->report->operation_count, OPERATIONS_SHOWN); i++) {
        longest = max_u64(longest, text_columns(page->report->operations[i].name));
    }

    size_t room = page->style->columns > fixed ? page->style->columns - fixed : 0;

    return max_u64(NAME_LEAST_COLUMNS, min_u64(longest, min_u64(room, NAME_MOST_COLUMNS)));
}

static void put_header(const struct terminal_page *page, size_t name_width)
{
    terminal_put_color(page->stream, page->style, COLOR_DIM);
    (void)fputs("  ", page->stream);
    text_put_left(page->stream, "name", name_width);
    for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
        if (page->style->columns >= columns[i].least_columns) {
            text_put_right(page->stream, columns[i].title, NUMBER_COLUMNS);
        }
    }
    (void)fputs(has_share(page) ? "  of time" : "", page->stream);
    terminal_put_color(page->stream, page->style, COLOR_NONE);
    (void)fputc('\n', page->stream);
}

static const char *text_of(char ret_text[static TEXT_BYTES],
                           const struct report_operation *operation, enum value value)
{
    const struct report_summary *duration = &operation->duration_ns;

    switch (value) {
    case VALUE_COUNT:
        return text_count(ret_text, operation->count);
    case VALUE_RATE:
        return text_rate(ret_text, operation->rate_per_s);
    case VALUE_ERRORS:
        return text_share(ret_text, report_error_ratio(operation));
    case VALUE_MEAN:
        return text_duration(ret_text, duration->mean);
    case VALUE_P50:
        return text_duration(ret_text, duration->quantiles[RANK_P50].value);
    case VALUE_P95:
        return text_duration(ret_text, duration->quantiles[RANK_P95].value);
    case VALUE_P99:
        return text_duration(ret_text, duration->quantiles[RANK_P99].value);
    case VALUE_P999:
        return text_duration(ret_text, duration->quantiles[RANK_P999].value);
    case VALUE_MAX:
        break;
    }
    return text_duration(ret_text, duration->max);
}

static void put_value(const struct terminal_page *page, const struct report_operation *operation,
                      enum value value)
{
    char text[TEXT_BYTES];

    if (value == VALUE_ERRORS && report_error_ratio(operation) > 0) {
        terminal_put_color(page->stream, page->style, COLOR_WARNING);
    }
    text_put_right(page->stream, text_of(text, operation, value), NUMBER_COLUMNS);
    if (value == VALUE_ERRORS) {
        terminal_put_color(page->stream, page->style, COLOR_NONE);
    }
}

/* What a special operation is, in a line below it. */
static void put_role(const struct terminal_page *page, const struct report_operation *operation)
{
    char text[TEXT_BYTES];

    if (operation->role == ROLE_ORDINARY) {
        return;
    }
    terminal_put_color(page->stream, page->style, COLOR_DIM);
    if (operation->role == ROLE_COLLECTION) {
        (void)fputs("    pauses of a garbage collector", page->stream);
    } else {
        (void)fprintf(page->stream, "    rounds of an event loop; who comes during one waits %s",
                      text_duration(text, operation->rest_mean_ns));
    }
    terminal_put_color(page->stream, page->style, COLOR_NONE);
    (void)fputc('\n', page->stream);
}

static void put_operation(const struct terminal_page *page,
                          const struct report_operation *operation, size_t name_width)
{
    (void)fputs("  ", page->stream);
    text_put_left(page->stream, operation->name, name_width);
    for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
        if (page->style->columns >= columns[i].least_columns) {
            put_value(page, operation, columns[i].value);
        }
    }
    if (has_share(page)) {
        (void)fputs("  ", page->stream);
        terminal_put_color(page->stream, page->style, COLOR_ACCENT);
        chart_put_bar(page->stream, operation->time_share, SHARE_COLUMNS);
        terminal_put_color(page->stream, page->style, COLOR_NONE);
    }
    (void)fputc('\n', page->stream);
    put_role(page, operation);
}

void terminal_put_operations(const struct terminal_page *page)
{
    const struct report *report = page->report;
    size_t name_width = name_columns(page);
    size_t shown = min_u64(report->operation_count, OPERATIONS_SHOWN);

    if (shown == 0) {
        return;
    }
    terminal_put_title(page, "Operations", "by total time");
    put_header(page, name_width);
    for (size_t i = 0; i < shown; i++) {
        put_operation(page, &report->operations[i], name_width);
    }
    if (report->operation_count > shown) {
        (void)fprintf(page->stream, "  and %zu more names\n", report->operation_count - shown);
    }
}

/* The slowest of all operations that the report lists. */
struct slow {
    const struct report_operation *operation;
    const struct report_slow_operation *slow;
};

static void insert_slow(struct slow *list, size_t *count, struct slow found)
{
    size_t at = *count;

    while (at > 0 && list[at - 1].slow->duration_ns < found.slow->duration_ns) {
        at--;
    }
    if (at == SLOWEST_SHOWN) {
        return;
    }
    *count = min_u64(*count + 1, SLOWEST_SHOWN);
    memmove(&list[at + 1], &list[at], (*count - at - 1) * sizeof(*list));
    list[at] = found;
}

static size_t find_slowest(const struct report *report, struct slow list[static SLOWEST_SHOWN])
{
    size_t count = 0;

    for (size_t i = 0; i < report->operation_count; i++) {
        const struct report_operation *operation = &report->operations[i];

        for (size_t k = 0; k < min_u64(operation->slowest_count, SLOWEST_SHOWN); k++) {
            insert_slow(list, &count, (struct slow){operation, &operation->slowest[k]});
        }
    }
    return count;
}

static void put_slow(const struct terminal_page *page, const struct slow *found)
{
    const struct report *report = page->report;
    const struct report_slow_operation *slow = found->slow;
    char text[TEXT_BYTES];
    char label[REPORT_LABEL_BYTES];

    (void)fputs("  ", page->stream);
    text_put_right(page->stream, text_duration(text, (double)slow->duration_ns),
                   NUMBER_COLUMNS + 1);
    (void)fputs("  ", page->stream);
    text_put_left(page->stream, found->operation->name, NAME_LEAST_COLUMNS + 8);
    (void)fprintf(page->stream, "  at %s  in ", report_text_second(text, slow->begin_realtime_ns));
    report_text_process(label, report, slow->process);
    text_put_left(page->stream, label, min_u64(text_columns(label), NAME_MOST_COLUMNS));
    if (slow->begin_thread[0] != '\0') {
        (void)fputs(", thread ", page->stream);
        text_put_left(page->stream, slow->begin_thread,
                      min_u64(text_columns(slow->begin_thread), NAME_LEAST_COLUMNS));
    } else if (slow->begin_tid != 0) {
        (void)fprintf(page->stream, ", thread %u", slow->begin_tid);
    }
    (void)fputc('\n', page->stream);
}

void terminal_put_slowest(const struct terminal_page *page)
{
    struct slow list[SLOWEST_SHOWN];
    size_t count = find_slowest(page->report, list);

    if (count == 0) {
        return;
    }
    terminal_put_title(page, "Slowest operations", "--json says where each stands in its file");
    for (size_t i = 0; i < count; i++) {
        put_slow(page, &list[i]);
    }
}
