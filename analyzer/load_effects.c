#include "load_effects.h"

#include "frame_revisit.h"
#include "row_groups.h"

#include <errno.h>

enum { CELL_KEYS = LOAD_BIN_COUNT, NO_ROW = -1 };

/* The memory of a worker: columns of the operations of one name in one batch. */
struct effect_worker {
    struct row_groups names; /* of the batch */
    struct row_groups cells; /* of the rows of a name, by bin */
    size_t row_capacity;
    uint16_t *keys;  /* owned, as all below */
    uint16_t *codes; /* of durations_ns */
    uint8_t *statuses;
    uint64_t *durations_ns; /* grouped by bin; then of the first ones of pairs */
    uint64_t *gaps_ns;
    uint64_t *intervals_ns;
    size_t thread_capacity;
    int64_t *last_rows; /* of each thread of the batch: the last row that began there */
};

/* Rows of one name in a batch. */
struct name_rows {
    const struct batch *batch;
    const uint32_t *rows; /* ascending: by begin */
    size_t count;
    uint64_t shift_ns; /* added to a begin: the time since the begin of the grid */
};

static void release_worker(struct effect_worker *worker)
{
    row_groups_release(&worker->names);
    row_groups_release(&worker->cells);
    free(worker->keys);
    free(worker->codes);
    free(worker->statuses);
    free(worker->durations_ns);
    free(worker->gaps_ns);
    free(worker->intervals_ns);
    free(worker->last_rows);
}

void load_effects_release(struct load_effects *effects)
{
    for (size_t i = 0; effects->names != NULL && i < effects->load->count; i++) {
        load_bins_release(&effects->names[i].bins);
        window_series_release(&effects->names[i].durations);
        arrival_evidence_release(&effects->names[i].arrivals);
    }
    for (size_t i = 0; effects->workers != NULL && i < effects->plan->memory.jobs; i++) {
        release_worker(&effects->workers[i]);
    }
    free(effects->names);
    free(effects->workers);
    effects->names = NULL;
    effects->workers = NULL;
}

static int reserve_rows(struct effect_worker *worker, size_t count)
{
    if (count <= worker->row_capacity) {
        return 0;
    }
    free(worker->keys);
    free(worker->codes);
    free(worker->statuses);
    free(worker->durations_ns);
    free(worker->gaps_ns);
    free(worker->intervals_ns);
    worker->keys = malloc(count * sizeof(*worker->keys));
    worker->codes = malloc(count * sizeof(*worker->codes));
    worker->statuses = malloc(count);
    worker->durations_ns = malloc(count * sizeof(*worker->durations_ns));
    worker->gaps_ns = malloc(count * sizeof(*worker->gaps_ns));
    worker->intervals_ns = malloc(count * sizeof(*worker->intervals_ns));
    worker->row_capacity = count;
    if (worker->keys == NULL || worker->codes == NULL || worker->statuses == NULL ||
        worker->durations_ns == NULL || worker->gaps_ns == NULL || worker->intervals_ns == NULL) {
        worker->row_capacity = 0;
        return -ENOMEM;
    }
    return 0;
}

static int reserve_threads(struct effect_worker *worker, size_t count)
{
    if (count <= worker->thread_capacity) {
        return 0;
    }
    free(worker->last_rows);
    worker->last_rows = malloc(count * sizeof(*worker->last_rows));
    worker->thread_capacity = worker->last_rows == NULL ? 0 : count;
    return worker->last_rows == NULL ? -ENOMEM : 0;
}

/* --- Durations by load --- */

/* Adds some of the rows gathered to a bin. */
static int add_to_bin(struct effect_worker *worker, struct name_effects *effects, size_t bin,
                      size_t first, size_t count)
{
    const struct coded_operations operations = {count, &worker->codes[first],
                                                &worker->statuses[first]};

    if (count == 0) {
        return 0;
    }
    log_codes_of(&worker->codes[first], &worker->durations_ns[first], count);
    return window_series_add(&effects->durations, bin, &operations);
}

/* Puts durations into the order of their bins. */
static void gather(struct effect_worker *worker, const struct name_rows *rows)
{
    const struct batch_operations *operations = &rows->batch->operations;

    for (size_t i = 0; i < rows->count; i++) {
        uint32_t row = rows->rows[worker->cells.rows[i]];

        worker->durations_ns[i] = operations->duration_ns[row];
        worker->statuses[i] = operations->status[row];
    }
}

static int add_durations(struct effect_worker *worker, struct name_effects *effects,
                         const struct name_rows *rows)
{
    int r;

    for (size_t i = 0; i < rows->count; i++) {
        worker->keys[i] &= LOAD_BIN_MASK;
    }
    r = row_groups_make(&worker->cells, worker->keys, rows->count, CELL_KEYS);
    if (r < 0) {
        return r;
    }
    gather(worker, rows);
    for (size_t key = 0; r == 0 && key < LOAD_BIN_COUNT; key++) {
        uint32_t first = worker->cells.starts[key];

        r = add_to_bin(worker, effects, key, first, worker->cells.starts[key + 1] - first);
    }
    return r;
}

/* Those that met no other of their name. */
static int add_idle(struct effect_worker *worker, struct name_effects *effects,
                    const struct name_rows *rows)
{
    const struct batch_operations *operations = &rows->batch->operations;
    size_t count = 0;

    for (size_t i = 0; i < rows->count; i++) {
        if ((worker->keys[i] & LOAD_CELL_IS_IDLE) != 0) {
            worker->durations_ns[count] = operations->duration_ns[rows->rows[i]];
            worker->statuses[count++] = operations->status[rows->rows[i]];
        }
    }
    return add_to_bin(worker, effects, LOAD_IDLE_BIN, 0, count);
}

