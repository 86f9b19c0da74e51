#include "report_make_parts.h"

#include <errno.h>
#include <math.h>
#include <string.h>

static struct report_load_bin bin_of(const struct window_cell *cell, uint64_t low, uint64_t high)
{
    const struct report_window window = window_cell_describe(cell);

    return (struct report_load_bin){
        .low = low,
        .high = high,
        .count = window.count,
        .errors = window.errors,
        .p50_ns = window.p50_ns,
        .p95_ns = window.p95_ns,
        .p99_ns = window.p99_ns,
    };
}

static void make_bins(struct report_named_load *named, const struct name_effects *effects)
{
    const struct window_series *durations = &effects->durations;
    double medians_ns[LOAD_BIN_COUNT] = {0};

    named->idle = (struct report_load_bin){.p50_ns = NAN, .p95_ns = NAN, .p99_ns = NAN};
    named->bin_count = effects->bins.count;
    for (size_t i = 0; i < named->bin_count; i++) {
        /* Also where all that began there did not end. */
        named->bins[i] = (struct report_load_bin){.low = effects->bins.bins[i].low,
                                                  .high = effects->bins.bins[i].high,
                                                  .p50_ns = NAN,
                                                  .p95_ns = NAN,
                                                  .p99_ns = NAN};
    }
    for (size_t i = 0; i < durations->count; i++) {
        const struct window_cell *cell = &durations->cells[i];

        if (cell->window == LOAD_IDLE_BIN) {
            named->idle = bin_of(cell, 0, 0);
        } else {
            named->bins[cell->window] = bin_of(cell, effects->bins.bins[cell->window].low,
                                               effects->bins.bins[cell->window].high);
            medians_ns[cell->window] = named->bins[cell->window].p50_ns;
        }
    }
    named->slope = load_bins_slope(&effects->bins, medians_ns);
}

static int make_name(struct report_named_load *named, const struct report_totals *totals,
                     const struct load_effects *effects, size_t number)
{
    const struct distribution *durations = &totals->tally->operations[number]->duration_ns;

    named->name = strdup(name_ranks_entry(&totals->plan->names, GROUP_OPERATION, number)->text);
    if (named->name == NULL) {
        return -ENOMEM;
    }
    make_bins(named, &effects->names[number]);
    int r = shared_load_measure(effects->load, number, &named->load);

    arrival_evidence_judge(&effects->names[number].arrivals, distribution_quantile(durations, .5),
                           named->load.steady_ratio, &named->arrivals);
    return r;
}

static double busy_ns(const struct report_named_load *named)
{
    return named->load.concurrency.mean * (double)named->load.active_ns;
}

/* By time in flight, falling; names are unique. */
static int compare_loads(const void *left, const void *right)
{
    double a = busy_ns(left);
    double b = busy_ns(right);

    return a != b ? (a > b ? -1 : 1)
                  : strcmp(((const struct report_named_load *)left)->name,
                           ((const struct report_named_load *)right)->name);
}

static int make_names(struct report_loads *loads, const struct report_totals *totals,
                      const struct load_effects *effects)
{
    size_t kept = totals->plan->names.groups[GROUP_OPERATION].kept;
    int r = 0;

    loads->names = calloc(effects->load->count + 1, sizeof(*loads->names));
    if (loads->names == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; r == 0 && i < effects->load->count; i++) {
        if (totals->tally->operations[i] != NULL) {
            r = make_name(&loads->names[loads->count++], totals, effects, i);
        }
    }
    if (r == 0) {
        qsort(loads->names, loads->count, sizeof(*loads->names), compare_loads);
    }
    loads->omitted_names = kept - effects->load->count;
    return r;
}

int report_make_load(struct report *report, const struct report_totals *totals,
                     const struct load_effects *effects)
{
    struct report_loads *loads = effects->load == NULL ? NULL : calloc(1, sizeof(*loads));
    int r;

    if (effects->load == NULL) {
        return 0;
    }
    report->loads = loads;
    r = loads == NULL ? -ENOMEM : shared_load_measure(effects->load, SIZE_MAX, &loads->all);
    return r < 0 ? r : make_names(loads, totals, effects);
}
