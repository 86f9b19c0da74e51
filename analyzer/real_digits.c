#include "real_digits.h"

#include "wide_integers.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum {
    LEAST_DIGITS = 15,  /* survive the way to a double and back, whatever they are */
    ENOUGH_DIGITS = 17, /* tell all doubles apart */
    MANTISSA_BITS = 53,
    MAX_POWER = 19, /* of ten, in 64 bits */
};

/* Below the greatest one integers have no more than LEAST_DIGITS; above the least one MAX_POWER suffices. */
#define FAST_BELOW 1e15
#define FAST_FROM 1e-3

static const uint64_t powers_of_ten[MAX_POWER + 1] = {
    UINT64_C(1),
    UINT64_C(10),
    UINT64_C(100),
    UINT64_C(1000),
    UINT64_C(10000),
    UINT64_C(100000),
    UINT64_C(1000000),
    UINT64_C(10000000),
    UINT64_C(100000000),
    UINT64_C(1000000000),
    UINT64_C(10000000000),
    UINT64_C(100000000000),
    UINT64_C(1000000000000),
    UINT64_C(10000000000000),
    UINT64_C(100000000000000),
    UINT64_C(1000000000000000),
    UINT64_C(10000000000000000),
    UINT64_C(100000000000000000),
    UINT64_C(1000000000000000000),
    UINT64_C(10000000000000000000),
};

size_t integer_format(char ret_text[static REAL_TEXT_BYTES], uint64_t value)
{
    char digits[REAL_TEXT_BYTES];
    size_t at = sizeof(digits);
    size_t length;

    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value != 0);
    length = sizeof(digits) - at;
    memcpy(ret_text, digits + at, length);
    ret_text[length] = '\0';
    return length;
}

/* A number that is not an integer: mantissa / 2^shift, MANTISSA_BITS significant bits. */
struct binary {
    uint64_t mantissa;
    unsigned int shift;
};

static struct binary binary_of(double value)
{
    int exponent;
    double fraction = frexp(value, &exponent);

    return (struct binary){(uint64_t)ldexp(fraction, MANTISSA_BITS),
                           (unsigned int)(MANTISSA_BITS - exponent)};
}

/* The integer nearest to binary * 10^power, of two as near ones the even one: as printf() rounds. */
static uint64_t scale(struct binary binary, unsigned int power)
{
    uint128 scaled = (uint128)binary.mantissa * powers_of_ten[power];
    uint128 rest = scaled & (((uint128)1 << binary.shift) - 1);
    uint128 half = (uint128)1 << (binary.shift - 1);
    uint64_t digits = (uint64_t)(scaled >> binary.shift);

    return digits + (rest > half || (rest == half && digits % 2 != 0));
}

/* Whether digits / 10^power is nearer to the number than to its neighbours. The number is no power of two. */
static bool reads_back(struct binary binary, uint64_t digits, unsigned int power)
{
    uint128 scaled = (uint128)binary.mantissa * powers_of_ten[power];
    uint128 read = (uint128)digits << binary.shift;
    uint128 twice_off = (scaled > read ? scaled - read : read - scaled) * 2;

    return twice_off < powers_of_ten[power] ||
           (twice_off == powers_of_ten[power] && binary.mantissa % 2 == 0);
}

/* Digits before the point; of numbers below 1 that many zeros less behind it. */
static int integer_digits(double value)
{
    static const double limits[] = {.1, .01, FAST_FROM};
    uint64_t integer = (uint64_t)value;
    int digits = 0;

    while (digits < MAX_POWER && powers_of_ten[digits] <= integer) {
        digits++;
    }
    for (size_t i = 0; integer == 0 && i < ARRAY_SIZE(limits); i++) {
        digits -= value < limits[i];
    }
    return digits;
}

/* Writes digits / 10^power, without zeros at the end; power is above 0. */
static size_t put_fraction(char ret_text[static REAL_TEXT_BYTES], uint64_t digits,
                           unsigned int power)
{
    char fraction[REAL_TEXT_BYTES];
    size_t length = integer_format(ret_text, digits / powers_of_ten[power]);
    size_t size = integer_format(fraction, digits % powers_of_ten[power]);

    ret_text[length++] = '.';
    memset(ret_text + length, '0', power - size);
    memcpy(ret_text + length + power - size, fraction, size);
    length += power;
    while (ret_text[length - 1] == '0') {
        length--;
    }
    length -= ret_text[length - 1] == '.';
    ret_text[length] = '\0';
    return length;
}

/* Returns 0 if the number is none of those that this way is for. */
static size_t format_fast(char ret_text[static REAL_TEXT_BYTES], double value)
{
    if (!(value >= FAST_FROM && value < FAST_BELOW)) {
        return value == 0 && !signbit(value) ? integer_format(ret_text, 0) : 0;
    }
    if (value == floor(value)) {
        return integer_format(ret_text, (uint64_t)value);
    }

    struct binary binary = binary_of(value);
    int before_point = integer_digits(value);

    if (binary.mantissa == UINT64_C(1) << (MANTISSA_BITS - 1)) {
        return 0; /* a power of two: the neighbour below is nearer */
    }
    for (int digit_count = LEAST_DIGITS; digit_count <= ENOUGH_DIGITS; digit_count++) {
        unsigned int power = (unsigned int)(digit_count - before_point);
        uint64_t digits = scale(binary, power);

        if (digit_count == ENOUGH_DIGITS || reads_back(binary, digits, power)) {
            return put_fraction(ret_text, digits, power);
        }
    }
    return 0;
}

size_t real_format(char ret_text[static REAL_TEXT_BYTES], double value)
{
    size_t length = format_fast(ret_text, value);

    for (int digits = LEAST_DIGITS; length == 0 && digits <= ENOUGH_DIGITS; digits++) {
        int printed = snprintf(ret_text, REAL_TEXT_BYTES, "%.*g", digits, value);

        if (digits == ENOUGH_DIGITS || strtod(ret_text, NULL) == value) {
            length = (size_t)printed;
        }
    }
    return length;
}
