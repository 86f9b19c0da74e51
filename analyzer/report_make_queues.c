#include "report_make_parts.h"

#include <errno.h>
#include <math.h>
#include <string.h>

enum {
    LEAST_JUDGED = 30, /* moments that are compared */
    LEAST_DEPTHS = 10, /* all that was in the queue at these */
    QUEUE_WINDOWS = 256,
};

/* More than rounding and races between counting and the clock explain. */
static const double little_tolerance = .05;

/* What is summed up over the processes of a queue. */
struct queue_sums {
    const struct load_grid *grid;
    uint64_t *levels; /* of the process at hand */
    struct queue_sweep all;
    uint128 area;
    struct queue_comparison entries;
    struct queue_comparison gauge;
    uint64_t borders;
    uint64_t full_borders;
    bool has_capacity;
    bool has_overflow;
};

/* --- One process --- */

static void count_full(struct queue_sums *sums, const struct queue_track *track)
{
    uint32_t last = load_grid_cell_since(sums->grid, track->sweep.last_ns);

    if (track->capacity == 0) {
        return;
    }
    sums->has_capacity = true;
    for (uint32_t i = load_grid_cell_since(sums->grid, track->sweep.first_ns) + 1; i <= last; i++) {
        sums->borders++;
        sums->full_borders += sums->levels[i] >= track->capacity;
    }
}

static int add_process(struct queue_sums *sums, const struct queue_track *track)
{
    const struct queue_sweep *sweep = &track->sweep;

    if (sweep->cells == NULL) {
        return 0;
    }
    if (!queue_sweep_levels(sweep, sums->grid, sums->levels)) {
        sums->has_overflow = true;
        return 0;
    }
    if (sweep->entries > 0) {
        count_full(sums, track);
    }
    sums->area += queue_sweep_area(sweep, sums->grid, sums->levels, 0, sums->grid->count);
    queue_sweep_compare_entries(sweep, sums->grid, sums->levels, &sums->entries);
    queue_sweep_compare_gauge(sweep, sums->grid, sums->levels, &sums->gauge);
    return queue_sweep_merge(&sums->all, sums->grid, sweep);
}

/* --- Little's law --- */

/*
 * The ratio of what was counted to what the sweep says, or NaN where the order within cells could change that by more than the
 * tolerance. *deviation becomes the part of it that the order can not explain, if it is the greatest yet.
 */
static double compare(const struct queue_comparison *comparison, double *deviation)
{
    double slack = (comparison->high - comparison->low) / 2;
    double off = comparison->counted - comparison->mid;

    if (comparison->count < LEAST_JUDGED || comparison->mid < LEAST_DEPTHS ||
        slack > little_tolerance * comparison->mid) {
        return NAN;
    }

    double sure = fmax(fabs(off) - slack, 0) / comparison->mid;

    if (isnan(*deviation) || sure > fabs(*deviation)) {
        *deviation = off < 0 ? -sure : sure;
    }
    return comparison->counted / comparison->mid;
}

static enum little_verdict judge(double deviation)
{
    if (isnan(deviation)) {
        return LITTLE_NOT_JUDGED;
    }
    if (fabs(deviation) <= little_tolerance) {
        return LITTLE_HOLDS;
    }
    return deviation > 0 ? LITTLE_MISSING : LITTLE_SURPLUS;
}

static void check_little(struct report_little *little, const struct queue_sums *sums)
{
    const struct queue_sweep *all = &sums->all;
    double span_ns = (double)(all->last_ns - all->first_ns);
    uint128 off = sums->area > all->residence_ns ? sums->area - all->residence_ns
                                                 : all->residence_ns - sums->area;

    *little = (struct report_little){
        .depth = span_ns > 0 ? (double)sums->area / span_ns : NAN,
        .rate_per_s = span_ns > 0 ? (double)all->entries / span_ns * (double)NS_PER_S : NAN,
        .residence_ns = (double)all->residence_ns / (double)all->entries,
        .identity_error = off == 0 ? 0 : (double)off / (double)(sums->area == 0 ? off : sums->area),
        .deviation = NAN,
    };
    little->entry_ratio = compare(&sums->entries, &little->deviation);
    little->gauge_ratio = compare(&sums->gauge, &little->deviation);
    little->verdict = judge(little->deviation);
}

