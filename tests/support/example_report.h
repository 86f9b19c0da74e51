/*
 * A report made by hand: every kind of entry, names that try to be obeyed, and numbers that do not exist.
 */
#pragma once

#include "report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* HTML, a link, a mention, table and fence breakers, terminal escapes, bidirectional text, not UTF-8. */
static const char *const hostile_names[] = {
    "http.get",
    "<script>alert(1)</script>",
    "[click](javascript:alert(1))",
    "@everyone #1 org/repo#2",
    "a|b`c```d\\|e",
    "\x1b[31mred\x1b[0m\r\nnew line",
    "\xe2\x80\xae"
    "reversed \xc2\x9b"
    "31m",
    "not utf-8 \xff\xc3",
    "",
    "=cmd|' /C calc'!A0",
};

enum { HOSTILE_NAME_COUNT = sizeof(hostile_names) / sizeof(hostile_names[0]) };

#define OTHER_CHILD_NAME "(other)"
#define EXAMPLE_BEGIN_NS 1764000000123456789ULL

static struct report_summary example_summary(double scale)
{
    struct report_summary summary = {
        .count = 1000,
        .sum = 5000 * scale,
        .min = scale,
        .max = 100 * scale,
        .mean = 5 * scale,
        .stddev = 0.1 + 0.2,
        .relative_error_bound = 0.00195,
        .bin_count = 3,
    };
    const double values[REPORT_QUANTILE_COUNT] = {1, 1, 2, 3, 4, 10, 20, 50, 90, 99, NAN};

    for (size_t i = 0; i < REPORT_QUANTILE_COUNT; i++) {
        summary.quantiles[i] = (struct report_quantile){.value = values[i] * scale,
                                                        .low = values[i] * scale * .9,
                                                        .high = values[i] * scale * 1.1};
    }
    summary.quantiles[RANK_P999].high = NAN;
    summary.quantiles[RANK_P999].reason = REASON_BEYOND_DATA;
    summary.quantiles[RANK_P9999].reason = REASON_TOO_FEW;
    summary.bins[0] = (struct report_bin){scale, 3 * scale, 500};
    summary.bins[1] = (struct report_bin){3 * scale, 10 * scale, 400};
    summary.bins[2] = (struct report_bin){10 * scale, 100 * scale, 100};
    return summary;
}

static struct report_summary empty_summary(void)
{
    struct report_summary summary = {.sum = 0, .min = NAN, .max = NAN, .mean = NAN, .stddev = NAN};

    for (size_t i = 0; i < REPORT_QUANTILE_COUNT; i++) {
        summary.quantiles[i] = (struct report_quantile){NAN, NAN, NAN, REASON_NO_DATA};
    }
    return summary;
}

static void *example_copy(const void *source, size_t size)
{
    void *copy = malloc(size);

    memcpy(copy, source, size);
    return copy;
}

/* No tail if the scale is great. */
static struct report_budget *example_budget(double scale)
{
    struct report_budget budget = {.stated_count = 990, .trimmed_count = 2, .trimmed_ns = 3};
    bool has_tail = scale < 1e10;

    for (int i = 0; i <= COHORT_COUNT; i++) {
        struct report_cohort *cohort = i < COHORT_COUNT ? &budget.cohorts[i] : &budget.all;
        bool is_empty = i == COHORT_ABOVE_P99 && !has_tail;

        cohort->count = is_empty ? 0 : 100;
        cohort->from_ns = is_empty ? INFINITY : i * scale;
        cohort->to_ns = i < COHORT_ABOVE_P99 ? (i + 1) * scale : INFINITY;
        cohort->mean_ns = is_empty ? NAN : (i + 1) * scale;
        strcpy(cohort->sum_ns, "340282366920938463463374607431768211455");
        for (int part = 0; part < BUDGET_PART_COUNT; part++) {
            strcpy(cohort->parts[part].sum_ns, "7");
            cohort->parts[part].mean_ns = is_empty ? NAN : scale * (i + part) / 7;
            cohort->parts[part].share = is_empty ? NAN : part / 21.0;
        }
    }
    budget.tail.reason = has_tail ? REASON_NONE : REASON_TOO_FEW;
    budget.tail.ns = has_tail ? 3 * scale : NAN;
    for (int part = 0; part < BUDGET_PART_COUNT; part++) {
        budget.tail.part_ns[part] = has_tail ? (part - 1) * scale : NAN;
    }
    budget.tail.greatest_part = STATE_WAITING_CHILD;
    return example_copy(&budget, sizeof(budget));
}

