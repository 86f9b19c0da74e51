#include "proc_table.h"

#include <criterion/criterion.h>
#include <string.h>

static struct slice slice_of(const char *text)
{
    return (struct slice){(const uint8_t *)text, strlen(text)};
}

Test(proc_table, lines_end_with_a_newline)
{
    struct slice text = slice_of("one\n\nthree\ncut of");
    struct slice line;

    cr_assert(proc_next_line(&text, &line));
    cr_expect(proc_word_is(line, "one"));
    cr_assert(proc_next_line(&text, &line));
    cr_expect_eq(line.size, 0);
    cr_assert(proc_next_line(&text, &line));
    cr_expect(proc_word_is(line, "three"));
    cr_expect_not(proc_next_line(&text, &line), "a line without its end is not whole");
    cr_expect(proc_word_is(line, "three"), "and the output stays");
    text = (struct slice){0};
    cr_expect_not(proc_next_line(&text, &line));
}

Test(proc_table, words_stand_between_blanks)
{
    struct slice line = slice_of("  cpu\t 12  x ");
    struct slice word;

    cr_assert(proc_next_word(&line, &word));
    cr_expect(proc_word_is(word, "cpu"));
    cr_expect_not(proc_word_is(word, "cp"));
    cr_expect_not(proc_word_is(word, "cpu0"));
    cr_assert(proc_next_word(&line, &word));
    cr_expect(proc_word_is(word, "12"));
    cr_assert(proc_next_word(&line, &word));
    cr_expect(proc_word_is(word, "x"));
    cr_expect_not(proc_next_word(&line, &word));
    line = (struct slice){0};
    cr_expect_not(proc_next_word(&line, &word));
}

Test(proc_table, numbers_are_whole_words_below_2_to_64)
{
    static const struct {
        const char *text;
        bool is_number;
        uint64_t number;
    } cases[] = {
        {"0", true, 0},
        {" 00017 x", true, 17},
        {"18446744073709551615", true, UINT64_MAX},
        {"18446744073709551616", false, 0},
        {"99999999999999999999999999", false, 0},
        {"", false, 0},
        {"   ", false, 0},
        {"-1", false, 0},
        {"+1", false, 0},
        {"1x", false, 0},
        {"0x1", false, 0},
        {"1.5", false, 0},
        {"\xff", false, 0},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct slice line = slice_of(cases[i].text);
        struct slice before = line;
        uint64_t number = 4711;

        cr_expect_eq(proc_next_number(&line, &number), cases[i].is_number, "'%s'", cases[i].text);
        cr_expect_eq(number, cases[i].is_number ? cases[i].number : 4711, "'%s'", cases[i].text);
        cr_expect(cases[i].is_number || line.data == before.data, "'%s' is not used up",
                  cases[i].text);
    }
}

Test(proc_table, fractions_are_plain_decimals)
{
    static const struct {
        const char *text;
        bool is_number;
        double number;
    } cases[] = {
        {"0.00", true, 0},
        {"12.34", true, 12.34},
        {"7", true, 7},
        {"1.05 9", true, 1.05},
        {"", false, 0},
        {".5", false, 0},
        {"5.", false, 0},
        {"-1.0", false, 0},
        {"1e3", false, 0},
        {"nan", false, 0},
        {"1.2.3", false, 0},
        {"1.-2", false, 0},
        {"1234567890.123456789", false, 0},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct slice line = slice_of(cases[i].text);
        double number = -1;

        cr_expect_eq(proc_next_fraction(&line, &number), cases[i].is_number, "'%s'", cases[i].text);
        cr_expect_float_eq(number, cases[i].is_number ? cases[i].number : -1, 1e-12, "'%s'",
                           cases[i].text);
    }
}

Test(proc_table, numbers_are_read_up_to_the_first_word_that_is_none)
{
    struct slice line = slice_of("1 2 3 four 5");
    uint64_t numbers[8] = {0};

    cr_expect_eq(proc_next_numbers(&line, numbers, 2), 2);
    cr_expect_eq(numbers[1], 2);
    cr_expect_eq(proc_next_numbers(&line, numbers, 8), 1);
    cr_expect_eq(numbers[0], 3);
    cr_expect_eq(proc_next_numbers(&line, numbers, 8), 0);
    cr_expect_eq(proc_next_numbers(&line, numbers, 0), 0);
}

Test(proc_table, numbers_stand_behind_a_prefix)
{
    uint64_t number = 4711;

    cr_expect(proc_word_number(slice_of("cpu12"), "cpu", &number));
    cr_expect_eq(number, 12);
    cr_expect_not(proc_word_number(slice_of("cpu"), "cpu", &number));
    cr_expect_not(proc_word_number(slice_of("cp"), "cpu", &number));
    cr_expect_not(proc_word_number(slice_of("cpu1x"), "cpu", &number));
    cr_expect_not(proc_word_number(slice_of("cpu-1"), "cpu", &number));
    cr_expect_not(proc_word_number(slice_of("gpu1"), "cpu", &number));
    cr_expect_eq(number, 12);
}

Test(proc_table, keys_are_found_in_any_order_and_the_first_one_counts)
{
    static const char *const keys[] = {"MemFree:", "MemTotal:", "Cached:", "Bad:", "Cut:"};
    uint64_t values[ARRAY_SIZE(keys)] = {0};
    bool found[ARRAY_SIZE(keys)];

    proc_find_keys(slice_of("MemTotal:  100 kB\nMemFree: 7 kB\nMemTotal: 5 kB\n\nMemFreeX: 9\n"
                            "Bad: x\nSwapCached: 3 kB\nCut: 12"),
                   keys, ARRAY_SIZE(keys), values, found);
    cr_expect(found[0]);
    cr_expect_eq(values[0], 7);
    cr_expect(found[1]);
    cr_expect_eq(values[1], 100);
    cr_expect_not(found[2]);
    cr_expect_not(found[3]);
    cr_expect_not(found[4]);
    proc_find_keys((struct slice){0}, keys, ARRAY_SIZE(keys), values, found);
    cr_expect_not(found[0]);
}

/* Any cut of a text is a text: nothing is read behind its end (AddressSanitizer looks on). */
Test(proc_table, texts_may_be_cut_anywhere)
{
    static const char text[] = "cpu  1 2 3\ncpu0 4 5 6.7\nctxt 99\n";
    static const char *const keys[] = {"ctxt", "cpu"};

    for (size_t size = 0; size <= strlen(text); size++) {
        uint8_t *cut = malloc(size + (size == 0));
        struct slice rest = {cut, size};
        struct slice line;
        struct slice word;
        uint64_t values[2];
        double fraction;
        bool found[2];
        size_t lines = 0;

        memcpy(cut, text, size);
        proc_find_keys(rest, keys, 2, values, found);
        cr_expect_eq(found[0], size == strlen(text), "%zu", size);
        while (proc_next_line(&rest, &line)) {
            lines++;
            while (proc_next_fraction(&line, &fraction) || proc_next_word(&line, &word)) {
            }
            cr_expect_not(proc_next_word(&line, &word));
        }
        cr_expect_leq(lines, 3);
        free(cut);
    }
}
