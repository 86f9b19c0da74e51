#include "clocks.h"
#include "collector.h"
#include "daemon_commands.h"
#include "record_summary.h"
#include "run_options.h"
#include "signal_source.h"

#include <errno.h>
#include <getopt.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <sys/wait.h>

#define DEFAULT_OUTPUT "eddy-traces"

static const char help[] =
    "usage: eddy-collector record [-o DIR] [--set KEY=VALUE]... [--] PROGRAM [ARGUMENT]...\n"
    "\n"
    "Runs a program, which must be linked with libeddy, with a collector of its own, and exits "
    "with\n"
    "the program's status (128 + number if a signal ended it; 127 if there is no such program, "
    "126\n"
    "if it cannot be run).\n"
    "\n"
    "  -o, --output DIR  folder of the trace files (default " DEFAULT_OUTPUT
    "); created if missing\n"
    "  --set KEY=VALUE   changes a setting of the collector, as in --set Machine.Sample=no\n"
    "\n"
    "  eddy-collector record -o traces -- ./server --port 8080\n"
    "  eddy-analyzer report traces\n"
    "\n"
    "Exit status if the recording cannot even begin: 1, or 2 if used wrongly.\n";

enum {
    STATUS_NOT_RUNNABLE = 126,
    STATUS_NOT_FOUND = 127,
    STATUS_OF_SIGNALS = 128,
};

/* So long the other processes that the program started may take to send their last frames. */
#define GRACE_NS (2 * NS_PER_S)
#define ROUND_NS (50 * NS_PER_MS)

struct recording {
    struct run_options options;
    char **command;
    struct daemon_log log;
    struct signal_source signals;
    sigset_t to_default; /* signals ignored here, which the caller did not ignore */
    struct collector collector;
    char folder[sizeof(((struct sockaddr_un *)NULL)->sun_path)]; /* "" until it exists */
    pid_t child;
    bool has_ended; /* the child */
    bool must_stop; /* somebody does not want to wait for the rest */
    int status;
};

