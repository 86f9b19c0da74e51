#include "report_terminal_parts.h"

#include "report_text.h"
#include "text_cell.h"

#include <math.h>

enum {
    LEAST_NAME_COLUMNS = 12,
    MOST_NAME_COLUMNS = 36,
    NUMBER_COLUMNS = 9,
    NUMBERS = 9,
    LOADS_SHOWN = 20,
};

/* Where there is little room, those with a high need are left out. */
static const struct {
    const char *title;
    size_t need; /* columns of the page */
} columns[NUMBERS] = {
    {"rate", 0},     {"peak", 95},    {"at once", 0},  {"p99", 95}, {"most", 77},
    {"p50 calm", 0}, {"p50 busy", 0}, {"p99 busy", 0}, {"come", 0},
};

static size_t name_columns(const struct terminal_page *page)
{
    size_t fixed = 2;

    for (size_t i = 0; i < NUMBERS; i++) {
        fixed += page->style->columns >= columns[i].need ? NUMBER_COLUMNS : 0;
    }
    return max_u64(
        min_u64(page->style->columns - min_u64(page->style->columns, fixed), MOST_NAME_COLUMNS),
        LEAST_NAME_COLUMNS);
}

static void put_cell(const struct terminal_page *page, size_t column, const char *text)
{
    if (page->style->columns >= columns[column].need) {
        text_put_right(page->stream, text, NUMBER_COLUMNS);
    }
}

static void put_header(const struct terminal_page *page)
{
    terminal_put_color(page->stream, page->style, COLOR_DIM);
    (void)fputs("  ", page->stream);
    text_put_left(page->stream, "name", name_columns(page));
    for (size_t i = 0; i < NUMBERS; i++) {
        put_cell(page, i, columns[i].title);
    }
    terminal_put_color(page->stream, page->style, COLOR_NONE);
    (void)fputc('\n', page->stream);
}

/* The first columns. */
static void put_load(const struct terminal_page *page, const char *name,
                     const struct report_load *load)
{
    char text[TEXT_BYTES];

    (void)fputs("  ", page->stream);
    text_put_left(page->stream, name, name_columns(page));
    put_cell(page, 0, text_rate(text, load->arrivals_per_s.mean));
    put_cell(page, 1, text_rate(text, load->arrivals_per_s.max));
    put_cell(page, 2, text_number(text, load->concurrency.mean));
    put_cell(page, 3, text_number(text, load->concurrency.p99));
    put_cell(page, 4, text_number(text, load->concurrency.max));
}

static void put_named_load(const struct terminal_page *page, const struct report_named_load *named)
{
    const struct report_load_bin *calm = &named->bins[0];
    const struct report_load_bin *busy = &named->bins[named->bin_count - 1];
    char text[TEXT_BYTES];

    put_load(page, named->name, &named->load);
    put_cell(page, 5, text_duration(text, calm->p50_ns));
    put_cell(page, 6, text_duration(text, named->bin_count > 1 ? busy->p50_ns : (double)NAN));
    put_cell(page, 7, text_duration(text, named->bin_count > 1 ? busy->p99_ns : (double)NAN));
    put_cell(page, 8, arrival_pattern_name(named->arrivals.pattern));
    (void)fputc('\n', page->stream);
}

static bool is_measured(const struct report_named_load *named)
{
    return named->load.reason == REASON_NONE && named->bin_count > 0;
}

void terminal_put_loads(const struct terminal_page *page)
{
    const struct report_loads *loads = page->report->loads;
    size_t shown = 0;
    size_t count = 0;

    if (loads == NULL || loads->all.reason != REASON_NONE) {
        return;
    }
    terminal_put_title(page, "Load", "operations at once; durations when few and when most were");
    put_header(page);
    put_load(page, "all together", &loads->all);
    (void)fputc('\n', page->stream);
    for (size_t i = 0; i < loads->count; i++) {
        bool is_shown = is_measured(&loads->names[i]) && shown < LOADS_SHOWN;

        count += is_measured(&loads->names[i]);
        shown += is_shown;
        if (is_shown) {
            put_named_load(page, &loads->names[i]);
        }
    }
    if (count > shown) {
        (void)fprintf(page->stream, "  and %zu more\n", count - shown);
    }
}
