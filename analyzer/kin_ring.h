/*
 * The newest parents, or children in search of theirs, by id: a ring of fixed size with a hash table. What is put in beyond
 * its size pushes the oldest one out.
 */
#pragma once

#include "kin_rows.h"

#include <stdbool.h>

#define KIN_NONE UINT32_MAX

struct kin_entry {
    struct kin kin;
    uint32_t previous; /* of those with the same hash; KIN_NONE: none, as next */
    uint32_t next;
    bool is_taken; /* unlinked; it only waits for its turn to be overwritten */
};

/* {0} is one that holds nothing and never will. */
struct kin_ring {
    size_t size;               /* entries; a power of two */
    uint64_t put_count;        /* the newest is entries[(put_count - 1) % size] */
    struct kin_entry *entries; /* owned */
    uint32_t *heads;           /* owned; of the chains, 2 * size of them: the newest entry */
};

/* size is a power of two. Returns 0 or -ENOMEM. Threads: one ring, one thread at a time, as all functions here. */
MUST_USE int kin_ring_init(struct kin_ring *ret_ring, size_t size);
void kin_ring_release(struct kin_ring *ring);

/* Puts one in. Returns whether another one had to go for it, which is written to *ret_pushed_out. */
bool kin_ring_put(struct kin_ring *ring, const struct kin *kin, struct kin *ret_pushed_out);

/* The newest entry with an id, or NULL. */
struct kin_entry *kin_ring_find(const struct kin_ring *ring, uint64_t id);

/* Takes an entry out. */
void kin_ring_take(struct kin_ring *ring, struct kin_entry *entry);
