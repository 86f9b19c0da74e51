/*
 * How many bytes of messages may be in memory: being received, or waiting for the disk. Whoever wants to receive more
 * waits, and the client behind it notices that nobody reads.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct memory_budget {
    size_t limit;
    size_t used;
};

/* Takes size bytes, if they are left; a single message is always permitted. Threads: the loop's only, as all here. */
static inline bool memory_budget_take(struct memory_budget *budget, size_t size)
{
    if (budget->used > 0 && (size > budget->limit || budget->used > budget->limit - size)) {
        return false;
    }
    budget->used += size;
    return true;
}

static inline void memory_budget_give_back(struct memory_budget *budget, size_t size)
{
    budget->used -= size < budget->used ? size : budget->used;
}
