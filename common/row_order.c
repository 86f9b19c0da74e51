#include "row_order.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum {
    ROW_BITS = 16,
    KEY_TIME_BITS = 64 - ROW_BITS,
    MAX_DIGIT_BITS = 11,
    MAX_DIGITS = (KEY_TIME_BITS + MAX_DIGIT_BITS - 1) / MAX_DIGIT_BITS,
    MAX_RUNS = 32, /* more of them, and sorting by digits is faster than merging */
    LEAST_CAPACITY = 256,
};

void row_order_release(struct row_order *order)
{
    free(order->times);
    free(order->rows);
    free(order->keys);
    *order = (struct row_order){0};
}

int row_order_reserve(struct row_order *order, size_t count)
{
    size_t capacity = LEAST_CAPACITY;

    if (count <= order->capacity) {
        return 0;
    }
    if (count > ROW_ORDER_MAX) {
        return -E2BIG;
    }
    while (capacity < count) {
        capacity *= 2;
    }
    row_order_release(order);
    order->times = malloc(capacity * sizeof(*order->times));
    order->rows = malloc(capacity * sizeof(*order->rows));
    order->keys = malloc(2 * capacity * sizeof(*order->keys));
    if (order->times == NULL || order->rows == NULL || order->keys == NULL) {
        row_order_release(order);
        return -ENOMEM;
    }
    order->capacity = (uint32_t)capacity;
    return 0;
}

/* Runs in which the times do not fall. */
struct time_runs {
    uint32_t count;
    uint32_t ends[MAX_RUNS]; /* where each ends */
};

/* Returns false if there are more than MAX_RUNS. */
static bool find_runs(struct time_runs *ret_runs, const uint64_t *times, size_t count)
{
    uint32_t runs = 0;

    for (size_t i = 1; i < count; i++) {
        if (UNLIKELY(times[i] < times[i - 1])) {
            if (runs == MAX_RUNS - 1) {
                return false;
            }
            ret_runs->ends[runs++] = (uint32_t)i;
        }
    }
    ret_runs->ends[runs++] = (uint32_t)count;
    ret_runs->count = runs;
    return true;
}

struct time_span {
    uint64_t least;
    uint64_t greatest;
};

static struct time_span span_of_runs(const uint64_t *times, const struct time_runs *runs)
{
    struct time_span span = {UINT64_MAX, 0};
    uint32_t begin = 0;

    for (uint32_t i = 0; i < runs->count; i++) {
        span.least = min_u64(span.least, times[begin]);
        begin = runs->ends[i];
        span.greatest = max_u64(span.greatest, times[begin - 1]);
    }
    return span;
}

static struct time_span find_span(const uint64_t *times, size_t count)
{
    struct time_span span = {times[0], times[0]};

    for (size_t i = 1; i < count; i++) {
        span.least = min_u64(span.least, times[i]);
        span.greatest = max_u64(span.greatest, times[i]);
    }
    return span;
}

/* --- Keys: time and row in one word --- */

static bool fits_into_keys(struct time_span span)
{
    return (span.greatest - span.least) >> KEY_TIME_BITS == 0;
}

static void make_keys(struct row_order *order, size_t count, uint64_t least)
{
    for (size_t i = 0; i < count; i++) {
        order->keys[i] = (order->times[i] - least) << ROW_BITS | i;
    }
}

static void take_keys_apart(struct row_order *order, const uint64_t *keys, size_t count,
                            uint64_t least)
{
    for (size_t i = 0; i < count; i++) {
        order->times[i] = least + (keys[i] >> ROW_BITS);
        order->rows[i] = (uint16_t)keys[i];
    }
}

/* --- A few runs: merged --- */

/* Keys in order. */
struct key_run {
    const uint64_t *begin;
    const uint64_t *end;
};

