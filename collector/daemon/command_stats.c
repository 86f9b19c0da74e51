#include "control_client.h"
#include "daemon_commands.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
    "usage: eddy-collector stats [--json|--openmetrics] [--socket PATH]\n"
    "\n"
    "Says what a running collector received, stored and lost: as a whole, and for each program.\n"
    "\n"
    "  --json           for programs\n"
    "  --openmetrics    for Prometheus and its like\n"
    "  --socket PATH    of the collector (default: EDDY_SOCKET, else $XDG_RUNTIME_DIR/eddy.sock,\n"
    "                   else /run/eddy/collector.sock)\n"
    "\n"
    "Is my program being recorded?\n"
    "\n"
    "  eddy-collector stats | grep my-program\n"
    "  eddy-collector stats --json | jq '.clients[] | select(.pid == 4711) | .records_stored'\n";

struct stats_options {
    const char *request;
    const char *socket_path; /* NULL: the default */
};

/* Returns 0, or the exit status plus one if the program is to end. */
static int read_options(int argc, char **argv, struct stats_options *options)
{
    static const struct option long_options[] = {
        {"json", no_argument, NULL, 'j'},
        {"openmetrics", no_argument, NULL, 'm'},
        {"socket", required_argument, NULL, 's'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "s:h", long_options, NULL)) != -1) {
        switch (option) {
        case 'j':
            options->request = "stats json";
            break;
        case 'm':
            options->request = "stats openmetrics";
            break;
        case 's':
            options->socket_path = optarg;
            break;
        case 'h':
            (void)fputs(help, stdout);
            return 1 + EXIT_OK;
        default:
            return 1 + command_refuse_usage(argv[0]);
        }
    }
    if (optind < argc) {
        (void)fprintf(stderr, "%s: unexpected argument '%s'\n", argv[0], argv[optind]);
        return 1 + command_refuse_usage(argv[0]);
    }
    return 0;
}

int command_stats(int argc, char **argv)
{
    char socket_path[CONFIG_PATH_MAX_BYTES];
    char error[CONTROL_ERROR_MAX_BYTES];
    struct stats_options options = {.request = "stats text"};
    struct text_buffer answer;

    int done = read_options(argc, argv, &options);
    if (done != 0) {
        return done - 1;
    }
    if (command_choose_socket(options.socket_path, socket_path, sizeof(socket_path)) < 0) {
        return EXIT_FAILED;
    }
    if (control_ask(socket_path, options.request, &answer, error) < 0) {
        return command_fail("%s", error);
    }
    bool is_written = fwrite(answer.bytes, 1, answer.size, stdout) == answer.size;
    text_buffer_release(&answer);
    if (fflush(stdout) != 0 || !is_written) {
        return command_fail("cannot write to standard output");
    }
    return EXIT_OK;
}
