#include "report_markdown_parts.h"
#include "report_text.h"

enum { BLAME_ROWS = 20 };

static void put_pair(FILE *stream, const void *context, size_t i)
{
    const struct report_blame_pair *pair = &((const struct report *)context)->blame.pairs[i];
    const struct report_blame_exemplar *worst = &pair->exemplars[0];
    char text[TEXT_BYTES];

    markdown_put_name(stream, pair->holder);
    markdown_put_code_cell(stream, pair->delayed);
    markdown_put_count(stream, pair->delays);
    markdown_put_duration(stream, pair->delay_ns);
    markdown_put_cell(stream, text_share(text, pair->tail_ratio));
    markdown_put_duration(stream, (double)worst->length_ns);
    markdown_put_count(stream, worst->delayed);
    markdown_put_cell(stream, text_time(text, worst->begin_realtime_ns));
    (void)fputc('\n', stream);
}

void markdown_put_blame(struct markdown_page *page, const struct report *report)
{
    const struct markdown_table table = {
        .title = "Who held up whom",
        .header = "| held a thread | waited for it | delays | together | of the tail above p99 | "
                  "worst run | held up | at |\n"
                  "| --- | --- | ---: | ---: | ---: | ---: | ---: | --- |\n",
        .row_count = report->blame.pair_count,
        .row_limit = BLAME_ROWS,
        .put_row = put_pair,
    };

    markdown_put_table(page, &table, report);
}
