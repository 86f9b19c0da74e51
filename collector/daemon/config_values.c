#include "config_values.h"

#include <errno.h>
#include <strings.h>

struct unit {
    const char *name;
    uint64_t factor;
};

static bool means_unlimited(const char *text)
{
    return strcasecmp(text, "infinity") == 0 || strcasecmp(text, "unlimited") == 0;
}

static int parse_digits(const char *text, unsigned int base, uint64_t *ret_value,
                        const char **ret_end)
{
    uint64_t value = 0;
    const char *position = text;

    for (; *position >= '0' && *position < (char)('0' + base); position++) {
        uint64_t digit = (uint64_t)(*position - '0');

        if (__builtin_mul_overflow(value, base, &value) ||
            __builtin_add_overflow(value, digit, &value)) {
            return -ERANGE;
        }
    }
    if (position == text) {
        return -EINVAL;
    }
    *ret_value = value;
    *ret_end = position;
    return 0;
}

static int parse_with_unit(const char *text, const struct unit *units, size_t unit_count,
                           uint64_t *ret_value)
{
    uint64_t value;
    const char *end;

    if (means_unlimited(text)) {
        *ret_value = 0;
        return 0;
    }
    int r = parse_digits(text, 10, &value, &end);
    if (r < 0) {
        return r;
    }
    while (*end == ' ') {
        end++;
    }
    for (size_t i = 0; i < unit_count; i++) {
        if (strcasecmp(end, units[i].name) == 0) {
            return __builtin_mul_overflow(value, units[i].factor, ret_value) ? -ERANGE : 0;
        }
    }
    return -EINVAL;
}

int parse_size_bytes(const char *text, uint64_t *ret_bytes)
{
    static const struct unit units[] = {
        {"", 1},      {"B", 1},   {"K", KIB},   {"KiB", KIB},      {"M", MIB},
        {"MiB", MIB}, {"G", GIB}, {"GiB", GIB}, {"T", 1024 * GIB}, {"TiB", 1024 * GIB},
    };
    uint64_t bytes;

    int r = parse_with_unit(text, units, ARRAY_SIZE(units), &bytes);
    if (r == 0) {
        *ret_bytes = bytes;
    }
    return r;
}

int parse_duration_ns(const char *text, uint64_t *ret_ns)
{
    static const struct unit units[] = {
        {"", NS_PER_S},
        {"ms", NS_PER_MS},
        {"s", NS_PER_S},
        {"min", 60 * NS_PER_S},
        {"m", 60 * NS_PER_S},
        {"h", 3600 * NS_PER_S},
        {"d", 24 * 3600 * NS_PER_S},
    };
    uint64_t ns;

    int r = parse_with_unit(text, units, ARRAY_SIZE(units), &ns);
    if (r == 0) {
        *ret_ns = ns;
    }
    return r;
}

int parse_count(const char *text, uint64_t *ret_count)
{
    static const struct unit units[] = {{"", 1}};
    uint64_t count;

    int r = parse_with_unit(text, units, ARRAY_SIZE(units), &count);
    if (r == 0) {
        *ret_count = count;
    }
    return r;
}

int parse_boolean(const char *text, bool *ret_value)
{
    static const struct {
        const char *text;
        bool value;
    } words[] = {
        {"yes", true}, {"no", false},  {"true", true}, {"false", false},
        {"on", true},  {"off", false}, {"1", true},    {"0", false},
    };

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (strcasecmp(text, words[i].text) == 0) {
            *ret_value = words[i].value;
            return 0;
        }
    }
    return -EINVAL;
}

int parse_mode(const char *text, uint32_t *ret_mode)
{
    uint64_t mode;
    const char *end;

    int r = parse_digits(text, 8, &mode, &end);
    if (r < 0) {
        return r;
    }
    if (*end != '\0') {
        return -EINVAL;
    }
    if (mode > 0777) {
        return -ERANGE;
    }
    *ret_mode = (uint32_t)mode;
    return 0;
}
