/*
 * eddy-collector: finds the verb.
 */
#include "daemon_commands.h"

#include <stdio.h>
#include <string.h>

static const struct verb {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *summary;
} verbs[] = {
    {"run", command_run, "serve the programs of this machine, until SIGTERM"},
    {"record", command_record, "record one command, and exit with its status"},
    {"stats", command_stats, "say what a running collector received, stored and lost"},
    {"rotate", command_rotate, "make a running collector go on in new files"},
    {"check-config", command_check_config, "say whether a configuration is right"},
};

enum { PROGRAM_NAME_BYTES = 64 };

static void put_usage(FILE *stream)
{
    (void)fputs("usage: eddy-collector VERB [OPTION]...\n\n"
                "Takes what programs with libeddy record and streams it to trace files.\n\n",
                stream);
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
        (void)fprintf(stream, "  %-12s  %s\n", verbs[i].name, verbs[i].summary);
    }
    (void)fputs(
        "\nThe shortest way to a trace and its report:\n\n"
        "  eddy-collector record -o traces -- ./program\n"
        "  eddy-analyzer report traces\n\n"
        "'eddy-collector VERB --help' tells more, 'eddy-collector --version' the version.\n"
        "Exit status: 0 done, 1 failed, 2 used wrongly; 'record' has that of its command.\n",
        stream);
}

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(verbs); i++) {
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
        return EXIT_OK;
    }
    if (strcmp(word, "--version") == 0) {
        (void)puts("eddy-collector " EDDY_PROJECT_VERSION);
        return EXIT_OK;
    }
    (void)fprintf(stderr, "eddy-collector: there is no verb '%s'\n\n", word);
    put_usage(stderr);
    return EXIT_USAGE;
}

int main(int argc, char **argv)
{
    char program_name[PROGRAM_NAME_BYTES];

    if (argc < 2) {
        put_usage(stderr);
        return EXIT_USAGE;
    }

    const struct verb *verb = find_verb(argv[1]);

    if (verb == NULL) {
        return run_without_verb(argv[1]);
    }
    /* What getopt_long() puts before its messages. */
    (void)snprintf(program_name, sizeof(program_name), "eddy-collector %s", verb->name);
    argv[1] = program_name;
    return verb->run(argc - 1, argv + 1);
}
