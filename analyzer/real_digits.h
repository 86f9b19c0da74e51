/*
 * Reals to the shortest decimal text that reads back as the same double.
 */
#pragma once

#include "base.h"

enum { REAL_TEXT_BYTES = 40 };

/*
 * Formats a finite number as printf() does with %.15g, or with 16 or 17 digits where that is needed to read it back.
 *
 * Returns:  the length of the text.
 * Threads:  any.
 * Cost:     50 ns from 0.001 to 10^15, where all numbers of a report are; else what printf() takes, up to three times.
 */
size_t real_format(char ret_text[static REAL_TEXT_BYTES], double value);

/* Formats an integer. Returns the length of the text. Threads: any. */
size_t integer_format(char ret_text[static REAL_TEXT_BYTES], uint64_t value);
