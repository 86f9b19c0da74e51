#include "report_json_parts.h"

#include "record_names.h"

static void add_oldest(struct json_tree *tree, const struct report_censoring *censoring)
{
    json_open_array(tree, "oldest");
    for (size_t i = 0; i < censoring->oldest_count; i++) {
        const struct report_open_operation *operation = &censoring->oldest[i];

        json_open_object(tree, NULL);
        report_json_time(tree, "begin", operation->begin_realtime_ns);
        json_add_count(tree, "age_ns", operation->age_ns);
        json_add_text(tree, "state", operation_state_name(operation->state));
        json_add_count(tree, "process", operation->process);
        json_add_digits(tree, "id", operation->id);
        json_close(tree);
    }
    json_close(tree);
}

static void add_quantiles(struct json_tree *tree, const struct report_censoring *censoring)
{
    json_open_array(tree, "quantiles");
    for (size_t i = 0; censoring->has_quantiles && i < REPORT_QUANTILE_COUNT; i++) {
        const struct report_quantile *quantile = &censoring->quantiles[i];

        json_open_object(tree, NULL);
        json_add_number(tree, "p", report_quantile_ranks[i]);
        report_json_number(tree, "value_ns", quantile->value, quantile->reason);
        report_json_number(tree, "low_ns", quantile->low, quantile->reason);
        report_json_number(tree, "high_ns", quantile->high, quantile->reason);
        json_close(tree);
    }
    json_close(tree);
}

void report_json_censoring(struct json_tree *tree, const struct report_operation *operation)
{
    const struct report_censoring *censoring = operation->censoring;

    if (censoring == NULL) {
        json_add_null(tree, "censoring");
        json_add_text(tree, "censoring_reason", report_reason_name(REASON_NO_DATA));
        return;
    }
    json_open_object(tree, "censoring");
    json_add_count(tree, "timeouts", censoring->timeouts);
    json_add_count(tree, "unfinished", censoring->unfinished);
    report_json_number(tree, "share", censoring->share, REASON_NO_DATA);
    json_open_object(tree, "unfinished_by_state");
    for (int state = 0; state < STATE_COUNT; state++) {
        json_add_count(tree, operation_state_name((enum operation_state)state),
                       censoring->by_state[state]);
    }
    json_close(tree);
    report_json_summary(tree, "unfinished_age", &censoring->age_ns, "_ns");
    add_oldest(tree, censoring);
    report_json_number(tree, "greatest_ns", censoring->greatest_ns, REASON_NO_DATA);
    add_quantiles(tree, censoring);
    json_close(tree);
}
