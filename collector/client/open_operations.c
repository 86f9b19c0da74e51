#include "open_operations.h"

#include "batch_rules.h"

#include <errno.h>

enum {
    LEAST_CAPACITY = 64,
    TIMES_THE_COST = 500, /* between two looks: 0.2 % */
};

#define OPEN_AGE_NS NS_PER_S
#define LEAST_PERIOD_NS NS_PER_S

void open_operations_release(struct open_operations *open)
{
    row_order_release(&open->order);
    free(open->found);
    *open = (struct open_operations){0};
}

/*
 * Reads a slot that threads may be writing to. The word is read before and after: the same generation, live both times,
 * means that what was read in between is of one operation. The acquire pairs with the release in begin_in_slot().
 */
static bool read_slot(const struct slot *slot, uint32_t index, const struct tick_clock *clock,
                      struct open_operation *ret_operation)
{
    uint64_t word = atomic_load_explicit(&slot->word, memory_order_acquire);

    if ((word & (SLOT_LIVE | SLOT_CLAIMED)) != SLOT_LIVE) {
        return false;
    }

    /* Each an acquire, so that the word is read again after them. */
    uint64_t begin = atomic_load_explicit(&slot->begin, memory_order_acquire);
    uint8_t flags = atomic_load_explicit(&slot->flags, memory_order_acquire);

    *ret_operation = (struct open_operation){
        .id = (word & SLOT_GENERATION_MASK) << SLOT_INDEX_BITS | index,
        .begin_ns = (flags & RECORD_BEGIN_IS_NS) != 0 ? begin : tick_clock_ns(clock, begin),
        .name = atomic_load_explicit(&slot->name, memory_order_acquire),
        .state = atomic_load_explicit(&slot->state, memory_order_acquire),
    };
    return atomic_load_explicit(&slot->word, memory_order_relaxed) == word;
}

static int add(struct open_operations *open, const struct open_operation *operation)
{
    if (open->count == open->capacity) {
        uint32_t capacity = open->capacity == 0 ? LEAST_CAPACITY : 2 * open->capacity;
        void *grown = realloc(open->found, capacity * sizeof(*open->found));

        if (grown == NULL) {
            return -ENOMEM;
        }
        open->found = grown;
        open->capacity = capacity;
    }
    open->found[open->count++] = *operation;
    return 0;
}

int open_operations_look(struct open_operations *open, const struct recorder *recorder,
                         const struct tick_clock *clock, bool is_last)
{
    const struct slot *slots = recorder_slots(recorder);
    uint32_t end =
        MAGAZINE_SLOTS + atomic_load_explicit(&recorder->fresh_slots, memory_order_relaxed);
    uint64_t now_ns = clock_monotonic_ns();
    uint64_t latest_ns = is_last ? UINT64_MAX : now_ns - OPEN_AGE_NS;
    int r = 1;

    if (now_ns < open->due_ns && !is_last) {
        return 0;
    }
    open->looked_ns = now_ns;
    open->count = 0;
    for (uint32_t i = MAGAZINE_SLOTS; i < end && open->count < BATCH_MAX_OPEN && r > 0; i++) {
        struct open_operation operation;

        if (read_slot(&slots[i], i, clock, &operation) && operation.begin_ns <= latest_ns &&
            add(open, &operation) < 0) {
            r = -ENOMEM;
        }
    }

    uint64_t done_ns = clock_monotonic_ns();

    open->due_ns = done_ns + max_u64(LEAST_PERIOD_NS, (done_ns - now_ns) * TIMES_THE_COST);
    return r;
}

static void put(struct batch_open *rows, const struct open_operation *operation, uint16_t name)
{
    rows->begin_ns[rows->count] = operation->begin_ns;
    rows->name[rows->count] = name;
    rows->state[rows->count] =
        operation->state < STATE_COUNT ? operation->state : (uint8_t)STATE_OTHER;
    rows->id[rows->count++] = operation->id;
}

int open_operations_tell(struct open_operations *open, struct batch *batch,
                         struct batch_names *names)
{
    int r = row_order_reserve(&open->order, open->count);

    r = r < 0 ? r : batch_reserve_open(batch, open->count);
    if (r < 0) {
        return r;
    }
    for (uint32_t i = 0; i < open->count; i++) {
        open->order.times[i] = open->found[i].begin_ns;
    }
    row_order_sort(&open->order, open->count);
    batch->open.as_of_ns = open->looked_ns;
    for (uint32_t i = 0; i < open->count; i++) {
        const struct open_operation *operation = &open->found[open->order.rows[i]];
        int name = batch_names_index(names, batch, operation->name, OPERATION_KINDS);

        if (name < 0) {
            return name;
        }
        put(&batch->open, operation, (uint16_t)name);
    }
    return 0;
}
