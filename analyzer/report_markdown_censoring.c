#include "report_markdown_parts.h"
#include "report_text.h"

enum {
    CENSORED_ROWS = 40,
    OLDEST_ROWS = 40,
    OLDEST_PER_OPERATION = 3,
};

static size_t censored_of(const struct report_operation *operation)
{
    return operation->censoring != NULL ? 1 : 0;
}

static size_t oldest_of(const struct report_operation *operation)
{
    return operation->censoring == NULL
               ? 0
               : min_u64(operation->censoring->oldest_count, OLDEST_PER_OPERATION);
}

static size_t count_rows(const struct report *report,
                         size_t (*rows_of)(const struct report_operation *))
{
    size_t count = 0;

    for (size_t i = 0; i < report->operation_count; i++) {
        count += rows_of(&report->operations[i]);
    }
    return count;
}

/* The operation that has a row, which there is; *row becomes the number of the row within it. */
static const struct report_operation *find_row(const struct report *report, size_t *row,
                                               size_t (*rows_of)(const struct report_operation *))
{
    size_t i = 0;

    while (*row >= rows_of(&report->operations[i])) {
        *row -= rows_of(&report->operations[i++]);
    }
    return &report->operations[i];
}

static void put_states(FILE *stream, const struct report_censoring *censoring)
{
    const char *comma = "";
    char count[TEXT_BYTES];

    (void)fputc(' ', stream);
    for (int state = 0; state < STATE_COUNT; state++) {
        if (censoring->by_state[state] > 0) {
            (void)fprintf(stream, "%s%s %s", comma, text_count(count, censoring->by_state[state]),
                          report_state_words((enum operation_state)state));
            comma = ", ";
        }
    }
    (void)fputs(comma[0] == '\0' ? "- |\n" : " |\n", stream);
}

static void put_censored(FILE *stream, const void *context, size_t i)
{
    const struct report_operation *operation = find_row(context, &i, censored_of);
    const struct report_censoring *censoring = operation->censoring;
    char text[TEXT_BYTES];

    markdown_put_name(stream, operation->name);
    markdown_put_count(stream, censoring->unfinished);
    markdown_put_duration(stream, censoring->age_ns.quantiles[RANK_P50].value);
    markdown_put_duration(stream, operation->longest_unfinished_ns);
    markdown_put_count(stream, censoring->timeouts);
    markdown_put_cell(stream, text_share(text, censoring->share));
    markdown_put_duration(stream, operation->duration_ns.quantiles[RANK_P50].value);
    markdown_put_cell(stream, report_text_survival(text, censoring, RANK_P50));
    markdown_put_duration(stream, operation->duration_ns.quantiles[RANK_P99].value);
    markdown_put_cell(stream, report_text_survival(text, censoring, RANK_P99));
    put_states(stream, censoring);
}

static void put_oldest(FILE *stream, const void *context, size_t i)
{
    const struct report *report = context;
    const struct report_operation *operation = find_row(report, &i, oldest_of);
    const struct report_open_operation *open = &operation->censoring->oldest[i];
    char label[REPORT_LABEL_BYTES];
    char text[TEXT_BYTES];

    markdown_put_name(stream, operation->name);
    markdown_put_duration(stream, (double)open->age_ns);
    markdown_put_cell(stream, report_state_words(open->state));
    markdown_put_cell(stream, text_time(text, open->begin_realtime_ns));
    markdown_put_code_cell(stream, report_text_process(label, report, open->process));
    (void)fputc('\n', stream);
}

void markdown_put_censoring(struct markdown_page *page, const struct report *report)
{
    const struct markdown_table censored = {
        .title = "Operations not seen to end",
        .header =
            "| name | unfinished | median age | oldest | timed out | of all | p50 | with them "
            "| p99 | with them | unfinished ones are |\n"
            "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |\n",
        .row_count = count_rows(report, censored_of),
        .row_limit = CENSORED_ROWS,
        .put_row = put_censored,
    };
    const struct markdown_table oldest = {
        .title = "The oldest unfinished operations",
        .header = "| name | age | state | begin (UTC) | process |\n"
                  "| --- | ---: | --- | --- | --- |\n",
        .row_count = count_rows(report, oldest_of),
        .row_limit = OLDEST_ROWS,
        .put_row = put_oldest,
    };

    markdown_put_table(page, &censored, report);
    markdown_put_table(page, &oldest, report);
}
