/*
 * eddy-analyzer: finds the verb.
 */
#include "commands.h"

#include <stdio.h>
#include <string.h>

static const struct verb {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} verbs[] = {
    {"report", command_report, "say what happened, how long it took, and what to distrust"},
    {"verify", command_verify, "say for each trace file whether it is whole"},
    {"dump", command_dump, "write records as JSON lines or CSV"},
    {"import", command_import, "make trace files of CSV files"},
};

enum { VERB_COUNT = sizeof(verbs) / sizeof(verbs[0]), PROGRAM_NAME_BYTES = 64 };

static void put_usage(FILE *stream)
{
    (void)fputs("usage: eddy-analyzer VERB [OPTION]... FILE|DIR...\n\n", stream);
    for (size_t i = 0; i < VERB_COUNT; i++) {
        (void)fprintf(stream, "  %-8s  %s\n", verbs[i].name, verbs[i].summary);
    }
    (void)fputs(
        "\n'eddy-analyzer VERB --help' tells more, 'eddy-analyzer --version' the version.\n",
        stream);
}

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < VERB_COUNT; i++) {
        if (strcmp(verbs[i].name, name) == 0) {
            return &verbs[i];
        }
    }
    return NULL;
}

static int run_without_verb(const char *word)
{
    if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0) {
        put_usage(stdout);
        return EXIT_STATUS_OK;
    }
    if (strcmp(word, "--version") == 0) {
        (void)puts("eddy-analyzer " EDDY_PROJECT_VERSION);
        return EXIT_STATUS_OK;
    }
    (void)fputs("eddy-analyzer: no such verb\n", stderr);
    put_usage(stderr);
    return EXIT_STATUS_USAGE;
}

int main(int argc, char **argv)
{
    char program_name[PROGRAM_NAME_BYTES];

    if (argc < 2) {
        put_usage(stderr);
        return EXIT_STATUS_USAGE;
    }

    const struct verb *verb = find_verb(argv[1]);

    if (verb == NULL) {
        return run_without_verb(argv[1]);
    }
    /* What getopt_long() puts before its messages. */
    (void)snprintf(program_name, sizeof(program_name), "eddy-analyzer %s", verb->name);
    argv[1] = program_name;
    return verb->run(argc - 1, argv + 1);
}