/* --- Over time --- */

static struct report_queue_window make_window(const struct queue_sums *sums, uint32_t first,
                                              uint32_t end, uint64_t window_ns)
{
    struct report_queue_window window = {0};
    uint64_t samples = 0;
    uint64_t depths = 0;

    for (uint32_t cell = first; cell < end; cell++) {
        window.entered += sums->all.cells[cell].entered;
        window.left += sums->all.cells[cell].left;
        samples += sums->all.gauge == NULL ? 0 : sums->all.gauge[cell].count;
        depths += sums->all.gauge == NULL ? 0 : sums->all.gauge[cell].sum;
    }
    window.depth = (double)queue_sweep_area(&sums->all, sums->grid, sums->levels, first, end) /
                   (double)window_ns;
    window.gauge_depth = samples == 0 ? NAN : (double)depths / (double)samples;
    return window;
}

static int make_windows(struct report_queue_flow *flow, struct queue_sums *sums)
{
    uint32_t width = (sums->grid->count + QUEUE_WINDOWS - 1) / QUEUE_WINDOWS;

    flow->window_ns = width * sums->grid->cell_ns;
    flow->window_first_realtime_ns = sums->grid->first_ns;
    flow->window_count = (sums->grid->count + width - 1) / width;
    flow->windows = calloc(flow->window_count + 1, sizeof(*flow->windows));
    if (flow->windows == NULL) {
        return -ENOMEM;
    }
    (void)queue_sweep_levels(&sums->all, sums->grid, sums->levels);
    for (uint32_t i = 0; i < flow->window_count; i++) {
        uint32_t end = (uint32_t)min_u64((i + 1) * (uint64_t)width, sums->grid->count);

        flow->windows[i] = make_window(sums, i * width, end, flow->window_ns);
    }
    return 0;
}

/* Entries and exits as begins and ends of stays. */
static int measure(struct report_queue_flow *flow, const struct queue_sums *sums)
{
    struct load_cells cells = {0};
    int r = load_cells_init(&cells, sums->grid);

    for (uint32_t i = 0; r == 0 && i < sums->grid->count; i++) {
        cells.cells[i] = (struct load_cell){sums->all.cells[i].entered, sums->all.cells[i].left};
    }
    cells.count = sums->all.entries;
    cells.first_ns = sums->all.first_ns;
    cells.last_ns = sums->all.last_ns;
    cells.busy_ns = sums->all.residence_ns;
    if (r == 0) {
        load_cells_levels(&cells, sums->grid, sums->levels);
        r = load_measure(&cells, sums->grid, sums->levels, &flow->load);
    }
    if (r == 0 && flow->load.reason == REASON_NONE) {
        r = load_measure_ends(&cells, sums->grid, &flow->leaves_per_s);
    }
    load_cells_release(&cells);
    return r;
}

static int describe(struct report_queue_flow *flow, struct queue_sums *sums)
{
    flow->reason = sums->has_overflow       ? REASON_MEMORY_LIMIT
                   : sums->all.entries == 0 ? REASON_NO_DATA
                                            : REASON_NONE;
    if (flow->reason != REASON_NONE) {
        return 0;
    }
    flow->full_ratio = sums->has_capacity && sums->borders > 0
                           ? (double)sums->full_borders / (double)sums->borders
                           : NAN;
    check_little(&flow->little, sums);

    int r = make_windows(flow, sums);

    return r < 0 ? r : measure(flow, sums);
}

int report_make_queue_flow(struct report_queue_flow *flow, const struct shared_queues *queues,
                           size_t number)
{
    AUTO_FREE struct queue_sums *sums = calloc(1, sizeof(*sums));
    AUTO_FREE uint64_t *levels = calloc(queues->grid.count + 1, sizeof(*levels));

    *flow = (struct report_queue_flow){.reason = REASON_MEMORY_LIMIT};
    if (sums == NULL || levels == NULL) {
        return -ENOMEM;
    }
    if (number >= queues->queue_count) {
        return 0;
    }
    sums->grid = &queues->grid;
    sums->levels = levels;
    int r = queue_sweep_init(&sums->all, sums->grid);

    for (size_t i = 0; r == 0 && i < queues->process_count; i++) {
        const struct queue_track *track = &queues->queues[number * queues->process_count + i];

        flow->full_entries += track->full_entries;
        r = add_process(sums, track);
    }
    flow->omitted_processes = queues->plan->process_count - queues->process_count;
    r = r < 0 ? r : describe(flow, sums);
    queue_sweep_release(&sums->all);
    return r;
}

