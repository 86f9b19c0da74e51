/*
 * Everything that is counted of a set of batches, name by name: of a worker's frames, of a session, of the whole report.
 * Entries are made when something is added to them.
 *
 * Merging in any order leaves the same tally.
 */
#pragma once

#include "blame_tally.h"
#include "name_ranks.h"
#include "operation_tally.h"
#include "real_distribution.h"
#include "thread_table.h"

struct metric_tally {
    uint64_t samples;
    struct real_distribution
        *values; /* owned; of gauges the values, of counters the rates; NULL: none */
    struct real_distribution
        *totals; /* owned; of counters, one for each session: kept for its exact sum */
};

struct queue_tally {
    uint64_t capacity;
    uint64_t entries;
    uint64_t lost_entries;
    struct distribution depth;
    struct distribution residence_ns;
};

struct mark_tally {
    uint64_t count;
    uint64_t first_realtime_ns; /* valid if count > 0 */
    uint64_t last_realtime_ns;
};

/* When records were lost; how many say the totals. */
struct loss_times {
    bool is_known;
    uint64_t first_realtime_ns;
    uint64_t last_realtime_ns;
};

/* How many names there are of each group, the others included. */
struct tally_shape {
    size_t counts[GROUP_COUNT]; /* metrics: twice, of processes and of threads */
    size_t slowest_limit;
    size_t families; /* names, by number, of which it is counted what they did in their children */
};

/* Children, by whether their parent was found. */
struct kin_counts {
    uint64_t matched;
    uint64_t unmatched;
};

struct tally {
    struct tally_shape shape;
    struct operation_tally *
        *operations;               /* owned; by number; NULL where there is nothing, as below */
    struct metric_tally **metrics; /* 2 * number, + 1 for samples of threads */
    struct queue_tally **queues;
    struct mark_tally *marks;
    struct thread_table threads; /* of a session */
    struct loss_times losses[LOSS_CAUSE_COUNT];
    struct record_counts stored;
    struct blame_list long_runs; /* of a session, as waits: until they are joined */
    struct blame_list waits;
    struct blame_tally blame;
    struct kin_counts kin;
};

struct tally_shape tally_shape_of(const struct name_ranks *names, size_t slowest_limit);

/* Threads: one tally, one thread at a time, as all functions here. */
MUST_USE int tally_new(struct tally **ret_tally, const struct tally_shape *shape);
void tally_free(struct tally *tally);

/* The entry of a number, made if it is missing. Returns 0 or -ENOMEM. */
MUST_USE int tally_operation(struct tally *tally, size_t number,
                             struct operation_tally **ret_operation);
MUST_USE int tally_queue(struct tally *tally, size_t number, struct queue_tally **ret_queue);
MUST_USE int tally_metric(struct tally *tally, size_t number, struct metric_tally **ret_metric);

/* A child was found, and all children of a parent were. Of names beyond shape.families only that is counted. */
MUST_USE int tally_add_child(struct tally *tally, const struct kin *parent,
                             const struct kin *child);
MUST_USE int tally_add_parent(struct tally *tally, const struct kin *parent);

/* Adds a gauge's value or a counter's rate, without counting a sample. */
MUST_USE int metric_tally_add(struct metric_tally *metric, double value);

/* Adds a session's total of a counter. */
MUST_USE int metric_tally_add_total(struct metric_tally *metric, double total);

void mark_tally_add(struct mark_tally *mark, uint64_t count, uint64_t first_realtime_ns,
                    uint64_t last_realtime_ns);
void loss_times_add(struct loss_times *times, uint64_t first_realtime_ns,
                    uint64_t last_realtime_ns);

/* Adds all that source holds, threads included. Source is to be freed then: what could be moved was moved. */
MUST_USE int tally_absorb(struct tally *tally, struct tally *source);

size_t tally_memory_bytes(const struct tally *tally);
