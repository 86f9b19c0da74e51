/*
 * Text into columns of a terminal or of a fixed-width font: cut or filled up to a number of columns.
 */
#pragma once

#include "base.h"

#include <stdio.h>

/*
 * Columns that UTF-8 text takes: wide characters (CJK, emoji) two, combining ones none. Bytes that are no UTF-8 take one.
 *
 * Threads:  any, as all functions here.
 */
size_t text_columns(const char *text);

/*
 * Write text from outside, cut to columns (a cut ends with an ellipsis) and filled up with spaces. Control and invisible
 * characters become '?'.
 */
void text_put_left(FILE *stream, const char *text, size_t columns);
void text_put_right(FILE *stream, const char *text, size_t columns);

/* Writes text that many times. */
void text_repeat(FILE *stream, const char *text, size_t count);
