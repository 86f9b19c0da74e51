/*
 * Messages for whoever runs the collector: one line each on stderr, safe for terminals and logs. Under systemd a line
 * begins with its syslog priority in angle brackets (sd-daemon(3)), elsewhere with the program's name.
 */
#pragma once

#include "base.h"

#include <stdbool.h>

enum log_level {
    LOG_LEVEL_ERROR = 3,
    LOG_LEVEL_WARNING = 4,
    LOG_LEVEL_NOTICE = 5,
    LOG_LEVEL_INFO = 6
};

enum {
    LOG_LINE_MAX_BYTES = 1024,
    LOG_CAUSE_COUNT = 64,
};

/* At most one line in this time per cause; what was held back is counted and told with the next line. */
#define LOG_INTERVAL_NS (60 * NS_PER_S)

struct log_cause {
    uint64_t last_ns;
    uint64_t held_back;
};

struct daemon_log {
    int fd;
    bool for_journal;
    struct log_cause causes[LOG_CAUSE_COUNT];
};

/* Writes to stderr. Threads: one at a time, as all functions here. */
void log_init(struct daemon_log *log);

/* Writes one line. Control characters, invalid UTF-8 and bidirectional overrides in it become '?'. */
PRINTF_LIKE(3, 4)
void log_line(const struct daemon_log *log, enum log_level level, const char *format, ...);

/* The same, at most once per LOG_INTERVAL_NS for each cause (a number below LOG_CAUSE_COUNT, of the caller's choice). */
PRINTF_LIKE(4, 5)
void log_limited(struct daemon_log *log, enum log_level level, unsigned int cause,
                 const char *format, ...);
