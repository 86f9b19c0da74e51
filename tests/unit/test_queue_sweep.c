#include "queue_sweep.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

enum { STAYS = 4000 };

#define SPAN_NS (2 * NS_PER_S)

static struct {
    uint64_t entry_ns;
    uint64_t exit_ns;
} stays[STAYS];

static uint64_t state = 88172645463325252ULL;

static uint64_t random_below(uint64_t limit)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % limit;
}

static void invent(void)
{
    for (size_t i = 0; i < STAYS; i++) {
        stays[i].entry_ns = random_below(SPAN_NS);
        stays[i].exit_ns =
            stays[i].entry_ns + random_below(random_below(10) == 0 ? 100 * NS_PER_MS : NS_PER_MS);
    }
}

/* In the queue at a time; who enters then is in it. */
static uint64_t depth_at(uint64_t time_ns)
{
    uint64_t depth = 0;

    for (size_t i = 0; i < STAYS; i++) {
        depth += stays[i].entry_ns <= time_ns && stays[i].exit_ns > time_ns;
    }
    return depth;
}

static uint64_t overlap(size_t i, uint64_t from_ns, uint64_t to_ns)
{
    uint64_t begin = stays[i].entry_ns > from_ns ? stays[i].entry_ns : from_ns;
    uint64_t end = stays[i].exit_ns < to_ns ? stays[i].exit_ns : to_ns;

    return end > begin ? end - begin : 0;
}

static struct queue_sweep sweep_of(const struct load_grid *grid, size_t step, size_t first)
{
    struct queue_sweep sweep;

    cr_assert_eq(queue_sweep_init(&sweep, grid), 0);
    for (size_t i = first; i < STAYS; i += step) {
        queue_sweep_add(&sweep, grid, stays[i].entry_ns, stays[i].exit_ns - stays[i].entry_ns, 1);
    }
    return sweep;
}

/*
 * Little's law for each window: L T is lambda T W where W of those that entered is corrected at both edges: what those before had left to
 * wait comes in, what those inside still wait behind it goes out.
 */
Test(queue_sweep, littles_law_is_an_identity_in_every_window)
{
    struct load_grid grid = load_grid_make(0, SPAN_NS + 100 * NS_PER_MS, 1 << 12);

    invent();
    struct queue_sweep sweep = sweep_of(&grid, 1, 0);
    AUTO_FREE uint64_t *levels = malloc(grid.count * sizeof(*levels));

    cr_assert(queue_sweep_levels(&sweep, &grid, levels));
    for (uint32_t first = 0; first < grid.count; first += 97) {
        uint32_t end = (uint32_t)min_u64(first + 97, grid.count);
        uint64_t from_ns = first * grid.cell_ns;
        uint64_t to_ns = end * grid.cell_ns;
        double lambda_w = 0;
        uint128 area = 0;

        for (size_t i = 0; i < STAYS; i++) {
            double residence = (double)(stays[i].exit_ns - stays[i].entry_ns);
            bool is_inside = stays[i].entry_ns >= from_ns && stays[i].entry_ns < to_ns;
            double before = stays[i].entry_ns < from_ns && stays[i].exit_ns > from_ns
                                ? (double)(stays[i].exit_ns - from_ns)
                                : 0;
            double behind = stays[i].entry_ns < to_ns && stays[i].exit_ns > to_ns
                                ? (double)(stays[i].exit_ns - to_ns)
                                : 0;

            lambda_w += (is_inside ? residence : 0) + before - behind;
            area += overlap(i, from_ns, to_ns);
        }

        uint128 swept = queue_sweep_area(&sweep, &grid, levels, first, end);

        cr_assert(swept == area, "window at %u", first);
        cr_assert(fabs((double)swept - lambda_w) <= 1e-9 * lambda_w);
    }
    cr_assert(queue_sweep_area(&sweep, &grid, levels, 0, grid.count) == sweep.residence_ns);
    queue_sweep_release(&sweep);
}

