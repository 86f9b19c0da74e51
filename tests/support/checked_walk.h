/*
 * Walks bytes as a trace file, as the analyzer does it, and ends the program where the walk breaks a promise: items follow
 * each other without gaps but for skippable frames, ascend, and end with the file; frames are what stands in the file; and a
 * walk that skims finds the same packets.
 */
#pragma once

#include "trace_reader.h"

enum step_kind {
    STEP_GOOD,     /* a packet */
    STEP_NEWER,    /* a packet with unknown features */
    STEP_OBJECTED, /* a frame whose content is damaged */
    STEP_DAMAGE,
    STEP_CUT_OFF,
};

struct step {
    enum step_kind kind;
    uint64_t offset;
    uint64_t size;
};

enum { CHECKED_WALK_MAX_STEPS = 4096 };

struct checked_walk {
    size_t count;
    struct step steps[CHECKED_WALK_MAX_STEPS]; /* the first ones */
};

/*
 * ret_walk  may be NULL
 * Threads:  one thread.
 */
void checked_walk(struct slice bytes, struct checked_walk *ret_walk);
