#include "csv_values.h"

#include <criterion/criterion.h>
#include <errno.h>

Test(csv_values, parses_unsigned_up_to_the_limit)
{
    static const struct {
        const char *text;
        uint64_t limit;
        int r;
        uint64_t value;
    } cases[] = {
        {"0", UINT64_MAX, 0, 0},
        {"00017", UINT64_MAX, 0, 17},
        {"18446744073709551615", UINT64_MAX, 0, UINT64_MAX},
        {"18446744073709551616", UINT64_MAX, -ERANGE, 0},
        {"99999999999999999999999", UINT64_MAX, -ERANGE, 0},
        {"7", 7, 0, 7},
        {"8", 7, -ERANGE, 0},
        {"70", 7, -ERANGE, 0},
        {"0", 0, 0, 0},
        {"1", 0, -ERANGE, 0},
        {"", 7, -EINVAL, 0},
        {"-1", 7, -EINVAL, 0},
        {"+1", 7, -EINVAL, 0},
        {" 1", 7, -EINVAL, 0},
        {"1 ", 7, -EINVAL, 0},
        {"1.0", 7, -EINVAL, 0},
        {"0x1", 7, -EINVAL, 0},
        {"99999999999999999999x", 7, -EINVAL, 0},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t value = 0;

        cr_expect_eq(csv_parse_unsigned(cases[i].text, cases[i].limit, &value), cases[i].r, "'%s'",
                     cases[i].text);
        cr_expect_eq(value, cases[i].value, "'%s'", cases[i].text);
    }
}

Test(csv_values, parses_signed_of_64_bits)
{
    static const struct {
        const char *text;
        int r;
        int64_t value;
    } cases[] = {
        {"0", 0, 0},
        {"-0", 0, 0},
        {"+5", 0, 5},
        {"-5", 0, -5},
        {"9223372036854775807", 0, INT64_MAX},
        {"-9223372036854775808", 0, INT64_MIN},
        {"9223372036854775808", -ERANGE, 0},
        {"-9223372036854775809", -ERANGE, 0},
        {"--1", -EINVAL, 0},
        {"+-1", -EINVAL, 0},
        {"-", -EINVAL, 0},
        {"", -EINVAL, 0},
        {"1e3", -EINVAL, 0},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int64_t value = 0;

        cr_expect_eq(csv_parse_signed(cases[i].text, &value), cases[i].r, "'%s'", cases[i].text);
        cr_expect_eq(value, cases[i].value, "'%s'", cases[i].text);
    }
}

Test(csv_values, parses_decimal_reals_only)
{
    static const struct {
        const char *text;
        int r;
        double value;
    } cases[] = {
        {"0", 0, 0},         {"35.215", 0, 35.215}, {"-.5", 0, -0.5},
        {"5.", 0, 5},        {"+1.5e3", 0, 1500},   {"1E-3", 0, 0.001},
        {"1e-999", 0, 0},    {"1e999", -ERANGE, 0}, {"-1e999", -ERANGE, 0},
        {"nan", -EINVAL, 0}, {"inf", -EINVAL, 0},   {"0x10", -EINVAL, 0},
        {"1e", -EINVAL, 0},  {"e5", -EINVAL, 0},    {".", -EINVAL, 0},
        {"", -EINVAL, 0},    {"1,5", -EINVAL, 0},   {" 1", -EINVAL, 0},
        {"1 ", -EINVAL, 0},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        double value = 0;

        cr_expect_eq(csv_parse_real(cases[i].text, &value), cases[i].r, "'%s'", cases[i].text);
        cr_expect_eq(value, cases[i].value, "'%s'", cases[i].text);
    }
}
