#include "shared_load.h"

#include <errno.h>

int shared_load_init(struct shared_load *ret_load, const struct report_plan *plan)
{
    const struct load_room *room = &plan->load_room;

    *ret_load = (struct shared_load){
        .grid = load_grid_make(plan->first_realtime_ns, plan->last_realtime_ns, room->cells),
        .count = min_u64(room->names, plan->names.groups[GROUP_OPERATION].kept),
    };
    ret_load->names = calloc(ret_load->count + 1, sizeof(*ret_load->names));
    for (size_t i = 0; i < LOAD_LOCK_COUNT; i++) {
        (void)pthread_mutex_init(&ret_load->locks[i], NULL);
    }
    return ret_load->names == NULL ? -ENOMEM : 0;
}

void shared_load_release(struct shared_load *load)
{
    for (size_t i = 0; load->names != NULL && i <= load->count; i++) {
        load_cells_release(&load->names[i]);
    }
    free(load->names);
    load->names = NULL;
}

int shared_load_add(struct shared_load *load, size_t number, const struct operation_run *run,
                    int64_t offset_ns)
{
    if (load == NULL) {
        return 0;
    }

    size_t slot = min_u64(number, load->count);
    struct load_cells *cells = &load->names[slot];
    pthread_mutex_t *lock = &load->locks[slot % LOAD_LOCK_COUNT];
    int r = 0;

    (void)pthread_mutex_lock(lock);
    if (cells->cells == NULL) {
        r = load_cells_init(cells, &load->grid);
    }
    if (r == 0) {
        load_cells_add(cells, &load->grid, run->begins_ns, run->durations_ns, run->count,
                       (uint64_t)offset_ns - load->grid.first_ns);
    }
    (void)pthread_mutex_unlock(lock);
    return r;
}

/* --- In the end --- */

static int measure(const struct load_cells *cells, const struct load_grid *grid,
                   struct report_load *ret_load)
{
    AUTO_FREE uint64_t *levels = malloc((grid->count + 1) * sizeof(*levels));

    if (levels == NULL) {
        return -ENOMEM;
    }
    if (cells->cells == NULL) {
        *ret_load = (struct report_load){.reason = REASON_NO_DATA};
        return 0;
    }
    load_cells_levels(cells, grid, levels);
    return load_measure(cells, grid, levels, ret_load);
}

static int measure_all(const struct shared_load *load, struct report_load *ret_load)
{
    struct load_cells sum;
    int r = load_cells_init(&sum, &load->grid);

    for (size_t i = 0; r == 0 && i <= load->count; i++) {
        load_cells_merge(&sum, &load->grid, &load->names[i]);
    }
    r = r < 0 ? r : measure(&sum, &load->grid, ret_load);
    load_cells_release(&sum);
    return r;
}

int shared_load_measure(const struct shared_load *load, size_t number, struct report_load *ret_load)
{
    if (number == SIZE_MAX) {
        return measure_all(load, ret_load);
    }
    if (number >= load->count) {
        *ret_load = (struct report_load){.reason = REASON_MEMORY_LIMIT};
        return 0;
    }
    return measure(&load->names[number], &load->grid, ret_load);
}
