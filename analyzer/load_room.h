/*
 * How much memory the load of operations may take: for how many names, in how many cells. Depends on the limit and on the
 * number of names only, so that the report is the same for any number of threads.
 */
#pragma once

#include "base.h"

struct load_room {
    uint32_t cells;
    size_t names;
    uint64_t bytes; /* at most; of all names and of the rest together */
};

/* Threads: any. */
struct load_room load_room_make(uint64_t memory_bytes, size_t name_count);
