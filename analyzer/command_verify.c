/*
 * eddy-analyzer verify: is every byte of these trace files what it should be?
 */
#include "commands.h"

#include "input_paths.h"
#include "text_format.h"
#include "trace_check.h"
#include "utf8.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

enum { DETAIL_BYTES = 512 };

static const char usage_text[] =
    "usage: eddy-analyzer verify [--quiet] FILE|DIR...\n"
    "\n"
    "Reads every frame of the trace files and says for each, on one line, whether it is whole.\n"
    "Files that are being written are fine. '-' reads a list of files from stdin.\n"
    "\n"
    "  --quiet  only lines of files that are not whole\n"
    "\n"
    "Exit status: 0 all are whole, 3 some are damaged or cut off, 4 none could be used.\n";

struct verify_command {
    struct input_paths inputs;
    bool is_quiet;
    bool is_help;
    size_t faulty_count;
    size_t usable_count;
};

static const char *verdict_word(enum check_verdict verdict)
{
    switch (verdict) {
    case CHECK_GOOD:
        return "ok";
    case CHECK_OPEN:
        return "open";
    case CHECK_CUT_OFF:
        return "cut off";
    case CHECK_DAMAGED:
        return "damaged";
    case CHECK_INCONSISTENT:
        return "inconsistent";
    case CHECK_NEWER:
        return "newer";
    case CHECK_NO_TRACE:
        return "no trace";
    case CHECK_UNREADABLE:
        return "unreadable";
    }
    return "";
}

/* "3 batches, 12,345 operations, 20 samples, 1 mark" */
static void describe_content(char ret_text[static DETAIL_BYTES], const struct trace_check *check)
{
    char batches[TEXT_BYTES];
    char operations[TEXT_BYTES];
    char samples[TEXT_BYTES];
    char marks[TEXT_BYTES];
    char long_runs[TEXT_BYTES];
    int used = snprintf(
        ret_text, DETAIL_BYTES, "%s batches, %s operations, %s samples, %s marks",
        text_count(batches, check->batches), text_count(operations, check->rows.operations),
        text_count(samples, check->rows.samples), text_count(marks, check->rows.marks));

    if (check->rows.long_runs > 0) {
        used += snprintf(ret_text + used, DETAIL_BYTES - (size_t)used, ", %s long runs",
                         text_count(long_runs, check->rows.long_runs));
    }
    if (check->missing_batches > 0) {
        (void)snprintf(ret_text + used, DETAIL_BYTES - (size_t)used, "; %s batches never arrived",
                       text_count(batches, check->missing_batches));
    }
}

/* What a user must know about a file that is not whole. */
static void describe_problem(char ret_text[static DETAIL_BYTES], const struct trace_check *check)
{
    char content[DETAIL_BYTES];
    char offset[TEXT_BYTES];
    char skipped[TEXT_BYTES];

    describe_content(content, check);
    (void)text_count(offset, check->problem_offset_bytes);
    (void)text_count(skipped, check->skipped_bytes);
    switch (check->verdict) {
    case CHECK_OPEN:
        (void)snprintf(ret_text, DETAIL_BYTES,
                       "no End: still being written, or its writer was killed; %.200s", content);
        break;
    case CHECK_CUT_OFF:
        (void)snprintf(
            ret_text, DETAIL_BYTES,
            "the last %s bytes, from offset %s, are not a whole frame; before them %.200s", skipped,
            offset, content);
        break;
    case CHECK_UNREADABLE:
        (void)snprintf(ret_text, DETAIL_BYTES, "%s", strerror(-check->error));
        break;
    case CHECK_NO_TRACE:
        (void)snprintf(ret_text, DETAIL_BYTES, "%s",
                       check->file_bytes == 0 ? "the file is empty"
                                              : "not a trace file: it holds no packet");
        break;
    default:
        (void)snprintf(ret_text, DETAIL_BYTES,
                       "at offset %s: %.120s; %s bytes skipped in all; good are %.160s", offset,
                       check->problem, skipped, content);
    }
}

static void tell(const struct verify_command *command, const char *path,
                 const struct trace_check *check)
{
    char shown[INPUT_MAX_PATH_BYTES];
    char detail[DETAIL_BYTES];

    if (check->verdict == CHECK_GOOD) {
        describe_content(detail, check);
    } else {
        describe_problem(detail, check);
    }
    (void)utf8_copy_for_terminal(shown, sizeof(shown), path, strlen(path));
    if (!command->is_quiet || check->verdict > CHECK_OPEN) {
        (void)printf("%-12s  %s: %s\n", verdict_word(check->verdict), shown, detail);
    }
}

static int verify_one(struct verify_command *command, const char *path)
{
    struct trace_check check;
    int r = trace_check_file(path, &check);

    if (r < 0) {
        (void)fprintf(stderr, "eddy-analyzer verify: %s\n", strerror(-r));
        return EXIT_STATUS_INTERNAL;
    }
    tell(command, path, &check);
    command->faulty_count += check.verdict > CHECK_OPEN;
    command->usable_count += check.verdict < CHECK_NO_TRACE;
    return EXIT_STATUS_OK;
}

static int verify_all(struct verify_command *command, size_t argument_count, char *const *arguments)
{
    int left_out = input_paths_add_all(&command->inputs, "verify", argument_count, arguments);

    if (left_out < 0) {
        (void)fprintf(stderr, "eddy-analyzer verify: %s\n", strerror(-left_out));
        return EXIT_STATUS_INTERNAL;
    }
    for (size_t i = 0; i < command->inputs.count; i++) {
        int status = verify_one(command, command->inputs.paths[i]);

        if (status != EXIT_STATUS_OK) {
            return status;
        }
    }
    if (fflush(stdout) != 0) {
        return EXIT_STATUS_OUTPUT_FAILED;
    }
    if (command->usable_count == 0) {
        return EXIT_STATUS_NO_INPUT;
    }
    return command->faulty_count > 0 || left_out > 0 ? EXIT_STATUS_DAMAGED_INPUT : EXIT_STATUS_OK;
}

static int read_options(struct verify_command *command, int argc, char **argv)
{
    static const struct option options[] = {
        {"quiet", no_argument, NULL, 'q'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == '?') {
            return EXIT_STATUS_USAGE; /* getopt_long() has said why */
        }
        command->is_quiet |= option == 'q';
        command->is_help |= option == 'h';
    }
    return EXIT_STATUS_OK;
}

int command_verify(int argc, char **argv)
{
    struct verify_command command = {0};
    int status = read_options(&command, argc, argv);

    if (status != EXIT_STATUS_OK) {
        return status;
    }
    if (command.is_help) {
        (void)fputs(usage_text, stdout);
        return EXIT_STATUS_OK;
    }
    if (optind == argc) {
        (void)fputs("eddy-analyzer verify: which files? Try 'eddy-analyzer verify --help'.\n",
                    stderr);
        return EXIT_STATUS_USAGE;
    }
    status = verify_all(&command, (size_t)(argc - optind), argv + optind);
    input_paths_release(&command.inputs);
    return status;
}
