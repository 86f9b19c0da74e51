/*
 * eddy-analyzer report: what happened, how long it took, and what to distrust.
 */
#include "commands.h"

#include "memory_plan.h"
#include "output_file.h"
#include "progress_bar.h"
#include "report_json.h"
#include "report_markdown.h"
#include "report_run.h"
#include "report_terminal.h"
#include "size_text.h"
#include "utf8.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum {
    DEFAULT_SLOWEST = 10,
    MOST_SLOWEST = 1000,
    MOST_JOBS = 1024,
    MOST_COMPLAINTS = 20,
};

#define DEFAULT_MEMORY_BYTES (256 * MIB)

static const char usage_text[] =
    "usage: eddy-analyzer report [OPTION]... FILE|DIR...\n"
    "\n"
    "Counts, durations, percentiles, states, queues, metrics and the slowest operations of all\n"
    "trace files together, and what to distrust. A DIR stands for the trace files in it, '-' for "
    "a\n"
    "list of files on stdin. A summary goes to stdout, unless a report goes there.\n"
    "\n"
    "  --json FILE      write the report as JSON ('-': to stdout)\n"
    "  --markdown FILE  write the report as Markdown, for a ticket\n"
    "  --slowest N      list the N slowest operations of each name (default 10, at most 1000)\n"
    "  --load           arrival rates, operations in flight, durations under load, arrival "
    "patterns;\n"
    "                   reads the files twice\n"
    "  --attributes     operations by the values of their attributes; reads the files twice\n"
    "  --redact KEY     with --attributes: show '(redacted)' instead of the values of KEY;\n"
    "                   can be given more than once\n"
    "  --jobs N         use N threads (default: one for each CPU); the report is the same\n"
    "  --memory SIZE    use at most SIZE (default 256M); with less, fewer names have a place of\n"
    "                   their own and fewer threads run\n"
    "  --quiet          no progress, no messages but errors; no summary beside files\n"
    "\n"
    "examples:\n"
    "  eddy-analyzer report traces/\n"
    "  eddy-analyzer report traces/ --json report.json --markdown report.md\n"
    "  eddy-analyzer report web-*.trace.zst --json - | jq '.operations[0].duration.quantiles'\n"
    "  find /var/lib/eddy -name '*.trace.zst' -mmin -60 | eddy-analyzer report -\n"
    "\n"
    "Exit status: 0 ok, 2 wrong usage, 3 some input was damaged or missing (the report covers the\n"
    "rest), 4 no usable input, 5 the memory does not suffice, 6 output failed.\n";

struct report_command {
    struct report_request request;
    const char *json_path;
    const char *markdown_path;
    char **redacted_keys; /* owned, the keys are borrowed from argv */
    bool is_quiet;
    bool is_help;
};

enum option_code {
    OPTION_JSON = 256,
    OPTION_MARKDOWN,
    OPTION_SLOWEST,
    OPTION_LOAD,
    OPTION_ATTRIBUTES,
    OPTION_REDACT,
    OPTION_JOBS,
    OPTION_MEMORY,
    OPTION_QUIET,
    OPTION_HELP,
};

static const struct option options[] = {
    {"json", required_argument, NULL, OPTION_JSON},
    {"markdown", required_argument, NULL, OPTION_MARKDOWN},
    {"slowest", required_argument, NULL, OPTION_SLOWEST},
    {"load", no_argument, NULL, OPTION_LOAD},
    {"attributes", no_argument, NULL, OPTION_ATTRIBUTES},
    {"redact", required_argument, NULL, OPTION_REDACT},
    {"jobs", required_argument, NULL, OPTION_JOBS},
    {"memory", required_argument, NULL, OPTION_MEMORY},
    {"quiet", no_argument, NULL, OPTION_QUIET},
    {"help", no_argument, NULL, OPTION_HELP},
    {0},
};

/* --- Options --- */

static bool take_number(const char *option, const char *text, uint64_t least, uint64_t most,
                        size_t *ret_number)
{
    uint64_t number = 0;

    if (size_text_parse_count(text, &number) < 0 || number < least || number > most) {
        (void)fprintf(stderr, "eddy-analyzer report: %s must be a number from %llu to %llu\n",
                      option, (unsigned long long)least, (unsigned long long)most);
        return false;
    }
    *ret_number = (size_t)number;
    return true;
}

static bool take_memory(struct report_command *command, const char *text)
{
    if (size_text_parse_bytes(text, &command->request.memory_bytes) < 0) {
        (void)fputs("eddy-analyzer report: --memory must be a size, such as 512M or 2G\n", stderr);
        return false;
    }
    return true;
}

