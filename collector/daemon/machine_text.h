/*
 * Files of /proc that are read again and again: opened once, then read whole from their begin into one buffer for all.
 */
#pragma once

#include "columns.h"

/* A file that is longer is not read: no table of /proc is. */
#define MACHINE_TEXT_MAX_BYTES (4 * MIB)

/* {0} is an empty one. Owns its memory. */
struct machine_text {
    uint8_t *bytes; /* owned */
    size_t capacity;
};

/* Opens path for reading. Returns a descriptor, now the caller's, or -1: then there is nothing to read. Threads: any. */
int machine_file_open(const char *path);

/*
 * Reads the file whole.
 *
 * fd        -1 is permitted
 * ret_text  borrowed from text until its next use
 * Returns:  0; -EBADF for -1; -E2BIG; -ENOMEM; a negative errno if it cannot be read now.
 * Threads:  one text, one thread at a time.
 */
MUST_USE int machine_text_read(struct machine_text *text, int fd, struct slice *ret_text);

void machine_text_release(struct machine_text *text);
