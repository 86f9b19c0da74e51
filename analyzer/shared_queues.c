#include "shared_queues.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum {
    GAUGE_SHARE = 4, /* of the room: one part of so many for pools, the rest for queues */
    MOST_QUEUE_CELLS = 1 << 18,
    LEAST_QUEUE_CELLS = 1 << 11,
};

#define CELL_BYTES (sizeof(struct queue_cell) + sizeof(struct queue_gauge_cell))

#define DEPTH_ENDING ".depth"
#define TOTAL_ENDING ".workers.total"

/* --- Which metric stands for what --- */

/* The length of what stands before the ending, or 0 if the text ends in another way. */
static size_t length_before(const char *text, const char *ending)
{
    size_t length = strlen(text);
    size_t end = strlen(ending);

    return length > end && strcmp(text + length - end, ending) == 0 ? length - end : 0;
}

static bool is_begin(const char *text, const char *begin, size_t length)
{
    return strncmp(text, begin, length) == 0;
}

static struct metric_role role_of(const struct shared_queues *queues, const char *text)
{
    const struct name_ranks *names = &queues->plan->names;
    size_t depth = length_before(text, DEPTH_ENDING);
    size_t total = length_before(text, TOTAL_ENDING);

    for (uint32_t i = 0; depth > 0 && i < queues->queue_count; i++) {
        const char *queue = name_ranks_entry(names, GROUP_QUEUE, i)->text;

        if (strlen(queue) == depth && is_begin(text, queue, depth)) {
            return (struct metric_role){GAUGE_DEPTH, i};
        }
    }
    for (uint32_t i = 0; i < queues->pool_count; i++) {
        const char *busy = queues->pool_gauges[i];

        if (strcmp(text, busy) == 0) {
            return (struct metric_role){GAUGE_BUSY, i};
        }
        if (total > 0 && length_before(busy, POOL_BUSY_ENDING) == total &&
            is_begin(busy, text, total)) {
            return (struct metric_role){GAUGE_TOTAL, i};
        }
    }
    return (struct metric_role){GAUGE_OF_NOTHING, 0};
}

static const struct name_entry *gauge_entry(const struct shared_queues *queues, size_t number)
{
    const struct name_entry *entry = name_ranks_entry(&queues->plan->names, GROUP_METRIC, number);

    return entry->kind == NAME_GAUGE ? entry : NULL;
}

