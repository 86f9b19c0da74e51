/*
 * How the operations of one name come: whatever those before them do (open), when those before them have ended (closed), or
 * at fixed times (paced). Pure.
 *
 * Looked at are pairs: an operation and the next one of the same name that begins on the same thread, in the same batch. The gap
 * is from the end of the first one, if that was on the same thread and earlier, to the begin of the second; the interval is
 * from begin to begin. A closed loop keeps its gaps, whatever the durations are, and its intervals follow them; a clock keeps
 * the intervals; a source that does not know of the operations keeps neither.
 */
#pragma once

#include "distribution.h"
#include "report_load.h"

/* Sums of logarithms, in 2^-10: integers, so that any order of adding leaves the same. */
struct log_sums {
    uint64_t count;
    uint128 x;
    uint128 y;
    uint128 xx;
    uint128 yy;
    uint128 xy;
};

/* {0} is empty. */
struct arrival_evidence {
    uint64_t pairs;
    struct distribution gaps_ns; /* of the pairs that have one */
    struct distribution intervals_ns;
    struct log_sums logs; /* of durations (x) and intervals (y) */
};

void arrival_evidence_release(struct arrival_evidence *evidence);

/* Pairs in the making. */
struct arrival_pairs {
    size_t count;
    size_t gap_count;
    uint64_t *gaps_ns;      /* borrowed; gap_count of them */
    uint64_t *intervals_ns; /* borrowed; count of them, as below */
    uint64_t *durations_ns; /* borrowed; of the first one of each pair */
};

/* Adds pairs. Returns 0 or -ENOMEM. Threads: one object, one thread at a time. */
MUST_USE int arrival_evidence_add(struct arrival_evidence *evidence,
                                  const struct arrival_pairs *pairs);

/*
 * Says what the evidence is.
 *
 * duration_p50_ns  of the operations
 * steady_ratio     share of the time in which as many were in flight as at its median; 0 where that is 0
 */
void arrival_evidence_judge(const struct arrival_evidence *evidence, double duration_p50_ns,
                            double steady_ratio, struct report_arrivals *ret_arrivals);
