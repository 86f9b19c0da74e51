#include "real_distribution.h"

#include "distribution.h"
#include "quantile_ranks.h"
#include "real_bins.h"
#include "real_buckets.h"
#include "real_sums.h"
#include "value_sort.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum {
    MAX_EXACT = DISTRIBUTION_MAX_EXACT,
    FIRST_VALUES = 16,
    FIRST_PAGES = 4,
};

#define BUCKET_ERROR (0.5 / REAL_BUCKETS)

/* The counts of REAL_BUCKETS buckets in a row. */
struct page {
    uint32_t number; /* of the first bucket, divided by REAL_BUCKETS */
    uint64_t total;
    uint64_t *counts; /* owned */
};

struct real_distribution {
    struct real_sums sums;
    uint64_t rejected;
    double min; /* valid if sums.count > 0, as max */
    double max;
    double least_positive; /* INFINITY if there is none */
    bool is_integral;
    bool has_histogram;
    uint64_t *keys; /* owned; the values as real_to_key(); NULL once there is a histogram */
    uint32_t key_capacity;
    struct page *pages; /* owned; ascending by number */
    uint32_t page_count;
    uint32_t page_capacity;
    uint32_t last_page; /* where the value before was counted */
};

int real_distribution_new(struct real_distribution **ret_distribution)
{
    struct real_distribution *distribution = calloc(1, sizeof(*distribution));

    if (distribution == NULL) {
        return -ENOMEM;
    }
    distribution->least_positive = INFINITY;
    distribution->is_integral = true;
    *ret_distribution = distribution;
    return 0;
}

void real_distribution_free(struct real_distribution *distribution)
{
    if (distribution == NULL) {
        return;
    }
    for (uint32_t i = 0; i < distribution->page_count; i++) {
        free(distribution->pages[i].counts);
    }
    free(distribution->pages);
    free(distribution->keys);
    free(distribution);
}

uint64_t real_distribution_rejected(const struct real_distribution *distribution)
{
    return distribution->rejected;
}

size_t real_distribution_memory_bytes(const struct real_distribution *distribution)
{
    return sizeof(*distribution) + distribution->key_capacity * sizeof(*distribution->keys) +
           distribution->page_capacity * sizeof(*distribution->pages) +
           (size_t)distribution->page_count * REAL_BUCKETS * sizeof(uint64_t);
}

