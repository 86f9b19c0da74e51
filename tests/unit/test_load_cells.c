#include "load_measure.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

enum { OPERATIONS = 3000 };

#define EPOCH_NS (1764000000ULL * NS_PER_S)
#define SPAN_NS (3 * NS_PER_S)

static uint64_t begins_ns[OPERATIONS];
static uint64_t durations_ns[OPERATIONS];

static uint64_t state = 88172645463325252ULL;

static uint64_t random_below(uint64_t limit)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state % limit;
}

static double uniform(void)
{
    return ((double)random_below(1ULL << 53) + .5) / (double)(1ULL << 53);
}

static void invent(void)
{
    for (size_t i = 0; i < OPERATIONS; i++) {
        begins_ns[i] = EPOCH_NS + random_below(SPAN_NS);
        durations_ns[i] = random_below(random_below(20) == 0 ? NS_PER_S : 20 * NS_PER_MS);
    }
}

Test(load_grid, cells_are_2_to_the_k_us_and_hold_every_time)
{
    static const struct {
        uint64_t first_ns;
        uint64_t last_ns;
        uint32_t limit;
        uint64_t cell_us;
    } cases[] = {
        {0, 0, 1, 1},
        {EPOCH_NS, EPOCH_NS, 65536, 1},
        {EPOCH_NS, EPOCH_NS + 65535 * NS_PER_US, 65536, 1},
        {EPOCH_NS, EPOCH_NS + 65536 * NS_PER_US, 65536, 2},
        {EPOCH_NS + 1, EPOCH_NS + 60 * NS_PER_S, 65536, 1024},
        {1, UINT64_MAX, 4096, 1ULL << 43},
        {1, UINT64_MAX, 1, 1ULL << 54},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct load_grid grid = load_grid_make(cases[i].first_ns, cases[i].last_ns, cases[i].limit);

        cr_assert_eq(grid.cell_ns, cases[i].cell_us * NS_PER_US, "case %zu: %llu", i,
                     (unsigned long long)grid.cell_ns);
        cr_assert(grid.count >= 1 && grid.count <= cases[i].limit);
        cr_assert_eq(grid.first_ns % grid.cell_ns, 0);
        cr_assert_eq(load_grid_cell(&grid, cases[i].first_ns), 0);
        cr_assert_eq(load_grid_cell(&grid, cases[i].last_ns), grid.count - 1);
    }
}

Test(load_grid, finds_cells_as_a_division_does)
{
    struct load_grid grid = load_grid_make(EPOCH_NS + 17, EPOCH_NS + 977 * NS_PER_MS, 5000);

    for (int i = 0; i < 100000; i++) {
        uint64_t since_ns = random_below(grid.count * grid.cell_ns);

        cr_assert_eq(load_grid_cell_since(&grid, since_ns), since_ns / grid.cell_ns);
    }
    cr_assert_eq(load_grid_cell_since(&grid, UINT64_MAX), grid.count - 1);
    cr_assert_eq(load_grid_cell(&grid, 0), 0);
}

/* In flight at a time, one by one. */
static uint64_t count_in_flight(uint64_t time_ns)
{
    uint64_t count = 0;

    for (size_t i = 0; i < OPERATIONS; i++) {
        count += begins_ns[i] < time_ns && begins_ns[i] + durations_ns[i] >= time_ns;
    }
    return count;
}

Test(load_cells, levels_are_what_is_in_flight_at_each_border)
{
    struct load_grid grid = load_grid_make(EPOCH_NS, EPOCH_NS + SPAN_NS + NS_PER_S, 1000);
    struct load_cells cells;
    uint64_t levels[1000];

    invent();
    cr_assert_eq(load_cells_init(&cells, &grid), 0);
    load_cells_add(&cells, &grid, begins_ns, durations_ns, OPERATIONS, 0 - grid.first_ns);
    load_cells_levels(&cells, &grid, levels);
    for (uint32_t i = 0; i < grid.count; i++) {
        cr_assert_eq(levels[i], count_in_flight(grid.first_ns + i * grid.cell_ns), "cell %u", i);
    }
    cr_assert(load_cells_are_exact(&cells, &grid));
    cells.cells[5].ended += 3; /* as if it had run over */
    cr_assert_not(load_cells_are_exact(&cells, &grid));
    load_cells_release(&cells);
}

Test(load_cells, pieces_in_any_order_are_the_same_as_all_at_once)
{
    struct load_grid grid = load_grid_make(EPOCH_NS, EPOCH_NS + SPAN_NS + NS_PER_S, 4096);
    struct load_cells all;
    struct load_cells parts[3];

    invent();
    cr_assert_eq(load_cells_init(&all, &grid), 0);
    load_cells_add(&all, &grid, begins_ns, durations_ns, OPERATIONS, 0 - grid.first_ns);
    for (size_t i = 0; i < 3; i++) {
        size_t first = (2 - i) * OPERATIONS / 3;

        cr_assert_eq(load_cells_init(&parts[i], &grid), 0);
        load_cells_add(&parts[i], &grid, &begins_ns[first], &durations_ns[first], OPERATIONS / 3,
                       0 - grid.first_ns);
    }
    load_cells_merge(&parts[0], &grid, &parts[1]);
    load_cells_merge(&parts[0], &grid, &parts[2]);
    cr_assert_arr_eq(parts[0].cells, all.cells, grid.count * sizeof(*all.cells));
    cr_assert(parts[0].count == all.count && parts[0].first_ns == all.first_ns);
    cr_assert(parts[0].last_ns == all.last_ns && parts[0].busy_ns == all.busy_ns);
    for (size_t i = 0; i < 3; i++) {
        load_cells_release(&parts[i]);
    }
    load_cells_release(&all);
}

