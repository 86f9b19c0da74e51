/*
 * Frames that the collector has not yet acknowledged, in the recorder (recorder_layout.h), so that they outlive the process.
 *
 * Who is dropped when there is no room: the oldest frames that were never sent, not even in part. A frame that was sent
 * may have been written by the collector, so dropping it could count a record as lost that is kept.
 */
#pragma once

#include "columns.h"
#include "loss_watch.h"
#include "recorder.h"
#include "wire.h"

/* The flusher's own view of the area. */
struct outbox {
    struct outbox_head *head; /* in the recorder, as the following */
    struct outbox_entry *entries;
    uint8_t *area;
    uint64_t first_offset; /* where frames may lie */
    uint64_t end_offset;
    uint32_t held;
    uint16_t *by_sequence; /* owned; indexes of held entries, oldest first */
    uint16_t *by_offset;   /* owned; the same, by where their frames lie */
    bool *was_sent;        /* owned; by entry: to some collector, at least in part */
    uint32_t sent;         /* of by_sequence: handed to the present connection, in whole */
    uint64_t sent_bytes;   /* of these */
};

/* Returns 0 or -ENOMEM. The area must be empty. */
MUST_USE int outbox_init(struct outbox *outbox, struct recorder *recorder);
void outbox_release(struct outbox *outbox);

/* Whether a frame of size bytes could be put now. Threads: the flusher's only, as all functions here. */
bool outbox_has_room(const struct outbox *outbox, size_t size);

/* The account of the frame that outbox_drop() would drop, or NULL. */
const struct frame_account *outbox_to_drop(const struct outbox *outbox);

/* Says that there will never be a frame of that sequence, nor of what is in staging for it. */
void outbox_skip(struct outbox *outbox, uint64_t sequence);

/*
 * Drops the oldest frame that was never sent.
 *
 * Returns:  true and its account; false if there is none.
 */
bool outbox_drop(struct outbox *outbox, struct frame_account *ret_account);

/* Adds a frame, newer than all others; outbox_has_room() said yes. */
void outbox_put(struct outbox *outbox, enum wire_type type, struct slice frame,
                const struct frame_account *account);

/* Begins a new connection: everything is to be sent (again). */
void outbox_rewind(struct outbox *outbox);

/*
 * The bytes of the oldest frame that the present connection did not get yet, behind its wire header.
 *
 * Returns:  false if there is none, or if so much is unacknowledged that newer frames would have no room.
 */
bool outbox_next(const struct outbox *outbox, struct slice *ret_message);

/* The first byte of what outbox_next() returned was sent; all of it was sent. */
void outbox_sending(struct outbox *outbox);
void outbox_sent(struct outbox *outbox);

/*
 * Frees the frames up to sequence that the present connection got.
 *
 * Returns:  how many records were in them.
 */
uint64_t outbox_acknowledge(struct outbox *outbox, uint64_t sequence);

/* Whether all frames up to sequence were acknowledged or dropped. */
bool outbox_is_done_with(const struct outbox *outbox, uint64_t sequence);

/* The sequence of the oldest frame held, or of the one that will be put next. */
uint64_t outbox_next_sequence(const struct outbox *outbox);
