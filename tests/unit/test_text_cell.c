/*
 * text_cell and text_chart: what a terminal with a fixed-width font is given.
 */
#include "text_cell.h"
#include "text_chart.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static char written[4096];

/* Runs the call with a stream that ends up in written. */
#define WRITE(call)                                                                                \
    do {                                                                                           \
        written[0] = 0;                                                                            \
        FILE *stream = fmemopen(written, sizeof(written), "w");                                    \
        call;                                                                                      \
        cr_assert_eq(fclose(stream), 0);                                                           \
    } while (0)

Test(text_cell, counts_columns_not_bytes)
{
    cr_expect_eq(text_columns(""), 0);
    cr_expect_eq(text_columns("abc"), 3);
    cr_expect_eq(text_columns("µs"), 2);
    cr_expect_eq(text_columns("漢字"), 4);
    cr_expect_eq(text_columns("e\xcc\x81"), 1);
    cr_expect_eq(text_columns("🙂"), 2);
    cr_expect_eq(text_columns("\xff\xfe"), 2);
    cr_expect_eq(text_columns("a\xe2\x82"), 3);
}

Test(text_cell, fills_and_cuts_to_exactly_the_columns)
{
    static const struct {
        const char *text;
        size_t columns;
        const char *left;
        const char *right;
    } cases[] = {
        {"abc", 5, "abc  ", "  abc"},  {"abc", 3, "abc", "abc"},
        {"abcd", 3, "ab…", "ab…"},     {"abcd", 1, "…", "…"},
        {"abcd", 0, "", ""},           {"", 2, "  ", "  "},
        {"漢字漢", 4, "漢… ", " 漢…"}, {"a\x1b[1m\n", 8, "a?[1m?  ", "  a?[1m?"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        WRITE(text_put_left(stream, cases[i].text, cases[i].columns));
        cr_expect_str_eq(written, cases[i].left, "case %zu: '%s'", i, written);
        WRITE(text_put_right(stream, cases[i].text, cases[i].columns));
        cr_expect_str_eq(written, cases[i].right, "case %zu: '%s'", i, written);
    }
}

Test(text_cell, holds_text_of_any_length)
{
    static char text[10000];

    memset(text, 'x', sizeof(text) - 1);
    WRITE(text_put_left(stream, text, 20));
    cr_expect_str_eq(written, "xxxxxxxxxxxxxxxxxxx…");
}

Test(text_chart, scales_to_the_greatest_value)
{
    const double values[] = {0, 1, 2, 4, 8};

    WRITE(chart_put_line(stream, values, 5));
    cr_expect_str_eq(written, " ▁▂▄█");
    WRITE(chart_put_row(stream, values, 5, 1, 2));
    cr_expect_str_eq(written, "    █");
    WRITE(chart_put_row(stream, values, 5, 0, 2));
    cr_expect_str_eq(written, " ▂▄██");
}

Test(text_chart, shows_everything_that_is_not_zero)
{
    const double values[] = {1e-9, 1e9};
    const double zeros[] = {0, 0, NAN};

    WRITE(chart_put_line(stream, values, 2));
    cr_expect_str_eq(written, "▁█");
    WRITE(chart_put_line(stream, zeros, 3));
    cr_expect_str_eq(written, "   ");
}

Test(text_chart, draws_bars_of_a_fixed_width)
{
    static const struct {
        double ratio;
        const char *bar;
    } cases[] = {
        {0, "    "},    {1, "████"},   {2, "████"},  {0.5, "██  "},   {0.28, "█▏  "},
        {1e-9, "▏   "}, {NAN, "    "}, {-1, "    "}, {0.999, "████"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        WRITE(chart_put_bar(stream, cases[i].ratio, 4));
        cr_expect_str_eq(written, cases[i].bar, "case %zu: '%s'", i, written);
        cr_expect_eq(text_columns(written), 4);
    }
}