Test(queue_sweep, levels_are_depths_and_pieces_merge)
{
    struct load_grid grid = load_grid_make(0, SPAN_NS + 100 * NS_PER_MS, 3000);
    AUTO_FREE uint64_t *levels = malloc(grid.count * sizeof(*levels));

    invent();
    struct queue_sweep all = sweep_of(&grid, 1, 0);
    struct queue_sweep odd = sweep_of(&grid, 2, 1);
    struct queue_sweep even = sweep_of(&grid, 2, 0);

    cr_assert_eq(queue_sweep_add_gauge(&odd, &grid, 5, 7), 0);
    cr_assert_eq(queue_sweep_merge(&even, &grid, &odd), 0);
    cr_assert_arr_eq(even.cells, all.cells, grid.count * sizeof(*all.cells));
    cr_assert(even.entries == all.entries && even.residence_ns == all.residence_ns);
    cr_assert(even.first_ns == all.first_ns && even.last_ns == all.last_ns);
    cr_assert(even.gauge[0].sum == 7 && even.gauge[0].count == 1);
    cr_assert(queue_sweep_levels(&all, &grid, levels));
    for (uint32_t i = 0; i < grid.count; i += 7) {
        uint64_t time_ns = i * grid.cell_ns;

        cr_assert_eq(levels[i], time_ns == 0 ? 0 : depth_at(time_ns - 1));
    }
    all.cells[9].left++;
    cr_assert_not(queue_sweep_levels(&all, &grid, levels));
    queue_sweep_release(&all);
    queue_sweep_release(&odd);
    queue_sweep_release(&even);
}

/* What the program would have counted lies within the bounds, and near the middle, for cells of any width. */
Test(queue_sweep, counted_depths_lie_between_the_bounds)
{
    static const uint32_t limits[] = {64, 512, 4096, 1 << 16};

    invent();
    for (size_t k = 0; k < ARRAY_SIZE(limits); k++) {
        struct load_grid grid = load_grid_make(0, SPAN_NS + 100 * NS_PER_MS, limits[k]);
        AUTO_FREE uint64_t *levels = malloc(grid.count * sizeof(*levels));
        struct queue_comparison entries = {0};
        struct queue_comparison gauge = {0};
        struct queue_sweep sweep;

        cr_assert_eq(queue_sweep_init(&sweep, &grid), 0);
        for (size_t i = 0; i < STAYS; i++) {
            queue_sweep_add(&sweep, &grid, stays[i].entry_ns, stays[i].exit_ns - stays[i].entry_ns,
                            depth_at(stays[i].entry_ns));
        }
        for (uint64_t time_ns = 3 * NS_PER_MS; time_ns < SPAN_NS; time_ns += 7919 * NS_PER_US) {
            cr_assert_eq(queue_sweep_add_gauge(&sweep, &grid, time_ns, depth_at(time_ns)), 0);
        }
        cr_assert(queue_sweep_levels(&sweep, &grid, levels));
        queue_sweep_compare_entries(&sweep, &grid, levels, &entries);
        queue_sweep_compare_gauge(&sweep, &grid, levels, &gauge);
        cr_assert_eq(entries.count, STAYS);
        cr_assert(entries.low <= entries.counted && entries.counted <= entries.high);
        cr_assert(fabs(entries.counted / entries.mid - 1) < .02, "%u cells: %g", limits[k],
                  entries.counted / entries.mid);
        cr_assert(gauge.count > 200);
        cr_assert(gauge.low <= gauge.counted && gauge.counted <= gauge.high);
        cr_assert(fabs(gauge.counted / gauge.mid - 1) < .05, "%u cells: %g", limits[k],
                  gauge.counted / gauge.mid);
        queue_sweep_release(&sweep);
    }
}

Test(queue_sweep, nothing_in_it_is_nothing)
{
    struct load_grid grid = load_grid_make(0, 10, 4);
    struct queue_comparison comparison = {0};
    struct queue_sweep sweep;
    uint64_t levels[16];

    cr_assert_eq(queue_sweep_init(&sweep, &grid), 0);
    cr_assert(queue_sweep_levels(&sweep, &grid, levels));
    cr_assert(queue_sweep_area(&sweep, &grid, levels, 0, grid.count) == 0);
    queue_sweep_compare_entries(&sweep, &grid, levels, &comparison);
    queue_sweep_compare_gauge(&sweep, &grid, levels, &comparison);
    cr_assert_eq(comparison.count, 0);
    queue_sweep_add(&sweep, &grid, 0, 0, 1);
    queue_sweep_compare_entries(&sweep, &grid, levels, &comparison);
    cr_assert_float_eq(comparison.mid, 1, 1e-12, "it finds itself, though it leaves at once");
    queue_sweep_release(&sweep);
}
