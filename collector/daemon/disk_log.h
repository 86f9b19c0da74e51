/*
 * What the writer thread reports, in words for the log; and the causes by which the log's lines are limited.
 */
#pragma once

#include "daemon_log.h"
#include "disk_channel.h"
#include "refusal.h"

/* Lines of one cause are written at most once per LOG_INTERVAL_NS. Refusals come first, by their own numbers. */
enum log_cause_number {
    CAUSE_DISK = REFUSAL_COUNT, /* and one for each disk_event_kind */
    CAUSE_DISK_EVENTS_LOST = CAUSE_DISK + DISK_EVENT_COUNT,
    CAUSE_OTHER_PID,
    CAUSE_ACCEPT,
    CAUSE_MACHINE,
    CAUSE_MEMORY_WAIT,
    CAUSE_NUMBER_COUNT,
};

_Static_assert((int)CAUSE_NUMBER_COUNT <= (int)LOG_CAUSE_COUNT,
               "each cause has a place in the log");

/* Writes a line for each event. Threads: the loop's. */
void disk_log_events(struct daemon_log *log, const struct disk_reports *reports);
