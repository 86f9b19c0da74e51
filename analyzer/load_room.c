#include "load_room.h"

#include "load_cells.h"

enum {
    LOAD_SHARE = 16, /* of the memory: one part of so many */
    MOST_CELLS = 1 << 16,
    LEAST_CELLS = 1 << 12,
};

struct load_room load_room_make(uint64_t memory_bytes, size_t name_count)
{
    uint64_t budget_bytes = memory_bytes / LOAD_SHARE;
    uint64_t cells = MOST_CELLS;

    /* Two more: what the rest shares, and the sum of all. */
    while (cells > LEAST_CELLS &&
           (name_count + 2) * cells * sizeof(struct load_cell) > budget_bytes) {
        cells /= 2;
    }

    uint64_t array_bytes = cells * sizeof(struct load_cell);
    uint64_t arrays = min_u64(max_u64(budget_bytes / array_bytes, 2), name_count + 2);

    return (struct load_room){
        .cells = (uint32_t)cells, .names = (size_t)(arrays - 2), .bytes = arrays * array_bytes};
}