static void find_keys(struct effect_worker *worker, const struct load_grid *grid,
                      const struct load_bins *bins, const struct name_rows *rows)
{
    const uint64_t *begins_ns = rows->batch->operations.begin_ns;

    for (size_t i = 0; i < rows->count; i++) {
        uint64_t since_ns = begins_ns[rows->rows[i]] + rows->shift_ns;

        worker->keys[i] = bins->of_cells[load_grid_cell_since(grid, since_ns)];
    }
}

/* --- Who follows whom --- */

static struct arrival_pairs find_pairs(struct effect_worker *worker, const struct name_rows *rows)
{
    const struct batch_operations *operations = &rows->batch->operations;
    struct arrival_pairs pairs = {.gaps_ns = worker->gaps_ns,
                                  .intervals_ns = worker->intervals_ns,
                                  .durations_ns = worker->durations_ns};

    for (size_t i = 0; i < rows->count; i++) {
        worker->last_rows[operations->begin_thread[rows->rows[i]]] = NO_ROW;
    }
    for (size_t i = 0; i < rows->count; i++) {
        uint32_t row = rows->rows[i];
        uint16_t thread = operations->begin_thread[row];
        int64_t last = worker->last_rows[thread];

        worker->last_rows[thread] = row;
        if (last == NO_ROW) {
            continue;
        }

        uint64_t interval_ns = operations->begin_ns[row] - operations->begin_ns[last];
        uint64_t duration_ns = operations->duration_ns[last];

        pairs.intervals_ns[pairs.count] = interval_ns;
        pairs.durations_ns[pairs.count++] = duration_ns;
        if (operations->end_thread[last] == thread && interval_ns >= duration_ns) {
            pairs.gaps_ns[pairs.gap_count++] = interval_ns - duration_ns;
        }
    }
    return pairs;
}

/* --- A frame --- */

static int add_name(struct load_effects *effects, struct effect_worker *worker, size_t number,
                    const struct name_rows *rows)
{
    struct name_effects *name = &effects->names[number];
    pthread_mutex_t *lock = &effects->locks[number % LOAD_LOCK_COUNT];
    int r;

    (void)pthread_mutex_lock(lock);
    find_keys(worker, &effects->load->grid, &name->bins, rows);
    r = add_idle(worker, name, rows);
    r = r < 0 ? r : add_durations(worker, name, rows);
    if (r == 0) {
        const struct arrival_pairs pairs = find_pairs(worker, rows);

        r = arrival_evidence_add(&name->arrivals, &pairs);
    }
    (void)pthread_mutex_unlock(lock);
    return r;
}

static int visit(void *context, size_t number, const struct plan_frame *frame,
                 const struct batch *batch)
{
    struct load_effects *effects = context;
    struct effect_worker *worker = &effects->workers[number];
    const struct name_ranks *names = &effects->plan->names;
    int64_t offset_ns = effects->plan->processes[frame->process].offset_ns;
    int r = reserve_rows(worker, batch->operations.count + (size_t)1);

    r = r < 0 ? r : reserve_threads(worker, batch->thread_count + (size_t)1);
    r = r < 0 ? r
              : row_groups_make(&worker->names, batch->operations.name, batch->operations.count,
                                batch->name_count);
    for (uint32_t i = 0; r == 0 && i < batch->name_count; i++) {
        uint32_t first = worker->names.starts[i];
        const struct name_rows rows = {batch, &worker->names.rows[first],
                                       worker->names.starts[i + 1] - (size_t)first,
                                       (uint64_t)offset_ns - effects->load->grid.first_ns};
        size_t name = rows.count == 0 ? SIZE_MAX
                                      : name_ranks_find(names, batch->names[i].kind,
                                                        batch->names[i].text, batch->names[i].unit);

        if (name < effects->load->count && effects->names[name].bins.of_cells != NULL) {
            r = add_name(effects, worker, name, &rows);
        }
    }
    return r;
}

/* --- All frames --- */

static int make_bins(struct load_effects *effects)
{
    const struct load_grid *grid = &effects->load->grid;
    AUTO_FREE uint64_t *levels = malloc((grid->count + 1) * sizeof(*levels));
    int r = levels == NULL ? -ENOMEM : 0;

    for (size_t i = 0; r == 0 && i < effects->load->count; i++) {
        const struct load_cells *cells = &effects->load->names[i];

        if (cells->count > 0 && load_cells_are_exact(cells, grid)) {
            load_cells_levels(cells, grid, levels);
            r = load_bins_make(&effects->names[i].bins, cells, grid, levels);
            effects->names[i].durations.has_quantiles = true;
        }
    }
    return r;
}

int load_effects_find(struct load_effects *ret_effects, const struct report_plan *plan,
                      const struct shared_load *load)
{
    *ret_effects = (struct load_effects){
        .plan = plan,
        .load = load,
        .names = calloc(load->count + 1, sizeof(*ret_effects->names)),
        .workers = calloc(plan->memory.jobs + 1, sizeof(*ret_effects->workers)),
    };
    for (size_t i = 0; i < LOAD_LOCK_COUNT; i++) {
        (void)pthread_mutex_init(&ret_effects->locks[i], NULL);
    }
    if (ret_effects->names == NULL || ret_effects->workers == NULL) {
        return -ENOMEM;
    }

    int r = make_bins(ret_effects);

    return r < 0 ? r : frame_revisit_run(plan, visit, ret_effects);
}
