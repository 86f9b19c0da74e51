#include "report_terminal_parts.h"

#include "report_text.h"
#include "text_cell.h"
#include "text_chart.h"

#include <math.h>

enum {
    PARENTS_SHOWN = 6,
    CHILDREN_SHOWN = 4,
    NAME_COLUMNS = 24,
    BAR_COLUMNS = 8,
    NUMBER_COLUMNS = 9,
};

static void put_header(const struct terminal_page *page)
{
    static const char *const titles[] = {"slowest", "share", "all", "share"};

    terminal_put_color(page->stream, page->style, COLOR_DIM);
    text_repeat(page->stream, " ", 4 + NAME_COLUMNS + BAR_COLUMNS);
    for (size_t i = 0; i < ARRAY_SIZE(titles); i++) {
        text_put_right(page->stream, titles[i], NUMBER_COLUMNS);
    }
    terminal_put_color(page->stream, page->style, COLOR_NONE);
    (void)fputc('\n', page->stream);
}

static void put_parent(const struct terminal_page *page, const struct report_operation *operation)
{
    const struct report_children *children = operation->children;
    char fan_out[2 * TEXT_BYTES];
    char text[TEXT_BYTES];

    (void)snprintf(fan_out, sizeof(fan_out), "%.40s each",
                   text_number(text, children->fan_out.mean));
    (void)fputs("  ", page->stream);
    terminal_put_color(page->stream, page->style, COLOR_ACCENT);
    text_put_left(page->stream, operation->name, NAME_COLUMNS - 2);
    terminal_put_color(page->stream, page->style, COLOR_DIM);
    text_put_right(page->stream, fan_out, BAR_COLUMNS + 4);
    terminal_put_color(page->stream, page->style, COLOR_NONE);
    text_put_right(page->stream, text_duration(text, children->tail_mean_ns), NUMBER_COLUMNS);
    text_put_right(page->stream, "", NUMBER_COLUMNS);
    text_put_right(page->stream, text_duration(text, children->parents_mean_ns), NUMBER_COLUMNS);
    (void)fputc('\n', page->stream);
}

static void put_child(const struct terminal_page *page, const struct report_child *child)
{
    double share = isnan(child->tail_share) ? child->share : child->tail_share;
    char text[TEXT_BYTES];

    (void)fputs("    ", page->stream);
    text_put_left(page->stream, child->name, NAME_COLUMNS - 2);
    (void)fputs("  ", page->stream);
    chart_put_bar(page->stream, share, BAR_COLUMNS);
    text_put_right(page->stream, text_duration(text, child->tail_inside_mean_ns), NUMBER_COLUMNS);
    text_put_right(page->stream, text_share(text, child->tail_share), NUMBER_COLUMNS);
    text_put_right(page->stream, text_duration(text, child->inside_mean_ns), NUMBER_COLUMNS);
    text_put_right(page->stream, text_share(text, child->share), NUMBER_COLUMNS);
    if (child->outlived > 0 && page->style->columns >= TERMINAL_DEFAULT_COLUMNS) {
        (void)fprintf(page->stream, "  %s ended later than it", text_count(text, child->outlived));
    }
    (void)fputc('\n', page->stream);
}

void terminal_put_children(const struct terminal_page *page)
{
    const struct report *report = page->report;
    size_t shown = 0;

    for (size_t i = 0; i < report->operation_count && shown < PARENTS_SHOWN; i++) {
        const struct report_children *children = report->operations[i].children;

        if (children == NULL) {
            continue;
        }
        if (shown++ == 0) {
            terminal_put_title(page, "Operations inside operations",
                               "time of a parent in each child");
            put_header(page);
        }
        put_parent(page, &report->operations[i]);
        for (size_t k = 0; k < min_u64(children->child_count, CHILDREN_SHOWN); k++) {
            put_child(page, &children->children[k]);
        }
    }
}
