/*
 * The verbs of eddy-collector. Each reads its own options (argv[0] is the program and the verb) and returns the
 * program's exit status.
 */
#pragma once

#include "collector_config.h"

enum {
    EXIT_OK = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
};

int command_run(int argc, char **argv);
int command_record(int argc, char **argv);
int command_stats(int argc, char **argv);
int command_rotate(int argc, char **argv);
int command_check_config(int argc, char **argv);

/*
 * Takes path as the socket to talk to: given, or (NULL) the default of this environment.
 *
 * Returns:  0; -ENAMETOOLONG, and a message was written to stderr.
 */
MUST_USE int command_choose_socket(const char *given, char *ret_path, size_t size);

/* "name: message" and a newline on stderr; returns EXIT_FAILED. Threads: any, as all here. */
PRINTF_LIKE(1, 2) int command_fail(const char *format, ...);

/* Says where help is to be found; returns EXIT_USAGE. The message itself stands on stderr already. */
int command_refuse_usage(const char *command);
