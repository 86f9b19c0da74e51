#include "config_values.h"

#include <criterion/criterion.h>
#include <errno.h>

struct number_case {
    const char *text;
    int result;
    uint64_t value;
};

static void check(int (*parse)(const char *, uint64_t *), const struct number_case *cases,
                  size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t value = 4711;
        int r = parse(cases[i].text, &value);

        cr_expect_eq(r, cases[i].result, "'%s': %d", cases[i].text, r);
        cr_expect_eq(value, r == 0 ? cases[i].value : 4711, "'%s'", cases[i].text);
    }
}

Test(config_values, sizes_have_units_of_1024)
{
    static const struct number_case cases[] = {
        {"0", 0, 0},
        {"1", 0, 1},
        {"512K", 0, 512 * KIB},
        {"512 kib", 0, 512 * KIB},
        {"256M", 0, 256 * MIB},
        {"10G", 0, 10 * GIB},
        {"1T", 0, 1024 * GIB},
        {"7B", 0, 7},
        {"infinity", 0, 0},
        {"Unlimited", 0, 0},
        {"18446744073709551615", 0, UINT64_MAX},
        {"18446744073709551616", -ERANGE, 0},
        {"16777216T", -ERANGE, 0},
        {"16777215T", 0, UINT64_C(16777215) << 40},
        {"", -EINVAL, 0},
        {"K", -EINVAL, 0},
        {"-1", -EINVAL, 0},
        {"1.5G", -EINVAL, 0},
        {"1X", -EINVAL, 0},
        {" 1", -EINVAL, 0},
        {"0x10", -EINVAL, 0},
    };

    check(parse_size_bytes, cases, ARRAY_SIZE(cases));
}

Test(config_values, times_are_seconds_or_have_a_unit)
{
    static const struct number_case cases[] = {
        {"3", 0, 3 * NS_PER_S},
        {"250ms", 0, 250 * NS_PER_MS},
        {"10s", 0, 10 * NS_PER_S},
        {"5min", 0, 300 * NS_PER_S},
        {"5 m", 0, 300 * NS_PER_S},
        {"1h", 0, 3600 * NS_PER_S},
        {"30d", 0, 30 * 86400 * NS_PER_S},
        {"infinity", 0, 0},
        {"10 years", -EINVAL, 0},
        {"1s1ms", -EINVAL, 0},
        {"99999999999d", -ERANGE, 0},
    };

    check(parse_duration_ns, cases, ARRAY_SIZE(cases));
}

Test(config_values, counts_have_no_unit)
{
    static const struct number_case cases[] = {
        {"0", 0, 0}, {"17", 0, 17}, {"unlimited", 0, 0}, {"17K", -EINVAL, 0}, {"many", -EINVAL, 0},
    };

    check(parse_count, cases, ARRAY_SIZE(cases));
}

Test(config_values, booleans)
{
    static const struct {
        const char *text;
        int result;
        bool value;
    } cases[] = {
        {"yes", 0, true},  {"NO", 0, false},  {"true", 0, true},     {"false", 0, false},
        {"on", 0, true},   {"off", 0, false}, {"1", 0, true},        {"0", 0, false},
        {"2", -EINVAL, 0}, {"", -EINVAL, 0},  {"maybe", -EINVAL, 0},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        bool before = !cases[i].value;
        bool value = before;

        cr_expect_eq(parse_boolean(cases[i].text, &value), cases[i].result, "%s", cases[i].text);
        cr_expect_eq(value, cases[i].result == 0 ? cases[i].value : before, "%s", cases[i].text);
    }
}

Test(config_values, modes_are_octal)
{
    static const struct {
        const char *text;
        int result;
        uint32_t mode;
    } cases[] = {
        {"0660", 0, 0660},    {"660", 0, 0660},     {"0", 0, 0},
        {"777", 0, 0777},     {"1777", -ERANGE, 0}, {"888", -EINVAL, 0},
        {"0668", -EINVAL, 0}, {"", -EINVAL, 0},     {"u=rw", -EINVAL, 0},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint32_t mode = 1;

        cr_expect_eq(parse_mode(cases[i].text, &mode), cases[i].result, "%s", cases[i].text);
        cr_expect_eq(mode, cases[i].result == 0 ? cases[i].mode : 1, "%s", cases[i].text);
    }
}