/* Returns the index of the first page with this number or a greater one. */
static uint32_t search_page(const struct real_distribution *distribution, uint32_t number)
{
    uint32_t low = 0;
    uint32_t high = distribution->page_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;

        if (distribution->pages[middle].number < number) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static int reserve_page(struct real_distribution *distribution)
{
    uint32_t capacity =
        distribution->page_capacity == 0 ? FIRST_PAGES : 2 * distribution->page_capacity;
    struct page *pages;

    if (distribution->page_count < distribution->page_capacity) {
        return 0;
    }
    pages = reallocarray(distribution->pages, capacity, sizeof(*pages));
    if (pages == NULL) {
        return -ENOMEM;
    }
    distribution->pages = pages;
    distribution->page_capacity = capacity;
    return 0;
}

static int insert_page(struct real_distribution *distribution, uint32_t at, uint32_t number)
{
    int r = reserve_page(distribution);

    if (r < 0) {
        return r;
    }

    uint64_t *counts = calloc(REAL_BUCKETS, sizeof(*counts));

    if (counts == NULL) {
        return -ENOMEM;
    }
    memmove(&distribution->pages[at + 1], &distribution->pages[at],
            (distribution->page_count - at) * sizeof(*distribution->pages));
    distribution->pages[at] = (struct page){.number = number, .counts = counts};
    distribution->page_count++;
    return 0;
}

/* Finds the page with this number, or makes it. */
static int find_page(struct real_distribution *distribution, uint32_t number,
                     struct page **ret_page)
{
    uint32_t at = distribution->last_page;

    if (at >= distribution->page_count || distribution->pages[at].number != number) {
        at = search_page(distribution, number);
    }
    if (at == distribution->page_count || distribution->pages[at].number != number) {
        int r = insert_page(distribution, at, number);

        if (r < 0) {
            return r;
        }
    }
    distribution->last_page = at;
    *ret_page = &distribution->pages[at];
    return 0;
}

static int add_to_bucket(struct real_distribution *distribution, double value)
{
    uint32_t bucket = real_bucket_of(value);
    struct page *page;
    int r = find_page(distribution, bucket / REAL_BUCKETS, &page);

    if (r == 0) {
        page->counts[bucket % REAL_BUCKETS]++;
        page->total++;
    }
    return r;
}

/* Moves the values kept into a histogram. */
static int start_histogram(struct real_distribution *distribution)
{
    int r = 0;

    for (uint64_t i = 0; r == 0 && distribution->keys != NULL && i < distribution->sums.count;
         i++) {
        r = add_to_bucket(distribution, real_from_key(distribution->keys[i]));
    }
    free(distribution->keys);
    distribution->keys = NULL;
    distribution->key_capacity = 0;
    distribution->has_histogram = true;
    return r;
}

static int keep_value(struct real_distribution *distribution, double value)
{
    if (distribution->sums.count == distribution->key_capacity) {
        uint32_t capacity =
            distribution->key_capacity == 0 ? FIRST_VALUES : 2 * distribution->key_capacity;
        uint64_t *keys = reallocarray(distribution->keys, capacity, sizeof(*keys));

        if (keys == NULL) {
            return -ENOMEM;
        }
        distribution->keys = keys;
        distribution->key_capacity = capacity;
    }
    distribution->keys[distribution->sums.count] = real_to_key(value);
    return 0;
}

static void extend(struct real_distribution *distribution, double min, double max)
{
    bool is_empty = distribution->sums.count == 0;

    distribution->min = is_empty ? min : fmin(distribution->min, min);
    distribution->max = is_empty ? max : fmax(distribution->max, max);
}

int real_distribution_add(struct real_distribution *distribution, double value)
{
    int r = 0;

    if (!isfinite(value)) {
        distribution->rejected++;
        return 0;
    }
    value = value == 0 ? 0 : value; /* -0 is 0 */
    if (!distribution->has_histogram && distribution->sums.count == MAX_EXACT) {
        r = start_histogram(distribution);
    }
    if (r == 0) {
        r = distribution->has_histogram ? add_to_bucket(distribution, value)
                                        : keep_value(distribution, value);
    }
    if (r < 0) {
        return r;
    }
    extend(distribution, value, value);
    distribution->least_positive =
        value > 0 ? fmin(distribution->least_positive, value) : distribution->least_positive;
    distribution->is_integral = distribution->is_integral && value == floor(value);
    real_sums_add(&distribution->sums, value);
    return 0;
}

static int merge_page(struct real_distribution *distribution, const struct page *source)
{
    struct page *page;
    int r = find_page(distribution, source->number, &page);

    for (size_t i = 0; r == 0 && i < REAL_BUCKETS; i++) {
        page->counts[i] += source->counts[i];
        page->total += source->counts[i];
    }
    return r;
}

static int merge_histogram(struct real_distribution *distribution,
                           const struct real_distribution *source)
{
    int r = distribution->has_histogram ? 0 : start_histogram(distribution);

    for (uint32_t i = 0; r == 0 && i < source->page_count; i++) {
        r = merge_page(distribution, &source->pages[i]);
    }
    if (r < 0) {
        return r;
    }
    extend(distribution, source->min, source->max);
    distribution->least_positive = fmin(distribution->least_positive, source->least_positive);
    distribution->is_integral = distribution->is_integral && source->is_integral;
    real_sums_merge(&distribution->sums, &source->sums);
    return 0;
}

int real_distribution_merge(struct real_distribution *distribution,
                            const struct real_distribution *source)
{
    int r = 0;

    if (source->has_histogram) {
        r = merge_histogram(distribution, source);
    }
    for (uint64_t i = 0; r == 0 && source->keys != NULL && i < source->sums.count; i++) {
        r = real_distribution_add(distribution, real_from_key(source->keys[i]));
    }
    if (r == 0) {
        distribution->rejected += source->rejected;
    }
    return r;
}

/* A distribution made ready for questions by rank. */
struct ranking {
    const struct real_distribution *distribution;
    uint64_t sorted[MAX_EXACT]; /* keys, if there is no histogram */
};

static double sorted_value(const void *ranking, uint64_t rank)
{
    return real_from_key(((const struct ranking *)ranking)->sorted[rank]);
}

static double histogram_value(const void *of, uint64_t rank)
{
    const struct page *page = ((const struct ranking *)of)->distribution->pages;
    uint32_t bucket = 0;

    while (page->total <= rank) {
        rank -= page->total;
        page++;
    }
    while (page->counts[bucket] <= rank) {
        rank -= page->counts[bucket++];
    }
    return real_bucket_value(page->number * REAL_BUCKETS + bucket, rank, page->counts[bucket]);
}

/* Returns what answers by rank; it borrows *ret_ranking. */
static struct ranked_values rank_values(struct ranking *ret_ranking,
                                        const struct real_distribution *distribution)
{
    uint64_t spare[MAX_EXACT];
    size_t count = distribution->sums.count;

    ret_ranking->distribution = distribution;
    if (!distribution->has_histogram && count > 0) {
        memcpy(ret_ranking->sorted, distribution->keys, count * sizeof(*distribution->keys));
        value_sort(ret_ranking->sorted, count, spare);
    }
    return (struct ranked_values){
        .count = count,
        .min = distribution->min,
        .max = distribution->max,
        .values = ret_ranking,
        .value_of = distribution->has_histogram ? histogram_value : sorted_value,
    };
}

static void count_page(const struct page *page, struct report_summary *summary, size_t *bin)
{
    for (uint32_t i = 0; i < REAL_BUCKETS; i++) {
        if (page->counts[i] != 0) {
            *bin = bins_count(summary->bins, summary->bin_count, *bin,
                              real_bucket_low(page->number * REAL_BUCKETS + i), page->counts[i]);
        }
    }
}

static void summarize_bins(const struct ranking *ranking, struct report_summary *ret_summary)
{
    const struct real_distribution *distribution = ranking->distribution;
    const struct real_range range = {
        .min = distribution->min,
        .max = distribution->max,
        .least_positive = distribution->least_positive,
        .is_integral = distribution->is_integral,
        .is_bucketed = distribution->has_histogram,
    };
    size_t bin = 0;

    if (distribution->sums.count == 0) {
        return;
    }
    ret_summary->bin_count = bins_of_reals(&range, ret_summary->bins);
    for (uint32_t i = 0; i < distribution->page_count; i++) {
        count_page(&distribution->pages[i], ret_summary, &bin);
    }
    for (uint64_t i = 0; !distribution->has_histogram && i < distribution->sums.count; i++) {
        bin =
            bins_count(ret_summary->bins, ret_summary->bin_count, bin, sorted_value(ranking, i), 1);
    }
}

void real_distribution_summarize(const struct real_distribution *distribution,
                                 struct report_summary *ret_summary)
{
    struct ranking ranking;
    struct ranked_values ranked = rank_values(&ranking, distribution);
    struct real_moments moments = real_sums_moments(&distribution->sums);
    bool is_empty = distribution->sums.count == 0;

    memset(ret_summary, 0, sizeof(*ret_summary));
    ret_summary->count = distribution->sums.count;
    ret_summary->sum = moments.sum;
    ret_summary->min = is_empty ? NAN : distribution->min;
    ret_summary->max = is_empty ? NAN : distribution->max;
    ret_summary->mean = moments.mean;
    ret_summary->stddev = moments.stddev;
    ret_summary->is_exact = !distribution->has_histogram;
    ret_summary->relative_error_bound = ret_summary->is_exact ? 0 : BUCKET_ERROR;
    for (size_t i = 0; i < REPORT_QUANTILE_COUNT; i++) {
        quantile_summarize(&ranked, report_quantile_ranks[i], &ret_summary->quantiles[i]);
    }
    summarize_bins(&ranking, ret_summary);
}
