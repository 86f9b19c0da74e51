#include "report_json_parts.h"

void report_json_spread(struct json_tree *tree, const char *key, const struct report_spread *spread)
{
    json_open_object(tree, key);
    report_json_number(tree, "max", spread->max, REASON_TOO_FEW);
    report_json_number(tree, "mean", spread->mean, REASON_TOO_FEW);
    report_json_number(tree, "p5", spread->p5, REASON_TOO_FEW);
    report_json_number(tree, "p50", spread->p50, REASON_TOO_FEW);
    report_json_number(tree, "p95", spread->p95, REASON_TOO_FEW);
    report_json_number(tree, "p99", spread->p99, REASON_TOO_FEW);
    json_close(tree);
}

static void add_dispersions(struct json_tree *tree, const struct report_load *load)
{
    json_open_array(tree, "dispersion");
    for (size_t i = 0; i < load->dispersion_count; i++) {
        const struct report_dispersion *dispersion = &load->dispersions[i];

        json_open_object(tree, NULL);
        json_add_count(tree, "window_ns", dispersion->window_ns);
        json_add_count(tree, "windows", dispersion->windows);
        report_json_number(tree, "index", dispersion->index, REASON_NO_DATA);
        report_json_number(tree, "poisson_low", dispersion->poisson_low, REASON_TOO_FEW);
        report_json_number(tree, "poisson_high", dispersion->poisson_high, REASON_TOO_FEW);
        json_close(tree);
    }
    json_close(tree);
}

/* The members of a load, into an open object. */
static void add_load(struct json_tree *tree, const struct report_load *load)
{
    if (load->reason != REASON_NONE) {
        json_add_text(tree, "load_reason", report_reason_name(load->reason));
        return;
    }
    json_add_count(tree, "active_ns", load->active_ns);
    json_add_count(tree, "cell_ns", load->cell_ns);
    json_add_count(tree, "rate_window_ns", load->rate_window_ns);
    report_json_spread(tree, "arrivals_per_s", &load->arrivals_per_s);
    report_json_spread(tree, "concurrency", &load->concurrency);
    report_json_number(tree, "most_concurrency", load->most_concurrency, REASON_TOO_FEW);
    report_json_number(tree, "idle_ratio", load->idle_ratio, REASON_TOO_FEW);
    report_json_number(tree, "steady_ratio", load->steady_ratio, REASON_TOO_FEW);
    add_dispersions(tree, load);
}

static void add_bin_numbers(struct json_tree *tree, const struct report_load_bin *bin)
{
    json_add_count(tree, "count", bin->count);
    json_add_count(tree, "errors", bin->errors);
    report_json_number(tree, "p50_ns", bin->p50_ns, REASON_TOO_FEW);
    report_json_number(tree, "p95_ns", bin->p95_ns, REASON_TOO_FEW);
    report_json_number(tree, "p99_ns", bin->p99_ns, REASON_TOO_FEW);
}

static void add_bins(struct json_tree *tree, const struct report_named_load *named)
{
    json_open_array(tree, "by_concurrency");
    for (size_t i = 0; i < named->bin_count; i++) {
        json_open_object(tree, NULL);
        json_add_count(tree, "low", named->bins[i].low);
        json_add_count(tree, "high", named->bins[i].high);
        add_bin_numbers(tree, &named->bins[i]);
        json_close(tree);
    }
    json_close(tree);
    report_json_number(tree, "slope", named->slope, REASON_TOO_FEW);
    json_open_object(tree, "idle");
    add_bin_numbers(tree, &named->idle);
    json_close(tree);
}

static void add_arrivals(struct json_tree *tree, const struct report_arrivals *arrivals)
{
    json_open_object(tree, "arrivals");
    json_add_text(tree, "pattern", arrival_pattern_name(arrivals->pattern));
    json_add_bool(tree, "coordinated_omission_risk", arrivals->pattern == ARRIVALS_CLOSED);
    json_add_count(tree, "pairs", arrivals->pairs);
    report_json_number(tree, "follow_ratio", arrivals->follow_ratio, REASON_NO_DATA);
    report_json_number(tree, "gap_p50_ns", arrivals->gap_p50_ns, REASON_TOO_FEW);
    report_json_number(tree, "followed_within_ns", arrivals->followed_within_ns, REASON_TOO_FEW);
    report_json_number(tree, "think_limit_ns", arrivals->think_limit_ns, REASON_TOO_FEW);
    report_json_number(tree, "interval_p50_ns", arrivals->interval_p50_ns, REASON_TOO_FEW);
    report_json_number(tree, "duration_p50_ns", arrivals->duration_p50_ns, REASON_TOO_FEW);
    report_json_number(tree, "correlation", arrivals->correlation, REASON_TOO_FEW);
    json_close(tree);
}

void report_json_load(struct json_tree *tree, const struct report_load *load)
{
    json_open_object(tree, NULL);
    add_load(tree, load);
    json_close(tree);
}

void report_json_named_load(struct json_tree *tree, const struct report_named_load *named)
{
    json_open_object(tree, NULL);
    json_add_text(tree, "name", named->name);
    add_load(tree, &named->load);
    add_bins(tree, named);
    add_arrivals(tree, &named->arrivals);
    json_close(tree);
}
