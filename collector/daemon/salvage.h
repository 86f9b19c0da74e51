/*
 * What a client that died has left in its recorder becomes the end of its trace, in steps: the frames of the outbox that did
 * not arrive, by their sequence; then batches, marked as salvaged, of what staging and rings hold. The last of these has
 * the operations left open, the losses not told yet and the final totals. Writing is left to the caller.
 *
 * One step makes one frame: at most FRAME_MAX_BYTES are read, or SALVAGE_BATCH_ENTRIES entries. Nothing in the recorder can
 * make more steps than its outbox has entries and its areas have room for, RECORDER_READER_MAX_BYTES for all.
 */
#pragma once

#include "batch_encode.h"
#include "disk_channel.h"
#include "left_operations.h"
#include "salvage_batch.h"

struct salvage {
    struct client_session *session; /* borrowed */
    int recorder_fd;                /* owned */
    uint64_t last_sequence;         /* of the frames that the session has */
    struct recorder_reader reader;
    struct salvage_batch rows;
    struct batch_encoder *encoder; /* owned, as the following */
    struct record *entries;        /* SALVAGE_BATCH_ENTRIES */
    struct left_operation *open;   /* open_count */
    uint32_t open_count;
    uint64_t staging_at; /* entries of staging that were read */
    uint32_t ring_at;    /* index of the ring that is being read */
    uint64_t as_of_ns;
    struct record_counts salvaged; /* rows of the batches made here */
    struct record_counts refused;  /* records in no batch: out of range, */
    struct record_counts broken;   /* and those of batches that could not be made */
    bool said_goodbye;             /* its last frame was in the outbox */
    bool is_over;                  /* the last batch was made */
    struct salvage *next;
};

/*
 * Takes over a recorder.
 *
 * last_sequence of the frames that arrived
 * Owns:     recorder_fd in any case.
 * Returns:  0, or a negative errno: it cannot be read.
 * Threads:  the writer's only, as all functions here.
 */
MUST_USE int salvage_new(struct salvage **ret_salvage, struct client_session *session,
                         int recorder_fd, uint64_t last_sequence);
void salvage_free(struct salvage *salvage);

/*
 * Makes the next frame.
 *
 * ret_job   owned by the caller, as if it had come from the client: counts, times, sequence and gap are set
 * Returns:  1 (frame), 0 (that was all), or a negative errno: what is left cannot be read.
 */
MUST_USE int salvage_step(struct salvage *salvage, struct disk_job **ret_job);
