/*
 * The machine as one more session of the collector: what machine_sampler.h makes goes to the disk like a client's frames.
 */
#pragma once

#include "disk_channel.h"
#include "machine_sampler.h"
#include "memory_budget.h"

struct machine_session {
    struct machine_sampler *sampler; /* owned; NULL while the machine is not sampled */
    struct session_table *table;     /* borrowed */
    struct client_session *session;  /* borrowed from the table */
};

/*
 * Starts sampling.
 *
 * Returns:  0 or a negative errno: the collector works without.
 * Threads:  the loop's only, as all functions here.
 */
MUST_USE int machine_session_open(struct machine_session *ret_machine, struct session_table *table,
                                  uint64_t period_ns);

/* When machine_session_step() has something to do; UINT64_MAX: never. */
uint64_t machine_session_next_ns(const struct machine_session *machine);

/*
 * Takes a sample if one is due, and makes a job of the batch if one is due.
 *
 * is_last   makes one of all that there is; nothing is sampled any more
 * ret_job   owned by the caller, as its disk_job_cost() in budget
 * Returns:  1 (job), 0 (nothing yet), or a negative errno if a batch was lost.
 */
MUST_USE int machine_session_step(struct machine_session *machine, struct memory_budget *budget,
                                  uint64_t now_ns, bool is_last, struct disk_job **ret_job);

/* Stops sampling; what was not handed over is gone. The session is left to its table. */
void machine_session_release(struct machine_session *machine);
