#include "report_summary.h"

const double report_quantile_ranks[REPORT_QUANTILE_COUNT] = {
    .01, .05, .10, .25, .50, .75, .90, .95, .99, .999, .9999,
};

const char *report_reason_name(enum report_reason reason)
{
    static const char *const words[REASON_COUNT] = {
        "", "no_data", "too_few", "beyond_data", "not_recorded", "memory_limit",
    };

    return (unsigned int)reason < REASON_COUNT ? words[reason] : "";
}
