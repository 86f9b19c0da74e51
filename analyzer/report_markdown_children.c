#include "report_markdown_parts.h"
#include "report_text.h"

enum { CHILD_ROWS = 60 };

static size_t count_children(const struct report_operation *operation)
{
    return operation->children == NULL ? 0 : operation->children->child_count;
}

static void put_child(FILE *stream, const void *context, size_t i)
{
    const struct report_operation *operation = ((const struct report *)context)->operations;
    char text[TEXT_BYTES];

    while (i >= count_children(operation)) {
        i -= count_children(operation++);
    }

    const struct report_children *children = operation->children;
    const struct report_child *child = &children->children[i];

    markdown_put_name(stream, operation->name);
    markdown_put_count(stream, children->parents);
    markdown_put_code_cell(stream, child->name);
    markdown_put_cell(stream, text_number(text, (double)child->count / (double)children->parents));
    markdown_put_duration(stream, child->inside_mean_ns);
    markdown_put_cell(stream, text_share(text, child->share));
    markdown_put_duration(stream, child->tail_inside_mean_ns);
    markdown_put_cell(stream, text_share(text, child->tail_share));
    markdown_put_count(stream, child->outlived);
    (void)fputc('\n', stream);
}

void markdown_put_children(struct markdown_page *page, const struct report *report)
{
    struct markdown_table table = {
        .title = "Operations inside operations",
        .header =
            "| parent | parents | child | each | time in it | share | of the slowest 1 % | share "
            "| ended later |\n"
            "| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n",
        .row_limit = CHILD_ROWS,
        .put_row = put_child,
    };

    for (size_t i = 0; i < report->operation_count; i++) {
        table.row_count += count_children(&report->operations[i]);
    }
    markdown_put_table(page, &table, report);
}
