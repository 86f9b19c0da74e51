#include "markdown_text.h"
#include "report_markdown_parts.h"
#include "report_text.h"

void markdown_put_cell(FILE *stream, const char *text)
{
    (void)fprintf(stream, " %s |", text);
}

void markdown_put_name(FILE *stream, const char *name)
{
    (void)fputs("| ", stream);
    markdown_put_code(stream, name);
    (void)fputs(" |", stream);
}

void markdown_put_code_cell(FILE *stream, const char *text)
{
    (void)fputc(' ', stream);
    markdown_put_code(stream, text);
    (void)fputs(" |", stream);
}

void markdown_put_duration(FILE *stream, double duration_ns)
{
    char text[TEXT_BYTES];

    markdown_put_cell(stream, text_duration(text, duration_ns));
}

void markdown_put_count(FILE *stream, uint64_t count)
{
    char text[TEXT_BYTES];

    markdown_put_cell(stream, text_count(text, count));
}
