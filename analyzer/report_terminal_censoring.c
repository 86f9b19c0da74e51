#include "report_terminal_parts.h"

#include "report_text.h"
#include "text_cell.h"

#include <string.h>

enum {
    ROWS_SHOWN = 10,
    NAME_COLUMNS = 22,
    NUMBER_COLUMNS = 10,
    DOING_LEAST_COLUMNS = 26,
    FIXED_COLUMNS = 2 + NAME_COLUMNS + 5 * NUMBER_COLUMNS,
};

static bool has_room_for_states(const struct terminal_page *page)
{
    return page->style->columns >= FIXED_COLUMNS + DOING_LEAST_COLUMNS;
}

/* "3 running, 1 queued", as far as there is room. */
static void put_states(const struct terminal_page *page, const struct report_censoring *censoring)
{
    size_t room = page->style->columns - FIXED_COLUMNS - 2;
    const char *comma = "  ";

    for (int state = 0; state < STATE_COUNT; state++) {
        char count[TEXT_BYTES];
        char text[2 * TEXT_BYTES];

        if (censoring->by_state[state] == 0) {
            continue;
        }
        (void)snprintf(text, sizeof(text), "%s%s %s", comma,
                       text_count(count, censoring->by_state[state]),
                       report_state_words((enum operation_state)state));
        if (strlen(text) > room) {
            break;
        }
        room -= strlen(text);
        (void)fputs(text, page->stream);
        comma = ", ";
    }
}

static void put_header(const struct terminal_page *page)
{
    static const char *const titles[] = {"unfinished", "oldest", "timed out", "p99", "with them"};

    terminal_put_color(page->stream, page->style, COLOR_DIM);
    (void)fputs("  ", page->stream);
    text_put_left(page->stream, "name", NAME_COLUMNS);
    for (size_t i = 0; i < ARRAY_SIZE(titles); i++) {
        text_put_right(page->stream, titles[i], NUMBER_COLUMNS);
    }
    (void)fputs(has_room_for_states(page) ? "  doing" : "", page->stream);
    terminal_put_color(page->stream, page->style, COLOR_NONE);
    (void)fputc('\n', page->stream);
}

static void put_operation(const struct terminal_page *page,
                          const struct report_operation *operation)
{
    const struct report_censoring *censoring = operation->censoring;
    char text[TEXT_BYTES];

    (void)fputs("  ", page->stream);
    text_put_left(page->stream, operation->name, NAME_COLUMNS);
    text_put_right(page->stream, text_count(text, censoring->unfinished), NUMBER_COLUMNS);
    text_put_right(page->stream, text_duration(text, operation->longest_unfinished_ns),
                   NUMBER_COLUMNS);
    text_put_right(page->stream, text_count(text, censoring->timeouts), NUMBER_COLUMNS);
    text_put_right(page->stream,
                   text_duration(text, operation->duration_ns.quantiles[RANK_P99].value),
                   NUMBER_COLUMNS);
    text_put_right(page->stream, report_text_survival(text, censoring, RANK_P99), NUMBER_COLUMNS);
    if (has_room_for_states(page)) {
        put_states(page, censoring);
    }
    (void)fputc('\n', page->stream);
}

void terminal_put_censoring(const struct terminal_page *page)
{
    const struct report *report = page->report;
    size_t shown = 0;
    size_t found = 0;

    for (size_t i = 0; i < report->operation_count; i++) {
        if (report->operations[i].censoring == NULL) {
            continue;
        }
        if (found++ == 0) {
            terminal_put_title(page, "Not seen to end", "timed out, or open when last seen");
            put_header(page);
        }
        if (shown < ROWS_SHOWN) {
            put_operation(page, &report->operations[i]);
            shown++;
        }
    }
    if (found > shown) {
        (void)fprintf(page->stream, "  and %zu more names\n", found - shown);
    }
}
