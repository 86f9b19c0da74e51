#include "distribution_steps.h"

#include "value_sort.h"

#include <errno.h>
#include <string.h>

void distribution_steps_release(struct distribution_steps *steps)
{
    free(steps->steps);
    *steps = (struct distribution_steps){0};
}

/* Buckets of an octave are 2^this wide: as distribution.h says. */
static unsigned int width_bits_of(uint64_t value)
{
    unsigned int octave = 64 - DISTRIBUTION_MANTISSA_BITS -
                          (unsigned int)__builtin_clzll(value | (DISTRIBUTION_BUCKETS - 1));

    return octave - (octave != 0);
}

static uint64_t bucket_low(unsigned int octave, unsigned int bucket)
{
    return ((octave != 0 ? (uint64_t)DISTRIBUTION_BUCKETS : 0) + bucket)
           << (octave - (octave != 0));
}

static void add_value(struct distribution_steps *steps, uint64_t value, bool in_buckets)
{
    unsigned int bits = in_buckets ? width_bits_of(value) : 0;
    uint64_t low = value >> bits << bits;

    if (steps->count == 0 || steps->steps[steps->count - 1].low != low) {
        steps->steps[steps->count++] =
            (struct distribution_step){.low = low, .width = 1ULL << bits};
    }
    steps->steps[steps->count - 1].count++;
}

static int list_values(struct distribution_steps *steps, const struct distribution *distribution,
                       bool in_buckets)
{
    size_t count = distribution->count;
    AUTO_FREE uint64_t *sorted = calloc(2 * count + 1, sizeof(*sorted));

    steps->steps = calloc(count + 1, sizeof(*steps->steps));
    if (sorted == NULL || steps->steps == NULL) {
        return -ENOMEM;
    }
    if (count > 0) {
        memcpy(sorted, distribution->values, count * sizeof(*sorted));
        value_sort(sorted, count, sorted + count);
    }
    for (size_t i = 0; i < count; i++) {
        add_value(steps, sorted[i], in_buckets);
    }
    return 0;
}

static void list_octave(struct distribution_steps *steps, const uint64_t *counts,
                        unsigned int octave)
{
    for (unsigned int bucket = 0; bucket < DISTRIBUTION_BUCKETS; bucket++) {
        if (counts[bucket] > 0) {
            uint64_t low = bucket_low(octave, bucket);

            steps->steps[steps->count++] =
                (struct distribution_step){low, 1ULL << width_bits_of(low), counts[bucket]};
        }
    }
}

static int list_buckets(struct distribution_steps *steps, const struct distribution *distribution)
{
    size_t octaves = 0;

    for (unsigned int octave = 0; octave < DISTRIBUTION_OCTAVES; octave++) {
        octaves += distribution->octaves[octave] != NULL;
    }
    steps->steps = calloc(octaves * DISTRIBUTION_BUCKETS + 1, sizeof(*steps->steps));
    if (steps->steps == NULL) {
        return -ENOMEM;
    }
    for (unsigned int octave = 0; octave < DISTRIBUTION_OCTAVES; octave++) {
        if (distribution->octaves[octave] != NULL) {
            list_octave(steps, distribution->octaves[octave], octave);
        }
    }
    return 0;
}

int distribution_steps_make(struct distribution_steps *ret_steps,
                            const struct distribution *distribution, bool in_buckets)
{
    struct distribution_steps steps = {0};
    int r = distribution->has_histogram ? list_buckets(&steps, distribution)
                                        : list_values(&steps, distribution, in_buckets);

    if (r < 0) {
        distribution_steps_release(&steps);
        return r;
    }
    *ret_steps = steps;
    return 0;
}
