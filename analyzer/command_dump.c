/*
 * eddy-analyzer dump: the records of trace files as text for other programs.
 */
#include "commands.h"

#include "batch_decode.h"
#include "dump_csv.h"
#include "dump_json.h"
#include "input_paths.h"
#include "packet_walk.h"
#include "utf8.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char usage_text[] =
    "usage: eddy-analyzer dump [--json|--csv] FILE|DIR...\n"
    "\n"
    "Writes the records of trace files to stdout, file by file. '-' reads a list of files from "
    "stdin.\n"
    "\n"
    "  --json  one object a line for each operation, sample, mark, open operation, loss,\n"
    "          source and end (default); all times are strings of nanoseconds\n"
    "  --csv   finished operations; the first five columns are those of 'import'\n";

enum { OUTPUT_BUFFER_BYTES = 1 << 20 };

struct dump_command {
    struct input_paths inputs;
    bool is_csv;
    bool is_help;
    struct batch_decoder *decoder; /* owned */
    struct batch batch;
    struct source source; /* of the file; of its strings only the executable is kept */
    char executable[NAME_MAX_BYTES + 1];
    const char *path; /* borrowed; of the file being read */
    size_t usable_count;
    size_t fault_count;
};

static void say_fault(struct dump_command *command, uint64_t offset_bytes, uint64_t size_bytes,
                      const char *what)
{
    char shown[INPUT_MAX_PATH_BYTES];

    (void)utf8_copy_for_terminal(shown, sizeof(shown), command->path, strlen(command->path));
    (void)fprintf(stderr, "eddy-analyzer dump: %s: %s at offset %llu; %llu bytes skipped\n", shown,
                  what, (unsigned long long)offset_bytes, (unsigned long long)size_bytes);
    command->fault_count++;
}

/* Texts of a Source live until the next packet is read: what the CSV needs of it is copied. */
static void keep_source(struct dump_command *command, const struct source *source)
{
    command->source = *source;
    (void)utf8_copy(command->executable, sizeof(command->executable), source->executable,
                    strlen(source->executable), NULL);
    command->source.executable = command->executable;
}

static int dump_packet(struct dump_command *command, const struct walk_item *item)
{
    struct packet_arena *arena = batch_decoder_arena(command->decoder);
    struct source source;
    struct end end;
    int r = 0;

    switch (item->packet) {
    case PACKET_SOURCE:
        r = packet_read_source(arena, item->plain, &source);
        if (r == 0) {
            keep_source(command, &source);
            if (!command->is_csv) {
                dump_json_source(stdout, &source);
            }
        }
        break;
    case PACKET_BATCH:
        r = batch_decode(command->decoder, item->plain, &command->batch);
        if (r == 0 && command->is_csv) {
            dump_csv_batch(stdout, &command->source, &command->batch);
        } else if (r == 0) {
            dump_json_batch(stdout, &command->batch);
        }
        break;
    case PACKET_END:
        r = packet_read_end(arena, item->plain, &end);
        if (r == 0 && !command->is_csv) {
            dump_json_end(stdout, &end);
        }
        break;
    }
    return r;
}

/* Returns a negative errno for what ends the dump of this file. */
static int dump_item(struct dump_command *command, struct packet_walk *walk,
                     const struct walk_item *item)
{
    int r = 0;

    switch (item->kind) {
    case WALK_PACKET:
        r = dump_packet(command, item);
        break;
    case WALK_NEWER:
        r = -EPROTONOSUPPORT;
        break;
    case WALK_CUT_OFF:
        say_fault(command, item->offset_bytes, item->size_bytes, "cut off");
        break;
    case WALK_DAMAGE:
        say_fault(command, item->offset_bytes, item->size_bytes, "damaged");
        break;
    }
    if (r == -EBADMSG) {
        say_fault(command, item->offset_bytes, item->size_bytes, "damaged packet");
        packet_walk_distrust(walk);
        return 0;
    }
    if (r == -EPROTONOSUPPORT) {
        say_fault(command, item->offset_bytes, item->size_bytes,
                  "packet of a newer format version");
        return 0;
    }
    return r;
}

