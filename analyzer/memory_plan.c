#include "memory_plan.h"

#include "budget_tally.h"
#include "distribution.h"
#include "kin_ring.h"
#include "report_operations.h"
#include "slowest.h"

#include <errno.h>

enum {
    /* What all names' accumulators may take of the memory, and what their windows: one part of so many. */
    MOST_SHARE = 4,
    LEAST_SHARE = 64,
    PROCESS_SHARE = 16,
    METRIC_PROCESS_SHARE = 32,
    BUDGET_SHARE = 16,
    FAMILY_SHARE = 64,
    KIN_SHARE = 64,

    OPERATION_BYTES = 1024,         /* the accumulators of a name without values */
    HISTOGRAM_BYTES = 14 * 256 * 8, /* a typical duration spans 14 octaves */
    WINDOW_BYTES = 64,              /* without quantiles; a list that grew may be half empty */
    WINDOW_OCTAVE_BYTES = 32 * 4,
    WINDOW_OCTAVES = 8,
    METRIC_SUMMARY_BYTES = 2 << 10,
    BUDGET_CELLS = 14 * COARSE_OCTAVE_BUCKETS,

    FAMILY_BYTES = 64 << 10, /* some children of a name, in some octaves each */

    /* Of two rings: an entry and two heads of chains in each. */
    KIN_BYTES = 2 * (sizeof(struct kin_entry) + 2 * sizeof(uint32_t)),
    LEAST_KIN = 1 << 10,
    MOST_KIN = 1 << 18,

    LEAST_PROCESSES = 16,
    MOST_PROCESSES = 1000,
    LEAST_METRIC_PROCESSES = 4,
    MOST_METRIC_PROCESSES = 64,

    /* Of a thread: a frame, its rows, what is decompressed, the view of the file. */
    THREAD_BYTES = 16 << 20,

    /* What the allocator loses between blocks that grow: one part of so many. */
    ALLOCATOR_SHARE = 4,
};

static uint64_t operation_bytes(uint64_t rows, const struct memory_wish *wish)
{
    return OPERATION_BYTES + min_u64(rows * sizeof(uint64_t), HISTOGRAM_BYTES) +
           min_u64(rows, wish->slowest_limit) * sizeof(struct slow_operation);
}

static uint64_t window_bytes(uint64_t rows, size_t window_count, bool is_full)
{
    uint64_t windows = min_u64(rows, window_count);
    uint64_t octaves = windows == 0 ? 0 : min_u64((rows + windows - 1) / windows, WINDOW_OCTAVES);

    return windows * (WINDOW_BYTES + (is_full ? octaves * WINDOW_OCTAVE_BYTES : 0));
}

static uint64_t rows_of(const struct name_ranks *names, size_t rank)
{
    const struct ranked_names *group = &names->groups[GROUP_OPERATION];

    return names->entries[group->entries[rank]].rows;
}

/* Of one with states; the list of its cells grows by doubling. */
static uint64_t budget_bytes(uint64_t rows)
{
    return sizeof(struct report_budget) +
           2 * min_u64(rows, BUDGET_CELLS) * sizeof(struct budget_cell);
}

/* The number of names, by rank, whose budgets fit; as if all had states. Returns the bytes that they take. */
static uint64_t keep_budgets(struct memory_plan *plan, const struct name_ranks *names)
{
    size_t kept = names->groups[GROUP_OPERATION].kept;
    uint64_t limit = plan->memory_bytes / BUDGET_SHARE;
    uint64_t bytes = 0;

    plan->budgets = 0;
    while (plan->budgets < kept && bytes + budget_bytes(rows_of(names, plan->budgets)) <= limit) {
        bytes += budget_bytes(rows_of(names, plan->budgets++));
    }
    return bytes;
}

/* As many names as fit. Returns the bytes that they take. */
static uint64_t keep_families(struct memory_plan *plan, const struct name_ranks *names)
{
    plan->families = min_u64(plan->memory_bytes / FAMILY_SHARE / FAMILY_BYTES,
                             names->groups[GROUP_OPERATION].kept);
    return plan->families * FAMILY_BYTES;
}

/* Returns the bytes that a session's waiting parents and children take. */
static uint64_t keep_kin(struct memory_plan *plan)
{
    plan->kin = LEAST_KIN;
    while (plan->kin < MOST_KIN && 2 * plan->kin * KIN_BYTES <= plan->memory_bytes / KIN_SHARE) {
        plan->kin *= 2;
    }
    return plan->kin * KIN_BYTES;
}

