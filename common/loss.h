/*
 * Records that were not kept: loss is data. Counts by kind of record and by cause, as in trace.proto.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* The values of enum LossCause in trace.proto. */
enum loss_cause {
    LOSS_UNKNOWN = 0,
    LOSS_RING_FULL = 1,
    LOSS_NO_SLOT = 2,
    LOSS_NO_RING = 3,
    LOSS_REENTRY = 4,
    LOSS_OUT_OF_RANGE = 5,
    LOSS_OUTBOX_FULL = 6,
    LOSS_AFTER_SHUTDOWN = 7,
    LOSS_CLIENT_CAUSE_COUNT = 8, /* causes below arise in the client */
    LOSS_WRITE_FAILED = 16,
    LOSS_DISK_LIMIT = 17,
    LOSS_QUOTA = 18,
    LOSS_COLLECTOR_BUSY = 19,
    LOSS_RECORDER_LOST = 20,
    LOSS_CAUSE_COUNT = 21,
};

struct record_counts {
    uint64_t operations;
    uint64_t samples;
    uint64_t marks;
    uint64_t long_runs;
};

/* An interval in which records were not kept. */
struct loss {
    enum loss_cause cause;
    struct record_counts count;
    uint64_t first_ns; /* monotonic */
    uint64_t last_ns;
    const char *
        queue; /* name of the queue that operations would have entered, or NULL; borrowed, as batch texts */
};

/* Since the session began. */
struct totals {
    struct record_counts produced;
    struct record_counts batched;
    struct record_counts lost[LOSS_CAUSE_COUNT]; /* by cause */
    uint64_t stale_ends;
    uint64_t names_folded;
    uint64_t attributes_cut;
    uint64_t client_cpu_ns;
    uint64_t frame_bytes;
};

static inline void record_counts_add(struct record_counts *sum, const struct record_counts *more)
{
    sum->operations += more->operations;
    sum->samples += more->samples;
    sum->marks += more->marks;
    sum->long_runs += more->long_runs;
}

/* Of what was counted before, as part of sum. */
static inline void record_counts_subtract(struct record_counts *sum,
                                          const struct record_counts *part)
{
    sum->operations -= part->operations;
    sum->samples -= part->samples;
    sum->marks -= part->marks;
    sum->long_runs -= part->long_runs;
}

/* Records of all kinds. */
static inline uint64_t record_counts_sum(const struct record_counts *counts)
{
    return counts->operations + counts->samples + counts->marks + counts->long_runs;
}

static inline bool record_counts_are_zero(const struct record_counts *counts)
{
    return counts->operations == 0 && counts->samples == 0 && counts->marks == 0 &&
           counts->long_runs == 0;
}

/* The sum over all causes. Threads: any. */
struct record_counts totals_lost(const struct totals *totals);

/*
 * The cause as it stands in reports and logs ("ring_full"); "unknown" for numbers that are none.
 *
 * Threads:  any.
 */
const char *loss_cause_name(enum loss_cause cause);

/* What a user can do about it: one plain sentence. Threads: any. */
const char *loss_cause_advice(enum loss_cause cause);
