/*
 * The sessions that workers are at: each worker counts frames into a tally of its own; what a session's counters did is joined
 * in the order of frames; when its last frame is done, the session is reduced.
 */
#pragma once

#include "kin_window.h"
#include "report_totals.h"

/* A session that was begun and has not ended. */
struct open_session {
    pthread_mutex_t lock; /* guards all that follows */
    size_t frames_left;
    size_t holders;      /* workers that count for it */
    size_t next_frame;   /* index into plan->frames: whose counters are joined next */
    bool has_tally;      /* a worker has given what it counted */
    struct tally *tally; /* owned */
    struct counter_table counters;
    struct kin_window kin;
    struct waiting_frame *waiting; /* owned; of frames that were done before next_frame */
};

struct session_work {
    const struct report_plan *plan;
    struct report_totals *totals;
    pthread_mutex_t lock;           /* guards sessions[] */
    struct open_session **sessions; /* owned; as plan->processes; NULL if not open */
};

/* Returns 0 or -ENOMEM; *ret_work is to be released, also after an error. Threads: one. */
MUST_USE int session_work_init(struct session_work *ret_work, const struct report_plan *plan,
                               struct report_totals *totals);
void session_work_release(struct session_work *work);

/* Begins to count for a session. Threads: any number of workers, as the functions that follow. Returns 0 or -ENOMEM. */
MUST_USE int session_work_hold(struct session_work *work, size_t process);

/*
 * A frame of a session that the worker holds is done.
 *
 * counters  of the frame; taken over: empty afterwards
 * kin       likewise
 */
MUST_USE int session_work_commit(struct session_work *work, const struct plan_frame *frame,
                                 struct counter_table *counters, struct kin_rows *kin);

/*
 * Gives what a worker counted for a session to it; the last one reduces the session.
 *
 * tally     borrowed; exchanged for an empty one
 * Returns:  0, -ENOMEM, -E2BIG.
 */
MUST_USE int session_work_give(struct session_work *work, size_t process, struct tally **tally);
