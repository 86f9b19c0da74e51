#include "frame_budget.h"

#include "frame_tally.h"

#include <errno.h>
#include <string.h>

void frame_budget_release(struct frame_budget *budget)
{
    free(budget->scratch);
    free(budget->states);
    running_split_release(&budget->split);
    *budget = (struct frame_budget){0};
}

static int reserve(struct frame_budget *budget)
{
    if (budget->scratch == NULL) {
        budget->scratch = calloc(1, sizeof(*budget->scratch));
    }
    if (budget->states == NULL) {
        budget->states = calloc(STATE_COUNT, sizeof(*budget->states));
    }
    return budget->scratch == NULL || budget->states == NULL ? -ENOMEM : 0;
}

static bool has_states(const struct batch_operations *operations)
{
    bool found = false;

    for (int state = 0; state < STATE_COUNT; state++) {
        found = found || operations->state_ns[state].count > 0;
    }
    return found;
}

/* The times that are known of a row's states, 0 for the others. Returns whether there are any. */
static bool states_of(const struct frame_tally *frame_tally, uint32_t row,
                      uint64_t ret_states_ns[static STATE_COUNT])
{
    const struct batch_operations *operations = &frame_tally->batch->operations;
    bool is_stated = false;

    for (int state = 0; state < STATE_COUNT; state++) {
        uint32_t at = operations->state_ns[state].count == 0
                          ? UINT32_MAX
                          : row_index_find(&frame_tally->budget.states[state], row);

        ret_states_ns[state] = at == UINT32_MAX ? 0 : operations->state_ns[state].value[at];
        is_stated = is_stated || at != UINT32_MAX;
    }
    return is_stated;
}

static bool any_stated(const struct frame_tally *frame_tally, const uint32_t *rows, uint32_t count)
{
    uint64_t states_ns[STATE_COUNT];
    uint32_t i = 0;

    while (i < count && !states_of(frame_tally, rows[i], states_ns)) {
        i++;
    }
    return i < count;
}

static void add_row(struct frame_tally *frame_tally, uint32_t row)
{
    const struct batch *batch = frame_tally->batch;
    struct frame_budget *budget = &frame_tally->budget;
    uint64_t states_ns[STATE_COUNT];
    bool is_stated = states_of(frame_tally, row, states_ns);
    struct budget_cell *cell = budget_scratch_add(
        budget->scratch, batch->operations.duration_ns[row], states_ns, is_stated);

    if (states_ns[STATE_RUNNING] > 0 && budget->scratch->sources != 0) {
        const struct running_estimates estimates =
            running_split_estimate(&budget->split, batch, row, states_ns[STATE_RUNNING]);

        budget_cell_estimate(cell, &estimates);
    }
}

static int add_run(struct frame_tally *frame_tally, uint32_t name)
{
    const struct row_groups *groups = &frame_tally->groups;
    const uint32_t *rows = &groups->rows[groups->starts[name]];
    uint32_t count = groups->starts[name + 1] - groups->starts[name];
    uint32_t number = frame_tally->numbers[name];
    struct operation_tally *operation = NULL;

    if (!memory_plan_has_budget(&frame_tally->context->plan->memory, number) ||
        !any_stated(frame_tally, rows, count)) {
        return 0;
    }
    frame_tally->budget.scratch->sources = running_split_sources(&frame_tally->budget.split);
    for (uint32_t i = 0; i < count; i++) {
        add_row(frame_tally, rows[i]);
    }

    int r = tally_operation(frame_tally->tally, number, &operation);

    return r < 0 ? r : budget_tally_take(&operation->budget, frame_tally->budget.scratch);
}

int frame_budget_add(struct frame_tally *frame_tally)
{
    const struct batch *batch = frame_tally->batch;
    const struct batch_operations *operations = &batch->operations;
    int r;

    if (!has_states(operations)) {
        return 0;
    }
    r = reserve(&frame_tally->budget);
    r = r < 0 ? r
              : row_groups_make(&frame_tally->groups, operations->name, operations->count,
                                batch->name_count);
    r = r < 0 ? r : running_split_make(&frame_tally->budget.split, batch);
    for (int state = 0; r == 0 && state < STATE_COUNT; state++) {
        row_index_make(&frame_tally->budget.states[state], &operations->state_ns[state]);
    }
    for (uint32_t name = 0; r == 0 && name < batch->name_count; name++) {
        r = add_run(frame_tally, name);
    }
    return r;
}
