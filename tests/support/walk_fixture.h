/*
 * What the tests of the walk of trace files share: the bytes of one file, and the walk of it.
 */
#pragma once

#include "checked_walk.h"
#include "trace_bytes.h"

#include <stdbool.h>

extern struct trace_bytes bytes;
extern struct checked_walk walk;

enum {
    /* The reader looks at the first 4 KiB of the content of frames that it trusts. This is more. */
    LARGE_BATCH = 500,
};

struct slice all_of(const struct trace_bytes *file);

/* Walks bytes. */
void walk_all(void);

/* Offset behind a frame of bytes. */
uint64_t end_of_frame(size_t index);

/* Whether the walk has a step of this kind at offset. */
bool has_step(enum step_kind kind, uint64_t offset);

/* The walk must have exactly these steps; all frames, and nothing else. */
void expect_steps(const struct step *steps, size_t count);
void expect_frames_only(void);

/* The walk must have all frames but the damaged one, in which a bit was flipped. */
void check_others(size_t damaged, size_t bit);
