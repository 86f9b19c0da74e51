#include "daemon_log.h"

#include "clocks.h"
#include "utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define LOG_NAME "eddy-collector"

/* systemd names the stream that it connected to stderr as DEVICE:INODE. */
static bool stderr_is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    struct stat status;
    char expected[64];

    if (stream == NULL || fstat(STDERR_FILENO, &status) < 0) {
        return false;
    }
    (void)snprintf(expected, sizeof(expected), "%llu:%llu", (unsigned long long)status.st_dev,
                   (unsigned long long)status.st_ino);
    return strcmp(stream, expected) == 0;
}

void log_init(struct daemon_log *log)
{
    *log = (struct daemon_log){.fd = STDERR_FILENO, .for_journal = stderr_is_journal()};
}

static void write_line(const struct daemon_log *log, enum log_level level, const char *message,
                       uint64_t held_back)
{
    char text[LOG_LINE_MAX_BYTES];
    char line[LOG_LINE_MAX_BYTES + 128];
    char more[64] = "";
    char prefix[32] = LOG_NAME ": ";

    (void)utf8_copy_for_terminal(text, sizeof(text), message, strlen(message));
    if (log->for_journal) {
        (void)snprintf(prefix, sizeof(prefix), "<%d>", (int)level);
    }
    if (held_back > 0) {
        (void)snprintf(more, sizeof(more), " (and %llu more like this)",
                       (unsigned long long)held_back);
    }
    int length = snprintf(line, sizeof(line), "%s%s%s\n", prefix, text, more);
    /* Nobody could be told that stderr does not work. */
    ssize_t ignored = write(log->fd, line, min_u64((uint64_t)length, sizeof(line) - 1));
    (void)ignored;
}

void log_line(const struct daemon_log *log, enum log_level level, const char *format, ...)
{
    char message[LOG_LINE_MAX_BYTES];
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    write_line(log, level, message, 0);
}

void log_limited(struct daemon_log *log, enum log_level level, unsigned int cause,
                 const char *format, ...)
{
    struct log_cause *limit = &log->causes[cause % LOG_CAUSE_COUNT];
    uint64_t now_ns = clock_monotonic_ns();
    char message[LOG_LINE_MAX_BYTES];
    va_list arguments;

    if (limit->last_ns != 0 && now_ns - limit->last_ns < LOG_INTERVAL_NS) {
        limit->held_back++;
        return;
    }
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    write_line(log, level, message, limit->held_back);
    *limit = (struct log_cause){.last_ns = now_ns};
}
