#include "proc_file.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

Test(proc_file, reads_a_file_of_this_process)
{
    char text[256];
    uint64_t pages = 0;
    const char *at = text;
    int length = proc_file_read(text, sizeof(text), "statm");

    cr_assert_gt(length, 0);
    cr_assert_eq(strlen(text), (size_t)length);
    cr_assert(proc_file_next_number(&at, &pages));
    cr_assert_gt(pages, 0);
    cr_assert_gt(proc_file_read(text, sizeof(text), "task/%d/comm", (int)getpid()), 0);
}

Test(proc_file, is_cut_or_refused)
{
    char text[5];
    char name[100];

    memset(name, 'x', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    cr_assert_eq(proc_file_read(text, sizeof(text), "status"), 4);
    cr_assert_str_eq(text, "Name");
    cr_assert_eq(proc_file_read(text, sizeof(text), "no_such_file"), -ENOENT);
    cr_assert_str_eq(text, "");
    cr_assert_eq(proc_file_read(text, sizeof(text), "%s", name), -ENAMETOOLONG);
    cr_assert_str_eq(text, "");
    cr_assert_eq(proc_file_read(text, sizeof(text), "task"), -EISDIR);
}

Test(proc_file, numbers)
{
    static const struct {
        const char *text;
        bool is_number;
        uint64_t number;
        const char *rest;
    } cases[] = {
        {"17 x", true, 17, " x"}, {" \t\n0", true, 0, ""},
        {"", false, 99, ""},      {"x1", false, 99, "x1"},
        {"-1", false, 99, "-1"},  {"18446744073709551615 ", true, UINT64_MAX, " "},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *at = cases[i].text;
        uint64_t number = 99;

        cr_expect_eq(proc_file_next_number(&at, &number), cases[i].is_number, "case %zu", i);
        cr_expect_eq(number, cases[i].number, "case %zu", i);
        cr_expect_str_eq(at, cases[i].rest, "case %zu", i);
    }
}

Test(proc_file, numbers_behind_a_key)
{
    uint64_t number = 99;

    cr_assert(proc_file_number("a: 1\nbc:\t2 kB\n", "bc:", &number));
    cr_assert_eq(number, 2);
    cr_assert(!proc_file_number("a: 1\n", "d:", &number));
    cr_assert(!proc_file_number("a: x", "a:", &number));
    cr_assert_eq(number, 2);
}
