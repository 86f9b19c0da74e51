#include "report_terminal_parts.h"

#include "report_text.h"
#include "text_cell.h"
#include "text_chart.h"

#include <math.h>
#include <string.h>

enum {
    BUDGETS_SHOWN = 6,
    NAME_LEAST_COLUMNS = 12,
    PART_COLUMNS = 21,
    LEAST_BAR_COLUMNS = 8,
    MOST_BAR_COLUMNS = 24,
    NUMBER_COLUMNS = 10,
    SHARE_COLUMNS = 8,
    FIXED_COLUMNS = 4 + PART_COLUMNS + 3 * NUMBER_COLUMNS + SHARE_COLUMNS,
};

#define GREW_MOST "  grew most"

static size_t bar_columns(const struct terminal_page *page)
{
    size_t fixed = FIXED_COLUMNS + strlen(GREW_MOST);
    size_t room = page->style->columns - min_u64(page->style->columns, fixed);

    return max_u64(min_u64(room, MOST_BAR_COLUMNS), LEAST_BAR_COLUMNS);
}

static bool has_room_for_words(const struct terminal_page *page)
{
    return page->style->columns >= FIXED_COLUMNS + LEAST_BAR_COLUMNS + strlen(GREW_MOST);
}

static bool has_tail(const struct report_operation *operation)
{
    return operation->budget != NULL && operation->budget->tail.reason == REASON_NONE;
}

static void put_header(const struct terminal_page *page)
{
    terminal_put_color(page->stream, page->style, COLOR_DIM);
    text_repeat(page->stream, " ", 4 + PART_COLUMNS + bar_columns(page));
    text_put_right(page->stream, "slowest", NUMBER_COLUMNS);
    text_put_right(page->stream, "share", SHARE_COLUMNS);
    text_put_right(page->stream, "half", NUMBER_COLUMNS);
    text_put_right(page->stream, "more", NUMBER_COLUMNS);
    terminal_put_color(page->stream, page->style, COLOR_NONE);
    (void)fputc('\n', page->stream);
}

static void put_difference(const struct terminal_page *page, double difference_ns)
{
    char text[TEXT_BYTES];
    char signed_text[TEXT_BYTES + 2];

    (void)text_duration(text, fabs(difference_ns));
    (void)snprintf(signed_text, sizeof(signed_text), "%s%s",
                   difference_ns > 0   ? "+"
                   : difference_ns < 0 ? "-"
                                       : "",
                   text);
    text_put_right(page->stream, signed_text, NUMBER_COLUMNS);
}

/* "archive.put  124 (1.01 %) from 45.6 ms on", and the whole durations in the columns of the parts. */
static void put_name(const struct terminal_page *page, const struct report_operation *operation)
{
    const struct report_cohort *slow = &operation->budget->cohorts[COHORT_ABOVE_P99];
    const struct report_cohort *usual = &operation->budget->cohorts[COHORT_P0_50];
    size_t room = 2 + PART_COLUMNS + bar_columns(page);
    char count[TEXT_BYTES];
    char share[TEXT_BYTES];
    char from[TEXT_BYTES];
    char cohort[4 * TEXT_BYTES];
    char text[TEXT_BYTES];

    (void)snprintf(cohort, sizeof(cohort), "%s (%s) from %s on", text_count(count, slow->count),
                   text_share(share, (double)slow->count / (double)operation->count),
                   text_duration(from, slow->from_ns));

    bool has_cohort = room >= NAME_LEAST_COLUMNS + 2 + strlen(cohort);
    size_t most = room - (has_cohort ? 2 + strlen(cohort) : 0);
    size_t name_columns = min_u64(text_columns(operation->name), most);

    (void)fputs("  ", page->stream);
    terminal_put_color(page->stream, page->style, COLOR_ACCENT);
    text_put_left(page->stream, operation->name, name_columns);
    terminal_put_color(page->stream, page->style, COLOR_NONE);
    (void)fputs(has_cohort ? "  " : "", page->stream);
    terminal_put_color(page->stream, page->style, COLOR_DIM);
    text_put_left(page->stream, has_cohort ? cohort : "",
                  most - name_columns + (has_cohort ? strlen(cohort) : 0));
    terminal_put_color(page->stream, page->style, COLOR_NONE);
    text_put_right(page->stream, text_duration(text, slow->mean_ns), NUMBER_COLUMNS);
    text_put_right(page->stream, text_share(text, 1), SHARE_COLUMNS);
    text_put_right(page->stream, text_duration(text, usual->mean_ns), NUMBER_COLUMNS);
    put_difference(page, operation->budget->tail.ns);
    (void)fputc('\n', page->stream);
}

