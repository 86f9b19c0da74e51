#include "clocks.h"
#include "collector.h"
#include "daemon_commands.h"
#include "run_options.h"
#include "service_notify.h"
#include "signal_source.h"
#include "stats.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static const char help[] =
    "usage: eddy-collector run [OPTION]...\n"
    "\n"
    "Serves the programs of this machine that are linked with libeddy: takes what they record over "
    "a\n"
    "socket and streams it to trace files. Runs until SIGTERM; SIGHUP reads the configuration "
    "again.\n"
    "\n"
    "  --config FILE    default " CONFIG_DEFAULT_FILE ", if it exists\n"
    "  --socket PATH    where programs connect (default: EDDY_SOCKET, else\n"
    "                   $XDG_RUNTIME_DIR/eddy.sock, else /run/eddy/collector.sock)\n"
    "  --output DIR     folder of the trace files (default " CONFIG_DEFAULT_OUTPUT ")\n"
    "  --set KEY=VALUE  overrides the configuration, as in --set Rotate.Size=64M\n"
    "\n"
    "  mkdir traces && eddy-collector run --socket /tmp/eddy.sock --output traces\n"
    "  EDDY_SOCKET=/tmp/eddy.sock ./program\n"
    "  eddy-collector stats --socket /tmp/eddy.sock\n"
    "\n"
    "'eddy-collector check-config --show' lists all settings. Exit status: 0 ended by a signal,\n"
    "1 failed, 2 used wrongly.\n";

struct daemon_run {
    struct run_options options;
    struct daemon_log log;
    struct service_notify notify;
    struct signal_source signals;
    struct collector collector;
    bool must_stop;
    bool must_reload;
};

/* Returns 0, or the exit status plus one if the program is to end. */
static int read_options(int argc, char **argv, struct run_options *options)
{
    static const struct option long_options[] = {
        {"config", required_argument, NULL, 'c'}, {"socket", required_argument, NULL, 's'},
        {"output", required_argument, NULL, 'o'}, {"set", required_argument, NULL, 'S'},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0},
    };
    int option;

    while ((option = getopt_long(argc, argv, "c:s:o:h", long_options, NULL)) != -1) {
        if (option == 'h') {
            (void)fputs(help, stdout);
            return 1 + EXIT_OK;
        }
        if (run_options_take(options, option, optarg) < 0) {
            return 1 + command_refuse_usage(argv[0]);
        }
    }
    if (optind < argc) {
        (void)fprintf(stderr, "%s: unexpected argument '%s'\n", argv[0], argv[optind]);
        return 1 + command_refuse_usage(argv[0]);
    }
    return 0;
}

static void handle_signal(void *context, int signal, bool is_from_kernel)
{
    struct daemon_run *run = context;

    (void)is_from_kernel;
    if (signal == SIGHUP) {
        run->must_reload = true;
    } else {
        run->must_stop = true;
    }
}

static void reload(struct daemon_run *run)
{
    struct collector_config config;
    char error[CONFIG_ERROR_MAX_BYTES];
    char text[96];

    run->must_reload = false;
    (void)snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%llu",
                   (unsigned long long)(clock_monotonic_ns() / NS_PER_US));
    notify_send(&run->notify, text);
    if (run_options_load(&run->options, &config, error) < 0) {
        log_line(&run->log, LOG_LEVEL_ERROR, "the configuration stays as it is: %s", error);
    } else {
        collector_reconfigure(&run->collector, &config);
        log_line(&run->log, LOG_LEVEL_NOTICE, "the configuration was read again");
    }
    notify_send(&run->notify, "READY=1");
}

static void tell_watchdog(void *context)
{
    struct daemon_run *run = context;

    notify_watchdog(&run->notify, clock_monotonic_ns());
}

static void tell_readiness(struct daemon_run *run)
{
    const struct collector *collector = &run->collector;

    log_line(&run->log, LOG_LEVEL_NOTICE, "listens on %s, writes to %s, serves up to %zu programs",
             collector->listener.path == NULL ? "the socket of the service manager"
                                              : collector->listener.path,
             collector->config.output_path, collector->connection_limit);
    notify_send(&run->notify, "READY=1\nSTATUS=Recording");
}

static int serve(struct daemon_run *run)
{
    uint64_t round_ns = run->notify.watchdog_ns == 0 ? UINT64_MAX : run->notify.watchdog_ns;
    int r = 0;

    tell_readiness(run);
    while (!run->must_stop && r == 0) {
        r = collector_step(&run->collector, round_ns);
        tell_watchdog(run);
        if (run->must_reload) {
            reload(run);
        }
    }
    if (r < 0) {
        log_line(&run->log, LOG_LEVEL_ERROR, "cannot wait for events: %s", strerror(-r));
    }
    notify_send(&run->notify, "STOPPING=1\nSTATUS=Writing what has arrived");
    collector_drain(&run->collector, tell_watchdog, run);
    uint64_t records = stats_records(&run->collector.disk.stored);
    log_line(&run->log, LOG_LEVEL_NOTICE, "stopped: %llu records stored in %llu trace files",
             (unsigned long long)records, (unsigned long long)run->collector.disk.parts_closed);
    if (run->collector.disk.sessions_untold > 0) {
        log_line(&run->log, LOG_LEVEL_WARNING,
                 "records of %llu programs were lost, and no trace file could tell of it",
                 (unsigned long long)run->collector.disk.sessions_untold);
    }
    return r < 0 ? EXIT_FAILED : EXIT_OK;
}

static int open_and_serve(struct daemon_run *run)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP, 0};
    char error[COLLECTOR_ERROR_MAX_BYTES];
    struct collector_config config;

    if (run_options_load(&run->options, &config, error) < 0) {
        return command_fail("%s", error);
    }
    int r = signal_source_open(&run->signals, signals, handle_signal, run);
    if (r < 0) {
        return command_fail("cannot take signals: %s", strerror(-r));
    }
    if (collector_open(&run->collector, &config, COLLECTOR_SERVICE, &run->log, error) < 0) {
        return command_fail("%s", error);
    }
    int status = EXIT_FAILED;
    if (signal_source_watch(&run->signals, &run->collector.loop) == 0) {
        status = serve(run);
    } else {
        run->must_stop = true;
        (void)serve(run);
    }
    collector_release(&run->collector);
    return status;
}

int command_run(int argc, char **argv)
{
    AUTO_FREE struct daemon_run *run = calloc(1, sizeof(*run));

    if (run == NULL) {
        return command_fail("out of memory");
    }
    int done = read_options(argc, argv, &run->options);
    if (done != 0) {
        return done - 1;
    }
    /* A closed stderr and a file size limit are told by what write() returns. */
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
    run->signals.fd = -1;
    log_init(&run->log);
    notify_open(&run->notify);
    int status = open_and_serve(run);
    signal_source_release(&run->signals);
    notify_release(&run->notify);
    return status;
}
