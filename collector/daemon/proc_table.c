#include "proc_table.h"

#include <string.h>

enum { FRACTION_MAX_DIGITS = 18 };

static struct slice behind(struct slice bytes, size_t count)
{
    return (struct slice){bytes.data + count, bytes.size - count};
}

static bool is_blank(uint8_t byte)
{
    return byte == ' ' || byte == '\t';
}

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

bool proc_next_line(struct slice *text, struct slice *ret_line)
{
    const uint8_t *newline = text->size == 0 ? NULL : memchr(text->data, '\n', text->size);

    if (newline == NULL) {
        return false;
    }
    *ret_line = (struct slice){text->data, (size_t)(newline - text->data)};
    *text = behind(*text, ret_line->size + 1);
    return true;
}

bool proc_next_word(struct slice *line, struct slice *ret_word)
{
    size_t begin = 0;

    while (begin < line->size && is_blank(line->data[begin])) {
        begin++;
    }

    size_t end = begin;

    while (end < line->size && !is_blank(line->data[end])) {
        end++;
    }
    if (begin == end) {
        return false;
    }
    *ret_word = (struct slice){line->data + begin, end - begin};
    *line = behind(*line, end);
    return true;
}

static bool parse_number(struct slice digits, uint64_t *ret_number)
{
    uint64_t number = 0;

    for (size_t i = 0; i < digits.size; i++) {
        if (!is_digit(digits.data[i]) || __builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, digits.data[i] - '0', &number)) {
            return false;
        }
    }
    *ret_number = number;
    return digits.size > 0;
}

bool proc_next_number(struct slice *line, uint64_t *ret_number)
{
    struct slice rest = *line;
    struct slice word;

    if (!proc_next_word(&rest, &word) || !parse_number(word, ret_number)) {
        return false;
    }
    *line = rest;
    return true;
}

bool proc_next_fraction(struct slice *line, double *ret_number)
{
    struct slice rest = *line;
    struct slice word;
    uint64_t whole = 0;
    uint64_t part = 0;
    double unit = 1;

    if (!proc_next_word(&rest, &word) || word.size > FRACTION_MAX_DIGITS + 1) {
        return false;
    }

    const uint8_t *point = memchr(word.data, '.', word.size);
    size_t length = point == NULL ? word.size : (size_t)(point - word.data);

    if (!parse_number((struct slice){word.data, length}, &whole) ||
        (point != NULL && !parse_number(behind(word, length + 1), &part))) {
        return false;
    }
    for (size_t i = length + 1; i < word.size; i++) {
        unit *= 10;
    }
    *ret_number = (double)whole + (double)part / unit;
    *line = rest;
    return true;
}

size_t proc_next_numbers(struct slice *line, uint64_t *ret_numbers, size_t most)
{
    size_t count = 0;

    while (count < most && proc_next_number(line, &ret_numbers[count])) {
        count++;
    }
    return count;
}

bool proc_word_is(struct slice word, const char *text)
{
    return word.size == strlen(text) && memcmp(word.data, text, word.size) == 0;
}

bool proc_word_number(struct slice word, const char *prefix, uint64_t *ret_number)
{
    size_t length = strlen(prefix);

    return word.size > length && memcmp(word.data, prefix, length) == 0 &&
           parse_number(behind(word, length), ret_number);
}

void proc_find_keys(struct slice text, const char *const *keys, size_t count, uint64_t *ret_values,
                    bool *ret_found)
{
    struct slice line;
    struct slice word;

    memset(ret_found, 0, count * sizeof(*ret_found));
    while (proc_next_line(&text, &line)) {
        if (!proc_next_word(&line, &word)) {
            continue;
        }
        for (size_t i = 0; i < count; i++) {
            if (!ret_found[i] && proc_word_is(word, keys[i])) {
                ret_found[i] = proc_next_number(&line, &ret_values[i]);
                break;
            }
        }
    }
}
