/*
 * The parts that are being written, in order of their last use. Only the most recently used keep a descriptor.
 */
#pragma once

#include "part.h"

struct part_list {
    struct part *newest;
    struct part *oldest;
    size_t count;
};

struct part_pool {
    struct part_list open;      /* with a descriptor */
    struct part_list suspended; /* without */
    struct part *first_opened;  /* all of them by age */
    struct part *last_opened;
    uint64_t bytes; /* of all of them */
    size_t most_open;
};

/* Adds a part that was just opened. Threads: the writer's only, as all functions here. */
void part_pool_add(struct part_pool *pool, struct part *part);

/* A part of the pool has grown. */
void part_pool_note_growth(struct part_pool *pool, struct part *part);

/* Takes a part out, with or without descriptor. */
void part_pool_remove(struct part_pool *pool, struct part *part);

/* Marks a part as just used and sees to its descriptor. Returns 0 or a negative errno. */
MUST_USE int part_pool_use(struct part_pool *pool, struct part *part);

/* The part to suspend next if there are too many descriptors; NULL if not. */
struct part *part_pool_surplus(const struct part_pool *pool);
void part_pool_suspend(struct part_pool *pool, struct part *part);

/* Some part; the one with the most bytes. NULL if there are none. */
struct part *part_pool_any(const struct part_pool *pool);
struct part *part_pool_largest(const struct part_pool *pool);

/* How many parts there are. */
size_t part_pool_count(const struct part_pool *pool);

/* Calls visit for each part. */
void part_pool_visit(const struct part_pool *pool, void (*visit)(void *context, struct part *part),
                     void *context);
