#include "counter_series.h"

static double rate_of(long double increment, uint64_t interval_ns)
{
    return (double)(increment * (long double)NS_PER_S / (long double)interval_ns);
}

static void begin(struct counter_series *series, bool is_delta, uint64_t time_ns, long double value)
{
    *series = (struct counter_series){
        .is_begun = true,
        .first_ns = time_ns,
        .anchor_ns = time_ns,
        .last_ns = time_ns,
        .first = value,
        .anchor = value,
        .last = value,
        .total = is_delta ? value : 0,
    };
}

bool counter_series_add(struct counter_series *series, bool is_delta, uint64_t time_ns,
                        long double value, double *ret_rate)
{
    if (!series->is_begun) {
        begin(series, is_delta, time_ns, value);
        return false;
    }

    long double last = is_delta ? series->last + value : value;
    bool has_shrunk = !is_delta && last < series->last;

    series->total += has_shrunk ? 0 : last - series->last;
    series->last = last;
    series->last_ns = time_ns;
    if (!has_shrunk && time_ns - series->anchor_ns < COUNTER_LEAST_INTERVAL_NS) {
        return false;
    }
    if (!has_shrunk) {
        *ret_rate = rate_of(last - series->anchor, time_ns - series->anchor_ns);
    }
    series->anchor = last;
    series->anchor_ns = time_ns;
    return !has_shrunk;
}

bool counter_series_join(struct counter_series *series, bool is_delta,
                         const struct counter_series *later, double *ret_rate)
{
    struct counter_series before = *series;

    if (!later->is_begun) {
        return false;
    }
    *series = *later;
    if (!before.is_begun) {
        return false;
    }

    /* The sum of increments that led to the first sample of the later series. */
    long double first = is_delta ? before.last + later->first : later->first;
    bool has_shrunk = !is_delta && first < before.last;

    series->first_ns = before.first_ns;
    series->first = before.first;
    series->total =
        before.total + later->total + (is_delta || has_shrunk ? 0 : first - before.last);
    if (has_shrunk || later->first_ns <= before.anchor_ns) {
        return false;
    }
    *ret_rate = rate_of(first - before.anchor, later->first_ns - before.anchor_ns);
    return true;
}
