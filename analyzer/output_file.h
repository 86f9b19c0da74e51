/*
 * An output file that appears whole or not at all: written under a temporary name in the same folder, then renamed. "-" is
 * standard output; what exists and is no regular file (a pipe, a device) is written as it is.
 */
#pragma once

#include "base.h"

#include <stdio.h>

struct output_file {
    FILE *stream;     /* owned, unless it is stdout */
    const char *path; /* borrowed */
    char *temporary;  /* owned; NULL if there is none */
};

/*
 * Whether a file of that name could be made: for an early word, before hours of work.
 *
 * Returns:  0, -EISDIR, or what the folder of the file says.
 * Threads:  any.
 */
MUST_USE int output_file_check(const char *path);

/* Opens. Returns 0 or a negative errno. Threads: one file, one thread at a time, as below. */
MUST_USE int output_file_open(struct output_file *ret_file, const char *path);

/* Flushes, closes and gives the file its name. Returns 0 or a negative errno; then there is no file. */
MUST_USE int output_file_commit(struct output_file *file);

/* Closes and removes what was written, unless committed. */
void output_file_release(struct output_file *file);
