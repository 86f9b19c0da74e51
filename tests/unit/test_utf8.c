#include "utf8.h"

#include "base.h"

#include <criterion/criterion.h>
#include <string.h>

struct copy_case {
    const char *text;
    size_t length;
    size_t size;
    const char *expected;
    bool is_cut;
};

#define TEXT(text) text, sizeof(text) - 1

Test(utf8, copies_and_replaces)
{
    static const struct copy_case cases[] = {
        {TEXT(""), 10, "", false},
        {TEXT("abc"), 10, "abc", false},
        {TEXT("abc"), 4, "abc", false},
        {TEXT("abc"), 3, "ab", true},
        {TEXT("abc"), 1, "", true},
        {TEXT("gr\xc3\xbc\xc3\x9f"), 20, "gr\xc3\xbc\xc3\x9f", false},
        {TEXT("\xc3\xbc\xc3\x9f"), 5, "\xc3\xbc\xc3\x9f", false},
        {TEXT("\xc3\xbc\xc3\x9f"), 4, "\xc3\xbc", true}, /* never half a character */
        {TEXT("\xf0\x9f\x99\x82"), 5, "\xf0\x9f\x99\x82", false},
        {TEXT("\xf0\x9f\x99\x82"), 4, "", true},
        {TEXT("a\xff\xfe z"), 20, "a?? z", false},
        {TEXT("\xc3"), 20, "?", false},                /* cut by whoever made it */
        {TEXT("\xc0\xaf"), 20, "??", false},           /* overlong */
        {TEXT("\xe0\x80\xaf"), 20, "???", false},      /* overlong */
        {TEXT("\xed\xa0\x80"), 20, "???", false},      /* surrogate */
        {TEXT("\xf4\x90\x80\x80"), 20, "????", false}, /* above U+10FFFF */
        {TEXT("\xf5\x80\x80\x80"), 20, "????", false},
        {TEXT("a\0b"), 20, "a?b", false},
        {TEXT("\x1b[31m\n\t\x7f"), 20, "?[31m???", false},
        {TEXT("\xc2\x9b"), 20, "?", false},                /* C1: also a terminal's escape */
        {TEXT("\xe2\x80\xae"), 20, "\xe2\x80\xae", false}, /* an override is valid text */
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char copy[32];
        bool is_cut = !cases[i].is_cut;

        memset(copy, 'x', sizeof(copy));

        size_t length = utf8_copy(copy, cases[i].size, cases[i].text, cases[i].length, &is_cut);

        cr_assert_eq(length, strlen(cases[i].expected), "case %zu", i);
        cr_assert_str_eq(copy, cases[i].expected, "case %zu", i);
        cr_assert_eq(is_cut, cases[i].is_cut, "case %zu", i);
        cr_assert(utf8_is_valid(copy, length), "case %zu", i);
    }
}

Test(utf8, writes_nothing_without_room)
{
    char copy = 'x';
    bool is_cut = false;

    cr_assert_eq(utf8_copy(&copy, 0, "abc", 3, &is_cut), 0);
    cr_assert_eq(copy, 'x');
    cr_assert(is_cut);
    cr_assert_eq(utf8_copy(&copy, 1, "", 0, NULL), 0);
    cr_assert_eq(copy, '\0');
}

Test(utf8, hides_what_a_terminal_would_not_show)
{
    static const struct copy_case cases[] = {
        {TEXT("gr\xc3\xbc\xc3\x9f"), 20, "gr\xc3\xbc\xc3\x9f", false},
        {TEXT("a\xe2\x80\xae"
              "b"),
         20, "a?b", false}, /* right-to-left override */
        {TEXT("a\xe2\x81\xa6"
              "b"),
         20, "a?b", false}, /* isolate */
        {TEXT("a\xe2\x80\x8b"
              "b"),
         20, "a?b", false}, /* zero width space */
        {TEXT("a\xef\xbb\xbf"
              "b"),
         20, "a?b", false}, /* byte order mark */
        {TEXT("a\xf3\xa0\x80\xa1"
              "b"),
         20, "a?b", false}, /* tag characters */
        {TEXT("a\x1b"
              "b"),
         20, "a?b", false},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char copy[32];

        (void)utf8_copy_for_terminal(copy, cases[i].size, cases[i].text, cases[i].length);
        cr_assert_str_eq(copy, cases[i].expected, "case %zu", i);
    }
}

Test(utf8, tells_valid_from_invalid)
{
    static const struct {
        const char *text;
        size_t length;
        bool is_valid;
    } cases[] = {
        {TEXT(""), true},
        {TEXT("plain ASCII, longer than a word"), true},
        {TEXT("plain ASCII, then \xc3\xbc"), true},
        {TEXT("12345678\0"), false},
        {TEXT("1234\0"
              "5678"),
         false},
        {TEXT("\0"
              "12345678"),
         false},
        {TEXT("1234567\xff"), false},
        {TEXT("12345678\xc3"), false},
        {TEXT("\xc1\xbf"), false},
        {TEXT("\xef\xbf\xbf"), true},
        {TEXT("\xed\x9f\xbf\xee\x80\x80"), true}, /* around the surrogates */
        {TEXT("\xed\xbf\xbf"), false},
        {TEXT("\xf4\x8f\xbf\xbf"), true},
        {TEXT("\x80"), false},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        cr_assert_eq(utf8_is_valid(cases[i].text, cases[i].length), cases[i].is_valid, "case %zu",
                     i);
    }
}
