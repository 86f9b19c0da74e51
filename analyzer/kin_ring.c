#include "kin_ring.h"

#include <errno.h>
#include <string.h>

/* Of Fibonacci hashing: 2^64 / golden ratio. */
#define HASH_FACTOR 0x9e3779b97f4a7c15ULL

enum { HEADS_PER_ENTRY = 2 };

int kin_ring_init(struct kin_ring *ret_ring, size_t size)
{
    struct kin_ring ring = {
        .size = size,
        .entries = malloc(size * sizeof(*ring.entries)),
        .heads = malloc(HEADS_PER_ENTRY * size * sizeof(*ring.heads)),
    };

    if (ring.entries == NULL || ring.heads == NULL) {
        kin_ring_release(&ring);
        return -ENOMEM;
    }
    memset(ring.heads, 0xff, HEADS_PER_ENTRY * size * sizeof(*ring.heads)); /* KIN_NONE */
    *ret_ring = ring;
    return 0;
}

void kin_ring_release(struct kin_ring *ring)
{
    free(ring->entries);
    free(ring->heads);
    *ring = (struct kin_ring){0};
}

static uint32_t *head_of(const struct kin_ring *ring, uint64_t id)
{
    return &ring->heads[(id * HASH_FACTOR >> 32) & (HEADS_PER_ENTRY * ring->size - 1)];
}

static size_t index_of(const struct kin_ring *ring, uint64_t number)
{
    return (size_t)(number & (ring->size - 1));
}

void kin_ring_take(struct kin_ring *ring, struct kin_entry *entry)
{
    if (entry->previous != KIN_NONE) {
        ring->entries[entry->previous].next = entry->next;
    } else {
        *head_of(ring, entry->kin.id) = entry->next;
    }
    if (entry->next != KIN_NONE) {
        ring->entries[entry->next].previous = entry->previous;
    }
    entry->is_taken = true;
}

bool kin_ring_put(struct kin_ring *ring, const struct kin *kin, struct kin *ret_pushed_out)
{
    uint32_t at = (uint32_t)index_of(ring, ring->put_count);
    struct kin_entry *entry = &ring->entries[at];
    uint32_t *head = head_of(ring, kin->id);
    bool is_pushing = ring->put_count >= ring->size && !entry->is_taken;

    if (is_pushing) {
        *ret_pushed_out = entry->kin;
        kin_ring_take(ring, entry);
    }
    *entry = (struct kin_entry){.kin = *kin, .previous = KIN_NONE, .next = *head};
    if (*head != KIN_NONE) {
        ring->entries[*head].previous = at;
    }
    *head = at;
    ring->put_count++;
    return is_pushing;
}

struct kin_entry *kin_ring_find(const struct kin_ring *ring, uint64_t id)
{
    uint32_t at = *head_of(ring, id);

    while (at != KIN_NONE && ring->entries[at].kin.id != id) {
        at = ring->entries[at].next;
    }
    return at == KIN_NONE ? NULL : &ring->entries[at];
}
