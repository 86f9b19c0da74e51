/*
 * What the operations of one name did inside their children: by the parent's duration and the child's name, so that after
 * everything is merged slow parents can be told from the others.
 *
 * Sums are exact integers; merging in any order leaves the same tally.
 */
#pragma once

#include "distribution.h"
#include "kin_rows.h"

enum {
    FAMILY_CHILD_LIMIT = 1024, /* child names by rank; the others share a number */
    FAMILY_SELF = 0xffff,      /* in place of a child: the parents themselves */
};

struct family_cell {
    uint128
        inside_ns; /* time of children within the life of their parent; of parents their durations */
    uint128 outlived_ns; /* time of children after the end of their parent */
    uint64_t count;
    uint64_t outlived; /* children that ended after their parent */
    uint32_t key;      /* child << 16 | coarse bucket of the parent's duration */
};

/* {0} is an empty one. */
struct family_tally {
    size_t count;
    size_t capacity;
    struct family_cell *cells;   /* owned; by key, ascending */
    struct distribution fan_out; /* children of each parent that has any */
};

void family_tally_release(struct family_tally *tally);

/* A child was found to be one of parent's. Returns 0 or -ENOMEM, as below. Threads: one tally, one thread at a time. */
MUST_USE int family_tally_add_child(struct family_tally *tally, const struct kin *parent,
                                    const struct kin *child);

/* All children of a parent were found that will be; nothing happens if there are none. */
MUST_USE int family_tally_add_parent(struct family_tally *tally, const struct kin *parent);

MUST_USE int family_tally_merge(struct family_tally *tally, const struct family_tally *source);

/* Bytes of memory that it holds, besides the struct. */
size_t family_tally_memory_bytes(const struct family_tally *tally);
