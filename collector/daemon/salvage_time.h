/*
 * Ticks of a client that died to monotonic ns, by the mapping that its recorder has.
 */
#pragma once

#include "batch_rules.h"
#include "recorder_layout.h"

/* Of ticks that may be anything: what no time can be becomes 0 or the end of time. */
static inline uint64_t salvage_time_ns(const struct recorder_books *books, uint64_t ticks)
{
    double ns = (double)(int64_t)(ticks - books->anchor_ticks) * books->ns_per_tick;

    if (!(ns > -(double)DURATION_LIMIT_NS && ns < (double)DURATION_LIMIT_NS)) {
        return ns > 0 ? UINT64_MAX : 0;
    }
    int64_t distance_ns = (int64_t)ns;

    if (distance_ns < 0) {
        return books->anchor_ns - min_u64(books->anchor_ns, (uint64_t)-distance_ns);
    }
    return books->anchor_ns + min_u64(UINT64_MAX - books->anchor_ns, (uint64_t)distance_ns);
}