static int compare_texts(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* Gauges of one text and several units are one pool. */
static void find_pools(struct shared_queues *queues)
{
    size_t kept = queues->plan->names.groups[GROUP_METRIC].kept;
    size_t count = 0;

    for (size_t i = 0; i < kept && queues->pool_count < POOL_LIMIT; i++) {
        const struct name_entry *entry = gauge_entry(queues, i);

        if (entry != NULL && length_before(entry->text, POOL_BUSY_ENDING) > 0) {
            queues->pool_gauges[queues->pool_count++] = entry->text;
        }
    }
    qsort((void *)queues->pool_gauges, queues->pool_count, sizeof(*queues->pool_gauges),
          compare_texts);
    for (size_t i = 0; i < queues->pool_count; i++) {
        if (count == 0 || strcmp(queues->pool_gauges[count - 1], queues->pool_gauges[i]) != 0) {
            queues->pool_gauges[count++] = queues->pool_gauges[i];
        }
    }
    queues->pool_count = count;
}

static int find_roles(struct shared_queues *queues)
{
    size_t kept = queues->plan->names.groups[GROUP_METRIC].kept;

    bool has_roles = false;

    queues->roles = calloc(kept + 1, sizeof(*queues->roles));
    if (queues->roles == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < kept; i++) {
        const struct name_entry *entry = gauge_entry(queues, i);

        if (entry != NULL) {
            queues->roles[i] = role_of(queues, entry->text);
            has_roles = has_roles || queues->roles[i].role != GAUGE_OF_NOTHING;
        }
    }
    if (!has_roles) {
        free(queues->roles);
        queues->roles = NULL;
    }
    return 0;
}

/* --- How much there is room for --- */

static uint32_t choose_cells(uint64_t pairs, uint64_t budget_bytes)
{
    uint32_t cells = MOST_QUEUE_CELLS;

    while (cells > LEAST_QUEUE_CELLS && pairs * cells * CELL_BYTES > budget_bytes) {
        cells /= 2;
    }
    return cells;
}

/* The first processes whose gauges fit. */
static size_t count_processes(const struct report_plan *plan, size_t limit, size_t gauge_count,
                              uint64_t budget_bytes)
{
    uint64_t bytes = 0;
    size_t count = 0;

    while (count < limit) {
        bytes += gauge_count * (sizeof(struct gauge_steps) +
                                plan->processes[count].frame_count * sizeof(struct gauge_ends));
        if (bytes > budget_bytes) {
            break;
        }
        count++;
    }
    return count;
}

int shared_queues_init(struct shared_queues *ret_queues, const struct report_plan *plan)
{
    uint64_t room_bytes = queue_room_bytes(plan->memory.memory_bytes);
    uint64_t gauge_bytes = room_bytes / GAUGE_SHARE;
    uint64_t budget_bytes = room_bytes - gauge_bytes;
    size_t queues = plan->names.groups[GROUP_QUEUE].kept;
    uint32_t cells = choose_cells((uint64_t)queues * max_u64(plan->process_count, 1), budget_bytes);
    uint64_t pairs = budget_bytes / (cells * CELL_BYTES);

    *ret_queues = (struct shared_queues){
        .plan = plan,
        .grid = load_grid_make(plan->first_realtime_ns, plan->last_realtime_ns, cells),
        .queue_count = min_u64(queues, pairs),
    };
    for (size_t i = 0; i < QUEUE_LOCK_COUNT; i++) {
        (void)pthread_mutex_init(&ret_queues->locks[i], NULL);
    }
    find_pools(ret_queues);
    if (find_roles(ret_queues) < 0) {
        return -ENOMEM;
    }
    ret_queues->process_count = count_processes(
        plan, min_u64(plan->process_count, pairs / max_u64(ret_queues->queue_count, 1)),
        ret_queues->pool_count, gauge_bytes);
    ret_queues->queues = calloc(ret_queues->queue_count * ret_queues->process_count + 1,
                                sizeof(*ret_queues->queues));
    ret_queues->pools =
        calloc(ret_queues->pool_count * ret_queues->process_count + 1, sizeof(*ret_queues->pools));
    return ret_queues->queues == NULL || ret_queues->pools == NULL ? -ENOMEM : 0;
}

static void free_steps(struct gauge_steps *steps)
{
    if (steps != NULL) {
        gauge_steps_release(steps);
        free(steps);
    }
}

void shared_queues_release(struct shared_queues *queues)
{
    for (size_t i = 0; queues->queues != NULL && i < queues->queue_count * queues->process_count;
         i++) {
        queue_sweep_release(&queues->queues[i].sweep);
    }
    for (size_t i = 0; queues->pools != NULL && i < queues->pool_count * queues->process_count;
         i++) {
        free_steps(queues->pools[i].busy);
    }
    free(queues->queues);
    free(queues->pools);
    free(queues->roles);
    queues->queues = NULL;
    queues->pools = NULL;
    queues->roles = NULL;
}

/* --- Adding --- */

/* What is added to a monotonic time, modulo 2^64: then it is since the begin of the grid. */
static uint64_t shift_ns(const struct shared_queues *queues, const struct plan_frame *frame)
{
    return (uint64_t)queues->plan->processes[frame->process].offset_ns - queues->grid.first_ns;
}

static pthread_mutex_t *lock_of(struct shared_queues *queues, uint32_t process)
{
    return &queues->locks[process % QUEUE_LOCK_COUNT];
}

static void add_rows(struct queue_track *track, const struct load_grid *grid,
                     const struct queue_run *run, uint64_t shift)
{
    const struct batch_queued *queued = &run->batch->queued;

    track->capacity = max_u64(track->capacity, run->capacity);
    for (size_t i = 0; i < run->count; i++) {
        uint32_t row = run->rows[i];
        uint64_t entry_ns = run->batch->operations.begin_ns[queued->row[row]] + shift;

        queue_sweep_add(&track->sweep, grid, entry_ns, queued->residence_ns[row],
                        queued->depth[row]);
        track->full_entries += run->capacity > 0 && queued->depth[row] >= run->capacity;
    }
}

int shared_queues_add(struct shared_queues *queues, const struct plan_frame *frame, size_t number,
                      const struct queue_run *run)
{
    if (number >= queues->queue_count || frame->process >= queues->process_count) {
        return 0;
    }

    struct queue_track *track = &queues->queues[number * queues->process_count + frame->process];
    pthread_mutex_t *lock = lock_of(queues, frame->process);
    int r = 0;

    (void)pthread_mutex_lock(lock);
    if (track->sweep.cells == NULL) {
        r = queue_sweep_init(&track->sweep, &queues->grid);
    }
    if (r == 0) {
        add_rows(track, &queues->grid, run, shift_ns(queues, frame));
    }
    (void)pthread_mutex_unlock(lock);
    return r;
}

/* Numbers of things: what is below 0, or no number, counts as 0. */
static uint64_t number_of(const struct batch_name *name, uint64_t bits)
{
    double real;

    if (name->value == VALUE_INTEGER) {
        return (int64_t)bits > 0 ? bits : 0;
    }
    memcpy(&real, &bits, sizeof(real));
    return real >= 0.5 && real < 9e18 ? (uint64_t)llround(real) : 0;
}

static int add_step(struct shared_queues *queues, struct gauge_steps **steps,
                    const struct plan_frame *frame, uint64_t time_ns, uint64_t value)
{
    const struct plan_process *process = &queues->plan->processes[frame->process];
    int r = 0;

    if (*steps == NULL) {
        *steps = malloc(sizeof(**steps));
        r = *steps == NULL ? -ENOMEM : gauge_steps_init(*steps, process->frame_count);
    }
    if (r == 0) {
        gauge_steps_add(*steps, (size_t)(frame - queues->plan->frames) - process->first_frame,
                        time_ns, value);
    }
    return r;
}

static int add_depth(struct shared_queues *queues, struct queue_sweep *sweep, uint64_t time_ns,
                     uint64_t value)
{
    int r = sweep->cells == NULL ? queue_sweep_init(sweep, &queues->grid) : 0;

    return r < 0 ? r : queue_sweep_add_gauge(sweep, &queues->grid, time_ns, value);
}

static int add_sample(struct shared_queues *queues, const struct plan_frame *frame,
                      const struct metric_role *role, uint64_t time_ns, uint64_t value)
{
    size_t at = role->index * queues->process_count + frame->process;

    switch (role->role) {
    case GAUGE_DEPTH:
        return add_depth(queues, &queues->queues[at].sweep, time_ns, value);
    case GAUGE_BUSY:
        return add_step(queues, &queues->pools[at].busy, frame, time_ns, value);
    case GAUGE_TOTAL:
        queues->pools[at].total = max_u64(queues->pools[at].total, value);
        return 0;
    default:
        return 0;
    }
}

int shared_queues_add_samples(struct shared_queues *queues, const struct plan_frame *frame,
                              const struct batch *batch, const uint32_t *numbers)
{
    const struct batch_samples *samples = &batch->samples;
    size_t kept = queues->plan->names.groups[GROUP_METRIC].kept;
    uint64_t shift = shift_ns(queues, frame);
    int r = 0;

    if (queues->roles == NULL || samples->count == 0 || frame->process >= queues->process_count) {
        return 0;
    }
    (void)pthread_mutex_lock(lock_of(queues, frame->process));
    for (uint32_t i = 0; r == 0 && i < samples->count; i++) {
        uint32_t number = numbers[samples->metric[i]];

        if (number < kept && samples->thread[i] == 0 &&
            queues->roles[number].role != GAUGE_OF_NOTHING) {
            r = add_sample(queues, frame, &queues->roles[number], samples->time_ns[i] + shift,
                           number_of(&batch->names[samples->metric[i]], samples->value[i]));
        }
    }
    (void)pthread_mutex_unlock(lock_of(queues, frame->process));
    return r;
}

/* --- In the end --- */

struct joining {
    const struct report_plan *plan;
    size_t first_frame;
};

static bool is_joined(const void *context, size_t frame)
{
    const struct joining *joining = context;
    const struct plan_frame *frames = &joining->plan->frames[joining->first_frame];

    return frame == 0 || frames[frame].run == frames[frame - 1].run;
}

static void finish(const struct shared_queues *queues, struct gauge_steps *steps, size_t process)
{
    const struct plan_process *planned = &queues->plan->processes[process];
    const struct joining joining = {queues->plan, planned->first_frame};

    if (steps != NULL) {
        gauge_steps_finish(steps, is_joined, &joining,
                           planned->last_ns + (uint64_t)planned->offset_ns - queues->grid.first_ns);
    }
}

void shared_queues_finish(struct shared_queues *queues)
{
    for (size_t process = 0; process < queues->process_count; process++) {
        for (size_t i = 0; i < queues->pool_count; i++) {
            finish(queues, queues->pools[i * queues->process_count + process].busy, process);
        }
    }
}