static void put_part(const struct terminal_page *page, const struct report_budget *budget, int part)
{
    const struct report_budget_part *slow = &budget->cohorts[COHORT_ABOVE_P99].parts[part];
    const struct report_budget_part *usual = &budget->cohorts[COHORT_P0_50].parts[part];
    bool is_greatest = part == budget->tail.greatest_part && budget->tail.part_ns[part] > 0;
    char text[TEXT_BYTES];

    (void)fputs(is_greatest ? "  > " : "    ", page->stream);
    terminal_put_color(page->stream, page->style, is_greatest ? COLOR_WARNING : COLOR_NONE);
    text_put_left(page->stream, report_budget_part_words(part), PART_COLUMNS);
    chart_put_bar(page->stream, slow->share, bar_columns(page));
    terminal_put_color(page->stream, page->style, COLOR_NONE);
    text_put_right(page->stream, text_duration(text, slow->mean_ns), NUMBER_COLUMNS);
    text_put_right(page->stream, text_share(text, slow->share), SHARE_COLUMNS);
    text_put_right(page->stream, text_duration(text, usual->mean_ns), NUMBER_COLUMNS);
    put_difference(page, budget->tail.part_ns[part]);
    (void)fputs(is_greatest && has_room_for_words(page) ? GREW_MOST "\n" : "\n", page->stream);
}

/* What the running time holds, as far as it can be told: estimates. */
static void put_estimates(const struct terminal_page *page, const struct report_budget *budget)
{
    static const char *const words[RUNNING_ESTIMATE_COUNT] = {
        "  ~ not on a CPU",
        "  ~ throttled",
        "  ~ in GC",
    };
    const struct report_cohort *slow = &budget->cohorts[COHORT_ABOVE_P99];
    const struct report_cohort *usual = &budget->cohorts[COHORT_P0_50];
    char text[TEXT_BYTES];

    for (int i = 0; i < RUNNING_ESTIMATE_COUNT; i++) {
        double share = slow->running_ns[i] / slow->mean_ns;

        if (!(share >= BUDGET_LEAST_SHARE)) {
            continue;
        }
        (void)fputs("    ", page->stream);
        terminal_put_color(page->stream, page->style, COLOR_DIM);
        text_put_left(page->stream, words[i], PART_COLUMNS);
        text_repeat(page->stream, " ", bar_columns(page));
        text_put_right(page->stream, text_duration(text, slow->running_ns[i]), NUMBER_COLUMNS);
        text_put_right(page->stream, text_share(text, share), SHARE_COLUMNS);
        text_put_right(page->stream, text_duration(text, usual->running_ns[i]), NUMBER_COLUMNS);
        put_difference(page, budget->tail.running_ns[i]);
        terminal_put_color(page->stream, page->style, COLOR_NONE);
        (void)fputc('\n', page->stream);
    }
}

/* By the time that the slowest spent there, falling; what is unaccounted last. */
static void put_parts(const struct terminal_page *page, const struct report_budget *budget)
{
    const struct report_cohort *slow = &budget->cohorts[COHORT_ABOVE_P99];
    const struct report_cohort *usual = &budget->cohorts[COHORT_P0_50];
    bool is_done[BUDGET_PART_COUNT] = {false};

    for (;;) {
        int next = BUDGET_UNACCOUNTED;

        for (int part = 0; part < BUDGET_UNACCOUNTED; part++) {
            if (!is_done[part] && (next == BUDGET_UNACCOUNTED ||
                                   slow->parts[part].mean_ns > slow->parts[next].mean_ns)) {
                next = part;
            }
        }
        if (slow->parts[next].share >= BUDGET_LEAST_SHARE ||
            usual->parts[next].share >= BUDGET_LEAST_SHARE) {
            put_part(page, budget, next);
            if (next == STATE_RUNNING) {
                put_estimates(page, budget);
            }
        }
        if (next == BUDGET_UNACCOUNTED) {
            break;
        }
        is_done[next] = true;
    }
}

void terminal_put_budgets(const struct terminal_page *page)
{
    const struct report *report = page->report;
    size_t shown = 0;

    for (size_t i = 0; i < report->operation_count && shown < BUDGETS_SHOWN; i++) {
        const struct report_operation *operation = &report->operations[i];

        if (!has_tail(operation)) {
            continue;
        }
        if (shown++ == 0) {
            terminal_put_title(page, "The slowest one per cent",
                               "where their time went, beside the faster half");
            put_header(page);
        }
        put_name(page, operation);
        put_parts(page, operation->budget);
    }
}
