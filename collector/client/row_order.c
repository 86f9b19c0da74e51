#include "row_order.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum {
    ROW_BITS = 16,
    KEY_TIME_BITS = 64 - ROW_BITS,
    DIGIT_BITS = 11,
    DIGITS = 1 << DIGIT_BITS,
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

struct time_span {
    uint64_t least;
    uint64_t greatest;
    uint64_t descents; /* places where a time is less than the one before */
};

static struct time_span find_span(const uint64_t *times, size_t count)
{
    struct time_span span = {times[0], times[0], 0};

    for (size_t i = 1; i < count; i++) {
        span.least = min_u64(span.least, times[i]);
        span.greatest = max_u64(span.greatest, times[i]);
        span.descents += times[i] < times[i - 1];
    }
    return span;
}

/* --- Times that fit into a key with their row: radix sort --- */

/* One pass, by the digit that stands at shift. */
static void sort_by_digit(const uint64_t *from, uint64_t *to, size_t count, unsigned int shift)
{
    uint32_t place[DIGITS] = {0};
    uint32_t sum = 0;

    for (size_t i = 0; i < count; i++) {
        place[(from[i] >> shift) & (DIGITS - 1)]++;
    }
    for (size_t digit = 0; digit < DIGITS; digit++) {
        uint32_t here = place[digit];

        place[digit] = sum;
        sum += here;
    }
    for (size_t i = 0; i < count; i++) {
        to[place[(from[i] >> shift) & (DIGITS - 1)]++] = from[i];
    }
}

static void sort_keys(struct row_order *order, size_t count, const struct time_span *span)
{
    uint64_t *from = order->keys;
    uint64_t *to = order->keys + order->capacity;

    for (size_t i = 0; i < count; i++) {
        from[i] = (order->times[i] - span->least) << ROW_BITS | i;
    }
    for (unsigned int shift = 0; (span->greatest - span->least) >> shift != 0;
         shift += DIGIT_BITS) {
        sort_by_digit(from, to, count, shift + ROW_BITS);

        uint64_t *swapped = from;

        from = to;
        to = swapped;
    }
    for (size_t i = 0; i < count; i++) {
        order->times[i] = span->least + (from[i] >> ROW_BITS);
        order->rows[i] = (uint16_t)from[i];
    }
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
    if (count == 0) {
        return;
    }

    struct time_span span = find_span(order->times, count);

    if (span.descents == 0) {
        for (size_t i = 0; i < count; i++) {
            order->rows[i] = (uint16_t)i;
        }
    } else if ((span.greatest - span.least) >> KEY_TIME_BITS == 0) {
        sort_keys(order, count, &span);
    } else {
        merge_rows(order, count);
    }
}
