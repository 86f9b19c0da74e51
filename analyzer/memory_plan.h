/*
 * How the memory of a report is divided, from what the heads of the batches say: how many names are kept apart, how many of
 * them have windows, and how many threads there is room for.
 *
 * All but the number of threads depends on the limit and on the files only, never on the number of threads asked for: the
 * report is the same for any number of threads.
 */
#pragma once

#include "name_ranks.h"

enum {
    MEMORY_LEAST_BYTES = 32 << 20,
    OPERATION_NAME_LIMIT = 10000,
    METRIC_NAME_LIMIT = 1000,
    MARK_NAME_LIMIT = 1000,
    QUEUE_NAME_LIMIT = 1000,
    ATTRIBUTE_KEY_LIMIT = 64,
};

struct memory_wish {
    uint64_t memory_bytes;
    size_t jobs;
    size_t slowest_limit;
    bool with_attributes;
    bool with_load;
};

struct memory_plan {
    uint64_t memory_bytes;
    size_t full_windows;    /* names, by rank, whose windows have quantiles */
    size_t counted_windows; /* names, by rank, that have windows at all */
    size_t budgets;         /* names, by rank, whose time is told by parts */
    size_t families;        /* names, by rank, whose children are told apart */
    size_t kin;             /* parents and children of a session that wait for each other */
    size_t process_limit;   /* processes listed per operation */
    size_t metric_process_limit;
    size_t jobs;
};

struct memory_need {
    size_t window_count;
    uint64_t plan_bytes; /* of the plan itself */
};

/*
 * Divides the memory and gives the names their numbers: as much for names and windows as leaves room for one thread.
 *
 * names    ranked
 * Returns: 0, or -E2BIG if there is too little memory even with few names.
 * Threads: any, on different objects.
 */
MUST_USE int memory_plan_make(struct memory_plan *ret_plan, struct name_ranks *names,
                              const struct memory_wish *wish, const struct memory_need *need);

/* Whether there is room for the budget of the operation name with that number. */
bool memory_plan_has_budget(const struct memory_plan *plan, size_t number);
