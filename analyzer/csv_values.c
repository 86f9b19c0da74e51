#include "csv_values.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

int csv_parse_unsigned(const char *text, uint64_t limit, uint64_t *ret_value)
{
    uint64_t value = 0;

    for (const char *at = text; *at != '\0'; at++) {
        if (!is_digit(*at)) {
            return -EINVAL;
        }
    }
    for (const char *at = text; *at != '\0'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');

        if (value > (limit - min_u64(digit, limit)) / 10 || digit > limit) {
            return -ERANGE;
        }
        value = value * 10 + digit;
    }
    if (*text == '\0') {
        return -EINVAL;
    }
    *ret_value = value;
    return 0;
}

int csv_parse_signed(const char *text, int64_t *ret_value)
{
    bool is_negative = *text == '-';
    uint64_t magnitude = 0;
    uint64_t limit = is_negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
    int r = csv_parse_unsigned(text + (*text == '-' || *text == '+'), limit, &magnitude);

    if (r == 0) {
        *ret_value = (int64_t)(is_negative ? 0 - magnitude : magnitude);
    }
    return r;
}

static const char *skip_digits(const char *at, size_t *ret_count)
{
    const char *start = at;

    while (is_digit(*at)) {
        at++;
    }
    *ret_count += (size_t)(at - start);
    return at;
}

/* Whether text is [+-] digits [. digits] [e [+-] digits], with at least one digit in the first two groups. */
static bool is_decimal(const char *text)
{
    const char *at = text + (*text == '-' || *text == '+');
    size_t digits = 0;
    size_t exponent_digits = 0;

    at = skip_digits(at, &digits);
    if (*at == '.') {
        at = skip_digits(at + 1, &digits);
    }
    if (digits > 0 && (*at == 'e' || *at == 'E')) {
        at++;
        at = skip_digits(at + (*at == '-' || *at == '+'), &exponent_digits);
        return exponent_digits > 0 && *at == '\0';
    }
    return digits > 0 && *at == '\0';
}

int csv_parse_real(const char *text, double *ret_value)
{
    if (!is_decimal(text)) {
        return -EINVAL;
    }

    double value = strtod(text, NULL);

    if (!isfinite(value)) {
        return -ERANGE;
    }
    *ret_value = value;
    return 0;
}
