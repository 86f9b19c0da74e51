/*
 * The three renderers on a report whose names try to be obeyed (example_report.h). The schema of the JSON is checked by
 * end_to_end/test_report_outputs.py.
 */
#include "example_report.h"

#include "report_json.h"
#include "report_markdown.h"
#include "report_terminal.h"
#include "report_text.h"

#include <criterion/criterion.h>
#include <errno.h>

static char written[1 << 20];

static size_t render_terminal(const struct report *report, struct terminal_style style)
{
    FILE *stream = fmemopen(written, sizeof(written), "w");

    cr_assert_eq(report_terminal_write(report, &style, stream), 0);
    cr_assert_eq(fclose(stream), 0);
    return strlen(written);
}

static size_t render_markdown(const struct report *report)
{
    FILE *stream = fmemopen(written, sizeof(written), "w");

    cr_assert_eq(report_markdown_write(report, stream), 0);
    cr_assert_eq(fclose(stream), 0);
    return strlen(written);
}

Test(report_outputs, terminal_gets_no_control_characters_from_names)
{
    struct report report = example_report(HOSTILE_NAME_COUNT);

    cr_expect_gt(render_terminal(&report, (struct terminal_style){.columns = 110, .is_utf8 = true}),
                 1000);
    for (const char *at = written; *at != '\0'; at++) {
        cr_assert(*at == '\n' || (unsigned char)*at >= 0x20, "byte %d at %td", *at, at - written);
        cr_assert_neq(*at, 0x7f);
    }
    cr_expect_null(strstr(written, "\xc2\x9b"), "a control sequence introducer of C1");
    cr_expect_null(strstr(written, "\xe2\x80\xae"), "a right-to-left override");
    report_release(&report);
}

Test(report_outputs, terminal_gets_ascii_if_that_is_all_it_can_show)
{
    struct report report = example_report(HOSTILE_NAME_COUNT);

    (void)render_terminal(&report, (struct terminal_style){.columns = 80});
    for (const char *at = written; *at != '\0'; at++) {
        cr_assert(*at == '\n' || (*at >= 0x20 && *at < 0x7f), "byte %d at %td", *at, at - written);
    }
    report_release(&report);
}

Test(report_outputs, terminal_table_fits_its_width)
{
    static const size_t widths[] = {72, 80, 99, 110, 160};
    struct report report = example_report(HOSTILE_NAME_COUNT);

    for (size_t i = 0; i < ARRAY_SIZE(widths); i++) {
        (void)render_terminal(&report, (struct terminal_style){.columns = widths[i]});
        char *table = strstr(written, "Operations");
        char *end = strstr(written, "Slowest operations");

        cr_assert_not_null(table);
        *end = '\0';
        for (char *line = strtok(table, "\n"); line != NULL; line = strtok(NULL, "\n")) {
            cr_expect_leq(strlen(line), widths[i], "width %zu: '%s'", widths[i], line);
        }
    }
    report_release(&report);
}

Test(report_outputs, terminal_gets_color_only_if_it_has_some)
{
    struct report report = example_report(1);

    (void)render_terminal(&report, (struct terminal_style){.columns = 110, .has_color = true});
    cr_expect_not_null(strstr(written, "\x1b[1mEddy report\x1b[0m"));
    cr_expect_null(strstr(written, "\x1b[31m"), "a color that a name asked for");
    report_release(&report);
}

