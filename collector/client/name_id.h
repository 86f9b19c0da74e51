/*
 * From a struct eddy_name to its id in the name table of this session: one load and one compare after the first use.
 *
 * reserved_id holds tag << 32 | id; the tag is made of the session's epoch and of what the name is used as, so that an id
 * from before a fork, or for another kind of use, is not taken.
 */
#pragma once

#include "batch.h"
#include "eddy.h"
#include "names.h"
#include "session.h"

static inline uint32_t name_tag(enum name_kind kind, enum value_type value)
{
    uint32_t epoch = atomic_load_explicit(&session->epoch, memory_order_relaxed);

    return epoch << 8 | (uint32_t)kind << 1 | (uint32_t)value;
}

/* The cached id, or 0. The acquire pairs with the release in name_id_cache(): the entry is complete. */
static inline uint32_t name_id_cached(const struct eddy_name *name, uint32_t tag)
{
    uint64_t word = __atomic_load_n(&name->reserved_id, __ATOMIC_ACQUIRE);

    return LIKELY(word >> 32 == tag) ? (uint32_t)word : 0;
}

static inline void name_id_cache(struct eddy_name *name, uint32_t tag, uint32_t id)
{
    __atomic_store_n(&name->reserved_id, (uint64_t)tag << 32 | id, __ATOMIC_RELEASE);
}

/*
 * The id of name, interned on first use. A running session is required.
 *
 * Threads:  any; async-signal-safe.
 */
static inline uint32_t name_id(struct eddy_name *name, enum name_kind kind, enum value_type value)
{
    uint32_t tag = name_tag(kind, value);
    uint32_t id = name_id_cached(name, tag);

    if (UNLIKELY(id == 0)) {
        /* Atomic, since eddy_loop_begin() and eddy_gc_begin() may set it at this moment. */
        const char *unit = __atomic_load_n(&name->unit, __ATOMIC_RELAXED);

        id = names_intern(session->recorder, name->text, unit, kind, value);
        name_id_cache(name, tag, id);
    }
    return id;
}
