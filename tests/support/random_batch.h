/*
 * Batches with random rows for the tests of the codec: the same seed and shape always give the same batch. All rules of
 * batch.h are kept; values reach from 0 to the limits.
 */
#pragma once

#include "batch.h"

struct batch_shape {
    uint32_t names; /* of each kind */
    uint32_t threads;
    uint32_t operations;
    uint32_t sparse_percent; /* of operations with ids, parents, states and queues */
    uint32_t attributes;
    uint32_t samples;
    uint32_t marks;
    uint32_t open;
    uint32_t long_runs;
    uint32_t losses;
};

/* The next number of a generator whose state, never 0, the caller keeps. */
uint64_t random_u64(uint64_t *state);

/* Any number of bits up to most_bits, so that small and large values are equally frequent. */
uint64_t random_bits(uint64_t *state, unsigned int most_bits);

/* Makes batch, which must be initialized, a batch of the shape. Returns 0 or what the reserving functions say. */
MUST_USE int random_batch(struct batch *batch, uint64_t seed, const struct batch_shape *shape);