static struct report_censoring *example_censoring(double scale)
{
    struct report_censoring *censoring = calloc(1, sizeof(*censoring));
    const struct report_open_operation oldest = {EXAMPLE_BEGIN_NS, (uint64_t)(3 * scale), 7, 0,
                                                 STATE_QUEUED};
    const struct report_summary summary = example_summary(scale);

    censoring->timeouts = 3;
    censoring->unfinished = 2;
    censoring->share = .005;
    censoring->by_state[STATE_QUEUED] = 1;
    censoring->by_state[STATE_WAITING_LOCK] = 1;
    censoring->age_ns = empty_summary();
    censoring->oldest = example_copy(&oldest, sizeof(oldest));
    censoring->oldest_count = 1;
    censoring->greatest_ns = 100 * scale;
    censoring->has_quantiles = true;
    memcpy(censoring->quantiles, summary.quantiles, sizeof(summary.quantiles));
    censoring->quantiles[RANK_P99] = (struct report_quantile){NAN, 90, NAN, REASON_BEYOND_DATA};
    return censoring;
}

static struct report_children *example_children(const char *name, double scale)
{
    const struct report_child children[] = {
        {strdup(name), 2000, 3, 0.5 * scale, 2 * scale, 0.4, 3 * scale, 0.9},
        {strdup(OTHER_CHILD_NAME), 1, 0, NAN, 0, 0, NAN, NAN},
    };
    const struct report_children made = {
        .parents = 1000,
        .parents_mean_ns = 5 * scale,
        .fan_out = example_summary(1),
        .tail_from_ns = NAN,
        .tail_mean_ns = NAN,
        .child_count = 2,
        .children = example_copy(children, sizeof(children)),
    };

    return example_copy(&made, sizeof(made));
}

static struct report_operation example_operation(const char *name, double scale)
{
    const struct report_state state = {STATE_WAITING_IO, 0.6, example_summary(scale)};
    const struct report_by_process process = {.process = 0,
                                              .count = 1000,
                                              .by_status = {990, 10},
                                              .mean_ns = 5,
                                              .p50_ns = 4,
                                              .p95_ns = 50,
                                              .p99_ns = NAN,
                                              .max_ns = 100};
    const struct report_window window = {3, 1000, 10, 4, 50, NAN};
    const struct report_slow_operation slow = {
        .place = {0, 4096, 17},
        .begin_realtime_ns = EXAMPLE_BEGIN_NS,
        .duration_ns = (uint64_t)(100 * scale),
        .status = STATUS_TIMEOUT,
        .begin_tid = 42,
        .begin_thread = strdup(name),
        .end_tid = 43,
        .end_thread = strdup(""),
    };
    const struct report_attribute_value value = {strdup(name), {7, 1, 4, 50, NAN, 100}};
    const struct report_attribute attribute = {
        .key = strdup(name),
        .count = 1000,
        .value_count = 1,
        .values = example_copy(&value, sizeof(value)),
        .other = {993, 9, 4, 50, NAN, 100},
        .is_sample = true,
        .other_values = 1023,
        .bins = {.count = 2, .has_below = true, .borders = {-5, 1, 1e300}},
        .slices = {{3, 0, NAN, NAN, NAN, 5}, {4, 1, 4, 50, NAN, 100}},
    };

    return (struct report_operation){
        .name = strdup(name),
        .count = 1000,
        .rate_per_s = 16.7,
        .by_status = {990, 4, 3, 3},
        .unfinished = 2,
        .longest_unfinished_ns = 3e9,
        .role = ROLE_LOOP_ROUND,
        .rest_mean_ns = 5e5,
        .time_share = 0.1,
        .duration_ns = example_summary(scale),
        .state_count = 1,
        .states = example_copy(&state, sizeof(state)),
        .budget = scale > 1 ? example_budget(scale) : NULL,
        .budget_reason = REASON_NOT_RECORDED,
        .children = example_children(name, scale),
        .censoring = scale > 1e10 ? example_censoring(scale) : NULL,
        .process_count = 1,
        .processes = example_copy(&process, sizeof(process)),
        .omitted_processes = 5,
        .has_window_quantiles = true,
        .window_count = 1,
        .windows = example_copy(&window, sizeof(window)),
        .slowest_count = 1,
        .slowest = example_copy(&slow, sizeof(slow)),
        .attribute_count = 1,
        .attributes = example_copy(&attribute, sizeof(attribute)),
    };
}

