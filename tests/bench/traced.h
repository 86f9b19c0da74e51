/*
 * A tracer as the bench's programs see it, so that Eddy and its peer run the same measuring code. One of traced_eddy.c and
 * traced_lttng.c is linked.
 */
#pragma once

#include "bench_clock.h"

enum { TRACED_CAUSES = 8 };

/* Something to measure. */
struct traced_kind {
    const char *name;
    bench_loop *loop;
    bench_loop *limit; /* what it is compared to, measured in turns with it */
    uint32_t weight;   /* room that it takes in buffers, and so time to drain them; a pair is 1 */
};

/* What the tracer says of its records; produced is UINT64_MAX if it does not say so in the process. */
struct traced_counts {
    uint64_t produced;
    uint64_t stored;
    uint64_t lost[TRACED_CAUSES]; /* by the tracer's own numbers of causes */
};

/* The kinds that this tracer knows; the last one has no name. "pair" is an operation's begin and end. */
extern const struct traced_kind traced_kinds[];

/* Starts the tracer on this thread; its own threads inherit the affinity of now. */
void traced_start(void);

/* Waits until what was recorded is on its way to the disk, as far as the tracer can. */
void traced_finish(void);

struct traced_counts traced_counts(void);
