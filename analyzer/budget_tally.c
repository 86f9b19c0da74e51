#include "budget_tally.h"

#include "growing_list.h"

enum { WORD_BITS = 64 };

void budget_tally_release(struct budget_tally *tally)
{
    free(tally->cells);
    *tally = (struct budget_tally){0};
}

size_t budget_tally_memory_bytes(const struct budget_tally *tally)
{
    return tally->capacity * sizeof(*tally->cells);
}

/* --- One operation --- */

/* Takes excess_ns off the states, the longest first: rounding is a few ns, which are not missed there. */
static void trim(uint64_t states_ns[static STATE_COUNT], uint128 excess_ns)
{
    while (excess_ns > 0) {
        int longest = 0;

        for (int state = 1; state < STATE_COUNT; state++) {
            longest = states_ns[state] > states_ns[longest] ? state : longest;
        }

        uint64_t taken_ns =
            excess_ns < states_ns[longest] ? (uint64_t)excess_ns : states_ns[longest];

        states_ns[longest] -= taken_ns;
        excess_ns -= taken_ns;
    }
}

struct budget_cell *budget_scratch_add(struct budget_scratch *scratch, uint64_t duration_ns,
                                       uint64_t states_ns[static STATE_COUNT], bool is_stated)
{
    size_t bucket = coarse_bucket_of(duration_ns);
    struct budget_cell *cell = &scratch->cells[bucket];
    uint128 sum_ns = 0;

    for (int state = 0; state < STATE_COUNT; state++) {
        sum_ns += states_ns[state];
    }
    if (sum_ns > duration_ns) {
        scratch->trimmed_count++;
        scratch->trimmed_ns += sum_ns - duration_ns;
        trim(states_ns, sum_ns - duration_ns);
        sum_ns = duration_ns;
    }
    for (int state = 0; state < STATE_COUNT; state++) {
        if (states_ns[state] > 0) {
            cell->parts_ns[state] += states_ns[state];
        }
    }
    cell->parts_ns[BUDGET_UNACCOUNTED] += duration_ns - (uint64_t)sum_ns;
    cell->count++;
    scratch->stated_count += is_stated;
    scratch->used[bucket / WORD_BITS] |= 1ULL << (bucket % WORD_BITS);
    return cell;
}

void budget_cell_estimate(struct budget_cell *cell, const struct running_estimates *estimates)
{
    for (int i = 0; i < RUNNING_ESTIMATE_COUNT; i++) {
        cell->estimates_ns[i] += estimates->ns[i];
    }
    cell->sampled_ns += estimates->sampled_ns;
}

void budget_cell_add(struct budget_cell *cell, const struct budget_cell *from)
{
    for (int part = 0; part < BUDGET_PART_COUNT; part++) {
        cell->parts_ns[part] += from->parts_ns[part];
    }
    for (int i = 0; i < RUNNING_ESTIMATE_COUNT; i++) {
        cell->estimates_ns[i] += from->estimates_ns[i];
    }
    cell->sampled_ns += from->sampled_ns;
    cell->count += from->count;
}

/* --- Cells --- */

/* The place of a bucket's cell, or where it belongs. */
static size_t find_cell(const struct budget_tally *tally, size_t bucket)
{
    size_t low = 0;
    size_t high = tally->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (tally->cells[middle].bucket < bucket) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static int make_cell(struct budget_tally *tally, size_t bucket, struct budget_cell **ret_cell)
{
    size_t at = find_cell(tally, bucket);

    if (at == tally->count || tally->cells[at].bucket != bucket) {
        int r = growing_list_insert((void *)&tally->cells, &tally->capacity, &tally->count, at,
                                    sizeof(*tally->cells));

        if (r < 0) {
            return r;
        }
        tally->cells[at] = (struct budget_cell){.bucket = (uint16_t)bucket};
    }
    *ret_cell = &tally->cells[at];
    return 0;
}

static int add_cell(struct budget_tally *tally, size_t bucket, const struct budget_cell *from)
{
    struct budget_cell *cell = NULL;
    int r = make_cell(tally, bucket, &cell);

    if (r == 0) {
        budget_cell_add(cell, from);
    }
    return r;
}

int budget_tally_take(struct budget_tally *tally, struct budget_scratch *scratch)
{
    int r = 0;

    for (size_t word = 0; word < ARRAY_SIZE(scratch->used); word++) {
        for (uint64_t bits = scratch->used[word]; bits != 0; bits &= bits - 1) {
            size_t bucket = word * WORD_BITS + (size_t)__builtin_ctzll(bits);

            r = r < 0 ? r : add_cell(tally, bucket, &scratch->cells[bucket]);
            scratch->cells[bucket] = (struct budget_cell){0};
        }
        scratch->used[word] = 0;
    }
    tally->sources |= scratch->sources;
    tally->stated_count += scratch->stated_count;
    tally->trimmed_count += scratch->trimmed_count;
    tally->trimmed_ns += scratch->trimmed_ns;
    scratch->sources = 0;
    scratch->stated_count = 0;
    scratch->trimmed_count = 0;
    scratch->trimmed_ns = 0;
    return r;
}

int budget_tally_merge(struct budget_tally *tally, const struct budget_tally *source)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < source->count; i++) {
        r = add_cell(tally, source->cells[i].bucket, &source->cells[i]);
    }
    tally->sources |= source->sources;
    tally->stated_count += source->stated_count;
    tally->trimmed_count += source->trimmed_count;
    tally->trimmed_ns += source->trimmed_ns;
    return r;
}
