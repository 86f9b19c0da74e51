/*
 * The values of configuration files and options: text to numbers with units. Pure.
 *
 * Sizes: digits and optionally K, M, G or T (powers of 1024). Times: digits and optionally ms, s, min, h or d; without
 * a unit, seconds. "0", "infinity" and "unlimited" where a limit is meant: no limit (0).
 */
#pragma once

#include "base.h"

#include <stdbool.h>

/* All: 0; -EINVAL if text is not such a value; -ERANGE if it does not fit. Outputs stay untouched on error. Threads: any. */
MUST_USE int parse_size_bytes(const char *text, uint64_t *ret_bytes);
MUST_USE int parse_duration_ns(const char *text, uint64_t *ret_ns);
MUST_USE int parse_count(const char *text, uint64_t *ret_count);
MUST_USE int parse_boolean(const char *text, bool *ret_value);

/* A file mode in octal, at most 0777. */
MUST_USE int parse_mode(const char *text, uint32_t *ret_mode);
