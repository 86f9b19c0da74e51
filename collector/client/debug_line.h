/*
 * What EDDY_DEBUG asks for: one line on standard error. The only output of libeddy.
 */
#pragma once

#include "base.h"

#include <stdbool.h>

/* Writes "eddy: ..." and a newline with one write(2), cut at 511 bytes; nothing unless wanted. Threads: any. */
void debug_line(bool wanted, const char *format, ...) PRINTF_LIKE(2, 3);
