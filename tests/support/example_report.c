/*
 * example_report json|markdown|terminal|ascii [OPERATIONS]: writes a hostile report, for tests of what is written.
 */
#include "example_report.h"

#include "report_json.h"
#include "report_markdown.h"
#include "report_terminal.h"

#include <stdio.h>

int main(int argc, char **argv)
{
    const char *format = argc > 1 ? argv[1] : "json";
    struct report report =
        example_report(argc > 2 ? strtoul(argv[2], NULL, 10) : HOSTILE_NAME_COUNT);
    struct terminal_style style = {.columns = TERMINAL_DEFAULT_COLUMNS,
                                   .is_utf8 = format[0] != 'a'};
    int r;

    if (format[0] == 'j') {
        r = report_json_write(&report, stdout);
    } else if (format[0] == 'm') {
        r = report_markdown_write(&report, stdout);
    } else {
        r = report_terminal_write(&report, &style, stdout);
    }
    report_release(&report);
    return r < 0;
}
