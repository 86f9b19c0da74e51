#include "distribution.h"

#include "exact_moments.h"
#include "log_bins.h"
#include "log_codes.h"
#include "quantile_ranks.h"
#include "value_moments.h"
#include "value_sort.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum {
    CHUNK =
        1024, /* values that are summed, then counted, while they are in the first-level cache */
    FIRST_CAPACITY = 16,
    SUM_LIMBS = 2,
    SQUARE_LIMBS = 3,
};

/* Values below this have a bucket of their own: the first octave and the one after it, whose buckets are 1 wide. */
#define EXACT_BUCKETS_BELOW (2U * DISTRIBUTION_BUCKETS)
/* A bucket's middle is off by at most this share of a value in it. */
#define BUCKET_ERROR (0.5 / DISTRIBUTION_BUCKETS)

/* The buckets of an octave are 2^this wide. */
static unsigned int width_bits_of(unsigned int octave)
{
    return octave - (octave != 0);
}

static uint64_t bucket_low(unsigned int octave, unsigned int bucket)
{
    return ((octave != 0 ? (uint64_t)DISTRIBUTION_BUCKETS : 0) + bucket) << width_bits_of(octave);
}

void distribution_release(struct distribution *distribution)
{
    free(distribution->values);
    free(distribution->counts);
    *distribution = (struct distribution){0};
}

size_t distribution_memory_bytes(const struct distribution *distribution)
{
    size_t bytes = distribution->value_capacity * sizeof(*distribution->values);

    for (size_t i = 0; i < DISTRIBUTION_OCTAVES; i++) {
        bytes += distribution->octaves[i] != NULL ? DISTRIBUTION_BUCKETS * sizeof(uint64_t) : 0;
    }
    return bytes;
}

/* Count, extremes and sums of at most VALUE_MOMENTS_MAX values. Returns theirs. */
static struct value_moments add_moments(struct distribution *distribution, const uint64_t *values,
                                        size_t count)
{
    struct value_moments moments;

    value_moments_of(&moments, values, count);
    distribution->min =
        distribution->count > 0 ? min_u64(distribution->min, moments.min) : moments.min;
    distribution->max = max_u64(distribution->max, moments.max);
    distribution->count += count;
    distribution->sum += moments.sum;
    wide_add(distribution->square_sum, SQUARE_LIMBS, moments.square_low, 0);
    wide_add(distribution->square_sum, SQUARE_LIMBS, moments.square_high, 64);
    return moments;
}

/* Octaves: from first to below end; none if end is 0. */
struct span {
    unsigned int first;
    unsigned int end;
};

static struct span span_of(const struct distribution *distribution)
{
    struct span span = {0, 0};

    for (unsigned int octave = 0; octave < DISTRIBUTION_OCTAVES; octave++) {
        if (distribution->octaves[octave] != NULL) {
            span.first = span.end == 0 ? octave : span.first;
            span.end = octave + 1;
        }
    }
    return span;
}

/* Makes the histogram reach over more octaves. */
static int reach(struct distribution *distribution, struct span more)
{
    struct span old = span_of(distribution);
    struct span span = old;

    if (more.end > 0) {
        span.first = old.end == 0 ? more.first : (unsigned int)min_u64(old.first, more.first);
        span.end = (unsigned int)max_u64(old.end, more.end);
    }
    if (span.first == old.first && span.end == old.end) {
        return 0;
    }

    uint64_t *counts =
        calloc((span.end - span.first) * (size_t)DISTRIBUTION_BUCKETS, sizeof(*counts));

    if (counts == NULL) {
        return -ENOMEM;
    }
    for (unsigned int octave = span.first; octave < span.end; octave++) {
        uint64_t *at = &counts[(octave - span.first) * (size_t)DISTRIBUTION_BUCKETS];

        if (distribution->octaves[octave] != NULL) {
            memcpy(at, distribution->octaves[octave], DISTRIBUTION_BUCKETS * sizeof(*at));
        }
        distribution->octaves[octave] = at;
    }
    free(distribution->counts);
    distribution->counts = counts;
    return 0;
}

