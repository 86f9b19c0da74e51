#include "text_cell.h"

#include "utf8.h"

#include <stdbool.h>
#include <string.h>

enum {
    /* Longest name, each byte of which might be shown. */
    CELL_BYTES = 512,
    WIDE = 2,
};

struct range {
    uint32_t first;
    uint32_t last;
};

static bool is_in(const struct range *ranges, size_t count, uint32_t character)
{
    for (size_t i = 0; i < count; i++) {
        if (character >= ranges[i].first && character <= ranges[i].last) {
            return true;
        }
    }
    return false;
}

/* The blocks of Unicode whose characters combine with the one before, and those that terminals draw twice as wide. */
static size_t columns_of(uint32_t character)
{
    static const struct range combining[] = {
        {0x300, 0x36f},   {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff},
        {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f},
    };
    static const struct range wide[] = {
        {0x1100, 0x115f},   {0x2e80, 0xa4cf},   {0xac00, 0xd7a3}, {0xf900, 0xfaff},
        {0xfe30, 0xfe6f},   {0xff00, 0xff60},   {0xffe0, 0xffe6}, {0x1f300, 0x1f64f},
        {0x1f680, 0x1faff}, {0x20000, 0x3fffd},
    };

    if (is_in(combining, ARRAY_SIZE(combining), character)) {
        return 0;
    }
    return is_in(wide, ARRAY_SIZE(wide), character) ? WIDE : 1;
}

/* Reads the character that text begins with; its bytes, at least 1. */
static size_t read_character(const char *text, uint32_t *ret_character)
{
    const uint8_t *bytes = (const uint8_t *)text;
    size_t length = bytes[0] < 0xc0 ? 1 : bytes[0] < 0xe0 ? 2 : bytes[0] < 0xf0 ? 3 : 4;

    if (length == 1 || strnlen(text, length) < length || !utf8_is_valid(text, length)) {
        *ret_character = bytes[0];
        return 1;
    }
    *ret_character = bytes[0] & (0x7fU >> length);
    for (size_t i = 1; i < length; i++) {
        *ret_character = *ret_character << 6 | (bytes[i] & 0x3fU);
    }
    return length;
}

/* How many bytes of text fit into columns, and how many columns they take. */
static size_t fit(const char *text, size_t columns, size_t *ret_columns)
{
    size_t at = 0;

    *ret_columns = 0;
    while (text[at] != '\0') {
        uint32_t character;
        size_t bytes = read_character(text + at, &character);

        if (*ret_columns + columns_of(character) > columns) {
            break;
        }
        *ret_columns += columns_of(character);
        at += bytes;
    }
    return at;
}

size_t text_columns(const char *text)
{
    size_t columns;

    (void)fit(text, SIZE_MAX / 2, &columns);
    return columns;
}

void text_repeat(FILE *stream, const char *text, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        (void)fputs(text, stream);
    }
}

static void put(FILE *stream, const char *text, size_t columns, bool is_right)
{
    char safe[CELL_BYTES];
    size_t length = utf8_copy_for_terminal(safe, sizeof(safe), text, strlen(text));
    size_t used;
    size_t fitting = fit(safe, columns, &used);
    const char *ellipsis = "";

    if (fitting < length && columns > 0) {
        fitting = fit(safe, columns - 1, &used);
        ellipsis = "…";
        used++;
    }
    text_repeat(stream, " ", is_right ? columns - used : 0);
    (void)fwrite(safe, 1, fitting, stream);
    (void)fputs(ellipsis, stream);
    text_repeat(stream, " ", is_right ? 0 : columns - used);
}

void text_put_left(FILE *stream, const char *text, size_t columns)
{
    put(stream, text, columns, false);
}

void text_put_right(FILE *stream, const char *text, size_t columns)
{
    put(stream, text, columns, true);
}
