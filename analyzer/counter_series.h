/*
 * A counter's samples, of one process or thread, to increments per second.
 *
 * A rate is the increment from one sample to the next that is at least COUNTER_LEAST_INTERVAL_NS later, divided by the time
 * between them: samples closer together (of a program that counts every call) are taken together, since the time between
 * two calls says nothing. A running total that shrinks has begun anew: no rate leads over that. Series of parts of the time
 * are joined in order.
 */
#pragma once

#include "base.h"
#include "batch.h"

#include <stdbool.h>

#define COUNTER_LEAST_INTERVAL_NS (10 * NS_PER_MS)

/* {0} is an empty series. long double holds every 64-bit integer. */
struct counter_series {
    bool is_begun;
    uint64_t first_ns;
    uint64_t anchor_ns; /* the sample that the next rate counts from */
    uint64_t last_ns;
    long double first; /* running totals: the first value; increments: the first increment */
    long double anchor;
    long double last;  /* running total; of increments, their sum since the first sample */
    long double total; /* of all increments, as far as they are known */
};

/*
 * Adds a sample; times do not fall.
 *
 * is_delta  whether samples are increments (NAME_COUNTER_DELTA), not running totals
 * ret_rate  per second, if there is one
 * Returns:  whether there is a rate.
 * Threads:  one series, one thread at a time, as all functions here.
 */
bool counter_series_add(struct counter_series *series, bool is_delta, uint64_t time_ns,
                        long double value, double *ret_rate);

/*
 * Appends a later series, with nothing missing between the two. Returns whether a rate leads from one to the other.
 */
bool counter_series_join(struct counter_series *series, bool is_delta,
                         const struct counter_series *later, double *ret_rate);
