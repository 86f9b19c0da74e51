/*
 * Texts of CSV fields to numbers, strictly: the whole field is the number, nothing is guessed and nothing wraps around.
 */
#pragma once

#include "base.h"

/*
 * A decimal number without sign, space or separators, at most limit.
 *
 * Returns:  0; -EINVAL if the text is none; -ERANGE if it is above limit. *ret_value stays untouched then.
 * Threads:  any, as all functions here.
 */
MUST_USE int csv_parse_unsigned(const char *text, uint64_t limit, uint64_t *ret_value);

/* A decimal integer with an optional sign. Returns 0, -EINVAL if the text is none, -ERANGE if 64 bits do not hold it. */
MUST_USE int csv_parse_signed(const char *text, int64_t *ret_value);

/*
 * A decimal number with optional sign, fraction and exponent ("-1.5e3"), with a point as decimal separator: LC_NUMERIC must
 * be "C", as it is in every program that does not set it.
 *
 * Returns:  0, the nearest double; -EINVAL if the text is no such number (also: hexadecimal, "inf", "nan"); -ERANGE if
 *           its magnitude is above that of all doubles.
 */
MUST_USE int csv_parse_real(const char *text, double *ret_value);
