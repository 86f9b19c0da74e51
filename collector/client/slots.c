#include "slots.h"

#include <string.h>

/*
 * The head of the shared list carries a tag that grows with every change, so that a compare-and-swap fails if the list
 * changed in between, even back to the same first chain (the ABA problem).
 */
static uint64_t next_head(uint64_t head, uint32_t first)
{
    return ((head >> 32) + 1) << 32 | first;
}

/* Takes the first chain off the list. Returns its first slot, or 0. */
static uint32_t list_pop(struct recorder *recorder)
{
    struct slot *slots = recorder_slots(recorder);
    uint64_t head = atomic_load_explicit(&recorder->free_slots, memory_order_acquire);
    uint64_t next;

    do {
        uint32_t first = (uint32_t)head;

        if (first == 0) {
            return 0;
        }
        /* Another thread may own the slot by now and write to it; then the tag differs and the value is not used. */
        next = next_head(
            head, (uint32_t)atomic_load_explicit(&slots[first].list_next, memory_order_relaxed));
    } while (!atomic_compare_exchange_weak_explicit(&recorder->free_slots, &head, next,
                                                    memory_order_acq_rel, memory_order_acquire));
    return (uint32_t)head;
}

/* The release makes the chain's links visible to the acquire in list_pop(). */
static void list_push(struct recorder *recorder, uint32_t first)
{
    struct slot *slots = recorder_slots(recorder);
    uint64_t head = atomic_load_explicit(&recorder->free_slots, memory_order_relaxed);

    do {
        atomic_store_explicit(&slots[first].list_next, (uint32_t)head, memory_order_relaxed);
    } while (!atomic_compare_exchange_weak_explicit(&recorder->free_slots, &head,
                                                    next_head(head, first), memory_order_acq_rel,
                                                    memory_order_relaxed));
}

/* Slots that were never used come in chains of neighbours. Returns the first, or 0. Slot 0 is never used. */
static uint32_t take_fresh(struct recorder *recorder)
{
    uint32_t fresh = atomic_load_explicit(&recorder->fresh_slots, memory_order_relaxed);

    do {
        if ((uint64_t)fresh + 2 * SLOT_CHAIN > recorder->slot_count) {
            return 0;
        }
    } while (!atomic_compare_exchange_weak_explicit(&recorder->fresh_slots, &fresh,
                                                    fresh + SLOT_CHAIN, memory_order_relaxed,
                                                    memory_order_relaxed));
    return fresh + SLOT_CHAIN;
}

bool slots_refill(struct recorder *recorder, struct ring *ring)
{
    struct slot *slots = recorder_slots(recorder);
    uint32_t index = list_pop(recorder);
    uint32_t count = 0;

    if (index != 0) {
        for (; index != 0 && count < SLOT_CHAIN; index = (uint32_t)slots[index].chain_next) {
            ring->slot_cache[count++] = index;
        }
    } else if ((index = take_fresh(recorder)) != 0) {
        for (; count < SLOT_CHAIN; count++) {
            atomic_store_explicit(&slots[index].word, recorder->first_generation,
                                  memory_order_relaxed);
            ring->slot_cache[count] = index++;
        }
    }
    ring->cached_slots = count;
    return count > 0;
}

void slots_give_back(struct recorder *recorder, const uint32_t *indexes, uint32_t count)
{
    struct slot *slots = recorder_slots(recorder);

    for (uint32_t begin = 0; begin < count; begin += SLOT_CHAIN) {
        uint32_t end = count - begin < SLOT_CHAIN ? count : begin + SLOT_CHAIN;

        for (uint32_t i = begin; i + 1 < end; i++) {
            slots[indexes[i]].chain_next = indexes[i + 1];
        }
        slots[indexes[end - 1]].chain_next = 0;
        list_push(recorder, indexes[begin]);
    }
}

void slots_spill(struct recorder *recorder, struct ring *ring)
{
    slots_give_back(recorder, ring->slot_cache, SLOT_CHAIN);
    ring->cached_slots -= SLOT_CHAIN;
    memmove(ring->slot_cache, ring->slot_cache + SLOT_CHAIN,
            ring->cached_slots * sizeof(ring->slot_cache[0]));
}
