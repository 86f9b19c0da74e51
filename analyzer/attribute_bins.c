#include "attribute_bins.h"

#include <math.h>

void number_range_add(struct number_range *range, double number)
{
    double same = number + 0; /* there is one 0 */

    if (!isfinite(same)) {
        return;
    }
    range->least = range->count == 0 ? same : fmin(range->least, same);
    range->greatest = range->count == 0 ? same : fmax(range->greatest, same);
    range->count++;
    if (same > 0) {
        range->least_above_0 = range->above_0 == 0 ? same : fmin(range->least_above_0, same);
        range->above_0++;
    }
}

void number_range_merge(struct number_range *range, const struct number_range *source)
{
    if (source->count == 0) {
        return;
    }
    range->least = range->count == 0 ? source->least : fmin(range->least, source->least);
    range->greatest =
        range->count == 0 ? source->greatest : fmax(range->greatest, source->greatest);
    range->count += source->count;
    if (source->above_0 > 0) {
        range->least_above_0 = range->above_0 == 0
                                   ? source->least_above_0
                                   : fmin(range->least_above_0, source->least_above_0);
        range->above_0 += source->above_0;
    }
}

/* The octave e with 2^e <= number < 2^(e + 1). */
static int octave_of(double number)
{
    int exponent;

    (void)frexp(number, &exponent);
    return exponent - 1;
}

/* Borders from 2^first on: each octave in so many parts, or so many octaves a bin. */
static void put_borders(struct attribute_bins *bins, int first, int last, size_t room)
{
    int octaves = last - first + 1;
    int parts = 1;
    int step = 1;

    while (octaves * parts * 2 <= (int)room) {
        parts *= 2;
    }
    while ((octaves + step - 1) / step > (int)room) {
        step++;
    }
    for (int octave = first; octave <= last; octave += step) {
        for (int part = 0; part < parts; part++) {
            bins->borders[bins->count++] = ldexp(1 + (double)part / parts, octave);
        }
    }
    bins->borders[bins->count] = ldexp(1, first + (octaves + step - 1) / step * step);
}

/* Bins before the least and behind the greatest number are empty. */
static void cut_ends(struct attribute_bins *bins, size_t first, const struct number_range *range)
{
    size_t from = first;
    size_t to = bins->count;

    while (from + 1 < to && bins->borders[from + 1] <= range->least_above_0) {
        from++;
    }
    while (to > from + 1 && bins->borders[to - 1] > range->greatest) {
        to--;
    }
    for (size_t i = from; i <= to; i++) {
        bins->borders[first + i - from] = bins->borders[i];
    }
    bins->count = first + to - from;
    if (!isfinite(bins->borders[bins->count])) {
        bins->borders[bins->count] = range->greatest;
    }
}

struct attribute_bins attribute_bins_make(const struct number_range *range)
{
    struct attribute_bins bins = {0};

    if (range->count > range->above_0) {
        bins.has_below = true;
        bins.borders[0] = range->least;
        bins.borders[1] = 0;
        bins.count = 1;
    }
    if (range->above_0 > 0) {
        size_t first = bins.count;

        put_borders(&bins, octave_of(range->least_above_0), octave_of(range->greatest),
                    ATTRIBUTE_BINS - first);
        cut_ends(&bins, first, range);
    }
    return bins;
}

size_t attribute_bins_find(const struct attribute_bins *bins, double number)
{
    size_t at = bins->has_below ? 1 : 0;

    if (!isfinite(number) || bins->count == 0) {
        return SIZE_MAX;
    }
    if (number <= 0) {
        return bins->has_below ? 0 : SIZE_MAX;
    }
    if (at == bins->count || number < bins->borders[at] || number > bins->borders[bins->count]) {
        return SIZE_MAX;
    }
    while (at + 1 < bins->count && number >= bins->borders[at + 1]) {
        at++;
    }
    return at;
}
