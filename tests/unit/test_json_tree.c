/*
 * json_tree and json_text.
 */
#include "json_text.h"
#include "json_tree.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <math.h>
#include <string.h>

/* What json_write() gives, in a static buffer. */
static const char *written(struct json_tree *tree)
{
    static char text[1 << 16];
    FILE *stream = fmemopen(text, sizeof(text), "w");

    cr_assert_eq(json_write(tree, stream), 0);
    cr_assert_eq(fclose(stream), 0);
    return text;
}

static const char *text_of(const char *value)
{
    struct json_tree tree = {0};

    json_add_text(&tree, NULL, value);
    return written(&tree);
}

static const char *number_of(double value)
{
    struct json_tree tree = {0};

    json_add_number(&tree, NULL, value);
    return written(&tree);
}

static const char *count_of(uint64_t value)
{
    struct json_tree tree = {0};

    json_add_count(&tree, NULL, value);
    return written(&tree);
}

Test(json_tree, sorts_the_members_of_objects_and_nothing_else)
{
    struct json_tree tree = {0};

    json_open_object(&tree, NULL);
    json_add_count(&tree, "n", 2);
    json_open_array(&tree, "list");
    json_add_text(&tree, NULL, "z");
    json_add_null(&tree, NULL);
    json_add_bool(&tree, NULL, true);
    json_open_object(&tree, NULL);
    json_close(&tree);
    json_close(&tree);
    json_open_object(&tree, "a");
    json_add_digits(&tree, "t_ns", 5);
    json_add_bool(&tree, "b", false);
    json_close(&tree);
    json_add_time(&tree, "t", 0);
    json_close(&tree);
    cr_expect_str_eq(written(&tree),
                     "{\"a\":{\"b\":false,\"t_ns\":\"5\"},\"list\":[\"z\",null,true,{}],\"n\":2,"
                     "\"t\":\"1970-01-01T00:00:00.000000000Z\"}");
}

Test(json_tree, keeps_every_number_exactly)
{
    cr_expect_str_eq(number_of(0.1), "0.1");
    cr_expect_str_eq(number_of(0.1 + 0.2), "0.30000000000000004");
    cr_expect_str_eq(number_of(9007199254740991.0), "9007199254740991");
    cr_expect_str_eq(number_of(1e300), "1e+300");
    cr_expect_str_eq(number_of(-0.5), "-0.5");
    cr_expect_str_eq(number_of(NAN), "null");
    cr_expect_str_eq(number_of(-INFINITY), "null");
    cr_expect_str_eq(count_of(0), "0");
    cr_expect_str_eq(count_of((1ULL << 53) - 1), "9007199254740991");
    cr_expect_str_eq(count_of(1ULL << 53), "\"9007199254740992\"");
    cr_expect_str_eq(count_of(UINT64_MAX), "\"18446744073709551615\"");
}

Test(json_tree, escapes_what_json_or_a_terminal_would_obey)
{
    cr_expect_str_eq(text_of(""), "\"\"");
    cr_expect_str_eq(text_of("a\"b\\c/"), "\"a\\\"b\\\\c/\"");
    cr_expect_str_eq(text_of("\n\t\x1b[31m\x7f"), "\"\\u000a\\u0009\\u001b[31m\\u007f\"");
    cr_expect_str_eq(text_of("\xc2\x9b"
                             "31m"),
                     "\"\\u009b31m\"");
    cr_expect_str_eq(text_of("µ€𝄞"), "\"µ€𝄞\"");
    cr_expect_str_eq(text_of("\xff\xc3"), "\"\\ufffd\\ufffd\"");
}

Test(json_tree, fails_only_when_written)
{
    struct json_tree tree = {0};
    FILE *full = fopen("/dev/full", "w");

    for (int i = 0; i <= JSON_MAX_DEPTH; i++) {
        json_open_array(&tree, NULL);
    }
    json_add_text(&tree, NULL, "x");
    cr_expect_eq(json_write(&tree, stdout), -ENOMEM);
    cr_expect_eq(json_write(&tree, stdout), -ENOMEM, "a tree without a value");

    (void)setvbuf(full, NULL, _IONBF, 0);
    json_add_text(&tree, NULL, "x");
    cr_expect_eq(json_write(&tree, full), -EIO);
    (void)fclose(full);
}
