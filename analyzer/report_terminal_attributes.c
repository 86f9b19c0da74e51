#include "report_terminal_parts.h"

#include "report_slices.h"
#include "text_cell.h"

enum {
    NUMBER_COLUMNS = 9,
    NUMBERS = 5,
    LEAST_NAME_COLUMNS = 12,
    MOST_NAME_COLUMNS = 24,
    MOST_LABEL_COLUMNS = 44,
    ROWS_SHOWN = 40,
    ROWS_PER_KEY = 8,
};

/* What both columns of text have to share. */
static size_t text_room(const struct terminal_page *page)
{
    size_t fixed = 2 + NUMBERS * NUMBER_COLUMNS;

    return page->style->columns - min_u64(page->style->columns, fixed);
}

static size_t name_columns(const struct terminal_page *page)
{
    return max_u64(min_u64(text_room(page) / 3, MOST_NAME_COLUMNS), LEAST_NAME_COLUMNS);
}

static size_t label_columns(const struct terminal_page *page)
{
    size_t name = name_columns(page);

    return max_u64(min_u64(text_room(page) - min_u64(text_room(page), name), MOST_LABEL_COLUMNS),
                   LEAST_NAME_COLUMNS);
}

static void put_header(const struct terminal_page *page)
{
    static const char *const titles[NUMBERS] = {"count", "errors", "p50", "p99", "max"};

    terminal_put_color(page->stream, page->style, COLOR_DIM);
    (void)fputs("  ", page->stream);
    text_put_left(page->stream, "name", name_columns(page));
    text_put_left(page->stream, "attribute", label_columns(page));
    for (size_t i = 0; i < NUMBERS; i++) {
        text_put_right(page->stream, titles[i], NUMBER_COLUMNS);
    }
    terminal_put_color(page->stream, page->style, COLOR_NONE);
    (void)fputc('\n', page->stream);
}

static void put_row(const struct terminal_page *page, const char *name,
                    const struct report_attribute *attribute, size_t i)
{
    char label[REPORT_LABEL_BYTES];
    char text[TEXT_BYTES];
    const struct report_slice *slice = report_slices_row(attribute, i, label);
    bool has_slices = attribute->reason == REASON_NONE;

    (void)fputs("  ", page->stream);
    text_put_left(page->stream, name, name_columns(page));
    text_put_left(page->stream, label, label_columns(page));
    text_put_right(page->stream, text_count(text, slice->count), NUMBER_COLUMNS);
    text_put_right(page->stream, has_slices ? text_count(text, slice->errors) : "-",
                   NUMBER_COLUMNS);
    text_put_right(page->stream, text_duration(text, slice->p50_ns), NUMBER_COLUMNS);
    text_put_right(page->stream, text_duration(text, slice->p99_ns), NUMBER_COLUMNS);
    text_put_right(page->stream, text_duration(text, slice->max_ns), NUMBER_COLUMNS);
    (void)fputc('\n', page->stream);
}

/* Of each key the first rows, until there are enough in all. Returns how many were there. */
static size_t put_operation(const struct terminal_page *page,
                            const struct report_operation *operation, size_t *shown)
{
    size_t count = 0;

    for (size_t key = 0; key < operation->attribute_count; key++) {
        const struct report_attribute *attribute = &operation->attributes[key];
        size_t rows = report_slices_count(attribute);

        for (size_t i = 0; i < min_u64(rows, ROWS_PER_KEY) && *shown < ROWS_SHOWN; i++) {
            put_row(page, operation->name, attribute, i);
            (*shown)++;
        }
        count += rows;
    }
    return count;
}

void terminal_put_attributes(const struct terminal_page *page)
{
    const struct report *report = page->report;
    size_t first = 0;
    size_t count = 0;
    size_t shown = 0;

    while (first < report->operation_count && report->operations[first].attribute_count == 0) {
        first++;
    }
    if (first == report->operation_count) {
        return;
    }
    terminal_put_title(page, "Attributes", "of the operations that carry them, the most frequent");
    put_header(page);
    for (size_t i = first; i < report->operation_count; i++) {
        count += put_operation(page, &report->operations[i], &shown);
    }
    if (count > shown) {
        (void)fprintf(page->stream, "  and %zu more; --json has them\n", count - shown);
    }
}