/* Counts values, the least and the greatest of which are known, by their codes; the moments have them already. */
static int add_to_buckets(struct distribution *distribution, const uint16_t *codes, size_t count,
                          const struct value_moments *moments)
{
    unsigned int first = log_code_of(moments->min) / DISTRIBUTION_BUCKETS;
    unsigned int last = log_code_of(moments->max) / DISTRIBUTION_BUCKETS;

    if (UNLIKELY(distribution->octaves[first] == NULL || distribution->octaves[last] == NULL)) {
        int r = reach(distribution, (struct span){first, last + 1});

        if (r < 0) {
            return r;
        }
    }

    unsigned int base = first * DISTRIBUTION_BUCKETS;
    uint64_t *counts = distribution->octaves[first];

    for (size_t i = 0; i < count; i++) {
        counts[codes[i] - base]++;
    }
    return 0;
}

/* The same for values whose codes nobody knows yet; at most CHUNK of them. */
static int code_to_buckets(struct distribution *distribution, const uint64_t *values, size_t count,
                           const struct value_moments *moments)
{
    uint16_t codes[CHUNK];

    log_codes_of(codes, values, count);
    return add_to_buckets(distribution, codes, count, moments);
}

/* Moves the values kept into a histogram. */
static int start_histogram(struct distribution *distribution)
{
    uint64_t *values = distribution->values;
    size_t count = values != NULL ? distribution->count : 0;
    int r = 0;

    const struct value_moments moments = {.min = distribution->min, .max = distribution->max};

    for (size_t done = 0; r == 0 && done < count; done += CHUNK) {
        r = code_to_buckets(distribution, values + done, min_u64(count - done, CHUNK), &moments);
    }
    free(values);
    distribution->values = NULL;
    distribution->value_capacity = 0;
    distribution->has_histogram = true;
    return r;
}

/* Makes room for count values, which are at most DISTRIBUTION_MAX_EXACT. */
static int reserve_values(struct distribution *distribution, uint64_t count)
{
    uint32_t capacity =
        distribution->value_capacity != 0 ? distribution->value_capacity : FIRST_CAPACITY;
    uint64_t *values;

    if (count <= distribution->value_capacity) {
        return 0;
    }
    while (capacity < count) {
        capacity *= 2;
    }
    values = reallocarray(distribution->values, capacity, sizeof(*values));
    if (values == NULL) {
        return -ENOMEM;
    }
    distribution->values = values;
    distribution->value_capacity = capacity;
    return 0;
}

static int keep_values(struct distribution *distribution, const uint64_t *values, size_t count)
{
    int r = reserve_values(distribution, distribution->count + count);

    if (r < 0) {
        return r;
    }
    memcpy(&distribution->values[distribution->count], values, count * sizeof(*values));
    for (size_t done = 0; done < count; done += CHUNK) {
        (void)add_moments(distribution, values + done, min_u64(count - done, CHUNK));
    }
    return 0;
}

/* Adds values; codes are theirs, or NULL. */
static int add_values(struct distribution *distribution, const uint64_t *values,
                      const uint16_t *codes, size_t count)
{
    int r = 0;

    if (count == 0) {
        return 0;
    }
    if (!distribution->has_histogram) {
        if (count <= DISTRIBUTION_MAX_EXACT &&
            distribution->count + count <= DISTRIBUTION_MAX_EXACT) {
            return keep_values(distribution, values, count);
        }
        r = start_histogram(distribution);
    }
    for (size_t done = 0; r == 0 && done < count; done += CHUNK) {
        size_t size = min_u64(count - done, CHUNK);
        const struct value_moments moments = add_moments(distribution, values + done, size);

        r = codes == NULL ? code_to_buckets(distribution, values + done, size, &moments)
                          : add_to_buckets(distribution, codes + done, size, &moments);
    }
    return r;
}

int distribution_add(struct distribution *distribution, const uint64_t *values, size_t count)
{
    return add_values(distribution, values, NULL, count);
}

