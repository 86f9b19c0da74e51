#include "log_bins.h"

#include <stdbool.h>

enum {
    STEPS_BITS = 8, /* an octave has 256 steps, as many as the histogram has buckets */
    MAX_BORDERS = REPORT_MAX_BINS - 1,
};

size_t bins_add_border(struct report_bin *bins, size_t bin_count, double border)
{
    if (bin_count > 0) {
        if (border <= bins[bin_count - 1].low) {
            return bin_count;
        }
        bins[bin_count - 1].high = border;
    }
    bins[bin_count] = (struct report_bin){.low = border, .high = border};
    return bin_count + 1;
}

size_t bins_count(struct report_bin *bins, size_t bin_count, size_t at, double value,
                  uint64_t count)
{
    while (at + 1 < bin_count && bins[at + 1].low <= value) {
        at++;
    }
    bins[at].count += count;
    return at;
}

/* Where a value above 0 lies on the axis of octaves, in steps. */
static uint64_t step_of(uint64_t value)
{
    unsigned int octave = 63 - (unsigned int)__builtin_clzll(value);
    uint64_t fraction =
        octave >= STEPS_BITS ? value >> (octave - STEPS_BITS) : value << (STEPS_BITS - octave);

    return ((uint64_t)octave << STEPS_BITS) + fraction - (1U << STEPS_BITS);
}

/* The least integer at or above a step. */
static uint64_t value_at(uint64_t step)
{
    unsigned int octave = (unsigned int)(step >> STEPS_BITS);
    uint64_t fraction = step % (1U << STEPS_BITS) + (1U << STEPS_BITS);

    if (octave >= STEPS_BITS) {
        return fraction << (octave - STEPS_BITS);
    }

    unsigned int shift = STEPS_BITS - octave;

    return (fraction + (1U << shift) - 1) >> shift;
}

/* The least multiple of unit that fits no more than most times into a distance. */
static uint64_t width_for(uint64_t distance, uint64_t unit, uint64_t most)
{
    uint64_t widest = distance / most + (distance % most != 0);
    uint64_t units = widest / unit + (widest % unit != 0);

    return max_u64(units, 1) * unit;
}

static size_t equal_bins(uint64_t min, uint64_t max, uint64_t unit, struct report_bin *bins)
{
    uint64_t width = width_for(max - min, unit, MAX_BORDERS);
    size_t count = bins_add_border(bins, 0, (double)min);

    /* The first border is the one after min's; counting from it could overflow. */
    for (uint64_t border = min / width; border < max / width; border++) {
        count = bins_add_border(bins, count, (double)((border + 1) * width));
    }
    return count;
}

static size_t octave_bins(uint64_t min, uint64_t max, struct report_bin *bins)
{
    size_t count = bins_add_border(bins, 0, (double)min);
    uint64_t first = 0;
    uint64_t last = step_of(max);
    uint64_t width;

    if (min == 0) {
        count = bins_add_border(bins, count, 1);
    } else {
        first = step_of(min);
    }
    width = width_for(last - first, 1, REPORT_MAX_BINS - count);
    for (uint64_t border = first / width; border < last / width; border++) {
        count = bins_add_border(bins, count, (double)value_at((border + 1) * width));
    }
    return count;
}

size_t bins_of_integers(uint64_t min, uint64_t max, uint64_t unit,
                        struct report_bin ret_bins[REPORT_MAX_BINS])
{
    bool is_narrow = max - min < MAX_BORDERS || max / 2 < min;
    size_t count =
        is_narrow ? equal_bins(min, max, unit, ret_bins) : octave_bins(min, max, ret_bins);

    ret_bins[count - 1].high = (double)max;
    return count;
}
