/*
 * Small files of /proc and /sys, read whole with one open, read and close: no descriptor is kept that the program could take for its
 * own.
 */
#pragma once

#include "base.h"

#include <stdbool.h>

/*
 * Reads the file that format names, below /proc/self, as text.
 *
 * Returns:  its length, cut at size - 1, with a NUL behind it; a negative errno, and "" in buffer, if it cannot be read.
 * Threads:  any.
 */
MUST_USE int proc_file_read(char *buffer, size_t size, const char *format, ...) PRINTF_LIKE(3, 4);

/* As above, the file at the path that format gives. */
MUST_USE int proc_file_read_path(char *buffer, size_t size, const char *format, ...)
    PRINTF_LIKE(3, 4);

/* The unsigned number behind key in text; false if there is none. Threads: any. */
bool proc_file_number(const char *text, const char *key, uint64_t *ret_number);

/* The next unsigned number in *text, which moves behind it; false if there is none. Threads: any. */
bool proc_file_next_number(const char **text, uint64_t *ret_number);
