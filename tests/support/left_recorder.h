/*
 * A recorder as a client leaves it that was killed: a frame in the outbox, records in staging and in a ring that wraps around,
 * operations of every kind, and some that were not ended. Made by the client's own code.
 */
#pragma once

#include "salvage.h"

#include <stdbool.h>

enum {
    LEFT_FRAME_OPERATIONS = 7,
    LEFT_STAGED_OPERATIONS = 5,
    LEFT_RING_OPERATIONS = 11,
    LEFT_OPERATIONS = LEFT_FRAME_OPERATIONS + LEFT_STAGED_OPERATIONS + LEFT_RING_OPERATIONS,
    LEFT_MARKS = 2,
    LEFT_SAMPLES = 1,
    LEFT_OPEN = 2,
    LEFT_RING_LOSSES = 3,
};

struct left_recorder {
    struct recorder *recorder; /* owned, as the descriptor */
    int fd;
    struct client_session session;
};

/* What came of salvaging. */
struct salvage_result {
    int error; /* 0: read to its end */
    uint64_t frames;
    uint64_t last_sequence;
    struct record_counts stored;
    uint32_t open;        /* in the last batch */
    struct totals totals; /* of the last batch */
    bool is_salvaged;     /* it is marked so */
};

/* Returns false if there is no memory. */
bool left_recorder_make(struct left_recorder *ret_left);
void left_recorder_release(struct left_recorder *left);

/* Salvages to the end, and aborts if a frame is none that a reader takes. */
struct salvage_result left_recorder_salvage(struct left_recorder *left, uint64_t last_sequence);
