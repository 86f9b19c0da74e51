#include "report_terminal_parts.h"

#include "report_text.h"
#include "text_cell.h"

enum {
    PAIRS_SHOWN = 8,
    NUMBERS = 4,
    NUMBER_COLUMNS = 10,
    MOST_NAME_COLUMNS = 26,
    LEAST_NAME_COLUMNS = 8,
};

/* Of each of both names. */
static size_t name_columns(const struct terminal_page *page)
{
    size_t fixed = 2 + NUMBERS * NUMBER_COLUMNS;
    size_t room = page->style->columns - min_u64(page->style->columns, fixed);

    return max_u64(min_u64(room / 2, MOST_NAME_COLUMNS), LEAST_NAME_COLUMNS);
}

static void put_pair(const struct terminal_page *page, const struct report_blame_pair *pair)
{
    char text[TEXT_BYTES];

    (void)fputs("  ", page->stream);
    text_put_left(page->stream, pair->holder, name_columns(page));
    text_put_left(page->stream, pair->delayed, name_columns(page));
    text_put_right(page->stream, text_count(text, pair->delays), NUMBER_COLUMNS);
    text_put_right(page->stream, text_duration(text, pair->delay_ns), NUMBER_COLUMNS);
    text_put_right(page->stream, text_share(text, pair->tail_ratio), NUMBER_COLUMNS);
    text_put_right(page->stream, text_duration(text, (double)pair->exemplars[0].length_ns),
                   NUMBER_COLUMNS);
    (void)fputc('\n', page->stream);
}

static void put_header(const struct terminal_page *page)
{
    static const char *const titles[NUMBERS] = {"delays", "together", "of tail", "worst run"};

    terminal_put_color(page->stream, page->style, COLOR_DIM);
    (void)fputs("  ", page->stream);
    text_put_left(page->stream, "held a thread", name_columns(page));
    text_put_left(page->stream, "waited for it", name_columns(page));
    for (size_t i = 0; i < ARRAY_SIZE(titles); i++) {
        text_put_right(page->stream, titles[i], NUMBER_COLUMNS);
    }
    terminal_put_color(page->stream, page->style, COLOR_NONE);
    (void)fputc('\n', page->stream);
}

void terminal_put_blame(const struct terminal_page *page)
{
    const struct report_blame *blame = &page->report->blame;
    size_t shown = min_u64(blame->pair_count, PAIRS_SHOWN);
    char count[TEXT_BYTES];
    char remark[2 * TEXT_BYTES];

    if (shown == 0) {
        return;
    }
    (void)snprintf(remark, sizeof(remark), "%s long runs", text_count(count, blame->runs));
    terminal_put_title(page, "Who held up whom", remark);
    put_header(page);
    for (size_t i = 0; i < shown; i++) {
        put_pair(page, &blame->pairs[i]);
    }
    if (blame->pair_count > shown || blame->omitted_pairs > 0) {
        (void)fprintf(page->stream, "  and %s more\n",
                      text_count(count, blame->pair_count - shown + blame->omitted_pairs));
    }
}
