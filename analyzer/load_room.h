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

/* What queues and pools may take. Threads: any, as below. */
uint64_t queue_room_bytes(uint64_t memory_bytes);

struct load_room load_room_make(uint64_t memory_bytes, size_t name_count);
