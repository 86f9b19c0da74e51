/*
 * Operations of an invented asynchronous program, from a seed: 40 names with Zipf popularity, arrivals in bursts, durations
 * that are mixtures of two log-normal distributions with a Pareto tail, 8 threads, four ways to end. The densities are
 * known, so the entropy of what comes out is too: no lossless encoding of these columns gets below it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum {
    SOURCE_NAME_COUNT = 40,
    SOURCE_NAME_BYTES = 32,
    SOURCE_THREAD_COUNT = 8,
};

struct operation {
    uint64_t begin_ns; /* since the start of the source; ascending */
    uint64_t duration_ns;
    uint8_t name;   /* 0 .. SOURCE_NAME_COUNT - 1 */
    uint8_t thread; /* 0 .. SOURCE_THREAD_COUNT - 1 */
    uint8_t status; /* enum operation_status */
};

/* A mixture: mostly log-normal around the first median, sometimes around the second, rarely far out. */
struct duration_mixture {
    double median_ns;
    double sigma;
    double second_weight;
    double second_median_ns;
    double second_sigma;
};

struct operation_source {
    uint64_t random[4];
    uint64_t now_ns;
    char names[SOURCE_NAME_COUNT][SOURCE_NAME_BYTES];
    double name_share[SOURCE_NAME_COUNT];
    double name_up_to[SOURCE_NAME_COUNT]; /* cumulated shares */
    struct duration_mixture durations[SOURCE_NAME_COUNT];
};

/* Sources of the same number give the same operations; those of different numbers share names and distributions. */
void operation_source_init(struct operation_source *ret_source, uint32_t number);

struct operation operation_source_next(struct operation_source *source);

/* Bits of entropy per operation, estimated from count operations of the source of that number. */
double operation_source_entropy_bits(uint32_t number, uint64_t count);