/* Returns whether the option was understood. */
static bool take_option(struct report_command *command, int option)
{
    struct report_request *request = &command->request;

    switch (option) {
    case OPTION_JSON:
        command->json_path = optarg;
        return true;
    case OPTION_MARKDOWN:
        command->markdown_path = optarg;
        return true;
    case OPTION_SLOWEST:
        return take_number("--slowest", optarg, 0, MOST_SLOWEST, &request->slowest_limit);
    case OPTION_LOAD:
        request->with_load = true;
        return true;
    case OPTION_ATTRIBUTES:
        request->with_attributes = true;
        return true;
    case OPTION_REDACT:
        command->redacted_keys[request->redacted_count++] = optarg;
        return true;
    case OPTION_JOBS:
        return take_number("--jobs", optarg, 1, MOST_JOBS, &request->jobs);
    case OPTION_MEMORY:
        return take_memory(command, optarg);
    case OPTION_QUIET:
        command->is_quiet = true;
        return true;
    case OPTION_HELP:
        command->is_help = true;
        return true;
    default:
        return false; /* getopt_long() has said why */
    }
}

static int read_options(struct report_command *command, int argc, char **argv)
{
    int option;

    command->redacted_keys = (char **)calloc((size_t)argc + 1, sizeof(*command->redacted_keys));
    if (command->redacted_keys == NULL) {
        return EXIT_STATUS_INTERNAL;
    }
    command->request.redacted_keys = command->redacted_keys;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (!take_option(command, option)) {
            return EXIT_STATUS_USAGE;
        }
    }
    return EXIT_STATUS_OK;
}

static int check_options(const struct report_command *command, int argc)
{
    if (optind == argc) {
        (void)fputs("eddy-analyzer report: which files? Try 'eddy-analyzer report --help'.\n",
                    stderr);
        return EXIT_STATUS_USAGE;
    }
    if (command->json_path != NULL && command->markdown_path != NULL &&
        strcmp(command->json_path, command->markdown_path) == 0) {
        (void)fputs("eddy-analyzer report: --json and --markdown name the same output\n", stderr);
        return EXIT_STATUS_USAGE;
    }
    if (command->request.memory_bytes < MEMORY_LEAST_BYTES) {
        (void)fprintf(stderr, "eddy-analyzer report: --memory must be at least %llu MiB\n",
                      (unsigned long long)(MEMORY_LEAST_BYTES / MIB));
        return EXIT_STATUS_LIMIT;
    }
    return EXIT_STATUS_OK;
}

/* --- Output --- */

static int refuse_output(const char *path, int r)
{
    char shown[INPUT_MAX_PATH_BYTES];

    (void)utf8_copy_for_terminal(shown, sizeof(shown), path, strlen(path));
    (void)fprintf(stderr, "eddy-analyzer report: cannot write '%s': %s\n", shown, strerror(-r));
    return EXIT_STATUS_OUTPUT_FAILED;
}

static int check_output(const char *path)
{
    int r = path == NULL ? 0 : output_file_check(path);

    return r < 0 ? refuse_output(path, r) : EXIT_STATUS_OK;
}

typedef int write_function(const struct report *report, FILE *stream);

static int write_file(const struct report *report, const char *path, write_function *write)
{
    struct output_file file = {0};
    int r = path == NULL ? 0 : output_file_open(&file, path);

    if (path != NULL && r == 0) {
        r = write(report, file.stream);
        r = r < 0 ? r : output_file_commit(&file);
        output_file_release(&file);
    }
    return r < 0 ? refuse_output(path, r) : EXIT_STATUS_OK;
}

static int write_summary(const struct report *report)
{
    const struct terminal_style style = terminal_style_detect(stdout);
    int r = report_terminal_write(report, &style, stdout);

    if (r == 0 && fflush(stdout) != 0) {
        r = -errno;
    }
    return r < 0 ? refuse_output("standard output", r) : EXIT_STATUS_OK;
}

static bool is_stdout(const char *path)
{
    return path != NULL && strcmp(path, "-") == 0;
}

/* Beside files there is a summary too, unless it would get into another output or nobody wants it. */
static bool wants_summary(const struct report_command *command)
{
    if (command->json_path == NULL && command->markdown_path == NULL) {
        return true;
    }
    return !command->is_quiet && !is_stdout(command->json_path) &&
           !is_stdout(command->markdown_path);
}

static int write_all(const struct report_command *command, const struct report *report)
{
    int status = write_file(report, command->json_path, report_json_write);

    status = status != EXIT_STATUS_OK
                 ? status
                 : write_file(report, command->markdown_path, report_markdown_write);
    return status == EXIT_STATUS_OK && wants_summary(command) ? write_summary(report) : status;
}