static struct report_load measure(const struct load_grid *grid, size_t count)
{
    AUTO_FREE uint64_t *levels = malloc(grid->count * sizeof(*levels));
    struct report_load load;
    struct load_cells cells;

    cr_assert_eq(load_cells_init(&cells, grid), 0);
    load_cells_add(&cells, grid, begins_ns, durations_ns, count, 0 - grid->first_ns);
    load_cells_levels(&cells, grid, levels);
    cr_assert_eq(load_measure(&cells, grid, levels, &load), 0);
    load_cells_release(&cells);
    return load;
}

/* Two of them always, a third one in the last six tenths: 2.6 on average. */
Test(load_measure, concurrency_is_that_of_time)
{
    struct load_grid grid = load_grid_make(EPOCH_NS, EPOCH_NS + NS_PER_S, 65536);

    for (size_t i = 0; i < 200; i++) {
        begins_ns[i] = EPOCH_NS + (i / 2) * 10 * NS_PER_MS;
        durations_ns[i] = 10 * NS_PER_MS;
    }
    begins_ns[200] = EPOCH_NS + NS_PER_S * 4 / 10;
    durations_ns[200] = NS_PER_S * 6 / 10;

    const struct report_load load = measure(&grid, 201);

    cr_assert_eq(load.reason, REASON_NONE);
    cr_assert_eq(load.active_ns, NS_PER_S);
    cr_assert_float_eq(load.concurrency.mean, 2.6, 1e-12);
    cr_assert_float_eq(load.concurrency.p5, 2, 1e-12);
    cr_assert_float_eq(load.concurrency.p95, 3, 1e-12);
    cr_assert(load.most_concurrency >= load.concurrency.max && load.concurrency.max >= 3);
    cr_assert_float_eq(load.arrivals_per_s.mean, 201, 1e-9);
    cr_assert_float_eq(load.idle_ratio, 0, 1e-12);
    cr_assert(load.steady_ratio > .59 && load.steady_ratio < .61);
}

Test(load_measure, too_little_is_refused)
{
    struct load_grid grid = load_grid_make(EPOCH_NS, EPOCH_NS + NS_PER_S, 65536);

    invent();
    cr_assert_eq(measure(&grid, 0).reason, REASON_NO_DATA);
    cr_assert_eq(measure(&grid, 5).reason, REASON_TOO_FEW);
    for (size_t i = 0; i < 50; i++) {
        begins_ns[i] = EPOCH_NS;
        durations_ns[i] = 0;
    }
    cr_assert_eq(measure(&grid, 50).reason, REASON_TOO_FEW);
    durations_ns[3] = 10 * NS_PER_US;
    cr_assert(isnan(measure(&grid, 50).concurrency.p50), "ten cells are no distribution");
    cr_assert_float_eq(measure(&grid, 50).concurrency.mean, 1, 1e-12);
}

/* A Poisson process lies within the interval about 95 times out of 100, a burst far above, a clock below. */
Test(load_measure, dispersion_tells_bursts_from_chance_from_clocks)
{
    struct load_grid grid = load_grid_make(EPOCH_NS, EPOCH_NS + 11 * NS_PER_S, 65536);
    int within = 0;
    int windows = 0;

    for (int round = 0; round < 40; round++) {
        double time_ns = (double)EPOCH_NS;

        for (size_t i = 0; i < OPERATIONS; i++) {
            time_ns += -log(uniform()) * 3e6;
            begins_ns[i] = (uint64_t)time_ns;
            durations_ns[i] = 100;
        }

        const struct report_load load = measure(&grid, OPERATIONS);

        for (size_t i = 0; i < load.dispersion_count; i++) {
            const struct report_dispersion *at = &load.dispersions[i];

            within += at->index >= at->poisson_low && at->index <= at->poisson_high;
            windows++;
        }
    }
    cr_assert(windows >= 200);
    cr_assert(within > windows * 9 / 10, "%d of %d", within, windows);
    for (size_t i = 0; i < OPERATIONS; i++) {
        begins_ns[i] = EPOCH_NS + (i / 100) * 300 * NS_PER_MS + i % 100 * 1000;
    }
    cr_assert(measure(&grid, OPERATIONS).dispersions[3].index > 50);
    for (size_t i = 0; i < OPERATIONS; i++) {
        begins_ns[i] = EPOCH_NS + i * 3 * NS_PER_MS;
    }
    cr_assert(measure(&grid, OPERATIONS).dispersions[3].index < .3);
}

Test(load_measure, dispersion_of_counts_is_variance_over_mean)
{
    const uint64_t counts[] = {4, 8, 6, 2, 0};
    struct report_dispersion dispersion;

    load_dispersion(counts, ARRAY_SIZE(counts), &dispersion);
    cr_assert_float_eq(dispersion.index, 10. / 4, 1e-12);
    /* chi-squared with 4 degrees of freedom, .025 and .975, divided by 4; Wilson-Hilferty is within 2 %. */
    cr_assert_float_eq(dispersion.poisson_low, .4844186 / 4, .01);
    cr_assert_float_eq(dispersion.poisson_high, 11.1432868 / 4, .02);
}
