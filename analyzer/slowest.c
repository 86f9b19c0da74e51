#include "slowest.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum { FIRST_CAPACITY = 16 };

static int compare_numbers(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* Below 0 if a stands before b: it is slower, or as slow and first in the files. */
static int compare(const struct slow_operation *a, const struct slow_operation *b)
{
    int r = compare_numbers(b->duration_ns, a->duration_ns);

    r = r != 0 ? r : compare_numbers(a->begin_realtime_ns, b->begin_realtime_ns);
    r = r != 0 ? r : memcmp(a->session, b->session, sizeof(a->session));
    r = r != 0 ? r : compare_numbers(a->sequence, b->sequence);
    return r != 0 ? r : compare_numbers(a->row, b->row);
}

static int compare_for_sort(const void *a, const void *b)
{
    return compare(a, b);
}

static void swap(struct slow_operation *a, struct slow_operation *b)
{
    struct slow_operation kept = *a;

    *a = *b;
    *b = kept;
}

/* Lets the last one rise until none above it stands before it. */
static void sift_up(struct slow_operation *heap, size_t at)
{
    while (at > 0 && compare(&heap[at], &heap[(at - 1) / 2]) > 0) {
        swap(&heap[at], &heap[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
}

static void sift_down(struct slow_operation *heap, size_t count)
{
    size_t at = 0;

    for (size_t child = 1; child < count; child = 2 * at + 1) {
        if (child + 1 < count && compare(&heap[child + 1], &heap[child]) > 0) {
            child++;
        }
        if (compare(&heap[child], &heap[at]) <= 0) {
            return;
        }
        swap(&heap[child], &heap[at]);
        at = child;
    }
}

static int grow(struct slowest *slowest)
{
    size_t capacity = slowest->capacity == 0 ? FIRST_CAPACITY : 2 * slowest->capacity;
    struct slow_operation *heap;

    capacity = min_u64(capacity, slowest->limit);
    heap = reallocarray(slowest->heap, capacity, sizeof(*heap));
    if (heap == NULL) {
        return -ENOMEM;
    }
    slowest->heap = heap;
    slowest->capacity = capacity;
    return 0;
}

void slowest_release(struct slowest *slowest)
{
    free(slowest->heap);
    *slowest = (struct slowest){0};
}

int slowest_add(struct slowest *slowest, const struct slow_operation *operation)
{
    if (slowest->count == slowest->limit) {
        if (slowest->limit > 0 && compare(operation, &slowest->heap[0]) < 0) {
            slowest->heap[0] = *operation;
            sift_down(slowest->heap, slowest->count);
        }
        return 0;
    }
    if (slowest->count == slowest->capacity) {
        int r = grow(slowest);

        if (r < 0) {
            return r;
        }
    }
    slowest->heap[slowest->count] = *operation;
    sift_up(slowest->heap, slowest->count);
    slowest->count++;
    return 0;
}

int slowest_merge(struct slowest *slowest, const struct slowest *source)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < source->count; i++) {
        r = slowest_add(slowest, &source->heap[i]);
    }
    return r;
}

void slowest_sort(struct slowest *slowest)
{
    if (slowest->count > 1) {
        qsort(slowest->heap, slowest->count, sizeof(*slowest->heap), compare_for_sort);
    }
}
