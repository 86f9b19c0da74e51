#include "control_client.h"
#include "daemon_commands.h"

#include <getopt.h>
#include <stdio.h>

static const char help[] =
    "usage: eddy-collector rotate [--socket PATH]\n"
    "\n"
    "Makes a running collector close all trace files and go on in new ones. When it ends, the "
    "files\n"
    "are whole and durable: copy them, or analyze them.\n"
    "\n"
    "  --socket PATH    of the collector (default: EDDY_SOCKET, else $XDG_RUNTIME_DIR/eddy.sock,\n"
    "                   else /run/eddy/collector.sock)\n"
    "\n"
    "  eddy-collector rotate && eddy-analyzer report /var/lib/eddy\n";

int command_rotate(int argc, char **argv)
{
    static const struct option long_options[] = {
        {"socket", required_argument, NULL, 's'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    char socket_path[CONFIG_PATH_MAX_BYTES];
    char error[CONTROL_ERROR_MAX_BYTES];
    const char *given = NULL;
    struct text_buffer answer;
    int option;

    while ((option = getopt_long(argc, argv, "s:h", long_options, NULL)) != -1) {
        if (option == 's') {
            given = optarg;
        } else if (option == 'h') {
            (void)fputs(help, stdout);
            return EXIT_OK;
        } else {
            return command_refuse_usage(argv[0]);
        }
    }
    if (optind < argc) {
        (void)fprintf(stderr, "%s: unexpected argument '%s'\n", argv[0], argv[optind]);
        return command_refuse_usage(argv[0]);
    }
    if (command_choose_socket(given, socket_path, sizeof(socket_path)) < 0) {
        return EXIT_FAILED;
    }
    if (control_ask(socket_path, "rotate", &answer, error) < 0) {
        return command_fail("%s", error);
    }
    text_buffer_release(&answer);
    return EXIT_OK;
}
