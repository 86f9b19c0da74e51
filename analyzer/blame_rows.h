/*
 * Long runs, and operations that waited in a queue, of one session: what has to meet before it is known who held up whom.
 * Both lists are limited: the longest are kept. Which those are does not depend on the order in which rows are added.
 */
#pragma once

#include "base.h"

enum {
    BLAME_RUN_LIMIT = 8192,
    BLAME_WAIT_LIMIT = 16384,
    BLAME_LEAST_WAIT_US = 100, /* shorter waits are not looked at */
};

/* A long run or a wait. No padding: rows are compared as bytes. */
struct blame_row {
    uint64_t begin_ns;
    uint64_t length_ns;
    uint64_t duration_ns; /* of the operation that waited */
    uint64_t serial;      /* of the thread that was held, or that ended the operation */
    uint64_t id;          /* of the operation; 0: not known */
    uint64_t frame_offset_bytes;
    uint32_t name; /* number */
    uint32_t input;
    uint32_t row;
    uint32_t process;
};
_Static_assert(sizeof(struct blame_row) == 64, "no padding");

/* {.limit = n} is an empty one. */
struct blame_list {
    size_t limit;
    size_t count;
    size_t capacity;
    struct blame_row *rows; /* owned */
    uint64_t added;         /* kept or not */
};

void blame_list_release(struct blame_list *list);

/* Returns 0 or -ENOMEM. Threads: one list, one thread at a time, as all functions here. */
MUST_USE int blame_list_add(struct blame_list *list, const struct blame_row *row);

/* Adds all that source, another one, kept; what it did not keep counts as added. */
MUST_USE int blame_list_merge(struct blame_list *list, const struct blame_list *source);

/* Leaves the longest rows, at most limit, by thread and begin. */
void blame_list_finish(struct blame_list *list);
