/*
 * Those who wait for the flusher: flushes and the shutdown. Numbers only; the flusher serves them in its own time.
 */
#pragma once

#include "base.h"

#include <stdatomic.h>
#include <stdbool.h>

/* {0} is one without requests. */
struct flush_requests {
    _Atomic uint32_t asked; /* written by any thread */
    _Atomic bool is_ending; /* written by any thread, once */
    _Atomic uint32_t
        changes; /* the futex: counts what happened to the following; written by the flusher, as these */
    _Atomic uint32_t served;
    _Atomic bool has_ended; /* nobody will be served any more */
    _Atomic bool is_connected;
    _Atomic uint64_t end_by_ns; /* monotonic; valid with is_ending */
};

/* A number for who wants to wait. Threads: any. */
uint32_t flush_requests_ask(struct flush_requests *requests);

/* Asks the flusher to end at the latest at that time. Returns false if somebody did before. Threads: any. */
bool flush_requests_ask_to_end(struct flush_requests *requests, uint64_t by_ns);

/*
 * Waits until ticket is served.
 *
 * Returns:  0; at until_ns (monotonic) -ETIMEDOUT, or -ENOTCONN if there is no collector; -ESHUTDOWN if the flusher
 *           ended without.
 * Threads:  any but the flusher.
 */
MUST_USE int flush_requests_wait(struct flush_requests *requests, uint32_t ticket,
                                 uint64_t until_ns);

/* Waits until the flusher has ended. Returns 0 or -ETIMEDOUT. Threads: any but the flusher. */
MUST_USE int flush_requests_wait_for_end(struct flush_requests *requests, uint64_t until_ns);

/* All up to ticket are served. Threads: the flusher only. */
void flush_requests_serve(struct flush_requests *requests, uint32_t ticket);

/* Sends everybody home. Threads: the flusher only. */
void flush_requests_end(struct flush_requests *requests);
