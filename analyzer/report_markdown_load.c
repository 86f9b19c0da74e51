#include "report_markdown_parts.h"

#include "report_text.h"

enum { LOAD_ROWS = 60, BIN_ROWS = 100 };

static void put_load(FILE *stream, const void *context, size_t i)
{
    const struct report_named_load *named = &((const struct report_loads *)context)->names[i];
    const struct report_load *load = &named->load;
    char text[TEXT_BYTES];

    markdown_put_name(stream, named->name);
    if (load->reason != REASON_NONE) {
        (void)fputs(" - | - | - | - | - |", stream);
    } else {
        markdown_put_cell(stream, text_rate(text, load->arrivals_per_s.mean));
        markdown_put_cell(stream, text_rate(text, load->arrivals_per_s.max));
        markdown_put_cell(stream, text_number(text, load->concurrency.mean));
        markdown_put_cell(stream, text_number(text, load->concurrency.p99));
        markdown_put_cell(stream, text_number(text, load->concurrency.max));
    }
    markdown_put_cell(stream, text_number(text, named->slope));
    markdown_put_cell(stream, arrival_pattern_name(named->arrivals.pattern));
    (void)fputc('\n', stream);
}

/* The i-th bin of all names. */
static const struct report_named_load *find_bin(const struct report_loads *loads, size_t i,
                                                size_t *ret_bin)
{
    size_t name = 0;

    while (i >= loads->names[name].bin_count) {
        i -= loads->names[name++].bin_count;
    }
    *ret_bin = i;
    return &loads->names[name];
}

static void put_bin(FILE *stream, const void *context, size_t i)
{
    size_t at;
    const struct report_named_load *named = find_bin(context, i, &at);
    const struct report_load_bin *bin = &named->bins[at];
    char text[TEXT_BYTES];

    markdown_put_name(stream, named->name);
    (void)fprintf(stream, " %s to", text_count(text, bin->low));
    (void)fprintf(stream, " %s |", text_count(text, bin->high));
    markdown_put_count(stream, bin->count);
    markdown_put_count(stream, bin->errors);
    markdown_put_duration(stream, bin->p50_ns);
    markdown_put_duration(stream, bin->p95_ns);
    markdown_put_duration(stream, bin->p99_ns);
    (void)fputc('\n', stream);
}

void markdown_put_loads(struct markdown_page *page, const struct report *report)
{
    const struct report_loads *loads = report->loads;
    size_t bins = 0;

    for (size_t i = 0; loads != NULL && i < loads->count; i++) {
        bins += loads->names[i].bin_count;
    }

    const struct markdown_table loads_table = {
        .title = "Load",
        .header = "| name | rate | peak | in flight | p99 | most | slope | come |\n"
                  "| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |\n",
        .row_count = loads == NULL ? 0 : loads->count,
        .row_limit = LOAD_ROWS,
        .put_row = put_load,
    };
    const struct markdown_table bins_table = {
        .title = "Durations by load",
        .header = "| name | in flight | operations | errors | p50 | p95 | p99 |\n"
                  "| --- | ---: | ---: | ---: | ---: | ---: | ---: |\n",
        .row_count = bins,
        .row_limit = BIN_ROWS,
        .put_row = put_bin,
    };

    markdown_put_table(page, &loads_table, loads);
    markdown_put_table(page, &bins_table, loads);
}
