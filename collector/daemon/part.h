/*
 * One part of a session: a trace file being written. Its Source comes first, then batches as they arrive, then its End.
 */
#pragma once

#include "disk_channel.h"
#include "totals_reader.h"
#include "trace_writer.h"

struct part {
    struct trace_writer writer;
    struct client_session *session; /* borrowed */
    struct part *newer;             /* in one of the lists of part_pool.h */
    struct part *older;
    struct part *opened_before; /* in the pool's list by age */
    struct part *opened_after;
    uint64_t pooled_bytes; /* that the pool has counted of it */
    struct part *next_unsynced;
    bool is_unsynced;
    bool is_finished; /* has its End, or had to do without; closed at the next sync */
    uint64_t opened_ns;
    uint64_t plain_bytes;
    uint64_t unsynced_frames;
    uint64_t last_offset_bytes; /* of the last batch's frame */
    size_t last_size;
    uint64_t last_sequence;
    uint64_t batches;
    struct record_counts stored;
};

/* What all parts of a collector have in common, and scratch memory to make packets in. One thread at a time. */
struct part_maker {
    int folder_fd;               /* borrowed */
    struct frame_writer *frames; /* owned */
    struct totals_reader totals; /* owned */
    uint8_t *scratch;            /* owned */
    char host_name[256];
    char boot_id[64];
    char machine_name[64]; /* system-<first 8 of boot id> */
};

MUST_USE int part_maker_open(struct part_maker *ret_maker, int folder_fd);
void part_maker_release(struct part_maker *maker);

/*
 * Creates the next free part of session, with its Source.
 *
 * Returns:  0; a negative errno, and nothing is left in the folder.
 * Threads:  the writer's only, as all functions here.
 */
MUST_USE int part_open(struct part **ret_part, struct part_maker *maker,
                       struct client_session *session);

/* Appends the frame of a batch. Returns 0 or a negative errno; the file then ends with the frame before. */
MUST_USE int part_append(struct part *part, const struct disk_job *job);

/* Whether the part is full and another should follow it. */
bool part_is_full(const struct part *part, const struct part_limits *limits, uint64_t now_ns);

/*
 * Appends the End, with the losses and gaps that the session's output holds; these are then forgotten.
 *
 * Returns:  0 or a negative errno; the file then ends with its last batch.
 */
MUST_USE int part_append_end(struct part *part, struct part_maker *maker, enum end_reason reason);

/* Syncs, gives the file its final name, which the folder's next sync makes durable, and frees part in any case. Returns 0 or
 * a negative errno. */
MUST_USE int part_close(struct part *part);

/* Frees part without trusting what was written: the file keeps .partial. */
void part_abandon(struct part *part);
