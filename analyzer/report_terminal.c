#include "report_terminal_parts.h"

#include "report_text.h"
#include "text_cell.h"

#include <errno.h>
#include <math.h>

enum { DOUBTS_SHOWN = 8 };

void terminal_put_title(const struct terminal_page *page, const char *title, const char *remark)
{
    (void)fputc('\n', page->stream);
    terminal_put_color(page->stream, page->style, COLOR_BOLD);
    (void)fputs(title, page->stream);
    terminal_put_color(page->stream, page->style, COLOR_NONE);
    terminal_put_color(page->stream, page->style, COLOR_DIM);
    (void)fprintf(page->stream, "%s%s", remark[0] != '\0' ? "  " : "", remark);
    terminal_put_color(page->stream, page->style, COLOR_NONE);
    (void)fputc('\n', page->stream);
}

/* "3 files", "1 file" */
static void put_number_of(const struct terminal_page *page, uint64_t count, const char *one,
                          const char *many)
{
    char text[TEXT_BYTES];

    (void)fprintf(page->stream, "%s %s", text_count(text, count), count == 1 ? one : many);
}

static void put_contents(const struct terminal_page *page)
{
    const struct report *report = page->report;

    (void)fputs("  ", page->stream);
    put_number_of(page, report->input_count, "file", "files");
    (void)fputs(" · ", page->stream);
    put_number_of(page, report->process_count, "process", "processes");
    (void)fputs(" · ", page->stream);
    put_number_of(page, report->quality.stored.operations, "operation of ", "operations of ");
    put_number_of(page, report->operation_count, "name", "names");
    (void)fputs(" · ", page->stream);
    put_number_of(page, report->quality.stored.samples, "sample", "samples");
    (void)fputc('\n', page->stream);
}

static void put_time_span(const struct terminal_page *page)
{
    const struct report *report = page->report;
    char first[TEXT_BYTES];
    char last[TEXT_BYTES];
    char span[TEXT_BYTES];

    if (report->first_realtime_ns < report->last_realtime_ns) {
        (void)fprintf(
            page->stream, "  %s to %s UTC (%s)\n",
            report_text_second(first, report->first_realtime_ns),
            report_text_second(last, report->last_realtime_ns),
            text_duration(span, (double)(report->last_realtime_ns - report->first_realtime_ns)));
    }
}

static void put_coverage(const struct terminal_page *page)
{
    double coverage = page->report->quality.coverage_ratio;
    char share[TEXT_BYTES];
    bool is_whole = coverage == 1;

    if (isfinite(coverage)) {
        (void)fputs("  ", page->stream);
        terminal_put_color(page->stream, page->style, is_whole ? COLOR_GOOD : COLOR_WARNING);
        (void)fprintf(page->stream, "%s of the records produced are here",
                      text_share(share, coverage));
        terminal_put_color(page->stream, page->style, COLOR_NONE);
        (void)fputc('\n', page->stream);
    }
}

static void put_doubt(const struct terminal_page *page, const struct report_doubt *doubt)
{
    (void)fputs("  ", page->stream);
    terminal_put_color(page->stream, page->style, COLOR_WARNING);
    (void)fputs("! ", page->stream);
    terminal_put_color(page->stream, page->style, COLOR_NONE);
    if (doubt->subject[0] != '\0') {
        text_put_left(page->stream, doubt->subject, text_columns(doubt->subject));
        (void)fputc(' ', page->stream);
    }
    (void)fprintf(page->stream, "%s\n", doubt->text);
}

static int put_doubts(const struct terminal_page *page)
{
    AUTO_FREE struct report_doubt *doubts = calloc(DOUBT_MAX, sizeof(*doubts));

    if (doubts == NULL) {
        return -ENOMEM;
    }

    size_t count = report_doubts(page->report, doubts);

    for (size_t i = 0; i < count && i < DOUBTS_SHOWN; i++) {
        put_doubt(page, &doubts[i]);
    }
    if (count > DOUBTS_SHOWN) {
        (void)fprintf(page->stream, "  ! and %zu more; --json and --markdown have them\n",
                      count - DOUBTS_SHOWN);
    }
    return 0;
}

static int put_page(const struct terminal_page *page)
{
    terminal_put_title(page, "Eddy report", "");
    put_contents(page);
    put_time_span(page);
    put_coverage(page);

    int r = put_doubts(page);

    terminal_put_operations(page);
    terminal_put_budgets(page);
    terminal_put_blame(page);
    terminal_put_loads(page);
    terminal_put_attributes(page);
    terminal_put_distributions(page);
    terminal_put_slowest(page);
    terminal_put_children(page);
    terminal_put_censoring(page);
    terminal_put_queues(page);
    terminal_put_pools(page);
    terminal_put_processes(page);
    terminal_put_metrics(page);
    terminal_put_marks(page);
    return r;
}

int report_terminal_write(const struct report *report, const struct terminal_style *style,
                          FILE *stream)
{
    AUTO_FREE char *text = NULL;
    size_t size = 0;
    struct terminal_page page = {
        .report = report, .style = style, .stream = open_memstream(&text, &size)};

    if (page.stream == NULL) {
        return -ENOMEM;
    }

    int r = put_page(&page);

    if (fclose(page.stream) != 0 || r < 0) {
        return -ENOMEM;
    }
    terminal_put(stream, style, text);
    return ferror(stream) != 0 ? -EIO : 0;
}
