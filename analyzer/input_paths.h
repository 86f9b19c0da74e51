/*
 * What a user names on the command line to a list of trace files: files as they are, folders as the *.trace.zst and
 * *.trace.zst.partial directly in them, "-" as a list of both on stdin, one a line.
 */
#pragma once

#include "base.h"

enum {
    INPUT_MAX_PATHS = 1 << 20,
    INPUT_MAX_PATH_BYTES = 4096,
};

struct input_paths {
    size_t count;
    size_t capacity;
    char **paths; /* owned, each too */
};

/* {0} is an empty list. Threads: one list, one thread at a time, as all functions here. */
void input_paths_release(struct input_paths *list);

/*
 * Adds what argument names ("-" is a file's name here).
 *
 * Returns:  0; -ENODATA if it is a folder without trace files; -E2BIG above INPUT_MAX_PATHS; -ENOMEM; or what stat() or
 *           opendir() said.
 */
MUST_USE int input_paths_add(struct input_paths *list, const char *argument);

/* Puts the paths in order and drops those that stand there twice. */
void input_paths_sort(struct input_paths *list);

/*
 * Adds all arguments, "-" as described above, and sorts. What cannot be added is said on stderr ("eddy-analyzer VERB: ...")
 * and left out.
 *
 * Returns:  the number of arguments (or lines of stdin) that were left out, or -ENOMEM.
 */
MUST_USE int input_paths_add_all(struct input_paths *list, const char *verb, size_t argument_count,
                                 char *const *arguments);
