#include "daemon_commands.h"
#include "run_options.h"

#include <getopt.h>
#include <stdio.h>

static const char help[] =
    "usage: eddy-collector check-config [OPTION]... [FILE]\n"
    "\n"
    "Says whether a configuration is right, and where it is not. FILE: default " CONFIG_DEFAULT_FILE
    "\n"
    "(without it, the built-in defaults).\n"
    "\n"
    "  --show           print the whole configuration that results, defaults included\n"
    "  --set KEY=VALUE, --socket PATH, --output DIR    as for 'eddy-collector run'\n"
    "\n"
    "  eddy-collector check-config collector.conf && sudo systemctl reload eddy-collector\n"
    "  eddy-collector check-config --show > collector.conf    # a file to start from\n"
    "\n"
    "Exit status: 0 right, 1 not right, 2 used wrongly.\n";

struct check_options {
    struct run_options run;
    bool show;
};

/* Returns 0, or the exit status plus one if the program is to end. */
static int read_options(int argc, char **argv, struct check_options *ret_options)
{
    static const struct option long_options[] = {
        {"config", required_argument, NULL, 'c'},
        {"socket", required_argument, NULL, 's'},
        {"output", required_argument, NULL, 'o'},
        {"set", required_argument, NULL, 'S'},
        {"show", no_argument, NULL, 'w'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option;

    *ret_options = (struct check_options){0};
    while ((option = getopt_long(argc, argv, "c:s:o:h", long_options, NULL)) != -1) {
        if (option == 'h') {
            (void)fputs(help, stdout);
            return 1 + EXIT_OK;
        }
        if (option == 'w') {
            ret_options->show = true;
        } else if (run_options_take(&ret_options->run, option, optarg) < 0) {
            return 1 + command_refuse_usage(argv[0]);
        }
    }
    if (argc - optind > 1) {
        (void)fprintf(stderr, "%s: more than one file\n", argv[0]);
        return 1 + command_refuse_usage(argv[0]);
    }
    if (optind < argc) {
        ret_options->run.config_path = argv[optind];
    }
    return 0;
}

static void print_line(void *context, const char *line)
{
    (void)context;
    (void)puts(line);
}

int command_check_config(int argc, char **argv)
{
    char error[CONFIG_ERROR_MAX_BYTES];
    struct check_options options;
    struct collector_config config;

    int done = read_options(argc, argv, &options);
    if (done != 0) {
        return done - 1;
    }
    if (run_options_load(&options.run, &config, error) < 0) {
        return command_fail("%s", error);
    }
    if (options.show) {
        config_print(&config, print_line, NULL);
    } else {
        const char *file = run_options_file(&options.run);

        (void)printf("%s: the configuration is right\n", file == NULL ? "(no file)" : file);
    }
    return fflush(stdout) == 0 ? EXIT_OK : command_fail("cannot write to standard output");
}
