#include "report_markdown_parts.h"

#include "report_text.h"

#include <math.h>

enum { QUEUE_ROWS = 30, POOL_ROWS = 30 };

static void put_queue(FILE *stream, const void *context, size_t i)
{
    const struct report_queue *queue = &((const struct report *)context)->queues[i];
    const struct report_queue_flow *flow = &queue->flow;
    bool has_flow = flow->reason == REASON_NONE;
    char text[TEXT_BYTES];

    markdown_put_name(stream, queue->name);
    markdown_put_count(stream, queue->entries);
    markdown_put_cell(stream, text_rate(text, has_flow ? flow->little.rate_per_s : (double)NAN));
    markdown_put_cell(stream, queue->capacity > 0 ? text_count(text, queue->capacity) : "-");
    markdown_put_cell(stream, text_number(text, has_flow ? flow->little.depth : (double)NAN));
    markdown_put_cell(stream, text_number(text, queue->depth.quantiles[RANK_P50].value));
    markdown_put_cell(stream, text_number(text, queue->depth.quantiles[RANK_P99].value));
    markdown_put_cell(stream, text_number(text, queue->depth.max));
    markdown_put_cell(stream, text_share(text, has_flow ? flow->full_ratio : (double)NAN));
    markdown_put_duration(stream, queue->residence_ns.quantiles[RANK_P50].value);
    markdown_put_duration(stream, queue->residence_ns.quantiles[RANK_P99].value);
    markdown_put_duration(stream, queue->residence_ns.max);
    (void)fputc('\n', stream);
}

static void put_pool(FILE *stream, const void *context, size_t i)
{
    const struct report_pool *pool = &((const struct report *)context)->pools[i];
    char text[TEXT_BYTES];

    markdown_put_name(stream, pool->name);
    markdown_put_cell(stream, pool->workers > 0 ? text_count(text, pool->workers) : "-");
    markdown_put_cell(stream, text_number(text, pool->busy_mean));
    markdown_put_cell(stream, text_share(text, pool->utilization_mean));
    markdown_put_cell(stream, text_share(text, pool->utilization_p50));
    markdown_put_cell(stream, text_share(text, pool->utilization_p95));
    markdown_put_cell(stream, text_share(text, pool->utilization_p99));
    markdown_put_cell(stream, text_share(text, pool->all_busy_ratio));
    (void)fputc('\n', stream);
}

void markdown_put_queues(struct markdown_page *page, const struct report *report)
{
    const struct markdown_table queues = {
        .title = "Queues",
        .header = "| name | entries | rate | capacity | depth over time | on entry p50 | p99 | max "
                  "| full | waited p50 | p99 | max |\n"
                  "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | "
                  "---: |\n",
        .row_count = report->queue_count,
        .row_limit = QUEUE_ROWS,
        .put_row = put_queue,
    };
    const struct markdown_table pools = {
        .title = "Pools",
        .header = "| name | workers | busy | used | p50 | p95 | p99 | all busy |\n"
                  "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
        .row_count = report->pool_count,
        .row_limit = POOL_ROWS,
        .put_row = put_pool,
    };

    markdown_put_table(page, &queues, report);
    markdown_put_table(page, &pools, report);
}
