#include "report_terminal_parts.h"

#include "report_text.h"
#include "text_cell.h"

#include <math.h>

enum {
    LEAST_NAME_COLUMNS = 12,
    MOST_NAME_COLUMNS = 36,
    NUMBER_COLUMNS = 9,
    QUEUE_NUMBERS = 9,
    POOL_NUMBERS = 6,
    QUEUES_SHOWN = 20,
    POOLS_SHOWN = 20,
};

struct column {
    const char *title;
    size_t need; /* columns of the page, below which it is left out */
};

static const struct column queue_columns[QUEUE_NUMBERS] = {
    {"entries", 77}, {"rate", 0},   {"capacity", 95}, {"depth", 0}, {"max", 95},
    {"full", 0},     {"waited", 0}, {"p99", 0},       {"max", 0},
};

static const struct column pool_columns[POOL_NUMBERS] = {
    {"workers", 0}, {"busy", 0}, {"used", 0}, {"p50", 0}, {"p95", 0}, {"all busy", 0},
};

/* The same for both tables, so that they stand below each other. */
static size_t name_columns(const struct terminal_page *page)
{
    size_t fixed = 2;

    for (size_t i = 0; i < QUEUE_NUMBERS; i++) {
        fixed += page->style->columns >= queue_columns[i].need ? NUMBER_COLUMNS : 0;
    }
    return max_u64(
        min_u64(page->style->columns - min_u64(page->style->columns, fixed), MOST_NAME_COLUMNS),
        LEAST_NAME_COLUMNS);
}

static void put_cell(const struct terminal_page *page, const struct column *column,
                     const char *text)
{
    if (page->style->columns >= column->need) {
        text_put_right(page->stream, text, NUMBER_COLUMNS);
    }
}

static void put_header(const struct terminal_page *page, const struct column *columns, size_t count)
{
    terminal_put_color(page->stream, page->style, COLOR_DIM);
    (void)fputs("  ", page->stream);
    text_put_left(page->stream, "name", name_columns(page));
    for (size_t i = 0; i < count; i++) {
        put_cell(page, &columns[i], columns[i].title);
    }
    terminal_put_color(page->stream, page->style, COLOR_NONE);
    (void)fputc('\n', page->stream);
}

static void put_name(const struct terminal_page *page, const char *name)
{
    (void)fputs("  ", page->stream);
    text_put_left(page->stream, name, name_columns(page));
}

static void put_rest(const struct terminal_page *page, size_t count, size_t shown)
{
    if (count > shown) {
        (void)fprintf(page->stream, "  and %zu more\n", count - shown);
    }
}

static void put_queue(const struct terminal_page *page, const struct report_queue *queue)
{
    const struct report_queue_flow *flow = &queue->flow;
    const struct report_summary *residence = &queue->residence_ns;
    bool has_flow = flow->reason == REASON_NONE;
    char text[TEXT_BYTES];

    put_name(page, queue->name);
    put_cell(page, &queue_columns[0], text_count(text, queue->entries));
    put_cell(page, &queue_columns[1],
             text_rate(text, has_flow ? flow->little.rate_per_s : (double)NAN));
    put_cell(page, &queue_columns[2],
             queue->capacity > 0 ? text_count(text, queue->capacity) : "-");
    put_cell(page, &queue_columns[3],
             text_number(text, has_flow ? flow->little.depth : (double)NAN));
    put_cell(page, &queue_columns[4], text_number(text, queue->depth.max));
    put_cell(page, &queue_columns[5], text_share(text, has_flow ? flow->full_ratio : (double)NAN));
    put_cell(page, &queue_columns[6], text_duration(text, residence->quantiles[RANK_P50].value));
    put_cell(page, &queue_columns[7], text_duration(text, residence->quantiles[RANK_P99].value));
    put_cell(page, &queue_columns[8], text_duration(text, residence->max));
    (void)fputc('\n', page->stream);
}

void terminal_put_queues(const struct terminal_page *page)
{
    size_t shown = min_u64(page->report->queue_count, QUEUES_SHOWN);

    if (shown == 0) {
        return;
    }
    terminal_put_title(page, "Queues",
                       "depth over time; time at capacity; p50 of the time in them");
    put_header(page, queue_columns, QUEUE_NUMBERS);
    for (size_t i = 0; i < shown; i++) {
        put_queue(page, &page->report->queues[i]);
    }
    put_rest(page, page->report->queue_count, shown);
}

static void put_pool(const struct terminal_page *page, const struct report_pool *pool)
{
    char text[TEXT_BYTES];

    put_name(page, pool->name);
    put_cell(page, &pool_columns[0], pool->workers > 0 ? text_count(text, pool->workers) : "-");
    put_cell(page, &pool_columns[1], text_number(text, pool->busy_mean));
    put_cell(page, &pool_columns[2], text_share(text, pool->utilization_mean));
    put_cell(page, &pool_columns[3], text_share(text, pool->utilization_p50));
    put_cell(page, &pool_columns[4], text_share(text, pool->utilization_p95));
    put_cell(page, &pool_columns[5], text_share(text, pool->all_busy_ratio));
    (void)fputc('\n', page->stream);
}

void terminal_put_pools(const struct terminal_page *page)
{
    size_t shown = min_u64(page->report->pool_count, POOLS_SHOWN);

    if (shown == 0) {
        return;
    }
    terminal_put_title(page, "Pools", "busy workers over time; time in which none was free");
    put_header(page, pool_columns, POOL_NUMBERS);
    for (size_t i = 0; i < shown; i++) {
        put_pool(page, &page->report->pools[i]);
    }
    put_rest(page, page->report->pool_count, shown);
}
