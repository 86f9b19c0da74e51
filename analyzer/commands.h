/*
 * The verbs of eddy-analyzer. Each reads its own options and returns the program's exit status.
 */
#pragma once

/* What the exit status says, for all verbs. */
enum exit_status {
    EXIT_STATUS_OK = 0,
    EXIT_STATUS_CONDITION_FOUND = 1, /* what --fail-on names was found */
    EXIT_STATUS_USAGE = 2,
    EXIT_STATUS_DAMAGED_INPUT = 3, /* some input was damaged; the output covers the rest */
    EXIT_STATUS_NO_INPUT = 4,      /* there was no usable input; there is no output */
    EXIT_STATUS_LIMIT = 5,         /* a limit was hit */
    EXIT_STATUS_OUTPUT_FAILED = 6,
    EXIT_STATUS_INTERNAL = 7,
};

/*
 * argv[0] is the verb.
 *
 * Returns:  enum exit_status.
 * Threads:  the main thread.
 */
int command_report(int argc, char **argv);
int command_verify(int argc, char **argv);
int command_dump(int argc, char **argv);
int command_import(int argc, char **argv);
