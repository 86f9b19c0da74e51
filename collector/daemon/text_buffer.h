/*
 * Text that grows up to a limit: answers to control requests.
 */
#pragma once

#include "base.h"

#include <stdbool.h>

struct text_buffer {
    char *bytes; /* owned; NULL until something was appended */
    size_t size;
    size_t capacity;
    size_t limit;
    bool has_failed; /* something did not fit, or there was no memory */
};

/* limit: most bytes that it may hold. Threads: one buffer, one thread at a time, as all functions here. */
void text_buffer_init(struct text_buffer *ret_text, size_t limit);
void text_buffer_release(struct text_buffer *text);

/* Appends; after the first failure nothing is appended any more. */
PRINTF_LIKE(2, 3) void text_append(struct text_buffer *text, const char *format, ...);

/* Appends value (valid UTF-8) as a JSON string with its quotes. Without control characters in it but newlines, it is the value
 * of an OpenMetrics label as well. */
void text_append_quoted(struct text_buffer *text, const char *value);
