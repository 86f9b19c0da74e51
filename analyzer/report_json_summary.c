#include "report_json_parts.h"

#include <math.h>

enum { KEY_BYTES = 64 };

/* Writes key and its ending into ret_key; our keys are short. */
static const char *join_key(char ret_key[static KEY_BYTES], const char *key, const char *ending)
{
    (void)snprintf(ret_key, KEY_BYTES, "%.40s%.20s", key, ending);
    return ret_key;
}

void report_json_number(struct json_tree *tree, const char *key, double value,
                        enum report_reason reason)
{
    char reason_key[KEY_BYTES];

    json_add_number(tree, key, value);
    if (!isfinite(value)) {
        json_add_text(tree, join_key(reason_key, key, "_reason"),
                      report_reason_name(reason == REASON_NONE ? REASON_TOO_FEW : reason));
    }
}

void report_json_time(struct json_tree *tree, const char *key, uint64_t realtime_ns)
{
    char other_key[KEY_BYTES];

    if (realtime_ns == 0) {
        json_add_null(tree, key);
        json_add_text(tree, join_key(other_key, key, "_reason"),
                      report_reason_name(REASON_NOT_RECORDED));
        return;
    }
    json_add_time(tree, key, realtime_ns);
    json_add_digits(tree, join_key(other_key, key, "_realtime_ns"), realtime_ns);
}

void report_json_counts(struct json_tree *tree, const char *key, const struct record_counts *counts)
{
    json_open_object(tree, key);
    json_add_count(tree, "operations", counts->operations);
    json_add_count(tree, "samples", counts->samples);
    json_add_count(tree, "marks", counts->marks);
    json_add_count(tree, "long_runs", counts->long_runs);
    json_close(tree);
}

/* name and unit make the key: "mean_ns". */
static void add_value(struct json_tree *tree, const char *name, const char *unit, double value,
                      enum report_reason reason)
{
    char key[KEY_BYTES];

    report_json_number(tree, join_key(key, name, unit), value, reason);
}

static void add_quantile(struct json_tree *tree, double rank,
                         const struct report_quantile *quantile, const char *unit)
{
    json_open_object(tree, NULL);
    json_add_number(tree, "p", rank);
    add_value(tree, "value", unit, quantile->value, quantile->reason);
    add_value(tree, "low", unit, quantile->low, quantile->reason);
    add_value(tree, "high", unit, quantile->high, quantile->reason);
    json_close(tree);
}

static void add_bin(struct json_tree *tree, const struct report_bin *bin, const char *unit)
{
    json_open_object(tree, NULL);
    add_value(tree, "from", unit, bin->low, REASON_NONE);
    add_value(tree, "to", unit, bin->high, REASON_NONE);
    json_add_count(tree, "count", bin->count);
    json_close(tree);
}

void report_json_summary(struct json_tree *tree, const char *key,
                         const struct report_summary *summary, const char *unit)
{
    enum report_reason reason = summary->count == 0 ? REASON_NO_DATA : REASON_TOO_FEW;

    json_open_object(tree, key);
    json_add_count(tree, "count", summary->count);
    add_value(tree, "sum", unit, summary->sum, reason);
    add_value(tree, "min", unit, summary->min, reason);
    add_value(tree, "max", unit, summary->max, reason);
    add_value(tree, "mean", unit, summary->mean, reason);
    add_value(tree, "stddev", unit, summary->stddev, reason);
    json_add_bool(tree, "is_exact", summary->is_exact);
    json_add_number(tree, "relative_error_bound", summary->relative_error_bound);
    json_open_array(tree, "quantiles");
    for (size_t i = 0; i < REPORT_QUANTILE_COUNT; i++) {
        add_quantile(tree, report_quantile_ranks[i], &summary->quantiles[i], unit);
    }
    json_close(tree);
    json_open_array(tree, "histogram");
    for (size_t i = 0; i < summary->bin_count; i++) {
        add_bin(tree, &summary->bins[i], unit);
    }
    json_close(tree);
    json_close(tree);
}
