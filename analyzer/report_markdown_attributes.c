#include "report_markdown_parts.h"

#include "report_slices.h"

enum { ATTRIBUTE_ROWS = 120 };

/* The i-th row of all attributes of all operations. */
static const struct report_attribute *find_row(const struct report *report, size_t i,
                                               const char **ret_name, size_t *ret_row)
{
    size_t operation = 0;
    size_t key = 0;

    while (true) {
        const struct report_operation *at = &report->operations[operation];

        if (key == at->attribute_count) {
            operation++;
            key = 0;
        } else if (i >= report_slices_count(&at->attributes[key])) {
            i -= report_slices_count(&at->attributes[key++]);
        } else {
            *ret_name = at->name;
            *ret_row = i;
            return &at->attributes[key];
        }
    }
}

static void put_row(FILE *stream, const void *context, size_t i)
{
    const char *name;
    size_t row;
    const struct report_attribute *attribute = find_row(context, i, &name, &row);
    char label[REPORT_LABEL_BYTES];
    const struct report_slice *slice = report_slices_row(attribute, row, label);

    markdown_put_name(stream, name);
    markdown_put_code_cell(stream, label);
    markdown_put_count(stream, slice->count);
    if (attribute->reason == REASON_NONE) {
        markdown_put_count(stream, slice->errors);
    } else {
        markdown_put_cell(stream, "-");
    }
    markdown_put_duration(stream, slice->p50_ns);
    markdown_put_duration(stream, slice->p95_ns);
    markdown_put_duration(stream, slice->p99_ns);
    markdown_put_duration(stream, slice->max_ns);
    (void)fputc('\n', stream);
}

void markdown_put_attributes(struct markdown_page *page, const struct report *report)
{
    size_t rows = 0;

    for (size_t i = 0; i < report->operation_count; i++) {
        for (size_t key = 0; key < report->operations[i].attribute_count; key++) {
            rows += report_slices_count(&report->operations[i].attributes[key]);
        }
    }

    const struct markdown_table table = {
        .title = "Attributes",
        .header = "| name | attribute | operations | errors | p50 | p95 | p99 | max |\n"
                  "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n",
        .row_count = rows,
        .row_limit = ATTRIBUTE_ROWS,
        .put_row = put_row,
    };

    markdown_put_table(page, &table, report);
}
