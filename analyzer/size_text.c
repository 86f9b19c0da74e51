#include "size_text.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

enum { BITS_PER_STEP = 10 };

/* Reads digits. Returns what follows them, or NULL if there are none or too many. */
static const char *read_digits(const char *text, uint64_t *ret_number)
{
    const char *at = text;
    uint64_t number = 0;

    for (; *at >= '0' && *at <= '9'; at++) {
        uint64_t digit = (uint64_t)(*at - '0');

        if (number > (UINT64_MAX - digit) / 10) {
            return NULL;
        }
        number = number * 10 + digit;
    }
    *ret_number = number;
    return at == text ? NULL : at;
}

int size_text_parse_count(const char *text, uint64_t *ret_count)
{
    uint64_t count = 0;
    const char *rest = read_digits(text, &count);

    if (rest == NULL || *rest != '\0') {
        return -EINVAL;
    }
    *ret_count = count;
    return 0;
}

int size_text_parse_bytes(const char *text, uint64_t *ret_bytes)
{
    static const char units[] = "KMGT";
    uint64_t number = 0;
    unsigned int shift = 0;
    const char *rest = read_digits(text, &number);

    if (rest == NULL) {
        return -EINVAL;
    }
    for (size_t i = 0; units[i] != '\0'; i++) {
        if (*rest != '\0' && (*rest == units[i] || *rest == (units[i] | 0x20))) {
            shift = (unsigned int)(i + 1) * BITS_PER_STEP;
        }
    }
    rest += shift > 0;
    rest += shift > 0 && *rest == 'i';
    if ((strcasecmp(rest, "B") != 0 && *rest != '\0') || number > UINT64_MAX >> shift) {
        return -EINVAL;
    }
    *ret_bytes = number << shift;
    return 0;
}
