#include "report_json_parts.h"

#include "record_names.h"

#include <math.h>
#include <string.h>

static const char *const cohort_names[COHORT_COUNT] = {
    [COHORT_P0_50] = "p0_50",
    [COHORT_P50_90] = "p50_90",
    [COHORT_P90_99] = "p90_99",
    [COHORT_ABOVE_P99] = "above_p99",
};

static const char *const estimate_names[RUNNING_ESTIMATE_COUNT] = {
    [RUNNING_NOT_ON_CPU] = "not_on_cpu",
    [RUNNING_THROTTLED] = "throttled",
    [RUNNING_IN_GC] = "in_gc",
};

static const char *part_name(int part)
{
    return part == BUDGET_UNACCOUNTED ? "unaccounted"
                                      : operation_state_name((enum operation_state)part);
}

/* As json_add_count(), of digits that may be more than 64 bits hold. */
static void add_sum(struct json_tree *tree, const char *digits)
{
    enum { SAFE_DIGITS = 18 };

    if (strlen(digits) <= SAFE_DIGITS) {
        json_add_count(tree, "sum_ns", strtoull(digits, NULL, 10));
    } else {
        json_add_text(tree, "sum_ns", digits);
    }
}

static void add_parts(struct json_tree *tree, const struct report_cohort *cohort)
{
    json_open_object(tree, "parts");
    for (int part = 0; part < BUDGET_PART_COUNT; part++) {
        json_open_object(tree, part_name(part));
        add_sum(tree, cohort->parts[part].sum_ns);
        report_json_number(tree, "mean_ns", cohort->parts[part].mean_ns, REASON_NO_DATA);
        report_json_number(tree, "share", cohort->parts[part].share, REASON_NO_DATA);
        json_close(tree);
    }
    json_close(tree);
}

static void add_estimates(struct json_tree *tree, const double means_ns[RUNNING_ESTIMATE_COUNT])
{
    json_open_object(tree, "running_estimates");
    for (int i = 0; i < RUNNING_ESTIMATE_COUNT; i++) {
        json_open_object(tree, estimate_names[i]);
        report_json_number(tree, "mean_ns", means_ns[i], REASON_NOT_RECORDED);
        json_close(tree);
    }
    json_close(tree);
}

static void add_cohort(struct json_tree *tree, const struct report_cohort *cohort)
{
    json_add_count(tree, "count", cohort->count);
    report_json_number(tree, "from_ns", cohort->from_ns, REASON_TOO_FEW);
    report_json_number(tree, "to_ns", cohort->to_ns, REASON_BEYOND_DATA);
    add_sum(tree, cohort->sum_ns);
    report_json_number(tree, "mean_ns", cohort->mean_ns, REASON_NO_DATA);
    add_parts(tree, cohort);
    add_estimates(tree, cohort->running_ns);
    report_json_number(tree, "sampled_share", cohort->sampled_share, REASON_NO_DATA);
}

static void add_tail(struct json_tree *tree, const struct report_tail_growth *tail)
{
    json_open_object(tree, "tail_growth");
    report_json_number(tree, "mean_ns", tail->ns, tail->reason);
    if (tail->reason == REASON_NONE) {
        json_add_text(tree, "greatest_part", part_name(tail->greatest_part));
    } else {
        json_add_null(tree, "greatest_part");
        json_add_text(tree, "greatest_part_reason", report_reason_name(tail->reason));
    }
    json_open_object(tree, "parts");
    for (int part = 0; part < BUDGET_PART_COUNT; part++) {
        json_open_object(tree, part_name(part));
        report_json_number(tree, "mean_ns", tail->part_ns[part], tail->reason);
        json_close(tree);
    }
    json_close(tree);
    add_estimates(tree, tail->running_ns);
    json_close(tree);
}

void report_json_budget(struct json_tree *tree, const struct report_operation *operation)
{
    const struct report_budget *budget = operation->budget;

    if (budget == NULL) {
        json_add_null(tree, "budget");
        json_add_text(tree, "budget_reason", report_reason_name(operation->budget_reason));
        return;
    }
    json_open_object(tree, "budget");
    json_add_count(tree, "stated_count", budget->stated_count);
    json_add_count(tree, "trimmed_count", budget->trimmed_count);
    json_add_number(tree, "trimmed_ns", budget->trimmed_ns);
    json_add_bool(tree, "is_estimated", budget->is_estimated);
    json_open_array(tree, "cohorts");
    for (int cohort = 0; cohort < COHORT_COUNT; cohort++) {
        json_open_object(tree, NULL);
        json_add_text(tree, "cohort", cohort_names[cohort]);
        add_cohort(tree, &budget->cohorts[cohort]);
        json_close(tree);
    }
    json_close(tree);
    json_open_object(tree, "all");
    add_cohort(tree, &budget->all);
    json_close(tree);
    add_tail(tree, &budget->tail);
    json_close(tree);
}
