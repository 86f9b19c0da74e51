/*
 * Operations of one name that are known only to take at least so long. Plain data, part of report.h.
 */
#pragma once

#include "batch.h"
#include "report_summary.h"

/* Above this share of all operations quantiles are estimated with them, too. */
#define CENSORED_SHARE_LIMIT 0.001

struct report_open_operation {
    uint64_t begin_realtime_ns;
    uint64_t age_ns;
    uint64_t id;
    size_t process;
    enum operation_state state;
};

struct report_censoring {
    uint64_t timeouts;
    uint64_t unfinished;
    double share;                   /* of all operations, unfinished ones included */
    uint64_t by_state[STATE_COUNT]; /* unfinished ones */
    struct report_summary age_ns;   /* of them */
    size_t oldest_count;
    struct report_open_operation *oldest; /* by age, falling */
    double greatest_ns; /* of all durations and ages: what is known to be reached */
    bool has_quantiles; /* share is above CENSORED_SHARE_LIMIT */
    struct report_quantile quantiles[REPORT_QUANTILE_COUNT]; /* by Kaplan and Meier */
};
