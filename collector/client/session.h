/*
 * The session that this process records into, if any: one private page that a forked child sees as zeros
 * (MADV_WIPEONFORK), whatever kind of fork made it. All that a call must find quickly stands here.
 */
#pragma once

#include "base.h"
#include "recorder.h"
#include "settings.h"

struct flusher;

enum session_stage {
    SESSION_NONE = 0, /* nothing was recorded yet in this process */
    SESSION_STARTING,
    SESSION_RUNNING,
    SESSION_OFF, /* disabled, failed to start, or shut down */
};

struct session_page {
    /* 0 unless running. A thread's ring is valid only if it carries the same number. */
    _Atomic uint32_t epoch;
    uint32_t slot_mask;
    struct recorder *recorder; /* owned; never unmapped while the process lives */
    struct slot *slots;        /* in recorder; NULL until running */
    uint8_t *attributes;       /* in recorder */
    uint64_t generation_mask;
    uint64_t long_run_ticks; /* as the recorder's, for the hot path */
    struct flusher *flusher; /* owned */
    _Atomic uint32_t stage;  /* enum session_stage */
    /* Calls from signal handlers that interrupted the start on their own thread. */
    _Atomic uint64_t refused_while_starting;
};

/* Never NULL: an empty page until the first start in this process or one of its ancestors. */
extern struct session_page *session;

/* What the environment said; read once by the first start. */
extern struct settings session_settings;

/*
 * Starts the session of this process if there is none.
 *
 * Returns:  0 if one is running; -ECANCELED if recording is off; a negative errno if it could not be started, and is off
 *           from now on.
 * Threads:  any; those that come while another thread starts wait for it (about a millisecond, once per process).
 */
MUST_USE int session_start(void);

/* Stops recording and ends the session within timeout_ms. Returns as flusher_shutdown(); 0 if there was none. */
MUST_USE int session_stop(uint32_t timeout_ms);
