/*
 * eddy-analyzer import: foreign data in CSV files to trace files.
 */
#include "commands.h"

#include "import_parts.h"
#include "import_plan.h"
#include "import_rows.h"
#include "utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum {
    FOLDER_MODE = 0750,
    SHOWN_BYTES = 512,
};

/* What became of one source. */
struct imported {
    struct import_facts facts; /* owned */
    uint8_t session[SESSION_ID_BYTES];
    uint32_t file_count;
};

struct import_command {
    struct import_plan plan;
    struct imported *imported; /* owned; one per source */
    const char *folder;
    bool is_quiet;
    bool is_help;
};

static const char usage_text[] =
    "usage: eddy-analyzer import --operations FILE [--samples FILE] ... -o DIR\n"
    "\n"
    "Converts operations and samples in CSV files to trace files, one process per --operations.\n"
    "\n"
    "  --operations FILE  columns name,start_ns,duration_ns and, if there, status,thread;\n"
    "                     status is ok, error, cancelled, timeout or unfinished\n"
    "  --samples FILE     columns name,t_ns,value and, if there, unit; belongs to the\n"
    "                     operations before it\n"
    "  --process NAME     before --operations: the name of their process; else it is the\n"
    "                     file's, without ops_ and .csv\n"
    "  -o, --output DIR   the folder for the trace files; made if missing\n"
    "  --quiet            no messages but errors\n"
    "\n"
    "The first row names the columns, in any order. Times are nanoseconds since 1970 (UTC).\n"
    "If anything is wrong with any file, nothing is written.\n";

static void show(char ret_shown[static SHOWN_BYTES], const char *text)
{
    (void)utf8_copy_for_terminal(ret_shown, SHOWN_BYTES, text, strlen(text));
}

static int usage_error(const char *problem, const char *detail)
{
    char shown[SHOWN_BYTES];

    show(shown, detail);
    (void)fprintf(stderr, "eddy-analyzer import: %s%s\nTry 'eddy-analyzer import --help'.\n",
                  problem, shown);
    return EXIT_STATUS_USAGE;
}

/* Adds one option to the plan. Returns an exit status. */
static int take_option(struct import_command *command, int option, const char *argument)
{
    int r = option == 'p'   ? import_plan_process(&command->plan, argument)
            : option == 'O' ? import_plan_operations(&command->plan, argument)
                            : import_plan_samples(&command->plan, argument);

    if (r == -EINVAL) {
        return usage_error("a process name is 1 to 255 bytes of UTF-8, not ", argument);
    }
    if (r == -E2BIG) {
        return usage_error("more than 4096 processes at once; import them in several runs", "");
    }
    return r < 0 ? EXIT_STATUS_INTERNAL : EXIT_STATUS_OK;
}

