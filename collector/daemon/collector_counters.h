/*
 * What the collector counts about itself: proof that a program is being recorded, and where records were lost.
 */
#pragma once

#include "loss.h"
#include "refusal.h"

#include <stdbool.h>

/* Counted by the loop. */
struct collector_counters {
    uint64_t connections_accepted;
    uint64_t refused[REFUSAL_COUNT]; /* connections closed by the collector, by reason */
    uint64_t hellos;
    uint64_t frames_received;
    uint64_t frame_bytes_received;
    uint64_t frames_repeated; /* sent again by a client and not stored again */
    uint64_t sequence_gaps;   /* batches that never arrived */
    uint64_t
        memory_waits; /* times that reading from a client stopped because the disk was behind */
    uint64_t claimed_pids_wrong; /* greetings whose process id is not what the kernel says */
    uint64_t descriptors_received;
    uint64_t recorders_given_up; /* of clients that went away: not waited for any more */
    struct record_counts received;
};

/* Counted by the writer thread; the loop has a copy (disk_channel.h). */
struct disk_counters {
    uint64_t frames_written;
    uint64_t bytes_written;
    struct record_counts stored;
    struct record_counts lost[LOSS_CAUSE_COUNT];
    uint64_t frames_lost;
    uint64_t sessions_untold; /* that ended, and whose losses no file could tell of yet */
    uint64_t parts_opened;
    uint64_t parts_closed;
    uint64_t parts_deleted;
    uint64_t bytes_deleted;
    uint64_t parts_adopted; /* left behind by a killed collector and given their final name */
    uint64_t parts_left;    /* that could not be */
    uint64_t ends_missing;  /* parts closed without an End */
    uint64_t write_errors;
    uint64_t sync_errors;
    uint64_t frames_suspect; /* written before a failed sync: may be missing from the disk */
    uint64_t last_error_ns;  /* monotonic; 0: never */
    uint64_t open_parts;
    uint64_t folder_bytes;       /* closed and open parts */
    uint64_t free_bytes;         /* of the file system, for this user */
    uint64_t recorders_salvaged; /* of clients that died */
    uint64_t recorders_refused;  /* that could not be read */
    bool limit_reached;          /* data is refused because of a limit of the folder */
};
