#include "markdown_text.h"

#include <criterion/criterion.h>
#include <string.h>

static const char *code(const char *text)
{
    static char written[4096];
    FILE *stream = fmemopen(written, sizeof(written), "w");

    markdown_put_code(stream, text);
    cr_assert_eq(fclose(stream), 0);
    return written;
}

Test(markdown_text, puts_text_into_a_code_span)
{
    cr_expect_str_eq(code("db.query"), "` db.query `");
    cr_expect_str_eq(code("<img src=x>"), "` <img src=x> `");
    cr_expect_str_eq(code("@someone #1 [a](b)"), "` @someone #1 [a](b) `");
    cr_expect_str_eq(code(""), "(empty)");
}

Test(markdown_text, closes_no_fence_and_no_cell_early)
{
    cr_expect_str_eq(code("a`b"), "`` a`b ``");
    cr_expect_str_eq(code("```"), "```` ``` ````");
    cr_expect_str_eq(code("a|b"), "` a\\|b `");
    cr_expect_str_eq(code("a\nb\rc"), "` a?b?c `");
}

Test(markdown_text, cuts_long_text)
{
    static char text[1000];

    memset(text, 'x', sizeof(text) - 1);
    cr_expect_eq(strlen(code(text)), 2 + (MARKDOWN_CODE_MAX_BYTES - 1) + strlen("… `"));
}
