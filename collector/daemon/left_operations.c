#include "left_operations.h"

#include "batch.h"
#include "salvage_time.h"

#include <errno.h>

enum {
    SLOTS_AT_ONCE = 1024,
    /* A thread publishes a long run and an operation in one call, with their continuations. */
    NEWEST_ENTRIES = 2 * (1 + MAX_CONTINUATIONS),
};

struct search {
    const struct recorder_reader *reader;
    uint64_t *ends; /* owned; ids of the operations that ended last, sorted */
    uint32_t end_count;
    struct left_operation *open; /* owned until found */
    uint32_t count;
};

static int compare_ids(const void *a, const void *b)
{
    uint64_t first = *(const uint64_t *)a;
    uint64_t second = *(const uint64_t *)b;

    return (first > second) - (first < second);
}

static int find_newest_ends(struct search *search)
{
    const struct recorder_reader *reader = search->reader;
    int r = 0;

    search->ends =
        malloc((reader->ring_count * (size_t)NEWEST_ENTRIES + 1) * sizeof(*search->ends));
    if (search->ends == NULL) {
        return -ENOMEM;
    }
    for (uint32_t i = 0; r == 0 && i < reader->ring_count; i++) {
        const struct left_ring *ring = &reader->rings[i];
        struct record entries[NEWEST_ENTRIES];
        uint64_t count = min_u64(min_u64(NEWEST_ENTRIES, ring->to), ring->mask + 1);

        r = recorder_reader_ring_entries(reader, ring, ring->to - count, entries, count);
        for (uint64_t at = 0; r == 0 && at < count; at++) {
            if (entries[at].kind == ENTRY_OPERATION) {
                search->ends[search->end_count++] = entries[at].id;
            }
        }
    }
    qsort(search->ends, search->end_count, sizeof(*search->ends), compare_ids);
    return r;
}

static bool is_open(const struct search *search, const struct slot *slot, uint64_t id)
{
    if ((slot->word & SLOT_LIVE) == 0) {
        return false;
    }
    return (slot->word & SLOT_CLAIMED) == 0 || bsearch(&id, search->ends, search->end_count,
                                                       sizeof(*search->ends), compare_ids) == NULL;
}

static void look_at_slots(struct search *search, const struct slot *slots, uint64_t first,
                          uint64_t count)
{
    const struct recorder_books *books = &search->reader->books;

    for (uint64_t i = 0; i < count && search->count < BATCH_MAX_OPEN; i++) {
        const struct slot *slot = &slots[i];
        uint64_t id = (slot->word & SLOT_GENERATION_MASK) << SLOT_INDEX_BITS | (first + i);

        if (is_open(search, slot, id)) {
            bool is_ns = (slot->flags & RECORD_BEGIN_IS_NS) != 0;

            search->open[search->count++] = (struct left_operation){
                .id = id,
                .begin_ns = is_ns ? slot->begin : salvage_time_ns(books, slot->begin),
                .name = slot->name,
                .state = slot->state,
            };
        }
    }
}

static int look_at_all_slots(struct search *search, uint64_t end)
{
    const struct recorder_reader *reader = search->reader;
    AUTO_FREE struct slot *slots = malloc(SLOTS_AT_ONCE * sizeof(*slots));
    int r = slots == NULL ? -ENOMEM : 0;

    for (uint64_t at = MAGAZINE_SLOTS; r == 0 && at < end; at += SLOTS_AT_ONCE) {
        uint64_t count = min_u64(SLOTS_AT_ONCE, end - at);

        r = recorder_reader_copy(reader, reader->header.slots_offset + at * sizeof(*slots), slots,
                                 count * sizeof(*slots));
        if (r == 0) {
            look_at_slots(search, slots, at, count);
        }
    }
    return r;
}

int left_operations_find(const struct recorder_reader *reader, struct left_operation **ret_open,
                         uint32_t *ret_count)
{
    struct search search = {.reader = reader};
    uint64_t end =
        min_u64(MAGAZINE_SLOTS + (uint64_t)reader->header.fresh_slots, reader->header.slot_count);

    search.open = malloc(min_u64(end, BATCH_MAX_OPEN) * sizeof(*search.open));
    int r = search.open == NULL ? -ENOMEM : find_newest_ends(&search);
    r = r < 0 ? r : look_at_all_slots(&search, end);
    free(search.ends);
    if (r < 0) {
        free(search.open);
        return r;
    }
    *ret_open = search.open;
    *ret_count = search.count;
    return 0;
}
