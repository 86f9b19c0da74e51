#include "record_summary.h"

#include "stats.h"
#include "utf8.h"

#include <stdio.h>
#include <string.h>

enum { PATH_SHOWN_BYTES = 4 * CONFIG_PATH_MAX_BYTES, SIZE_TEXT_BYTES = 32, NAME_WIDTH = 50 };

static const char *size_text(char ret_text[static SIZE_TEXT_BYTES], uint64_t bytes)
{
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double value = (double)bytes;
    size_t unit = 0;

    while (value >= 1024 && unit + 1 < ARRAY_SIZE(units)) {
        value /= 1024;
        unit++;
    }
    (void)snprintf(ret_text, SIZE_TEXT_BYTES, unit == 0 ? "%.0f %s" : "%.1f %s", value,
                   units[unit]);
    return ret_text;
}

/* The path as a shell reads it. */
static const char *shell_text(char ret_text[static PATH_SHOWN_BYTES], const char *path)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-+,:@";
    size_t used = 0;

    if (path[strspn(path, plain)] == '\0' && path[0] != '-') {
        (void)snprintf(ret_text, PATH_SHOWN_BYTES, "%s", path);
        return ret_text;
    }
    used += (size_t)snprintf(ret_text, PATH_SHOWN_BYTES, "'");
    for (; *path != '\0' && used < PATH_SHOWN_BYTES - 8; path++) {
        used += (size_t)snprintf(ret_text + used, PATH_SHOWN_BYTES - used, "%s%c",
                                 *path == '\'' ? "'\\'" : "", *path);
    }
    (void)snprintf(ret_text + used, PATH_SHOWN_BYTES - used, "'");
    return ret_text;
}

static void print_session(const struct client_session *session)
{
    const struct session_progress *known = &session->known;
    char size[SIZE_TEXT_BYTES];
    char parts[48] = "";

    if (session->output.next_part > 1) {
        (void)snprintf(parts, sizeof(parts), "  (the last of %u parts)", session->output.next_part);
    }
    (void)fprintf(stderr, "  %-*s  %12llu records  %10s%s\n", NAME_WIDTH, session->output.last_name,
                  (unsigned long long)stats_records(&known->stored),
                  size_text(size, known->bytes_written), parts);
}

static void print_losses(const struct collector *collector)
{
    for (unsigned int i = 0; i < LOSS_CAUSE_COUNT; i++) {
        uint64_t records = stats_records(&collector->disk.lost[i]);

        if (records > 0) {
            (void)fprintf(stderr, "eddy-collector: %llu records were lost (%s): %s\n",
                          (unsigned long long)records, loss_cause_name((enum loss_cause)i),
                          loss_cause_advice((enum loss_cause)i));
        }
    }
    if (collector->disk.sync_errors > 0) {
        (void)fprintf(stderr, "eddy-collector: %llu frames may be missing: the disk failed\n",
                      (unsigned long long)collector->disk.frames_suspect);
    }
}

static void explain_nothing(const char *command)
{
    char name[256];

    (void)utf8_copy_for_terminal(name, sizeof(name), command, strlen(command));
    (void)fprintf(stderr,
                  "eddy-collector: '%s' recorded nothing. Is it linked with libeddy, and does it "
                  "call eddy_begin()? EDDY_DEBUG=1 makes libeddy say what it does.\n",
                  name);
}

void record_summary_print(struct collector *collector, const char *command)
{
    char text[PATH_SHOWN_BYTES];
    char shown[PATH_SHOWN_BYTES];
    struct stats_sessions list;
    size_t processes = 0;
    size_t files = 0;

    if (stats_list_sessions(collector, SIZE_MAX, &list) < 0) {
        return;
    }
    for (size_t i = 0; i < list.count; i++) {
        files += list.sessions[i]->output.next_part > 0;
        processes +=
            list.sessions[i]->kind == SOURCE_PROCESS && list.sessions[i]->output.next_part > 0;
    }
    (void)shell_text(text, collector->config.output_path);
    (void)utf8_copy_for_terminal(shown, sizeof(shown), text, strlen(text));
    if (files > 0) {
        (void)fprintf(stderr, "eddy-collector: written to %s:\n", shown);
    }
    for (size_t i = 0; i < list.count; i++) {
        if (list.sessions[i]->output.next_part > 0) {
            print_session(list.sessions[i]);
        }
    }
    print_losses(collector);
    if (processes == 0) {
        explain_nothing(command);
    } else {
        (void)fprintf(stderr, "next: eddy-analyzer report %s\n", shown);
    }
    free(list.sessions);
}
