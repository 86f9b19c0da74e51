#include "slots.h"

#include <string.h>

/* --- Lists --- */

/*
 * A list of entries that are known by their index, each with a link to the next. The head carries a tag that grows with
 * every change, so that a compare-and-swap fails if the list changed in between, even back to the same first entry (the ABA
 * problem).
 */
struct tagged_list {
    _Atomic uint64_t *head;
    _Atomic uint32_t *links; /* that of entry 0 */
    size_t stride;           /* links from one to the next entry's */
};

static struct tagged_list full_magazines(struct recorder *recorder)
{
    struct magazine *magazines = recorder_magazines(recorder);

    return (struct tagged_list){&recorder->full_magazines, &magazines->next,
                                sizeof(*magazines) / sizeof(magazines->next)};
}

static struct tagged_list empty_magazines(struct recorder *recorder)
{
    struct magazine *magazines = recorder_magazines(recorder);

    return (struct tagged_list){&recorder->empty_magazines, &magazines->next,
                                sizeof(*magazines) / sizeof(magazines->next)};
}

static struct tagged_list single_slots(struct recorder *recorder)
{
    struct slot *slots = recorder_slots(recorder);

    return (struct tagged_list){&recorder->single_slots, &slots->next_free,
                                sizeof(*slots) / sizeof(slots->next_free)};
}

static _Atomic uint32_t *link_of(const struct tagged_list *list, uint32_t index)
{
    return list->links + index * list->stride;
}

static uint64_t next_head(uint64_t head, uint32_t first)
{
    return ((head >> 32) + 1) << 32 | first;
}

/* Returns the first entry, or 0. */
static uint32_t list_pop(struct tagged_list list)
{
    uint64_t head = atomic_load_explicit(list.head, memory_order_acquire);
    uint64_t next;

    do {
        uint32_t first = (uint32_t)head;

        if (first == 0) {
            return 0;
        }
        /* Another thread may own the entry by now and write to it; then the tag differs and the value is not used. */
        next = next_head(head, atomic_load_explicit(link_of(&list, first), memory_order_relaxed));
    } while (!atomic_compare_exchange_weak_explicit(list.head, &head, next, memory_order_acq_rel,
                                                    memory_order_acquire));
    return (uint32_t)head;
}

/* The release makes what the entry holds visible to the acquire in list_pop(). */
static void list_push(struct tagged_list list, uint32_t index)
{
    uint64_t head = atomic_load_explicit(list.head, memory_order_relaxed);

    do {
        atomic_store_explicit(link_of(&list, index), (uint32_t)head, memory_order_relaxed);
    } while (!atomic_compare_exchange_weak_explicit(list.head, &head, next_head(head, index),
                                                    memory_order_acq_rel, memory_order_relaxed));
}

/* --- Taking --- */

/* Slots come from another thread's processor. All are asked for at once, so that each begin need not wait for its own. */
static void fetch_slots(struct recorder *recorder, const struct ring *ring)
{
    const struct slot *slots = recorder_slots(recorder);

    for (uint32_t i = 0; i < ring->cached_slots; i++) {
        __builtin_prefetch(&slots[ring->slot_cache[i]], 1);
    }
}

static bool take_magazine(struct recorder *recorder, struct ring *ring)
{
    uint32_t index = list_pop(full_magazines(recorder));

    if (index == 0) {
        return false;
    }
    memcpy(ring->slot_cache, recorder_magazines(recorder)[index].slots,
           sizeof(recorder_magazines(recorder)->slots));
    list_push(empty_magazines(recorder), index);
    ring->cached_slots = MAGAZINE_SLOTS;
    fetch_slots(recorder, ring);
    return true;
}

static bool take_single_slots(struct recorder *recorder, struct ring *ring)
{
    uint32_t count = 0;
    uint32_t index;

    while (count < MAGAZINE_SLOTS && (index = list_pop(single_slots(recorder))) != 0) {
        ring->slot_cache[count++] = index;
    }
    ring->cached_slots = count;
    return count > 0;
}

/* Slots that were never used come by neighbours. Slot 0 is never used. */
static bool take_fresh_slots(struct recorder *recorder, struct ring *ring)
{
    struct slot *slots = recorder_slots(recorder);
    uint32_t fresh = atomic_load_explicit(&recorder->fresh_slots, memory_order_relaxed);

    do {
        if ((uint64_t)fresh + 2 * MAGAZINE_SLOTS > recorder->slot_count) {
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(&recorder->fresh_slots, &fresh,
                                                    fresh + MAGAZINE_SLOTS, memory_order_relaxed,
                                                    memory_order_relaxed));
    for (uint32_t i = 0; i < MAGAZINE_SLOTS; i++) {
        uint32_t index = MAGAZINE_SLOTS + fresh + i;

        atomic_store_explicit(&slots[index].word, recorder->first_generation, memory_order_relaxed);
        ring->slot_cache[i] = index;
    }
    ring->cached_slots = MAGAZINE_SLOTS;
    return true;
}

bool slots_refill(struct recorder *recorder, struct ring *ring)
{
    return take_magazine(recorder, ring) || take_single_slots(recorder, ring) ||
           take_fresh_slots(recorder, ring);
}

/* --- Giving back --- */

/* An empty magazine, or 0: as many as are needed exist, but a thread that was stopped on its way may hold one. */
static uint32_t find_empty_magazine(struct recorder *recorder)
{
    uint32_t index = list_pop(empty_magazines(recorder));
    uint32_t fresh;

    if (index != 0) {
        return index;
    }
    fresh = atomic_load_explicit(&recorder->fresh_magazines, memory_order_relaxed);
    do {
        if (fresh + 1 >= recorder->magazine_count) {
            return 0;
        }
    } while (!atomic_compare_exchange_weak_explicit(&recorder->fresh_magazines, &fresh, fresh + 1,
                                                    memory_order_relaxed, memory_order_relaxed));
    return fresh + 1;
}

void slots_give_back(struct recorder *recorder, const uint32_t *indexes, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        list_push(single_slots(recorder), indexes[i]);
    }
}

void slots_spill(struct recorder *recorder, struct ring *ring)
{
    uint32_t index = find_empty_magazine(recorder);

    if (index != 0) {
        memcpy(recorder_magazines(recorder)[index].slots, ring->slot_cache,
               sizeof(recorder_magazines(recorder)->slots));
        list_push(full_magazines(recorder), index);
    } else {
        slots_give_back(recorder, ring->slot_cache, MAGAZINE_SLOTS);
    }
    ring->cached_slots -= MAGAZINE_SLOTS;
    memmove(ring->slot_cache, ring->slot_cache + MAGAZINE_SLOTS,
            ring->cached_slots * sizeof(ring->slot_cache[0]));
}
