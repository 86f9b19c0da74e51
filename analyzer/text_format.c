#include "text_format.h"

#include "utf8.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* Values from a magnitude on are shown in multiples of size. */
struct unit {
    double from;
    double size;
    const char *text;
};

static const char *empty(char ret_text[static TEXT_BYTES])
{
    memcpy(ret_text, "-", 2);
    return ret_text;
}

/* Three significant digits, without exponent where it can be avoided: "1.23", "45.6", "789"; whole numbers as they are. */
static void three_digits(char ret_text[static TEXT_BYTES], double value)
{
    double magnitude = fabs(value);
    int decimals = magnitude == floor(magnitude) ? 0
                   : magnitude < 9.995           ? 2
                   : magnitude < 99.95           ? 1
                                                 : 0;

    (void)snprintf(ret_text, TEXT_BYTES, magnitude > 0 && magnitude < 0.0995 ? "%.*g" : "%.*f",
                   magnitude > 0 && magnitude < 0.0995 ? 3 : decimals, value);
}

/* value in the last of the units that begins below it. */
static const char *in_units(char ret_text[static TEXT_BYTES], double value,
                            const struct unit *units, size_t count)
{
    char number[TEXT_BYTES];
    size_t at = 0;

    if (!isfinite(value)) {
        return empty(ret_text);
    }
    /* What would be rounded up to 1000 of a unit is 1 of the next: hence the half per mille. */
    while (at + 1 < count && fabs(value) >= units[at + 1].from * 0.9995) {
        at++;
    }
    three_digits(number, value / units[at].size);
    (void)snprintf(ret_text, TEXT_BYTES, "%.24s%s%s", number, units[at].text[0] != '\0' ? " " : "",
                   units[at].text);
    return ret_text;
}

const char *text_duration(char ret_text[static TEXT_BYTES], double duration_ns)
{
    static const struct unit units[] = {
        {0, 1, "ns"},         {1e3, 1e3, "\302\265s"}, {1e6, 1e6, "ms"},         {1e9, 1e9, "s"},
        {600e9, 60e9, "min"}, {7200e9, 3600e9, "h"},   {172800e9, 86400e9, "d"},
    };

    return in_units(ret_text, duration_ns, units, ARRAY_SIZE(units));
}

const char *text_count(char ret_text[static TEXT_BYTES], uint64_t count)
{
    char digits[TEXT_BYTES];
    int length = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)count);
    size_t used = 0;

    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0) {
            ret_text[used++] = ',';
        }
        ret_text[used++] = digits[i];
    }
    ret_text[used] = '\0';
    return ret_text;
}

const char *text_number(char ret_text[static TEXT_BYTES], double value)
{
    static const struct unit units[] = {
        {0, 1, ""},        {1e3, 1e3, "k"},   {1e6, 1e6, "M"},   {1e9, 1e9, "G"},
        {1e12, 1e12, "T"}, {1e15, 1e15, "P"}, {1e18, 1e18, "E"},
    };

    return in_units(ret_text, value, units, ARRAY_SIZE(units));
}

const char *text_rate(char ret_text[static TEXT_BYTES], double per_second)
{
    char number[TEXT_BYTES];

    if (!isfinite(per_second)) {
        return empty(ret_text);
    }
    (void)snprintf(ret_text, TEXT_BYTES, "%.40s/s", text_number(number, per_second));
    return ret_text;
}

const char *text_bytes(char ret_text[static TEXT_BYTES], double size_bytes)
{
    static const struct unit units[] = {
        {0, 1, "B"},
        {0x1p10, 0x1p10, "KiB"},
        {0x1p20, 0x1p20, "MiB"},
        {0x1p30, 0x1p30, "GiB"},
        {0x1p40, 0x1p40, "TiB"},
    };

    return in_units(ret_text, size_bytes, units, ARRAY_SIZE(units));
}

const char *text_share(char ret_text[static TEXT_BYTES], double ratio)
{
    double per_cent = ratio * 100;

    if (!isfinite(ratio)) {
        return empty(ret_text);
    }
    if (per_cent > 0 && per_cent < 0.01) {
        (void)snprintf(ret_text, TEXT_BYTES, "<0.01 %%");
    } else if (per_cent < 100 && per_cent >= 99.95) {
        (void)snprintf(ret_text, TEXT_BYTES, "%.2f %%", fmin(per_cent, 99.99));
    } else {
        char number[TEXT_BYTES];

        three_digits(number, per_cent);
        (void)snprintf(ret_text, TEXT_BYTES, "%.40s %%", number);
    }
    return ret_text;
}

/* What makes the plural of a word. */
static const char *plural_of(const char *word)
{
    size_t length = strlen(word);

    if (length == 0) {
        return "";
    }
    if (strchr("sx", word[length - 1]) != NULL ||
        (length > 1 && word[length - 1] == 'h' && strchr("cs", word[length - 2]) != NULL)) {
        return "es";
    }
    return "s";
}

/* "{thread}": the word in braces, in the plural where it belongs. */
static const char *annotated(char ret_text[static TEXT_BYTES], double value, const char *unit)
{
    char number[TEXT_BYTES];
    char word[TEXT_BYTES / 2];
    size_t length = strcspn(unit + 1, "}");

    (void)utf8_copy_for_terminal(word, sizeof(word), unit + 1, length);
    (void)snprintf(ret_text, TEXT_BYTES, "%.18s %s%s", text_number(number, value), word,
                   value == 1 ? "" : plural_of(word));
    return ret_text;
}

const char *text_in_unit(char ret_text[static TEXT_BYTES], double value, const char *unit)
{
    static const struct unit times[] = {
        {0, 1, "ns"}, {0, 1e3, "us"}, {0, 1e6, "ms"}, {0, 1e9, "s"}};
    char number[TEXT_BYTES];
    char shown[TEXT_BYTES / 2];

    if (!isfinite(value)) {
        return empty(ret_text);
    }
    for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
        if (strcmp(unit, times[i].text) == 0) {
            return text_duration(ret_text, value * times[i].size);
        }
    }
    if (strcmp(unit, "By") == 0) {
        return text_bytes(ret_text, value);
    }
    if (unit[0] == '{') {
        return annotated(ret_text, value, unit);
    }
    if (unit[0] == '\0' || strcmp(unit, "1") == 0) {
        return text_number(ret_text, value);
    }
    (void)utf8_copy_for_terminal(shown, sizeof(shown), unit, strlen(unit));
    (void)snprintf(ret_text, TEXT_BYTES, "%.18s %s", text_number(number, value), shown);
    return ret_text;
}

const char *text_time(char ret_text[static TEXT_BYTES], uint64_t realtime_ns)
{
    time_t seconds = (time_t)(realtime_ns / NS_PER_S);
    struct tm utc;
    size_t used = 0;

    if (gmtime_r(&seconds, &utc) != NULL) {
        used = strftime(ret_text, TEXT_BYTES, "%Y-%m-%dT%H:%M:%S", &utc);
    }
    if (used == 0) {
        return empty(ret_text);
    }
    (void)snprintf(ret_text + used, TEXT_BYTES - used, ".%09lluZ",
                   (unsigned long long)(realtime_ns % NS_PER_S));
    return ret_text;
}
