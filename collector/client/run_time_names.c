/*
 * Names made at run time: for other languages, and for programs that learn their names late. A list that only grows,
 * lock-free, so that a fork at any moment leaves it usable.
 */
#include "eddy.h"

#include "base.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 1024, MAX_TEXT_BYTES = 255, MAX_UNIT_BYTES = 63 };

enum run_time_kind { RUN_TIME_NAME, RUN_TIME_METRIC, RUN_TIME_QUEUE };

struct run_time_name {
    struct eddy_queue queue; /* its name is what names and metrics use */
    struct run_time_name *next;
    enum run_time_kind kind;
    char text[MAX_TEXT_BYTES + 1];
    char unit[MAX_UNIT_BYTES + 1];
};

static struct run_time_name *_Atomic buckets[BUCKETS];

static uint32_t bucket_of(const char *text, size_t length)
{
    uint32_t hash = 2166136261U; /* FNV-1a */

    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (uint8_t)text[i]) * 16777619U;
    }
    return hash % BUCKETS;
}

static struct run_time_name *find(struct run_time_name *first, const struct run_time_name *wanted)
{
    for (; first != NULL; first = first->next) {
        if (first->kind == wanted->kind && strcmp(first->text, wanted->text) == 0) {
            return first;
        }
    }
    return NULL;
}

static struct run_time_name *intern(enum run_time_kind kind, const char *text, const char *unit,
                                    uint64_t capacity)
{
    if (text == NULL) {
        return NULL;
    }

    AUTO_FREE struct run_time_name *made = calloc(1, sizeof(*made));

    if (made == NULL) {
        return NULL;
    }
    made->kind = kind;
    memcpy(made->text, text, strnlen(text, MAX_TEXT_BYTES));
    memcpy(made->unit, unit, strnlen(unit, MAX_UNIT_BYTES));
    made->queue.name.text = made->text;
    made->queue.name.unit = made->unit;
    made->queue.capacity = capacity;

    struct run_time_name *_Atomic *bucket = &buckets[bucket_of(made->text, strlen(made->text))];
    /* Pairs with the release of whoever entered the names found here. */
    struct run_time_name *first = atomic_load_explicit(bucket, memory_order_acquire);

    do {
        struct run_time_name *known = find(first, made);

        if (known != NULL) {
            return known;
        }
        made->next = first;
    } while (!atomic_compare_exchange_weak_explicit(bucket, &first, made, memory_order_acq_rel,
                                                    memory_order_acquire));
    return take_pointer(&made);
}

struct eddy_name *eddy_name_intern(const char *text)
{
    struct run_time_name *name = intern(RUN_TIME_NAME, text, "", 0);

    return name == NULL ? NULL : &name->queue.name;
}

struct eddy_name *eddy_metric_intern(const char *text, const char *unit)
{
    struct run_time_name *name = intern(RUN_TIME_METRIC, text, unit == NULL ? "" : unit, 0);

    return name == NULL ? NULL : &name->queue.name;
}

struct eddy_queue *eddy_queue_intern(const char *text, uint64_t capacity)
{
    struct run_time_name *name = intern(RUN_TIME_QUEUE, text, "{operation}", capacity);

    return name == NULL ? NULL : &name->queue;
}