static void add_example_sources(struct report *report, const char *name)
{
    const struct report_input input = {
        .file = strdup(name),
        .state = INPUT_DAMAGED,
        .problem = strdup("bytes that are no good frame"),
        .problem_offset_bytes = 123,
        .size_bytes = 1 << 20,
        .skipped_bytes = 77,
        .frames = 9,
        .missing_batches = 2,
        .rows = {1000, 20, 3, 0},
        .content_hash = 0xdeadbeefULL,
    };
    const struct report_input foreign = {.file = strdup("foreign"),
                                         .state = INPUT_UNUSABLE,
                                         .problem = strdup(""),
                                         .process = SIZE_MAX};
    struct report_process process = {
        .session = {1, 2, 3},
        .executable = strdup(name),
        .host_name = strdup(name),
        .pid = 4711,
        .claimed_pid = 1,
        .label_count = 1,
        .first_realtime_ns = EXAMPLE_BEGIN_NS,
        .last_realtime_ns = EXAMPLE_BEGIN_NS + 60000000000,
        .stored = {1000, 20, 3, 0},
        .produced = {1100, 20, 3, 0},
        .lost = {100, 0, 0, 0},
        .is_total_final = true,
        .clock_steps = 1,
        .greatest_clock_step_ns = -1500000,
        .names_folded = 1,
        .frame_bytes = UINT64_MAX,
        .threads = 2,
    };

    process.labels[0].key = strdup(name);
    process.labels[0].value = strdup(name);
    report->inputs = calloc(2, sizeof(*report->inputs));
    report->inputs[0] = input;
    report->inputs[1] = foreign;
    report->input_count = 2;
    report->processes = example_copy(&process, sizeof(process));
    report->process_count = 1;
}

static struct report_load example_load(void)
{
    return (struct report_load){
        .cell_ns = 1024000,
        .active_ns = 60000000000,
        .rate_window_ns = 65536000,
        .arrivals_per_s = {16.7, 0, 15, 30, 40, 50},
        .concurrency = {1.5, 0, 1, 4, 5, NAN},
        .most_concurrency = 9,
        .idle_ratio = .25,
        .dispersion_count = 2,
        .dispersions = {{1024000, 50000, 1.01, .99, 1.01}, {4096000, 12500, NAN, .98, 1.02}},
    };
}

/* One that was measured, in a closed loop, and one that was not. */
static struct report_loads *example_loads(const char *name)
{
    const struct report_named_load named[] = {
        {
            .name = strdup(name),
            .load = example_load(),
            .bin_count = 2,
            .bins = {{0, 0, 500, 1, 4e6, 5e7, NAN}, {1, 9, 500, 9, 8e6, 9e7, 1e8}},
            .slope = .7,
            .idle = {0, 0, 3, 0, 4e6, NAN, NAN},
            .arrivals = {ARRIVALS_CLOSED, 999, 1, 1e4, 2e4, 1e6, 5e6, 4e6, .9},
        },
        {
            .name = strdup(name),
            .load = {.reason = REASON_TOO_FEW},
            .slope = NAN,
            .arrivals = {ARRIVALS_UNKNOWN, 0, NAN, NAN, NAN, NAN, NAN, NAN, NAN},
        },
    };
    struct report_loads *loads = calloc(1, sizeof(*loads));

    *loads = (struct report_loads){.all = example_load(),
                                   .count = 2,
                                   .names = example_copy(named, sizeof(named)),
                                   .omitted_names = 3};
    return loads;
}

static struct report_queue_flow example_flow(void)
{
    const struct report_queue_window window = {500, 400, 3.5, NAN};

    return (struct report_queue_flow){
        .load = example_load(),
        .leaves_per_s = {16.7, 0, 15, 30, 40, 50},
        .full_ratio = .125,
        .full_entries = 7,
        .little = {3.5, 16.7, 2e8, 0, 1.11, NAN, LITTLE_MISSING, .1},
        .window_ns = 262144000,
        .window_first_realtime_ns = EXAMPLE_BEGIN_NS,
        .window_count = 1,
        .windows = example_copy(&window, sizeof(window)),
    };
}

