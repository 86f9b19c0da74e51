#include "json_text.h"

#include "utf8.h"

#include <math.h>
#include <string.h>

#define MAX_EXACT_INTEGER ((int64_t)1 << 53)

static void put_ascii(FILE *stream, char c)
{
    if (c == '"' || c == '\\') {
        (void)fputc('\\', stream);
        (void)fputc(c, stream);
    } else if (c < 0x20 || c == 0x7f) {
        (void)fprintf(stream, "\\u%04x", (unsigned int)c);
    } else {
        (void)fputc(c, stream);
    }
}

/* Bytes of the character that text begins with if it is valid, else 0. */
static size_t character_bytes(const char *text, size_t length)
{
    for (size_t bytes = 2; bytes <= 4 && bytes <= length; bytes++) {
        if (utf8_is_valid(text, bytes)) {
            return bytes;
        }
    }
    return 0;
}

/* A character beyond ASCII. Returns its bytes. */
static size_t put_character(FILE *stream, const char *text, size_t length)
{
    size_t bytes = character_bytes(text, length);

    if (bytes == 0) {
        (void)fputs("\\ufffd", stream);
        return 1;
    }
    if (bytes == 2 && (uint8_t)text[0] == 0xc2 && (uint8_t)text[1] < 0xa0) {
        (void)fprintf(stream, "\\u00%02x", (unsigned int)(uint8_t)text[1]);
    } else {
        (void)fwrite(text, 1, bytes, stream);
    }
    return bytes;
}

void json_put_text(FILE *stream, const char *text)
{
    size_t length = strlen(text);

    (void)fputc('"', stream);
    for (size_t at = 0; at < length;) {
        if ((uint8_t)text[at] < 0x80) {
            put_ascii(stream, text[at++]);
        } else {
            at += put_character(stream, text + at, length - at);
        }
    }
    (void)fputc('"', stream);
}

void json_put_u64(FILE *stream, uint64_t value)
{
    (void)fprintf(stream, "\"%llu\"", (unsigned long long)value);
}

void json_put_integer(FILE *stream, int64_t value)
{
    if (value > -MAX_EXACT_INTEGER && value < MAX_EXACT_INTEGER) {
        (void)fprintf(stream, "%lld", (long long)value);
    } else {
        (void)fprintf(stream, "\"%lld\"", (long long)value);
    }
}

void json_format_real(char ret_text[static JSON_NUMBER_BYTES], double value)
{
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(ret_text, JSON_NUMBER_BYTES, "%.*g", digits, value);
        if (strtod(ret_text, NULL) == value) {
            return;
        }
    }
}

void json_put_real(FILE *stream, double value)
{
    char text[JSON_NUMBER_BYTES];

    if (isfinite(value)) {
        json_format_real(text, value);
        (void)fputs(text, stream);
    } else {
        (void)fputs("null", stream);
    }
}

void json_put_hex(FILE *stream, const uint8_t *bytes, size_t size)
{
    (void)fputc('"', stream);
    for (size_t i = 0; i < size; i++) {
        (void)fprintf(stream, "%02x", bytes[i]);
    }
    (void)fputc('"', stream);
}
