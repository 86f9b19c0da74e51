/*
 * Parents and children of a batch that its own rows do not bring together: on their way from the worker that counted the batch
 * to the window of the session, where they meet those of other batches.
 */
#pragma once

#include "base.h"

/* An operation, as far as its kin is concerned. Times are monotonic. */
struct kin {
    uint64_t id; /* of a parent its own, of a child that of its parent */
    uint64_t begin_ns;
    uint64_t end_ns;
    uint32_t number;   /* of its name */
    uint32_t children; /* of a parent: found so far */
};

/* {0} is empty. */
struct kin_rows {
    size_t parent_count;
    size_t parent_capacity;
    struct kin *parents; /* owned; all operations that have an id, in order of rows */
    size_t child_count;
    size_t child_capacity;
    struct kin *children; /* owned; those whose parent is not in the batch, in order of rows */
};

/* Threads: one object, one thread at a time, as all functions here. */
void kin_rows_release(struct kin_rows *rows);

/* Forgets the rows, keeps the memory. */
void kin_rows_clear(struct kin_rows *rows);

/* Append. Return 0 or -ENOMEM. */
MUST_USE int kin_rows_add_parent(struct kin_rows *rows, const struct kin *parent);
MUST_USE int kin_rows_add_child(struct kin_rows *rows, const struct kin *child);
