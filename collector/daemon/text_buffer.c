#include "text_buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { FIRST_CAPACITY_BYTES = 4096 };

void text_buffer_init(struct text_buffer *ret_text, size_t limit)
{
    *ret_text = (struct text_buffer){.limit = limit};
}

void text_buffer_release(struct text_buffer *text)
{
    free(text->bytes);
    text->bytes = NULL;
    text->size = 0;
    text->capacity = 0;
}

/* Makes room for size bytes and a NUL. */
static bool reserve(struct text_buffer *text, size_t size)
{
    size_t capacity = max_u64(text->capacity, FIRST_CAPACITY_BYTES);

    if (size > text->limit - text->size) {
        text->has_failed = true;
        return false;
    }
    while (capacity <= text->size + size) {
        capacity *= 2;
    }
    char *bytes = capacity == text->capacity ? text->bytes : realloc(text->bytes, capacity);
    if (bytes == NULL) {
        text->has_failed = true;
        return false;
    }
    text->bytes = bytes;
    text->capacity = capacity;
    return true;
}

/* Formats into the room that is left. Returns the length, also if it was more than that. */
PRINTF_LIKE(2, 0)
static size_t format_into(struct text_buffer *text, const char *format, va_list arguments)
{
    size_t room = text->capacity - text->size;
    char *end = room > 0 ? text->bytes + text->size : NULL;
    int length = vsnprintf(end, room, format, arguments);

    text->has_failed = text->has_failed || length < 0;
    return length < 0 ? 0 : (size_t)length;
}

void text_append(struct text_buffer *text, const char *format, ...)
{
    va_list arguments;

    if (text->has_failed) {
        return;
    }
    va_start(arguments, format);
    size_t length = format_into(text, format, arguments);
    va_end(arguments);
    bool fits = length < text->capacity - text->size && length <= text->limit - text->size;
    if (!fits && reserve(text, length)) {
        va_start(arguments, format);
        length = format_into(text, format, arguments);
        va_end(arguments);
    }
    text->size += text->has_failed ? 0 : length;
}

static bool is_plain(char c)
{
    return (unsigned char)c >= ' ' && c != '"' && c != '\\';
}

static void append_escaped(struct text_buffer *text, char c)
{
    if (c == '\n') {
        text_append(text, "\\n");
    } else if ((unsigned char)c < ' ') {
        text_append(text, "\\u%04x", (unsigned int)c);
    } else {
        text_append(text, "\\%c", c);
    }
}

void text_append_quoted(struct text_buffer *text, const char *value)
{
    text_append(text, "\"");
    while (*value != '\0') {
        size_t length = 0;

        while (is_plain(value[length])) {
            length++;
        }
        text_append(text, "%.*s", (int)length, value);
        value += length;
        if (*value != '\0') {
            append_escaped(text, *value++);
        }
    }
    text_append(text, "\"");
}
