#include "report_text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *report_text_second(char ret_text[static TEXT_BYTES], uint64_t realtime_ns)
{
    enum { DATE_LENGTH = 10, SECOND_LENGTH = 19 };

    if (realtime_ns == 0) {
        memcpy(ret_text, "-", 2);
        return ret_text;
    }
    (void)text_time(ret_text, realtime_ns);
    ret_text[DATE_LENGTH] = ' ';
    ret_text[SECOND_LENGTH] = '\0';
    return ret_text;
}

/* Seconds in a unit of time; 0 for other units. */
static double seconds_of(const char *unit)
{
    return strcmp(unit, "s") == 0    ? 1
           : strcmp(unit, "ms") == 0 ? 1e-3
           : strcmp(unit, "us") == 0 ? 1e-6
           : strcmp(unit, "ns") == 0 ? 1e-9
                                     : 0;
}

const char *report_text_metric(char ret_text[static TEXT_BYTES], const struct report_metric *metric,
                               double value)
{
    const char *unit = metric->unit[0] == '{' ? "1" : metric->unit;
    char amount[TEXT_BYTES];

    if (metric->kind != NAME_COUNTER_DELTA && metric->kind != NAME_COUNTER_TOTAL) {
        return text_in_unit(ret_text, value, unit);
    }
    if (seconds_of(metric->unit) > 0) {
        return text_share(ret_text, value * seconds_of(metric->unit));
    }
    (void)snprintf(ret_text, TEXT_BYTES, "%.40s%s", text_in_unit(amount, value, unit),
                   isfinite(value) ? "/s" : "");
    return ret_text;
}

const char *report_text_metric_name(char ret_text[static REPORT_LABEL_BYTES],
                                    const struct report_metric *metric)
{
    (void)snprintf(ret_text, REPORT_LABEL_BYTES,
                   metric->is_per_thread ? "%.255s, by thread" : "%.255s", metric->name);
    return ret_text;
}

const char *report_text_process(char ret_text[static REPORT_LABEL_BYTES],
                                const struct report *report, size_t process)
{
    const struct report_process *found =
        process < report->process_count ? &report->processes[process] : NULL;

    if (found == NULL) {
        memcpy(ret_text, "unknown", sizeof("unknown"));
    } else if (found->pid == 0) {
        (void)snprintf(ret_text, REPORT_LABEL_BYTES, "%.255s", found->executable);
    } else {
        (void)snprintf(ret_text, REPORT_LABEL_BYTES, "%.255s (pid %u)", found->executable,
                       found->pid);
    }
    return ret_text;
}

const char *report_state_words(enum operation_state state)
{
    static const char *const words[STATE_COUNT] = {
        "other",
        "queued",
        "running",
        "waiting for I/O",
        "waiting for a lock",
        "waiting for children",
    };

    return (unsigned int)state < STATE_COUNT ? words[state] : "unknown";
}

const char *report_budget_part_words(int part)
{
    return part == BUDGET_UNACCOUNTED ? "unaccounted"
                                      : report_state_words((enum operation_state)part);
}

const char *report_text_survival(char ret_text[static TEXT_BYTES],
                                 const struct report_censoring *censoring, size_t rank)
{
    const struct report_quantile *quantile = &censoring->quantiles[rank];
    char text[TEXT_BYTES];

    if (!censoring->has_quantiles) {
        return text_duration(ret_text, NAN);
    }
    if (!isfinite(quantile->value) && quantile->reason == REASON_BEYOND_DATA) {
        (void)snprintf(ret_text, TEXT_BYTES, "> %.40s",
                       text_duration(text, censoring->greatest_ns));
        return ret_text;
    }
    return text_duration(ret_text, quantile->value);
}

double report_error_ratio(const struct report_operation *operation)
{
    uint64_t errors = operation->count - operation->by_status[STATUS_OK];

    return operation->count == 0 ? NAN : (double)errors / (double)operation->count;
}