int distribution_add_coded(struct distribution *distribution, const uint64_t *values,
                           const uint16_t *codes, size_t count)
{
    return add_values(distribution, values, codes, count);
}

/* Adds the buckets of a source that has a histogram to one that has one too. */
static int merge_buckets(struct distribution *distribution, const struct distribution *source)
{
    struct span from = span_of(source);
    int r = reach(distribution, from);

    for (unsigned int octave = from.first; r == 0 && octave < from.end; octave++) {
        uint64_t *restrict to = distribution->octaves[octave];
        const uint64_t *restrict more = source->octaves[octave];

        for (size_t i = 0; i < DISTRIBUTION_BUCKETS; i++) {
            to[i] += more[i];
        }
    }
    return r;
}

int distribution_merge(struct distribution *distribution, const struct distribution *source)
{
    int r = 0;

    if (!source->has_histogram) {
        return distribution_add(distribution, source->values, source->count);
    }
    if (!distribution->has_histogram) {
        r = start_histogram(distribution);
    }
    if (r < 0) {
        return r;
    }
    distribution->min =
        distribution->count > 0 ? min_u64(distribution->min, source->min) : source->min;
    distribution->max = max_u64(distribution->max, source->max);
    distribution->count += source->count;
    distribution->sum += source->sum;
    wide_add_wide(distribution->square_sum, source->square_sum, SQUARE_LIMBS);
    return merge_buckets(distribution, source);
}

/* A distribution made ready for questions by rank. */
struct ranking {
    const struct distribution *distribution;
    uint64_t
        below[DISTRIBUTION_OCTAVES + 1]; /* values in the octaves before, if it has a histogram */
    uint64_t sorted[DISTRIBUTION_MAX_EXACT]; /* else */
};

static double sorted_value(const void *ranking, uint64_t rank)
{
    return (double)((const struct ranking *)ranking)->sorted[rank];
}

/*
 * The value of the one at place (0 to count - 1) in a bucket. The members are spread evenly, but kept where an estimate is
 * within BUCKET_ERROR of every value that may be in the bucket: at the beginning of an octave that is just the middle.
 */
static double value_in_bucket(uint64_t low, unsigned int width_bits, uint64_t place, uint64_t count)
{
    double width = (double)(1ULL << width_bits);
    double spread = (double)low + width * ((double)place + 0.5) / (double)count;
    double least = ((double)low + width - 1) * (1 - BUCKET_ERROR);
    double most = (double)low * (1 + BUCKET_ERROR);

    return width_bits == 0 ? (double)low : fmin(fmax(spread, least), most);
}

static double histogram_value(const void *of, uint64_t rank)
{
    const struct ranking *ranking = of;
    unsigned int octave = 0;
    unsigned int bucket = 0;

    while (ranking->below[octave + 1] <= rank) {
        octave++;
    }
    rank -= ranking->below[octave];

    const uint64_t *counts = ranking->distribution->octaves[octave];

    while (counts[bucket] <= rank) {
        rank -= counts[bucket++];
    }
    return value_in_bucket(bucket_low(octave, bucket), width_bits_of(octave), rank, counts[bucket]);
}

static void count_octaves(struct ranking *ranking)
{
    ranking->below[0] = 0;
    for (size_t octave = 0; octave < DISTRIBUTION_OCTAVES; octave++) {
        const uint64_t *counts = ranking->distribution->octaves[octave];
        uint64_t below = ranking->below[octave];

        for (size_t i = 0; counts != NULL && i < DISTRIBUTION_BUCKETS; i++) {
            below += counts[i];
        }
        ranking->below[octave + 1] = below;
    }
}

/* Returns what answers by rank; it borrows *ret_ranking. */
static struct ranked_values rank_values(struct ranking *ret_ranking,
                                        const struct distribution *distribution)
{
    uint64_t spare[DISTRIBUTION_MAX_EXACT];

    ret_ranking->distribution = distribution;
    if (distribution->has_histogram) {
        count_octaves(ret_ranking);
    } else if (distribution->count > 0) {
        memcpy(ret_ranking->sorted, distribution->values, distribution->count * sizeof(uint64_t));
        value_sort(ret_ranking->sorted, distribution->count, spare);
    }
    return (struct ranked_values){
        .count = distribution->count,
        .min = (double)distribution->min,
        .max = (double)distribution->max,
        .values = ret_ranking,
        .value_of = distribution->has_histogram ? histogram_value : sorted_value,
    };
}

