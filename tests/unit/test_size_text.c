#include "size_text.h"

#include <criterion/criterion.h>
#include <errno.h>

Test(size_text, sizes_have_units)
{
    static const struct {
        const char *text;
        uint64_t bytes;
    } cases[] = {
        {"0", 0},
        {"7", 7},
        {"7B", 7},
        {"2k", 2 * KIB},
        {"2KiB", 2 * KIB},
        {"2kB", 2 * KIB},
        {"256M", 256 * MIB},
        {"3gib", 3 * GIB},
        {"1T", 1024 * GIB},
        {"18446744073709551615", UINT64_MAX},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        uint64_t bytes = 1;

        cr_assert_eq(size_text_parse_bytes(cases[i].text, &bytes), 0, "%s", cases[i].text);
        cr_assert_eq(bytes, cases[i].bytes, "%s", cases[i].text);
    }
}

Test(size_text, what_is_no_size_is_refused)
{
    static const char *const texts[] = {"",
                                        "M",
                                        "-1",
                                        "+1",
                                        "1.5G",
                                        "1 M",
                                        "1X",
                                        "1Mi1",
                                        "1MM",
                                        "1iB",
                                        " 1",
                                        "18446744073709551616",
                                        "18014398509481984K"};

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        uint64_t bytes = 77;

        cr_assert_eq(size_text_parse_bytes(texts[i], &bytes), -EINVAL, "%s", texts[i]);
        cr_assert_eq(bytes, 77);
        cr_assert_eq(size_text_parse_count(texts[i], &bytes), -EINVAL, "%s", texts[i]);
    }
}
