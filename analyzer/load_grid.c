#include "load_grid.h"

enum { SHIFT_OF_US = 3 }; /* 125 << 3 ns are a microsecond */

struct load_grid load_grid_make(uint64_t first_ns, uint64_t last_ns, uint32_t cell_limit)
{
    unsigned int shift = SHIFT_OF_US;

    /* Ends before the width overflows: 125 << 57 is more than 2^63. */
    while (last_ns / (125ULL << shift) - first_ns / (125ULL << shift) >= cell_limit && shift < 57) {
        shift++;
    }

    uint64_t cell_ns = 125ULL << shift;

    return (struct load_grid){
        .first_ns = first_ns / cell_ns * cell_ns,
        .cell_ns = cell_ns,
        .shift = shift,
        .count = (uint32_t)min_u64(last_ns / cell_ns - first_ns / cell_ns + 1, cell_limit),
    };
}
