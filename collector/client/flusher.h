/*
 * The flusher: the one background thread of a session. It drains the rings into staging, makes batches of them, encodes
 * them into frames in the outbox, and hands these to the collector. Sleeps between; blocks nobody.
 */
#pragma once

#include "base.h"
#include "loss.h"
#include "recorder.h"
#include "settings.h"

#include <stdbool.h>

struct flusher;

/* What the flusher knows about where the records are. */
struct flusher_counts {
    bool connected;
    uint64_t stored; /* records in frames that the collector acknowledged as written */
    uint64_t lost[LOSS_CLIENT_CAUSE_COUNT]; /* by cause: what the flusher itself had to drop */
    uint64_t
        own_samples; /* samples that the flusher itself produced: stored, lost or on their way like all others */
};

/*
 * Starts the thread, with all signals blocked, detached, and named "eddy-flusher".
 *
 * recorder, recorder_fd, settings  borrowed for the life of the process (or of this session)
 * Returns:  0 or a negative errno; nothing is left behind on error.
 */
MUST_USE int flusher_start(struct flusher **ret_flusher, struct recorder *recorder, int recorder_fd,
                           const struct settings *settings);

/*
 * Asks the flusher to send everything that was published before this call, and waits until the collector has written it.
 *
 * Returns:  0, -ETIMEDOUT, -ENOTCONN if there is no collector when the time is over (or at once, if the last attempt to
 *           connect failed and timeout_ms is 0).
 * Threads:  any but the flusher; several may wait.
 */
MUST_USE int flusher_flush(struct flusher *flusher, uint32_t timeout_ms);

/*
 * As flusher_flush(), then says goodbye with the final totals and ends the thread. Gives up at the deadline, at once
 * if no collector is there. What was not sent is lost with the process; later calls return -ESHUTDOWN.
 */
MUST_USE int flusher_shutdown(struct flusher *flusher, uint32_t timeout_ms);

/* Threads: any. */
struct flusher_counts flusher_counts(const struct flusher *flusher);

/*
 * In a forked child: closes the descriptors that it inherited from its parent's session, if they are still what they were
 * (device and inode), and touches nothing else.
 */
void flusher_forget_after_fork(struct flusher *flusher);
