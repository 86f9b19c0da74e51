#include "load_room.h"

#include "load_cells.h"

enum {
    QUEUE_SHARE = 16, /* of the memory: one part of so many */
    LOAD_SHARE = 8,   /* of the memory: one part of so many */
    MOST_CELLS = 1 << 16,
    LEAST_CELLS = 1 << 12,

    /* Of a name besides its cells: gaps and intervals, durations in bins. */
    NAME_BYTES = 96 << 10,
    LEAST_ARRAYS = 2, /* what the rest shares, and the sum of all */
};

/* Each cell names its bin, too. */
static uint64_t array_bytes(uint64_t cells)
{
    return cells * (sizeof(struct load_cell) + 1) + NAME_BYTES;
}

uint64_t queue_room_bytes(uint64_t memory_bytes)
{
    return memory_bytes / QUEUE_SHARE;
}

struct load_room load_room_make(uint64_t memory_bytes, size_t name_count)
{
    uint64_t budget_bytes = memory_bytes / LOAD_SHARE;
    uint64_t wanted = name_count + (uint64_t)LEAST_ARRAYS;
    uint64_t cells = MOST_CELLS;

    while (cells > LEAST_CELLS && wanted * array_bytes(cells) > budget_bytes) {
        cells /= 2;
    }

    uint64_t arrays = min_u64(max_u64(budget_bytes / array_bytes(cells), LEAST_ARRAYS), wanted);

    return (struct load_room){.cells = (uint32_t)cells,
                              .names = (size_t)(arrays - LEAST_ARRAYS),
                              .bytes = arrays * array_bytes(cells)};
}
