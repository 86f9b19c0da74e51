/*
 * The machine as one more source of records: samples of /proc become batches, like those of a client. In: the time, and the
 * files of /proc. Out: frames, each a batch, to be stored as those of a session of its own (SOURCE_MACHINE); storing them is
 * left to the caller. Names and units: machine_metrics.h and the parts it names.
 *
 * Whoever runs the loop does this:
 *
 *     machine_sampler_new(), and makes a session of machine_sampler_hello()
 *     waits no longer than until machine_sampler_next_ns(), then machine_sampler_take()
 *     machine_sampler_frame(), while there is room for a frame: if it returns 1, stores the frame
 *     at the end machine_sampler_frame() with is_last, then machine_sampler_free()
 *
 * Files are opened once and read again and again. What cannot be read (no PSI, no disks, a container that hides them) is left
 * out; nothing here stops a collector.
 *
 * A sample is produced when it is taken, and batched when its frame was returned. Samples that found no room, because nobody
 * asked for frames, are lost with LOSS_COLLECTOR_BUSY; those of a batch that could not be encoded, with LOSS_UNKNOWN. A
 * frame that was returned and is not stored is the caller's loss.
 */
#pragma once

#include "batch.h"
#include "columns.h"
#include "packet.h"

enum {
    MACHINE_BATCH_SAMPLES = 8192, /* a batch is due with so many, */
    MACHINE_MAX_SAMPLES = 16384,  /* and may grow to so many until it is asked for */
};

/* or so long after its first sample. */
#define MACHINE_BATCH_NS (10 * NS_PER_S)

/* The greatest period that sampling widens to in order to stay below 0.2 % of a CPU. */
#define MACHINE_MAX_PERIOD_NS (60 * NS_PER_S)

/* A batch as one frame. */
struct machine_frame {
    struct slice bytes; /* borrowed from the sampler until its next call */
    uint64_t sequence;  /* 1, 2, 3 ... */
    struct record_counts counts;
    uint64_t first_ns; /* monotonic; 0 in an empty batch */
    uint64_t last_ns;
    size_t plain_size;
    bool is_last; /* its totals are final */
};

/* Owns its files and memory (about 1 MiB). */
struct machine_sampler;

/*
 * Starts a session: a random id, and the first sample due at once.
 *
 * period_ns wanted between two samples; at least 1
 * Returns:  0; a negative errno for want of memory or random bytes.
 * Threads:  one sampler, one thread at a time, as all functions here.
 */
MUST_USE int machine_sampler_new(struct machine_sampler **ret_sampler, uint64_t period_ns);
void machine_sampler_free(struct machine_sampler *sampler);

/* The greeting that the session is made of, packed; borrowed from sampler. *ret_hello (its texts too) likewise. */
struct slice machine_sampler_hello(const struct machine_sampler *sampler, struct hello *ret_hello);

/* From now on so long between two samples. */
void machine_sampler_set_period(struct machine_sampler *sampler, uint64_t period_ns);

/* When the next sample is due, CLOCK_MONOTONIC; UINT64_MAX after the last batch. */
uint64_t machine_sampler_next_ns(const struct machine_sampler *sampler);

/* Takes a sample of everything if one is due. Cost: about 0.1 ms on a small machine. */
void machine_sampler_take(struct machine_sampler *sampler, uint64_t now_ns);

/*
 * Makes a frame of the samples taken, if a batch is due.
 *
 * is_last   due or not, and even if it is empty: nothing is sampled any more
 * Returns:  1 and a frame; 0 if no batch is due, or the last one was returned already; a negative errno if the batch could
 *           not be encoded, which is lost then and counted in the next.
 */
MUST_USE int machine_sampler_frame(struct machine_sampler *sampler, uint64_t now_ns, bool is_last,
                                   struct machine_frame *ret_frame);