static int read_options(struct import_command *command, int argc, char **argv)
{
    static const struct option options[] = {
        {"operations", required_argument, NULL, 'O'},
        {"samples", required_argument, NULL, 's'},
        {"process", required_argument, NULL, 'p'},
        {"output", required_argument, NULL, 'o'},
        {"quiet", no_argument, NULL, 'q'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    int status = EXIT_STATUS_OK;
    int option;

    while (status == EXIT_STATUS_OK &&
           (option = getopt_long(argc, argv, "o:", options, NULL)) != -1) {
        switch (option) {
        case 'o':
            command->folder = optarg;
            break;
        case 'q':
            command->is_quiet = true;
            break;
        case 'h':
            command->is_help = true;
            break;
        case '?':
            status = EXIT_STATUS_USAGE; /* getopt_long() has said why */
            break;
        default:
            status = take_option(command, option, optarg);
        }
    }
    return status;
}

static int check_options(const struct import_command *command, int argc, char **argv)
{
    const struct import_source *empty = import_plan_find_empty(&command->plan);

    if (optind < argc) {
        return usage_error("give files with --operations or --samples: ", argv[optind]);
    }
    if (command->plan.count == 0) {
        return usage_error("nothing to import: give --operations FILE", "");
    }
    if (empty != NULL) {
        return usage_error("neither --operations nor --samples for process ", empty->process);
    }
    if (command->folder == NULL) {
        return usage_error("where to? give -o DIR", "");
    }
    return EXIT_STATUS_OK;
}

static int refuse_input(const char *path, const char *problem)
{
    char shown[SHOWN_BYTES];

    show(shown, path);
    (void)fprintf(stderr, "eddy-analyzer import: %s: %s; nothing was written\n", shown, problem);
    return EXIT_STATUS_NO_INPUT;
}

static const char *any_path(const struct import_source *source)
{
    return source->operations_path != NULL ? source->operations_path : source->samples_path;
}

/* Sessions are named after their content: the same content twice cannot be told apart. */
static int refuse_doubles(const struct import_command *command, size_t last)
{
    for (size_t i = 0; i < last; i++) {
        if (memcmp(command->imported[i].session, command->imported[last].session,
                   SESSION_ID_BYTES) == 0) {
            return refuse_input(any_path(&command->plan.sources[last]),
                                "given twice with the same process name and the same content");
        }
    }
    return EXIT_STATUS_OK;
}

static int scan_all(struct import_command *command)
{
    int status = EXIT_STATUS_OK;

    command->imported = calloc(command->plan.count, sizeof(*command->imported));
    if (command->imported == NULL) {
        return EXIT_STATUS_INTERNAL;
    }
    for (size_t i = 0; status == EXIT_STATUS_OK && i < command->plan.count; i++) {
        struct imported *imported = &command->imported[i];
        struct import_problem problem;

        if (import_scan(&command->plan.sources[i], &imported->facts, &problem) < 0) {
            return refuse_input(problem.path, problem.text);
        }
        content_hash_write(&imported->facts.hash, imported->session);
        status = refuse_doubles(command, i);
    }
    return status;
}

static int refuse_output(const struct import_command *command, int r)
{
    char folder[SHOWN_BYTES];

    show(folder, command->folder);
    (void)fprintf(
        stderr,
        "eddy-analyzer import: cannot write trace files to folder '%s': %s; nothing was kept\n",
        folder, strerror(-r));
    return EXIT_STATUS_OUTPUT_FAILED;
}

/* Opens the output folder, and makes it if it is missing. Returns a descriptor or a negative errno. */
static int open_folder(const char *folder)
{
    if (mkdir(folder, FOLDER_MODE) < 0 && errno != EEXIST) {
        return -errno;
    }

    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    return fd < 0 ? -errno : fd;
}

static int write_one(struct import_command *command, size_t at, int dir_fd)
{
    const struct import_source *source = &command->plan.sources[at];
    struct imported *imported = &command->imported[at];
    struct import_facts *facts = &imported->facts;
    const uint64_t times_ns[2] = {min_u64(facts->first_ns, facts->last_ns), facts->last_ns};
    struct import_parts parts;
    int r = import_parts_open(&parts, dir_fd, source->process, imported->session, times_ns);

    r = r < 0 ? r : import_rows(source, facts, &parts);
    r = r < 0 ? r : import_parts_close(&parts);
    imported->file_count = parts.file_count;
    import_parts_release(&parts);
    return r;
}

static int explain_failure(const struct import_command *command, size_t at, int r)
{
    const struct import_source *source = &command->plan.sources[at];
    char name[TRACE_NAME_MAX_BYTES];
    char folder[SHOWN_BYTES];

    if (r == -ESTALE || r == -EBADMSG) {
        return refuse_input(any_path(source), "the file changed while it was read");
    }
    if (r != -EEXIST) {
        return refuse_output(command, r);
    }
    trace_file_name(name, source->process, 0, command->imported[at].session,
                    command->imported[at].file_count);
    show(folder, command->folder);
    (void)fprintf(stderr,
                  "eddy-analyzer import: '%s/%s' is there already: the same data was imported "
                  "before; nothing "
                  "was written\n",
                  folder, name);
    return EXIT_STATUS_OUTPUT_FAILED;
}

static void remove_all(const struct import_command *command, int dir_fd)
{
    for (size_t i = 0; i < command->plan.count; i++) {
        import_parts_remove(dir_fd, command->plan.sources[i].process, command->imported[i].session,
                            command->imported[i].file_count);
    }
}

static int write_all(struct import_command *command)
{
    AUTO_CLOSE int dir_fd = open_folder(command->folder);

    if (dir_fd < 0) {
        return refuse_output(command, dir_fd);
    }
    for (size_t i = 0; i < command->plan.count; i++) {
        int r = write_one(command, i, dir_fd);

        if (r < 0) {
            remove_all(command, dir_fd);
            return explain_failure(command, i, r);
        }
    }
    return EXIT_STATUS_OK;
}

/* The files written, one a line, on stdout; what they hold on stderr. */
static int tell(const struct import_command *command)
{
    struct import_facts sum = {0};
    char folder[SHOWN_BYTES];

    show(folder, command->folder);
    for (size_t i = 0; i < command->plan.count; i++) {
        const struct imported *imported = &command->imported[i];

        for (uint32_t part = 0; part < imported->file_count; part++) {
            char name[TRACE_NAME_MAX_BYTES];

            trace_file_name(name, command->plan.sources[i].process, 0, imported->session, part);
            (void)printf("%s/%s\n", folder, name);
        }
        sum.operations += imported->facts.operations;
        sum.unfinished += imported->facts.unfinished;
        sum.samples += imported->facts.samples;
    }
    if (!command->is_quiet) {
        (void)fprintf(
            stderr,
            "imported %llu operations, %llu unfinished ones and %llu samples of %zu process%s\n"
            "next: eddy-analyzer report %s\n",
            (unsigned long long)sum.operations, (unsigned long long)sum.unfinished,
            (unsigned long long)sum.samples, command->plan.count,
            command->plan.count == 1 ? "" : "es", folder);
    }
    return fflush(stdout) == 0 ? EXIT_STATUS_OK : EXIT_STATUS_OUTPUT_FAILED;
}

static void release(struct import_command *command)
{
    for (size_t i = 0; command->imported != NULL && i < command->plan.count; i++) {
        import_facts_release(&command->imported[i].facts);
    }
    free(command->imported);
    import_plan_release(&command->plan);
}

int command_import(int argc, char **argv)
{
    struct import_command command = {0};
    int status = read_options(&command, argc, argv);

    if (status == EXIT_STATUS_OK && command.is_help) {
        (void)fputs(usage_text, stdout);
    } else {
        status = status != EXIT_STATUS_OK ? status : check_options(&command, argc, argv);
        status = status != EXIT_STATUS_OK ? status : scan_all(&command);
        status = status != EXIT_STATUS_OK ? status : write_all(&command);
        status = status != EXIT_STATUS_OK ? status : tell(&command);
    }
    release(&command);
    return status;
}
