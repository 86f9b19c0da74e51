/*
 * Numbers and sizes as users type them: "7", "512M", "2GiB".
 */
#pragma once

#include "base.h"

/* Decimal digits only. Returns 0 or -EINVAL. Threads: any, as below. */
MUST_USE int size_text_parse_count(const char *text, uint64_t *ret_count);

/* Digits and a unit: none or B, K, M, G, T (also KiB, kB and so on), powers of 1024. Returns 0 or -EINVAL. */
MUST_USE int size_text_parse_bytes(const char *text, uint64_t *ret_bytes);