void distribution_quantiles(const struct distribution *distribution, const double *p, size_t count,
                            double *ret_quantiles)
{
    struct ranking ranking;
    struct ranked_values ranked = rank_values(&ranking, distribution);

    for (size_t i = 0; i < count; i++) {
        ret_quantiles[i] = quantile_of_ranked(&ranked, p[i]);
    }
}

double distribution_quantile(const struct distribution *distribution, double p)
{
    double quantile;

    distribution_quantiles(distribution, &p, 1, &quantile);
    return quantile;
}

static void summarize_moments(const struct distribution *distribution,
                              struct report_summary *ret_summary)
{
    const uint64_t sum[SUM_LIMBS] = {(uint64_t)distribution->sum,
                                     (uint64_t)(distribution->sum >> 64)};
    const struct exact_sums sums = {
        .count = distribution->count,
        .sum = sum,
        .square_sum = distribution->square_sum,
        .limb_count = SUM_LIMBS,
        .square_limb_count = SQUARE_LIMBS,
    };
    bool is_empty = distribution->count == 0;

    ret_summary->count = distribution->count;
    ret_summary->sum = exact_sum(&sums);
    ret_summary->min = is_empty ? NAN : (double)distribution->min;
    ret_summary->max = is_empty ? NAN : (double)distribution->max;
    ret_summary->mean = exact_mean(&sums);
    ret_summary->stddev = exact_stddev(&sums);
}

static void count_sorted(const struct ranking *ranking, struct report_summary *summary)
{
    size_t bin = 0;

    for (size_t i = 0; i < summary->count; i++) {
        bin = bins_count(summary->bins, summary->bin_count, bin, (double)ranking->sorted[i], 1);
    }
}

static void count_buckets(const struct distribution *distribution, struct report_summary *summary)
{
    size_t bin = 0;

    for (unsigned int octave = 0; octave < DISTRIBUTION_OCTAVES; octave++) {
        const uint64_t *counts = distribution->octaves[octave];

        for (unsigned int i = 0; counts != NULL && i < DISTRIBUTION_BUCKETS; i++) {
            bin = bins_count(summary->bins, summary->bin_count, bin, (double)bucket_low(octave, i),
                             counts[i]);
        }
    }
}

static void summarize_bins(const struct ranking *ranking, struct report_summary *ret_summary)
{
    const struct distribution *distribution = ranking->distribution;
    uint64_t unit = 1;

    if (distribution->count == 0) {
        return;
    }
    if (distribution->has_histogram) {
        unit = 1ULL << width_bits_of(log_code_of(distribution->max) / DISTRIBUTION_BUCKETS);
    }
    ret_summary->bin_count =
        bins_of_integers(distribution->min, distribution->max, unit, ret_summary->bins);
    if (distribution->has_histogram) {
        count_buckets(distribution, ret_summary);
    } else {
        count_sorted(ranking, ret_summary);
    }
}

void distribution_summarize(const struct distribution *distribution,
                            struct report_summary *ret_summary)
{
    struct ranking ranking;
    struct ranked_values ranked = rank_values(&ranking, distribution);

    memset(ret_summary, 0, sizeof(*ret_summary));
    summarize_moments(distribution, ret_summary);
    ret_summary->is_exact = !distribution->has_histogram || distribution->max < EXACT_BUCKETS_BELOW;
    ret_summary->relative_error_bound = ret_summary->is_exact ? 0 : BUCKET_ERROR;
    for (size_t i = 0; i < REPORT_QUANTILE_COUNT; i++) {
        quantile_summarize(&ranked, report_quantile_ranks[i], &ret_summary->quantiles[i]);
    }
    summarize_bins(&ranking, ret_summary);
}
