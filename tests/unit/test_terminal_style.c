#include "terminal_style.h"

#include <criterion/criterion.h>
#include <string.h>

static const char *put(const struct terminal_style *style, const char *text)
{
    static char written[4096];
    FILE *stream = fmemopen(written, sizeof(written), "w");

    terminal_put_color(stream, style, COLOR_WARNING);
    terminal_put(stream, style, text);
    terminal_put_color(stream, style, COLOR_NONE);
    cr_assert_eq(fclose(stream), 0);
    return written;
}

Test(terminal_style, is_plain_where_there_is_no_terminal)
{
    FILE *stream = tmpfile();
    struct terminal_style style = terminal_style_detect(stream);

    cr_expect_not(style.has_color);
    cr_expect_eq(style.columns, TERMINAL_DEFAULT_COLUMNS);
    (void)fclose(stream);
}

Test(terminal_style, keeps_text_and_colors_it_if_the_terminal_can)
{
    const struct terminal_style style = {.is_utf8 = true, .has_color = true};

    cr_expect_str_eq(put(&style, "1 µs █"), "\x1b[33m1 µs █\x1b[0m");
}

Test(terminal_style, replaces_character_by_character_in_ascii)
{
    const struct terminal_style style = {0};

    cr_expect_str_eq(put(&style, "1 µs ▁█ … 漢"), "1 us .# . ?");
    cr_expect_str_eq(put(&style, "\xff\xc3"), "??");
}
