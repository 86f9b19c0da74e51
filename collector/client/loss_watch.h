/*
 * The books of a session: what was lost and why, and the totals that every batch carries. The threads count what they
 * could not keep in their rings; the flusher compares with what it saw last and says so in the next batch.
 *
 * A frame that has to be dropped takes the losses told in it along: they are told again, and its rows become losses.
 */
#pragma once

#include "batch.h"
#include "recorder.h"

struct loss_watch {
    const struct recorder *recorder; /* borrowed */
    uint64_t looked_ns;
    struct record_counts seen[LOSS_CLIENT_CAUSE_COUNT];
    uint64_t queue_seen[RECORDER_MAX_QUEUES];
    /* Not yet told in a batch. */
    struct loss pending[LOSS_CLIENT_CAUSE_COUNT];
    uint64_t queue_pending[RECORDER_MAX_QUEUES]; /* part of pending[LOSS_NO_SLOT] */
    struct record_counts batched;
    struct record_counts lost[LOSS_CLIENT_CAUSE_COUNT]; /* since the session began */
    uint64_t frame_bytes;
};

void loss_watch_init(struct loss_watch *watch, const struct recorder *recorder);

/* Looks what was lost since the last look. Threads: the flusher's only, as all functions here. */
void loss_watch_look(struct loss_watch *watch, uint64_t now_ns);

/* Whether there is something that no batch told yet. */
bool loss_watch_has_news(const struct loss_watch *watch);

/*
 * Tells in batch what no batch told yet, and notes it in account.
 *
 * Returns:  0 or -ENOMEM: nothing was told then.
 */
MUST_USE int loss_watch_tell(struct loss_watch *watch, struct batch *batch,
                             struct frame_account *account);

/* Counts records that the flusher itself could not keep. */
void loss_watch_add(struct loss_watch *watch, enum loss_cause cause,
                    const struct record_counts *count, uint64_t first_ns, uint64_t last_ns);

/* The rows of account are in a batch now. */
void loss_watch_batched(struct loss_watch *watch, const struct frame_account *account);

/* The frame of account will not reach anybody: its rows are lost (OUTBOX_FULL), its losses are to be told again. */
void loss_watch_dropped(struct loss_watch *watch, const struct frame_account *account);

/* The totals as of now. Everything that was produced is batched or lost: what is still in rings is not counted yet. */
struct totals loss_watch_totals(const struct loss_watch *watch);

/* Fills in what the watch knows of the recorder's books. */
void loss_watch_fill_books(const struct loss_watch *watch, struct recorder_books *books);
