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

/* Room for more bytes and a NUL. */
static bool reserve(struct text_buffer *text, size_t more)
{
    size_t capacity = max_u64(text->capacity, FIRST_CAPACITY_BYTES);

    if (text->has_failed || more > text->limit - text->size) {
        text->has_failed = true;
        return false;
    }
    while (capacity <= text->size + more) {
        capacity *= 2;
    }
    if (capacity != text->capacity) {
        char *bytes = realloc(text->bytes, capacity);

        if (bytes == NULL) {
            text->has_failed = true;
            return false;
        }
        text->bytes = bytes;
        text->capacity = capacity;
    }
    return true;
}

void text_append(struct text_buffer *text, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0 || !reserve(text, (size_t)length)) {
        return;
    }
    va_start(arguments, format);
    (void)vsnprintf(text->bytes + text->size, text->capacity - text->size, format, arguments);
    va_end(arguments);
    text->size += (size_t)length;
}

void text_append_quoted(struct text_buffer *text, const char *value)
{
    text_append(text, "\"");
    while (*value != '\0') {
        size_t plain = strcspn(value, "\"\\\n");

        text_append(text, "%.*s", (int)plain, value);
        value += plain;
        if (*value != '\0') {
            text_append(text, "\\%c", *value == '\n' ? 'n' : *value);
            value++;
        }
    }
    text_append(text, "\"");
}