/* The first of the keys that is above limit. */
static uint64_t *find_above(uint64_t *begin, const uint64_t *end, uint64_t limit)
{
    size_t count = (size_t)(end - begin);

    while (count > 0) {
        size_t half = count / 2;

        if (begin[half] <= limit) {
            begin += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return begin;
}

/* Merges from both ends at the same time, so that neither waits for the other, and without branches, so that none is guessed. */
static void merge_to(uint64_t *to, struct key_run left, struct key_run right)
{
    uint64_t *to_end = to + (left.end - left.begin) + (right.end - right.begin);

    while (left.end - left.begin > 1 && right.end - right.begin > 1) {
        uint64_t takes_right = *right.begin < *left.begin;
        uint64_t takes_left_end = left.end[-1] > right.end[-1];

        *to++ = takes_right ? *right.begin : *left.begin;
        right.begin += takes_right;
        left.begin += 1 - takes_right;
        *--to_end = takes_left_end ? left.end[-1] : right.end[-1];
        left.end -= takes_left_end;
        right.end -= 1 - takes_left_end;
    }
    while (left.begin < left.end && right.begin < right.end) {
        *to++ = *right.begin < *left.begin ? *right.begin++ : *left.begin++;
    }

    struct key_run rest = left.begin < left.end ? left : right;

    memcpy(to, rest.begin, (size_t)(rest.end - rest.begin) * sizeof(*to));
}

/* Merges two runs that lie one behind the other. Where they do not overlap, nothing moves. */
static void merge_neighbours(uint64_t *begin, uint64_t *middle, uint64_t *end, uint64_t *spare)
{
    begin = find_above(begin, middle, *middle);
    end = find_above(middle, end, middle[-1]);

    const uint64_t *spare_middle = spare + (middle - begin);
    const uint64_t *spare_end = spare + (end - begin);

    memcpy(spare, begin, (size_t)(end - begin) * sizeof(*spare));
    merge_to(begin, (struct key_run){spare, spare_middle},
             (struct key_run){spare_middle, spare_end});
}

/* Merges each run with the next one, until there is only one. */
static void merge_runs(struct row_order *order, struct time_runs *runs)
{
    uint64_t *keys = order->keys;
    uint64_t *spare = order->keys + order->capacity;

    while (runs->count > 1) {
        uint32_t merged = 0;
        uint32_t begin = 0;

        for (uint32_t i = 0; i < runs->count; i += 2) {
            uint32_t end = runs->ends[i];

            if (i + 1 < runs->count) {
                uint32_t middle = end;

                end = runs->ends[i + 1];
                merge_neighbours(keys + begin, keys + middle, keys + end, spare);
            }
            runs->ends[merged++] = end;
            begin = end;
        }
        runs->count = merged;
    }
}

/* --- Many runs: sorted by digits --- */

/* How a time is cut into digits. */
struct digits {
    unsigned int count;
    unsigned int bits; /* of each */
};

static struct digits cut_into_digits(uint64_t greatest)
{
    unsigned int bits = 64U - (unsigned int)__builtin_clzll(greatest | 1);
    unsigned int count = (bits + MAX_DIGIT_BITS - 1) / MAX_DIGIT_BITS;

    return (struct digits){count, (bits + count - 1) / count};
}

typedef uint32_t digit_places[1 << MAX_DIGIT_BITS];

/* Where the rows with each digit begin, for all digits in one pass: so no addition waits for the one before. */
static void find_places(digit_places *places, const uint64_t *keys, size_t count,
                        struct digits digits)
{
    const uint64_t mask = (UINT64_C(1) << digits.bits) - 1;

    memset(places, 0, digits.count * sizeof(*places));
    for (size_t i = 0; i < count; i++) {
        uint64_t time = keys[i] >> ROW_BITS;

        for (unsigned int digit = 0; digit < digits.count; digit++) {
            places[digit][time & mask]++;
            time >>= digits.bits;
        }
    }
    for (unsigned int digit = 0; digit < digits.count; digit++) {
        uint32_t sum = 0;

        for (size_t i = 0; i <= mask; i++) {
            uint32_t here = places[digit][i];

            places[digit][i] = sum;
            sum += here;
        }
    }
}

/* From the least digit to the greatest. Returns the sorted keys. */
static const uint64_t *sort_by_digits(struct row_order *order, size_t count, uint64_t greatest)
{
    digit_places places[MAX_DIGITS];
    uint64_t *keys = order->keys;
    uint64_t *spare = order->keys + order->capacity;
    struct digits digits = cut_into_digits(greatest);
    const uint64_t mask = (UINT64_C(1) << digits.bits) - 1;

    find_places(places, keys, count, digits);
    for (unsigned int digit = 0; digit < digits.count; digit++) {
        uint32_t *place = places[digit];
        unsigned int shift = ROW_BITS + digit * digits.bits;
        uint64_t *sorted = spare;

        for (size_t i = 0; i < count; i++) {
            sorted[place[keys[i] >> shift & mask]++] = keys[i];
        }
        spare = keys;
        keys = sorted;
    }
    return keys;
}

/* --- Times too far apart: merge sort of rows --- */

static void merge(const uint64_t *times, const uint16_t *from, uint16_t *to, size_t middle,
                  size_t end)
{
    size_t left = 0;
    size_t right = middle;

    for (size_t i = 0; i < end; i++) {
        bool takes_left =
            right == end || (left < middle && times[from[left]] <= times[from[right]]);

        to[i] = from[takes_left ? left++ : right++];
    }
}

static void merge_rows(struct row_order *order, size_t count)
{
    uint16_t *from = order->rows;
    uint16_t *to = (uint16_t *)order->keys;
    uint64_t *sorted = order->keys + order->capacity;

    for (size_t i = 0; i < count; i++) {
        from[i] = (uint16_t)i;
    }
    for (size_t width = 1; width < count; width *= 2) {
        for (size_t begin = 0; begin < count; begin += 2 * width) {
            merge(order->times, from + begin, to + begin, min_u64(width, count - begin),
                  min_u64(2 * width, count - begin));
        }

        uint16_t *swapped = from;

        from = to;
        to = swapped;
    }
    for (size_t i = 0; i < count; i++) {
        sorted[i] = order->times[from[i]];
    }
    memmove(order->rows, from, count * sizeof(*from));
    memcpy(order->times, sorted, count * sizeof(*sorted));
}

void row_order_sort(struct row_order *order, size_t count)
{
    struct time_runs runs;

    if (count == 0) {
        return;
    }

    bool has_few_runs = find_runs(&runs, order->times, count);
    struct time_span span =
        has_few_runs ? span_of_runs(order->times, &runs) : find_span(order->times, count);

    if (has_few_runs && runs.count == 1) {
        for (size_t i = 0; i < count; i++) {
            order->rows[i] = (uint16_t)i;
        }
    } else if (!fits_into_keys(span)) {
        merge_rows(order, count);
    } else if (has_few_runs) {
        make_keys(order, count, span.least);
        merge_runs(order, &runs);
        take_keys_apart(order, order->keys, count, span.least);
    } else {
        make_keys(order, count, span.least);
        take_keys_apart(order, sort_by_digits(order, count, span.greatest - span.least), count,
                        span.least);
    }
}
