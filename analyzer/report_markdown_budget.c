#include "report_markdown_parts.h"
#include "report_text.h"

enum {
    TAIL_ROWS = 30,
    BUDGET_ROWS = 100,
    ROWS_PER_BUDGET = COHORT_COUNT + 1, /* the cohorts and all */
};

/* Parts in the order of the columns. */
static const int columns[BUDGET_PART_COUNT] = {
    STATE_QUEUED,        STATE_RUNNING, STATE_WAITING_IO,   STATE_WAITING_LOCK,
    STATE_WAITING_CHILD, STATE_OTHER,   BUDGET_UNACCOUNTED,
};

#define PART_TITLES                                                                                \
    " queued | running | waiting for I/O | for a lock | for children | other | unaccounted |"
#define PART_RULES " ---: | ---: | ---: | ---: | ---: | ---: | ---: |"

static bool has_budget(const struct report_operation *operation)
{
    return operation->budget != NULL;
}

static bool has_tail(const struct report_operation *operation)
{
    return has_budget(operation) && operation->budget->tail.reason == REASON_NONE;
}

static size_t count_matches(const struct report *report,
                            bool (*matches)(const struct report_operation *))
{
    size_t count = 0;

    for (size_t i = 0; i < report->operation_count; i++) {
        count += matches(&report->operations[i]);
    }
    return count;
}

/* The at-th operation that matches; there is one. */
static const struct report_operation *find_match(const struct report *report, size_t at,
                                                 bool (*matches)(const struct report_operation *))
{
    size_t i = 0;

    while (!matches(&report->operations[i]) || at-- > 0) {
        i++;
    }
    return &report->operations[i];
}

static void put_parts(FILE *stream, const struct report_cohort *cohort, int marked)
{
    char share[TEXT_BYTES];
    char mean[TEXT_BYTES];

    for (size_t i = 0; i < ARRAY_SIZE(columns); i++) {
        const struct report_budget_part *part = &cohort->parts[columns[i]];
        const char *mark = columns[i] == marked ? "**" : "";

        if (part->share >= BUDGET_LEAST_SHARE) {
            (void)fprintf(stream, " %s%s (%s)%s |", mark, text_duration(mean, part->mean_ns),
                          text_share(share, part->share), mark);
        } else {
            markdown_put_cell(stream, "-");
        }
    }
}

static void put_tail(FILE *stream, const void *context, size_t i)
{
    const struct report_operation *operation = find_match(context, i, has_tail);
    const struct report_budget *budget = operation->budget;
    const struct report_cohort *slow = &budget->cohorts[COHORT_ABOVE_P99];
    int greatest = budget->tail.greatest_part;
    char text[TEXT_BYTES];

    markdown_put_name(stream, operation->name);
    markdown_put_count(stream, slow->count);
    markdown_put_duration(stream, slow->from_ns);
    markdown_put_duration(stream, slow->mean_ns);
    markdown_put_duration(stream, budget->cohorts[COHORT_P0_50].mean_ns);
    put_parts(stream, slow, greatest);
    (void)fprintf(stream, " %s: ", report_budget_part_words(greatest));
    (void)fprintf(stream, "%s more", text_duration(text, budget->tail.part_ns[greatest]));
    (void)fprintf(stream, ", of %s |\n", text_duration(text, budget->tail.ns));
}

void markdown_put_tail_budgets(struct markdown_page *page, const struct report *report)
{
    const struct markdown_table table = {
        .title = "Where the slowest one per cent spent their time",
        .header = "| name | operations | from | mean | faster half |" PART_TITLES " grew most |\n"
                  "| --- | ---: | ---: | ---: | ---: |" PART_RULES " --- |\n",
        .row_count = count_matches(report, has_tail),
        .row_limit = TAIL_ROWS,
        .put_row = put_tail,
    };

    markdown_put_table(page, &table, report);
}

static void put_budget(FILE *stream, const void *context, size_t i)
{
    static const char *const titles[ROWS_PER_BUDGET] = {"p0-50", "p50-90", "p90-99", "above p99",
                                                        "all"};
    const struct report_operation *operation = find_match(context, i / ROWS_PER_BUDGET, has_budget);
    size_t row = i % ROWS_PER_BUDGET;
    const struct report_cohort *cohort =
        row < COHORT_COUNT ? &operation->budget->cohorts[row] : &operation->budget->all;

    markdown_put_name(stream, operation->name);
    markdown_put_cell(stream, titles[row]);
    markdown_put_count(stream, cohort->count);
    markdown_put_duration(stream, cohort->from_ns);
    markdown_put_duration(stream, cohort->mean_ns);
    put_parts(stream, cohort, -1);
    (void)fputc('\n', stream);
}

void markdown_put_budgets(struct markdown_page *page, const struct report *report)
{
    const struct markdown_table table = {
        .title = "Time budgets",
        .header = "| name | cohort | operations | from | mean |" PART_TITLES "\n"
                  "| --- | --- | ---: | ---: | ---: |" PART_RULES "\n",
        .row_count = ROWS_PER_BUDGET * count_matches(report, has_budget),
        .row_limit = BUDGET_ROWS,
        .put_row = put_budget,
    };

    markdown_put_table(page, &table, report);
}
