#include "text_buffer.h"

#include <criterion/criterion.h>
#include <string.h>

Test(text_buffer, grows_with_what_is_appended)
{
    struct text_buffer text;

    text_buffer_init(&text, 1 << 20);
    for (int i = 0; i < 10000; i++) {
        text_append(&text, "%05d ", i);
    }
    cr_expect_not(text.has_failed);
    cr_expect_eq(text.size, 60000);
    cr_expect_eq(memcmp(text.bytes, "00000 00001 ", 12), 0);
    cr_expect_eq(memcmp(text.bytes + 59994, "09999 ", 6), 0);
    text_buffer_release(&text);
    text_buffer_release(&text);
}

Test(text_buffer, stops_at_its_limit)
{
    struct text_buffer text;

    text_buffer_init(&text, 10);
    text_append(&text, "%s", "123456789");
    cr_expect_not(text.has_failed);
    text_append(&text, "%s", "");
    text_append(&text, "%s", "0");
    cr_expect_not(text.has_failed);
    text_append(&text, "%s", "1");
    cr_expect(text.has_failed);
    text_append(&text, "%s", "");
    cr_expect_eq(text.size, 10);
    text_buffer_release(&text);
}

Test(text_buffer, quotes_what_json_wants_quoted)
{
    struct text_buffer text;

    text_buffer_init(&text, 1000);
    text_append_quoted(&text, "a\"b\\c\nd");
    text_append_quoted(&text, "");
    cr_expect_eq(text.size, strlen("\"a\\\"b\\\\c\\nd\"\"\""));
    cr_expect_eq(memcmp(text.bytes, "\"a\\\"b\\\\c\\nd\"\"\"", text.size), 0);
    text_buffer_release(&text);
}

Test(text_buffer, control_characters_become_escapes)
{
    struct text_buffer text;

    text_buffer_init(&text, 1000);
    text_append_quoted(&text, "\x01 tab\t \x1f \x7f \xc3\xa4");
    cr_expect_str_eq(text.bytes, "\"\\u0001 tab\\u0009 \\u001f \x7f \xc3\xa4\"");
    text_buffer_release(&text);
}