/* Returns 0, or the exit status plus one if the program is to end. */
static int read_options(int argc, char **argv, struct recording *recording)
{
    static const struct option long_options[] = {
        {"output", required_argument, NULL, 'o'},
        {"set", required_argument, NULL, 'S'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int option;

    recording->options.output_path = DEFAULT_OUTPUT;
    while ((option = getopt_long(argc, argv, "+o:h", long_options, NULL)) != -1) {
        if (option == 'h') {
            (void)fputs(help, stdout);
            return 1 + EXIT_OK;
        }
        if (run_options_take(&recording->options, option, optarg) < 0) {
            return 1 + command_refuse_usage(argv[0]);
        }
    }
    if (optind == argc) {
        (void)fprintf(stderr, "%s: no program to record\n", argv[0]);
        return 1 + command_refuse_usage(argv[0]);
    }
    recording->command = argv + optind;
    return 0;
}

/* --- Its collector --- */

static int make_socket_folder(struct recording *recording)
{
    const char *base = getenv("TMPDIR");
    size_t room = sizeof(recording->folder) - strlen("/eddy.sock");

    for (int attempt = 0; attempt < 2; attempt++) {
        int length = snprintf(recording->folder, room, "%s/eddy-record.XXXXXX",
                              base != NULL && base[0] == '/' ? base : "/tmp");

        if (length > 0 && (size_t)length < room && mkdtemp(recording->folder) != NULL) {
            return 0;
        }
        base = "/tmp"; /* What TMPDIR says may be too long for a socket. */
    }
    recording->folder[0] = '\0';
    return command_fail("cannot create a folder for the socket in /tmp: %s", strerror(errno));
}

/* A private collector deletes nothing: what else lies in the folder is not its own. */
static int make_config(const struct recording *recording, struct collector_config *ret_config,
                       char *ret_error)
{
    struct run_options options = recording->options;
    char socket_path[sizeof(recording->folder)];
    struct collector_config defaults;

    (void)snprintf(socket_path, sizeof(socket_path), "%.*s/eddy.sock",
                   (int)(sizeof(socket_path) - sizeof("/eddy.sock")), recording->folder);
    options.socket_path = socket_path;
    options.config_path = "/dev/null";
    int r = run_options_load(&options, ret_config, ret_error);
    if (r < 0) {
        return r;
    }
    config_init(&defaults);
    if (ret_config->folder.max_total_bytes == defaults.folder.max_total_bytes) {
        ret_config->folder.max_total_bytes = 0;
    }
    if (ret_config->folder.keep_free_bytes == defaults.folder.keep_free_bytes) {
        ret_config->folder.keep_free_bytes = 64 * MIB;
    }
    ret_config->folder.max_age_ns = 0;
    ret_config->folder.may_delete = false;
    ret_config->socket_mode = 0600;
    ret_config->socket_group[0] = '\0';
    return 0;
}

static int open_collector(struct recording *recording)
{
    char error[COLLECTOR_ERROR_MAX_BYTES];
    struct collector_config config;

    if (make_config(recording, &config, error) < 0) {
        return command_fail("%s", error);
    }
    /* Before there is a second thread. */
    if (setenv("EDDY_SOCKET", config.socket_path, 1) < 0) {
        return command_fail("cannot change the environment: %s", strerror(errno));
    }
    if (collector_open(&recording->collector, &config, COLLECTOR_PRIVATE, &recording->log, error) <
        0) {
        return command_fail("%s", error);
    }
    return EXIT_OK;
}

/* --- Its program --- */

/* Signals the child as the caller would have: those that the terminal sent to both it has already. */
static void handle_signal(void *context, int signal, bool is_from_kernel)
{
    struct recording *recording = context;
    int status;

    if (signal == SIGCHLD) {
        /* Its own child only: another's, inherited over exec(), is not to be waited for. */
        if (!recording->has_ended &&
            waitpid(recording->child, &status, WNOHANG) == recording->child) {
            recording->has_ended = true;
            recording->status =
                WIFSIGNALED(status) ? STATUS_OF_SIGNALS + WTERMSIG(status) : WEXITSTATUS(status);
        }
    } else if (recording->has_ended) {
        recording->must_stop = true;
    } else if (!is_from_kernel) {
        (void)kill(recording->child, signal);
    }
}

static int spawn_with(struct recording *recording, posix_spawnattr_t *attributes)
{
    int error = posix_spawnattr_setsigdefault(attributes, &recording->to_default);
    error = error != 0 ? error
                       : posix_spawnattr_setsigmask(attributes, &recording->signals.former_mask);
    error = error != 0 ? error
                       : posix_spawnattr_setflags(attributes,
                                                  POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    return error != 0 ? error
                      : posix_spawnp(&recording->child, recording->command[0], NULL, attributes,
                                     recording->command, environ);
}

static int start_program(struct recording *recording)
{
    posix_spawnattr_t attributes;

    int error = posix_spawnattr_init(&attributes);
    if (error == 0) {
        error = spawn_with(recording, &attributes);
        (void)posix_spawnattr_destroy(&attributes);
    }
    if (error != 0) {
        (void)command_fail("cannot run '%s': %s", recording->command[0], strerror(error));
        return error == ENOENT ? STATUS_NOT_FOUND : STATUS_NOT_RUNNABLE;
    }
    return 0;
}

static void ignore_wait(void *context)
{
    (void)context;
}

/* Until the program has ended, and then until all that it started have left, or their time is up. */
static void serve(struct recording *recording)
{
    struct collector *collector = &recording->collector;
    uint64_t grace_until_ns = 0;

    while (!recording->must_stop && collector_step(collector, ROUND_NS) == 0) {
        uint64_t now_ns = clock_monotonic_ns();

        if (!recording->has_ended) {
            continue;
        }
        if (grace_until_ns == 0) {
            grace_until_ns = now_ns + GRACE_NS;
        } else if (collector->connections.count == 0 || now_ns >= grace_until_ns) {
            return;
        }
    }
}

static int record(struct recording *recording)
{
    int status = EXIT_FAILED;

    int r = signal_source_watch(&recording->signals, &recording->collector.loop);
    if (r < 0) {
        (void)command_fail("cannot take signals: %s", strerror(-r));
    } else {
        status = start_program(recording);
        if (status == 0) {
            serve(recording);
        }
    }
    if (recording->child == 0) {
        /* Nothing ran, so nobody wants to know how the machine was meanwhile. */
        machine_session_release(&recording->collector.machine);
    }
    collector_drain(&recording->collector, ignore_wait, NULL);
    if (recording->child > 0) {
        record_summary_print(&recording->collector, recording->command[0]);
        status = recording->status;
    }
    collector_release(&recording->collector);
    return status;
}

static void ignore_signal(struct recording *recording, int number)
{
    if (signal(number, SIG_IGN) != SIG_IGN) {
        (void)sigaddset(&recording->to_default, number);
    }
}

static int prepare_and_record(struct recording *recording)
{
    static const int signals[] = {SIGCHLD, SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, 0};

    /* Whoever started this may have ignored it, and then nobody would hear of the child's end. */
    (void)signal(SIGCHLD, SIG_DFL);
    (void)sigemptyset(&recording->to_default);
    ignore_signal(recording, SIGPIPE);
    ignore_signal(recording, SIGXFSZ);
    int r = signal_source_open(&recording->signals, signals, handle_signal, recording);
    if (r < 0) {
        return command_fail("cannot take signals: %s", strerror(-r));
    }
    int status = make_socket_folder(recording);
    status = status != EXIT_OK ? status : open_collector(recording);
    return status != EXIT_OK ? status : record(recording);
}

int command_record(int argc, char **argv)
{
    AUTO_FREE struct recording *recording = calloc(1, sizeof(*recording));

    if (recording == NULL) {
        return command_fail("out of memory");
    }
    int done = read_options(argc, argv, recording);
    if (done != 0) {
        return done - 1;
    }
    recording->signals.fd = -1;
    log_init(&recording->log);
    int status = prepare_and_record(recording);
    signal_source_release(&recording->signals);
    if (recording->folder[0] != '\0') {
        (void)rmdir(recording->folder);
    }
    return status;
}
