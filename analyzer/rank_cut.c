#include "rank_cut.h"

#include <math.h>

size_t rank_cut(const uint64_t *counts, size_t count, double rank, size_t from)
{
    uint64_t total = 0;
    uint64_t below = 0;
    double least = INFINITY;
    size_t found = count;

    for (size_t i = 0; i < count; i++) {
        total += counts[i];
    }
    if ((double)total * (1 - rank) < 1) {
        return count;
    }
    for (size_t i = 0; i < count; i++) {
        double distance = fabs((double)below / (double)total - rank);

        if (i >= from && i > 0 && distance < least) {
            least = distance;
            found = i;
        }
        below += counts[i];
    }
    return found;
}