static void add_example_metrics(struct report *report, const char *name)
{
    const struct report_queue queue = {
        strdup(name), 64, 1000, 3, example_summary(1), example_summary(1e6), example_flow()};
    const struct report_pool pool = {.name = strdup(name),
                                     .samples = 12,
                                     .workers = 4,
                                     .known_ns = 6e10,
                                     .busy_mean = 3.5,
                                     .utilization_mean = .875,
                                     .utilization_p50 = 1,
                                     .utilization_p95 = 1,
                                     .utilization_p99 = NAN,
                                     .all_busy_ratio = .6};
    const struct report_metric_by_process by_process = {0, example_summary(0.01)};
    const struct report_metric counter = {.name = strdup("process.cpu.time"),
                                          .unit = strdup("s"),
                                          .kind = NAME_COUNTER_TOTAL,
                                          .samples = 20,
                                          .total = 12.5,
                                          .summary = example_summary(0.01),
                                          .process_count = 1,
                                          .processes =
                                              example_copy(&by_process, sizeof(by_process))};
    const struct report_metric gauge = {.name = strdup(name),
                                        .unit = strdup(name),
                                        .kind = NAME_GAUGE,
                                        .is_per_thread = true,
                                        .samples = 0,
                                        .total = NAN,
                                        .summary = empty_summary()};
    const struct report_thread thread = {0, 42, strdup(name), 1, 1000, 5e9, 12, NAN};
    const struct report_mark mark = {strdup(name), 3, EXAMPLE_BEGIN_NS, 0};

    report->queues = example_copy(&queue, sizeof(queue));
    report->queue_count = 1;
    report->pools = example_copy(&pool, sizeof(pool));
    report->pool_count = 1;
    report->metrics = calloc(2, sizeof(*report->metrics));
    report->metrics[0] = counter;
    report->metrics[1] = gauge;
    report->metric_count = 2;
    report->threads = example_copy(&thread, sizeof(thread));
    report->thread_count = 1;
    report->marks = example_copy(&mark, sizeof(mark));
    report->mark_count = 1;
}

static struct report_blame example_blame(const char *name)
{
    const struct report_blame_pair pair = {
        .holder = strdup(name),
        .delayed = strdup(name),
        .delays = 12345,
        .delay_ns = 3.5e9,
        .tail_ratio = .96,
        .exemplar_count = 1,
        .exemplars = {{.begin_realtime_ns = EXAMPLE_BEGIN_NS,
                       .length_ns = 859000000,
                       .delay_ns = 2000000000,
                       .delayed = 17,
                       .tid = 7,
                       .thread = strdup(name)}},
    };

    return (struct report_blame){.runs = 99,
                                 .run_ns = 1e10,
                                 .waits = 20000,
                                 .omitted_waits = 3616,
                                 .pair_count = 1,
                                 .pairs = example_copy(&pair, sizeof(pair)),
                                 .omitted_pairs = 1,
                                 .omitted_delay_ns = 5};
}

/* To be released with report_release(). operation_count names are taken from the hostile ones, round and round. */
static struct report example_report(size_t operation_count)
{
    const char *hostile = hostile_names[5];
    const struct report_loss loss = {
        LOSS_RING_FULL, {100, 0, 0, 0}, EXAMPLE_BEGIN_NS, EXAMPLE_BEGIN_NS + 5};
    struct report report = {
        .options = {.with_attributes = true,
                    .memory_bytes = 256 << 20,
                    .slowest_limit = 20,
                    .name_limit = 10000},
        .first_realtime_ns = EXAMPLE_BEGIN_NS,
        .last_realtime_ns = EXAMPLE_BEGIN_NS + 60000000000,
        .window_first_realtime_ns = EXAMPLE_BEGIN_NS,
        .window_width_ns = 64000000,
        .window_count = 938,
        .quality = {.coverage_ratio = 0.909,
                    .produced = {1100, 20, 3, 0},
                    .stored = {1000, 20, 3, 0},
                    .lost = {100, 0, 0, 0},
                    .loss_count = 1,
                    .losses = example_copy(&loss, sizeof(loss)),
                    .tracer_cpu_ratio = 0.02,
                    .bytes_per_operation = NAN},
        .folded_names = 3,
    };

    report.operations = calloc(operation_count + 1, sizeof(*report.operations));
    for (size_t i = 0; i < operation_count; i++) {
        report.operations[i] =
            example_operation(hostile_names[i % HOSTILE_NAME_COUNT], i % 2 == 0 ? 1e6 : 1e17);
    }
    report.operation_count = operation_count;
    report.loads = example_loads(hostile);
    report.blame = example_blame(hostile);
    add_example_sources(&report, hostile);
    add_example_metrics(&report, hostile);
    return report;
}