/* --- Inputs that are not as they should be --- */

static bool is_faulty(const struct report_input *input)
{
    return input->state != INPUT_WHOLE && input->state != INPUT_NO_END;
}

static void complain(const struct report_input *input)
{
    char shown[INPUT_MAX_PATH_BYTES];

    (void)utf8_copy_for_terminal(shown, sizeof(shown), input->file, strlen(input->file));
    if (input->state == INPUT_UNUSABLE) {
        (void)fprintf(stderr, "eddy-analyzer report: cannot use '%s': %s\n", shown, input->problem);
    } else {
        (void)fprintf(stderr,
                      "eddy-analyzer report: '%s' at offset %llu: %s; %llu bytes are not used\n",
                      shown, (unsigned long long)input->problem_offset_bytes, input->problem,
                      (unsigned long long)input->skipped_bytes);
    }
}

/* Returns how many are faulty. */
static size_t complain_all(const struct report *report)
{
    size_t faulty = 0;
    size_t damaged = 0;

    for (size_t i = 0; i < report->input_count; i++) {
        if (!is_faulty(&report->inputs[i])) {
            continue;
        }
        damaged += report->inputs[i].state != INPUT_UNUSABLE;
        if (faulty++ < MOST_COMPLAINTS) {
            complain(&report->inputs[i]);
        }
    }
    if (faulty > MOST_COMPLAINTS) {
        (void)fprintf(stderr, "eddy-analyzer report: and %zu more such files\n",
                      faulty - MOST_COMPLAINTS);
    }
    if (damaged > 0) {
        (void)fputs(
            "eddy-analyzer report: what is good in them is in the report; a good copy given "
            "beside them makes up for the rest; 'eddy-analyzer verify' says more\n",
            stderr);
    }
    return faulty;
}

/* --- The whole --- */

static int refuse(const struct report_command *command, int r)
{
    switch (r) {
    case -ENODATA:
        (void)fputs("eddy-analyzer report: none of the files could be used; no report was made\n",
                    stderr);
        return EXIT_STATUS_NO_INPUT;
    case -E2BIG:
        (void)fprintf(stderr,
                      "eddy-analyzer report: %llu MiB of memory do not suffice for these files: "
                      "raise --memory, or report on fewer files at a time\n",
                      (unsigned long long)(command->request.memory_bytes / MIB));
        return EXIT_STATUS_LIMIT;
    default:
        (void)fprintf(stderr, "eddy-analyzer report: %s\n", strerror(-r));
        return EXIT_STATUS_INTERNAL;
    }
}

static int make_and_write(struct report_command *command, size_t left_out)
{
    struct progress_bar bar = progress_bar_make(!command->is_quiet);
    struct report report = {0};

    command->request.tell_progress = progress_bar_draw;
    command->request.listener = &bar;

    int r = report_run(&command->request, &report);

    progress_bar_clear(&bar);

    size_t faulty = r == 0 || r == -ENODATA ? complain_all(&report) : 0;
    int status = r < 0 ? refuse(command, r) : write_all(command, &report);

    report_release(&report);
    return status == EXIT_STATUS_OK && faulty + left_out > 0 ? EXIT_STATUS_DAMAGED_INPUT : status;
}

static int report_files(struct report_command *command, size_t argument_count,
                        char *const *arguments)
{
    struct input_paths inputs = {0};
    int left_out = input_paths_add_all(&inputs, "report", argument_count, arguments);
    int status;

    command->request.inputs = &inputs;
    if (left_out < 0) {
        status = refuse(command, left_out);
    } else if (inputs.count == 0) {
        status = refuse(command, -ENODATA);
    } else {
        status = make_and_write(command, (size_t)left_out);
    }
    input_paths_release(&inputs);
    command->request.inputs = NULL;
    return status;
}

int command_report(int argc, char **argv)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    struct report_command command = {
        .request = {.jobs = online > 0 ? (size_t)online : 1,
                    .memory_bytes = DEFAULT_MEMORY_BYTES,
                    .slowest_limit = DEFAULT_SLOWEST},
    };
    int status = read_options(&command, argc, argv);

    if (status == EXIT_STATUS_OK && command.is_help) {
        (void)fputs(usage_text, stdout);
    } else {
        status = status != EXIT_STATUS_OK ? status : check_options(&command, argc);
        status = status != EXIT_STATUS_OK ? status : check_output(command.json_path);
        status = status != EXIT_STATUS_OK ? status : check_output(command.markdown_path);
        status = status != EXIT_STATUS_OK
                     ? status
                     : report_files(&command, (size_t)(argc - optind), argv + optind);
    }
    free((void *)command.redacted_keys);
    return status;
}
