#include "disk_log.h"

#include <stdio.h>
#include <string.h>

struct event_text {
    enum log_level level;
    const char *text; /* "..., NAME, COUNT" follow as far as has_name and has_count say */
    bool has_name;
    const char *count_unit; /* NULL: none */
};

static const struct event_text event_texts[DISK_EVENT_COUNT] = {
    [DISK_WRITE_FAILED] = {LOG_LEVEL_ERROR, "cannot write to a trace file, its data is lost", true,
                           NULL},
    [DISK_PART_NOT_OPENED] = {LOG_LEVEL_ERROR, "cannot create a trace file, its data is lost", true,
                              NULL},
    [DISK_SYNC_FAILED] = {LOG_LEVEL_ERROR,
                          "cannot make a trace file durable; it is left as it is and the session "
                          "goes on in another",
                          true, "frames that may be missing"},
    [DISK_LIMIT_REACHED] = {LOG_LEVEL_ERROR,
                            "the output folder has reached a limit of [Keep] and nothing old is "
                            "left to delete: new data is lost until there is room",
                            false, "bytes free"},
    [DISK_LIMIT_LEFT] = {LOG_LEVEL_NOTICE, "the output folder is within its limits again", false,
                         "bytes free"},
    [DISK_PART_DELETED] = {LOG_LEVEL_INFO, "deleted an old trace file to keep the limits of [Keep]",
                           true, "bytes"},
    [DISK_DELETE_FAILED] = {LOG_LEVEL_ERROR, "cannot delete an old trace file", true, NULL},
    [DISK_PARTS_ADOPTED] = {LOG_LEVEL_NOTICE,
                            "gave trace files of a collector that was killed their final names",
                            false, "files"},
    [DISK_PARTS_LEFT] = {LOG_LEVEL_WARNING,
                         "trace files of a collector that was killed keep the suffix .partial, "
                         "because they could not be renamed",
                         false, "files"},
    [DISK_FOLDER_UNREADABLE] = {LOG_LEVEL_ERROR,
                                "cannot read the output folder, so its limits are not kept", false,
                                NULL},
    [DISK_RECORDER_SALVAGED] = {LOG_LEVEL_NOTICE,
                                "salvaged what a process that ended without a goodbye had recorded",
                                true, "records"},
    [DISK_RECORDER_REFUSED] = {LOG_LEVEL_WARNING,
                               "cannot read what a process that ended without a goodbye had "
                               "recorded: what it had not sent is lost",
                               true, NULL},
};

static void log_event(struct daemon_log *log, const struct disk_event *event)
{
    const struct event_text *text = &event_texts[event->kind];
    char count[64] = "";

    if (text->count_unit != NULL) {
        (void)snprintf(count, sizeof(count), " (%llu %s)", (unsigned long long)event->count,
                       text->count_unit);
    }
    log_limited(log, text->level, CAUSE_DISK + event->kind, "%s%s%s%s%s%s", text->text,
                text->has_name ? ": " : "", text->has_name ? event->name : "", count,
                event->error < 0 ? ": " : "", event->error < 0 ? strerror(-event->error) : "");
}

void disk_log_events(struct daemon_log *log, const struct disk_reports *reports)
{
    for (size_t i = 0; i < reports->event_count; i++) {
        log_event(log, &reports->events[i]);
    }
    if (reports->events_lost > 0) {
        log_limited(log, LOG_LEVEL_WARNING, CAUSE_DISK_EVENTS_LOST,
                    "%llu more events of the disk were not logged",
                    (unsigned long long)reports->events_lost);
    }
}