static int walk_file(struct dump_command *command, struct packet_walk *walk)
{
    size_t packet_count = 0;
    struct walk_item item;
    int r;

    while ((r = packet_walk_next(walk, &item)) == 1 && ferror(stdout) == 0) {
        packet_count += item.kind == WALK_PACKET;
        r = dump_item(command, walk, &item);
        if (r < 0) {
            return r;
        }
    }
    command->usable_count += packet_count > 0;
    return r < 0 ? r : 0;
}

static int dump_file(struct dump_command *command, const char *path)
{
    struct packet_walk walk;
    int r = packet_walk_open(&walk, path);

    command->path = path;
    command->source = (struct source){.executable = ""};
    r = r < 0 ? r : walk_file(command, &walk);
    packet_walk_release(&walk);
    if (r < 0 && r != -ENOMEM) {
        say_fault(command, 0, 0, strerror(-r));
        return 0;
    }
    return r;
}

static int dump_files(struct dump_command *command)
{
    int r = batch_decoder_new(&command->decoder);

    batch_init(&command->batch);
    if (r == 0 && command->is_csv) {
        dump_csv_header(stdout);
    }
    for (size_t i = 0; r == 0 && ferror(stdout) == 0 && i < command->inputs.count; i++) {
        r = dump_file(command, command->inputs.paths[i]);
    }
    batch_release(&command->batch);
    batch_decoder_free(command->decoder);
    return r;
}

/* A reader that has seen enough (head, less) is no failure. */
static int finish_output(void)
{
    int failure = fflush(stdout) != 0 ? errno : ferror(stdout) != 0 ? EIO : 0;

    if (failure == 0 || failure == EPIPE) {
        return EXIT_STATUS_OK;
    }
    (void)fprintf(stderr, "eddy-analyzer dump: cannot write: %s\n", strerror(failure));
    return EXIT_STATUS_OUTPUT_FAILED;
}

static int dump_all(struct dump_command *command, size_t argument_count, char *const *arguments)
{
    int left_out = input_paths_add_all(&command->inputs, "dump", argument_count, arguments);
    int r = left_out < 0 ? left_out : dump_files(command);

    if (r < 0) {
        (void)fprintf(stderr, "eddy-analyzer dump: %s\n", strerror(-r));
        return EXIT_STATUS_INTERNAL;
    }

    int status = finish_output();

    if (status != EXIT_STATUS_OK) {
        return status;
    }
    if (command->usable_count == 0) {
        return EXIT_STATUS_NO_INPUT;
    }
    return command->fault_count > 0 || left_out > 0 ? EXIT_STATUS_DAMAGED_INPUT : EXIT_STATUS_OK;
}

static int read_options(struct dump_command *command, int argc, char **argv)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'},
        {"csv", no_argument, NULL, 'c'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    bool is_json = false;
    int option;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == '?') {
            return EXIT_STATUS_USAGE; /* getopt_long() has said why */
        }
        is_json |= option == 'j';
        command->is_csv |= option == 'c';
        command->is_help |= option == 'h';
    }
    if (is_json && command->is_csv) {
        (void)fputs("eddy-analyzer dump: --json or --csv, not both\n", stderr);
        return EXIT_STATUS_USAGE;
    }
    return EXIT_STATUS_OK;
}

int command_dump(int argc, char **argv)
{
    static char buffer[OUTPUT_BUFFER_BYTES];
    struct dump_command command = {0};
    int status = read_options(&command, argc, argv);

    if (status != EXIT_STATUS_OK) {
        return status;
    }
    if (command.is_help) {
        (void)fputs(usage_text, stdout);
        return EXIT_STATUS_OK;
    }
    if (optind == argc) {
        (void)fputs("eddy-analyzer dump: which files? Try 'eddy-analyzer dump --help'.\n", stderr);
        return EXIT_STATUS_USAGE;
    }
    (void)setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
    status = dump_all(&command, (size_t)(argc - optind), argv + optind);
    input_paths_release(&command.inputs);
    return status;
}
