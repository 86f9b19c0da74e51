/*
 * Numbers to text for people: three significant digits and a unit that fits. Renderers use it, JSON never does.
 */
#pragma once

#include "base.h"

enum { TEXT_BYTES = 48 };

/*
 * All write at most TEXT_BYTES with the NUL and return ret_text. A NaN becomes "-".
 *
 * Threads:  any.
 */

/* "0 ns", "950 ns", "1.23 µs", "45.6 ms", "7.89 s", "12.3 min", "4.56 h", "7.89 d". */
const char *text_duration(char ret_text[static TEXT_BYTES], double duration_ns);

/* "0", "999", "12,345,678". */
const char *text_count(char ret_text[static TEXT_BYTES], uint64_t count);

/* "0", "0.0123", "999", "1.23 k", "45.6 M"; negative ones with a minus. */
const char *text_number(char ret_text[static TEXT_BYTES], double value);

/* As text_number() with "/s": how often. */
const char *text_rate(char ret_text[static TEXT_BYTES], double per_second);

/* "0 B", "512 B", "1.23 KiB", "45.6 MiB". */
const char *text_bytes(char ret_text[static TEXT_BYTES], double size_bytes);

/* A ratio, 0 to 1, as per cent: "0 %", "<0.01 %", "12.3 %", "100 %". 100 only if it is. */
const char *text_share(char ret_text[static TEXT_BYTES], double ratio);

/*
 * A value in a UCUM unit as metrics carry it: "By" as text_bytes(), "ns", "us", "ms" and "s" as text_duration(), "1" and
 * "" as text_number(), "{thread}" as "12 threads", others behind the number.
 */
const char *text_in_unit(char ret_text[static TEXT_BYTES], double value, const char *unit);

/* "2026-11-24T15:27:17.123456789Z". */
const char *text_time(char ret_text[static TEXT_BYTES], uint64_t realtime_ns);