/* Keeps as many names as fit. Returns the bytes that their accumulators need. */
static uint64_t keep_operations(struct name_ranks *names, const struct memory_wish *wish,
                                unsigned int share)
{
    size_t limit = min_u64(names->groups[GROUP_OPERATION].count, OPERATION_NAME_LIMIT);
    uint64_t budget = wish->memory_bytes / share;
    uint64_t bytes = operation_bytes(UINT32_MAX, wish); /* of the others */
    size_t kept = 0;

    while (kept < limit && bytes + operation_bytes(rows_of(names, kept), wish) <= budget) {
        bytes += operation_bytes(rows_of(names, kept++), wish);
    }
    name_ranks_keep(names, GROUP_OPERATION, kept);
    return bytes;
}

/* The number of names, by rank, whose windows fit into budget_bytes, which shrinks. */
static size_t count_windows(const struct name_ranks *names, size_t window_count, bool is_full,
                            size_t from, uint64_t *budget_bytes)
{
    size_t kept = names->groups[GROUP_OPERATION].kept;
    size_t rank = from;

    while (rank < kept) {
        uint64_t bytes = window_bytes(rows_of(names, rank), window_count, is_full);

        if (bytes > *budget_bytes) {
            break;
        }
        *budget_bytes -= bytes;
        rank++;
    }
    return rank;
}

static size_t clamp(uint64_t value, size_t least, size_t most)
{
    return value < least ? least : value > most ? most : (size_t)value;
}

static void set_process_limits(struct memory_plan *plan, const struct name_ranks *names)
{
    size_t operations = names->groups[GROUP_OPERATION].kept + 1;
    size_t metrics = 2 * (names->groups[GROUP_METRIC].kept + 1);

    plan->process_limit =
        clamp(plan->memory_bytes / PROCESS_SHARE / (operations * sizeof(struct report_by_process)),
              LEAST_PROCESSES, MOST_PROCESSES);
    plan->metric_process_limit =
        clamp(plan->memory_bytes / METRIC_PROCESS_SHARE / (metrics * METRIC_SUMMARY_BYTES),
              LEAST_METRIC_PROCESSES, MOST_METRIC_PROCESSES);
}

/* Tries with a part of the memory for names and for windows. Returns 0, or -E2BIG if the rest is too little for a thread. */
static int try_share(struct memory_plan *plan, struct name_ranks *names,
                     const struct memory_wish *wish, const struct memory_need *need,
                     unsigned int share)
{
    uint64_t name_bytes = keep_operations(names, wish, share) + keep_budgets(plan, names) +
                          keep_families(plan, names);
    uint64_t window_budget = wish->memory_bytes / share;

    plan->full_windows = count_windows(names, need->window_count, true, 0, &window_budget);
    plan->counted_windows =
        count_windows(names, need->window_count, false, plan->full_windows, &window_budget);

    /* Of the names: one set for the report, and for each thread one of the session that it counts for. */
    uint64_t fixed = wish->memory_bytes / share - window_budget + names->memory_bytes +
                     need->plan_bytes + name_bytes +
                     names->groups[GROUP_OPERATION].kept * sizeof(struct report_operation);
    uint64_t per_thread = THREAD_BYTES + keep_kin(plan) + name_bytes + name_bytes / ALLOCATOR_SHARE;

    if (fixed + per_thread > wish->memory_bytes) {
        return -E2BIG;
    }
    plan->jobs = clamp((wish->memory_bytes - fixed) / per_thread, 1, wish->jobs);
    return 0;
}

bool memory_plan_has_budget(const struct memory_plan *plan, size_t number)
{
    return number < plan->budgets;
}

int memory_plan_make(struct memory_plan *ret_plan, struct name_ranks *names,
                     const struct memory_wish *wish, const struct memory_need *need)
{
    struct memory_plan plan = {.memory_bytes = wish->memory_bytes};
    int r = -E2BIG;

    name_ranks_keep(names, GROUP_METRIC, METRIC_NAME_LIMIT);
    name_ranks_keep(names, GROUP_MARK, MARK_NAME_LIMIT);
    name_ranks_keep(names, GROUP_QUEUE, QUEUE_NAME_LIMIT);
    name_ranks_keep(names, GROUP_ATTRIBUTE, wish->with_attributes ? ATTRIBUTE_KEY_LIMIT : 0);
    for (unsigned int share = MOST_SHARE; r < 0 && share <= LEAST_SHARE; share *= 2) {
        r = try_share(&plan, names, wish, need, share);
    }
    if (r == 0) {
        set_process_limits(&plan, names);
        *ret_plan = plan;
    }
    return r;
}