/* --- Pools --- */

/* How long how much of a pool was busy. */
struct busy_part {
    double utilization;
    uint64_t time_ns;
};

static int compare_parts(const void *left, const void *right)
{
    double a = ((const struct busy_part *)left)->utilization;
    double b = ((const struct busy_part *)right)->utilization;

    return (a > b) - (a < b);
}

/* The least utilization that was not exceeded in a share p of the time. */
static double quantile_of(const struct busy_part *parts, size_t count, uint64_t total_ns, double p)
{
    uint64_t before_ns = 0;

    for (size_t i = 0; i < count; i++) {
        before_ns += parts[i].time_ns;
        if ((double)before_ns >= p * (double)total_ns) {
            return parts[i].utilization;
        }
    }
    return NAN;
}

static size_t take_parts(const struct pool_track *track, struct busy_part *parts,
                         struct report_pool *pool, double *busy_time)
{
    size_t count = 0;

    for (size_t level = 0; level < GAUGE_LEVELS; level++) {
        uint64_t time_ns = track->busy->level_ns[level];

        if (time_ns > 0) {
            pool->known_ns += (double)time_ns;
            *busy_time += (double)level * (double)time_ns;
            parts[count++] = (struct busy_part){
                track->total > 0 ? fmin((double)level / (double)track->total, 1) : NAN, time_ns};
        }
    }
    return count;
}

static void describe_parts(struct report_pool *pool, struct busy_part *parts, size_t count)
{
    uint64_t total_ns = 0;
    double busy_ns = 0;
    double full_ns = 0;

    qsort(parts, count, sizeof(*parts), compare_parts);
    for (size_t i = 0; i < count; i++) {
        total_ns += parts[i].time_ns;
        busy_ns += parts[i].utilization * (double)parts[i].time_ns;
        full_ns += parts[i].utilization >= 1 ? (double)parts[i].time_ns : 0;
    }
    pool->utilization_mean = total_ns > 0 ? busy_ns / (double)total_ns : NAN;
    pool->utilization_p50 = quantile_of(parts, count, total_ns, .5);
    pool->utilization_p95 = quantile_of(parts, count, total_ns, .95);
    pool->utilization_p99 = quantile_of(parts, count, total_ns, .99);
    pool->all_busy_ratio = total_ns > 0 ? full_ns / (double)total_ns : NAN;
}

static int make_pool(struct report_pool *pool, const struct shared_queues *queues, size_t number)
{
    const char *gauge = queues->pool_gauges[number];
    AUTO_FREE struct busy_part *parts =
        calloc(queues->process_count * GAUGE_LEVELS + 1, sizeof(*parts));
    double busy_time = 0;
    size_t count = 0;

    pool->name = strndup(gauge, strlen(gauge) - strlen(POOL_BUSY_ENDING));
    if (parts == NULL || pool->name == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < queues->process_count; i++) {
        const struct pool_track *track = &queues->pools[number * queues->process_count + i];

        pool->workers += track->total;
        if (track->busy != NULL) {
            size_t taken = take_parts(track, &parts[count], pool, &busy_time);

            pool->samples += track->busy->samples;
            count += track->total > 0 ? taken : 0;
        }
    }
    pool->busy_mean = pool->known_ns > 0 ? busy_time / pool->known_ns : NAN;
    describe_parts(pool, parts, count);
    return 0;
}

int report_make_pools(struct report *report, const struct shared_queues *queues)
{
    int r = 0;

    report->pools = calloc(queues->pool_count + 1, sizeof(*report->pools));
    if (report->pools == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; r == 0 && i < queues->pool_count; i++) {
        r = make_pool(&report->pools[report->pool_count++], queues, i);
    }
    return r;
}
