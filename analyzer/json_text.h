/*
 * Pieces of JSON to a stream, for output that is too long to be built in memory first.
 */
#pragma once

#include "base.h"

#include <stdio.h>

enum { JSON_NUMBER_BYTES = 40 };

/*
 * Writes text as a JSON string with its quotes. Control characters (C0, DEL, C1) are escaped, so that a terminal shows
 * them and obeys none. Bytes that are no UTF-8 become U+FFFD.
 *
 * Threads:  one stream, one thread at a time, as all functions here. Errors stay in the stream (ferror).
 */
void json_put_text(FILE *stream, const char *text);

/* As a string, because JSON numbers lose digits above 2^53: "18446744073709551615". */
void json_put_u64(FILE *stream, uint64_t value);

/* As a number if every reader keeps it exactly (magnitude below 2^53), else as a string. */
void json_put_integer(FILE *stream, int64_t value);

/* The shortest decimal number that reads back as the same double; value must be finite. Threads: any. */
void json_format_real(char ret_text[static JSON_NUMBER_BYTES], double value);

/* Likewise to the stream; null if it is not finite. */
void json_put_real(FILE *stream, double value);

/* size bytes as a string of hexadecimal digits. */
void json_put_hex(FILE *stream, const uint8_t *bytes, size_t size);
