#include "real_digits.h"

#include "test_values.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* As the header says it. */
static void check(double value)
{
    char expected[REAL_TEXT_BYTES];
    char found[REAL_TEXT_BYTES];

    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(expected, sizeof(expected), "%.*g", digits, value);
        if (strtod(expected, NULL) == value) {
            break;
        }
    }
    cr_assert_eq(real_format(found, value), strlen(expected), "%s", expected);
    cr_assert_str_eq(found, expected);
}

static void check_near(double value)
{
    check(value);
    check(nextafter(value, INFINITY));
    check(nextafter(value, -INFINITY));
    check(-value);
}

Test(real_digits, special_numbers_are_as_printf_writes_them)
{
    for (int exponent = -20; exponent <= 20; exponent++) {
        double power =
            strtod((char[]){'1', 'e', exponent < 0 ? '-' : '+', (char)('0' + abs(exponent) / 10),
                            (char)('0' + abs(exponent) % 10), '\0'},
                   NULL);

        check_near(power);
        check_near(power / 4);
        check_near(power * 9.5);
        check_near(power * 0.999999999999999);
    }
    for (int exponent = -1074; exponent < 1024; exponent++) {
        check_near(ldexp(1, exponent));
        check_near(ldexp(1.25, exponent));
    }
    check(0);
    check(-0.0);
    check(0.1 + 0.2);
    check(9007199254740993.0);
    check(999999999999999.5);
    check(0.5);
    check(5e-324);
    check(1.7976931348623157e308);
}

Test(real_digits, random_numbers_are_as_printf_writes_them)
{
    uint64_t state = 1;

    for (int i = 0; i < 60000; i++) {
        uint64_t bits = test_random(&state);
        double any;

        memcpy(&any, &bits, sizeof(any));
        if (isfinite(any)) {
            check(any);
        }
        check(ldexp((double)(bits >> 11), (int)(bits % 70) - 63)); /* 0.001 to 10^15, and beyond */
        check((double)(bits % 100000) / 1000);
        check((double)(bits >> 20) / 1024);
        check(1000 + 32 * ((double)(bits % 37) + .5) / 37);
    }
}

Test(real_digits, integers_have_all_their_digits)
{
    char text[REAL_TEXT_BYTES];

    cr_assert_eq(integer_format(text, 0), 1);
    cr_assert_str_eq(text, "0");
    cr_assert_eq(integer_format(text, 907), 3);
    cr_assert_str_eq(text, "907");
    cr_assert_eq(integer_format(text, UINT64_MAX), 20);
    cr_assert_str_eq(text, "18446744073709551615");
}
