/*
 * Sorts rows by time: the times of up to 65,536 rows in any order become sorted times and the row of each. Stable. Made
 * for rows that are nearly in order, as those of a few threads are.
 */
#pragma once

#include "base.h"

enum { ROW_ORDER_MAX = 65536 };

/* Owns its memory; {0} is an empty one. One thread at a time. */
struct row_order {
    uint32_t capacity;
    uint64_t *times; /* owned; in: the time of each row; out: in order */
    uint16_t *rows;  /* owned; out: which row stands there */
    uint64_t *keys;  /* owned; 2 x capacity */
};

void row_order_release(struct row_order *order);

/* Makes room for count rows; what was in it is lost. Returns 0, -ENOMEM, or -E2BIG above ROW_ORDER_MAX. */
MUST_USE int row_order_reserve(struct row_order *order, size_t count);

/*
 * Sorts the first count of order->times.
 *
 * Cost:     O(count) for times within three days of each other; else O(count log count).
 */
void row_order_sort(struct row_order *order, size_t count);