Test(report_outputs, markdown_keeps_its_size_and_cuts_between_rows)
{
    struct report report = example_report(5000);

    cr_expect_leq(render_markdown(&report), MARKDOWN_MAX_CHARACTERS);
    cr_expect_not_null(strstr(written, "4900 more are not shown."));
    cr_expect_eq(written[strlen(written) - 1], '\n');
    for (char *line = strtok(written, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        cr_expect(line[0] != '|' || line[strlen(line) - 1] == '|', "a cut row: %s", line);
    }
    report_release(&report);
}

Test(report_outputs, markdown_has_equally_many_cells_in_all_rows_of_a_table)
{
    struct report report = example_report(HOSTILE_NAME_COUNT);
    size_t expected = 0;

    (void)render_markdown(&report);
    for (char *line = strtok(written, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        size_t bars = 0;

        for (char *at = line; *at != '\0'; at++) {
            bars += *at == '|' && (at == line || at[-1] != '\\');
        }
        expected = line[0] != '|' ? 0 : expected == 0 ? bars : expected;
        cr_expect(line[0] != '|' || bars == expected, "%s", line);
    }
    report_release(&report);
}

Test(report_outputs, an_empty_report_is_a_report)
{
    struct report report = {
        .quality = {.coverage_ratio = NAN, .tracer_cpu_ratio = NAN, .bytes_per_operation = NAN}};
    FILE *stream = fmemopen(written, sizeof(written), "w");

    cr_expect_eq(report_json_write(&report, stream), 0);
    (void)fclose(stream);
    cr_expect_not_null(
        strstr(written, "\"coverage_ratio\":null,\"coverage_ratio_reason\":\"no_data\""));
    cr_expect_gt(render_markdown(&report), 10);
    cr_expect_gt(render_terminal(&report, (struct terminal_style){.columns = 80}), 10);
    report_release(&report);
}

Test(report_outputs, json_is_the_same_for_the_same_report)
{
    static char first[sizeof(written)];
    struct report report = example_report(HOSTILE_NAME_COUNT);

    for (int i = 0; i < 2; i++) {
        FILE *stream = fmemopen(written, sizeof(written), "w");

        cr_expect_eq(report_json_write(&report, stream), 0);
        (void)fclose(stream);
        cr_expect(i == 0 || strcmp(first, written) == 0);
        memcpy(first, written, sizeof(written));
    }
    report_release(&report);
}

Test(report_outputs, a_full_disk_is_told)
{
    struct report report = example_report(1);
    struct terminal_style style = {.columns = 80};
    FILE *full = fopen("/dev/full", "w");

    (void)setvbuf(full, NULL, _IONBF, 0);
    cr_expect_eq(report_json_write(&report, full), -EIO);
    cr_expect_eq(report_markdown_write(&report, full), -EIO);
    cr_expect_eq(report_terminal_write(&report, &style, full), -EIO);
    (void)fclose(full);
    report_release(&report);
}

Test(report_outputs, counters_of_time_are_shares_of_a_cpu)
{
    const struct report_metric cpu = {.kind = NAME_COUNTER_TOTAL, .unit = (char[]){"s"}};
    const struct report_metric switches = {.kind = NAME_COUNTER_DELTA,
                                           .unit = (char[]){"{switch}"}};
    const struct report_metric memory = {.kind = NAME_GAUGE, .unit = (char[]){"By"}};
    char text[TEXT_BYTES];

    cr_expect_str_eq(report_text_metric(text, &cpu, 0.35), "35 %");
    cr_expect_str_eq(report_text_metric(text, &switches, 1500), "1.50 k/s");
    cr_expect_str_eq(report_text_metric(text, &memory, 1048576), "1 MiB");
    cr_expect_str_eq(report_text_metric(text, &memory, NAN), "-");
}

static bool is_said(const struct report_doubt *doubts, size_t count, const char *words)
{
    bool is_there = false;

    for (size_t i = 0; i < count; i++) {
        is_there = is_there || strstr(doubts[i].text, words) != NULL;
    }
    return is_there;
}

Test(report_outputs, doubts_name_what_is_wrong)
{
    static struct report_doubt doubts[DOUBT_MAX];
    struct report report = example_report(1);
    size_t count = report_doubts(&report, doubts);

    cr_expect_eq(count, 11, "%zu doubts", count);
    cr_expect_not_null(
        strstr(doubts[0].text, "100 operations and 0 other records were lost (ring_full)"));
    cr_expect_not_null(
        strstr(doubts[1].text, "is damaged, first at offset 123; 77 bytes are not used"));
    cr_expect(is_said(doubts, count, "held 10 % more than the operations in the trace explain"));
    cr_expect(is_said(doubts, count, "coordinated omission"));
    report_release(&report);
}
