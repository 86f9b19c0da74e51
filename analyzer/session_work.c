#include "session_work.h"

#include <errno.h>

/* What a frame has to join to that of the frames before it. */
struct waiting_frame {
    struct waiting_frame *next; /* owned */
    size_t frame;
    struct counter_table counters;
    struct kin_rows kin;
};

int session_work_init(struct session_work *ret_work, const struct report_plan *plan,
                      struct report_totals *totals)
{
    *ret_work = (struct session_work){
        .plan = plan,
        .totals = totals,
        .sessions =
            (struct open_session **)calloc(plan->process_count + 1, sizeof(*ret_work->sessions)),
    };
    (void)pthread_mutex_init(&ret_work->lock, NULL);
    return ret_work->sessions == NULL ? -ENOMEM : 0;
}

static void free_waiting(struct waiting_frame *waiting)
{
    counter_table_release(&waiting->counters);
    kin_rows_release(&waiting->kin);
    free(waiting);
}

static void free_session(struct open_session *session)
{
    if (session == NULL) {
        return;
    }
    while (session->waiting != NULL) {
        struct waiting_frame *waiting = session->waiting;

        session->waiting = waiting->next;
        free_waiting(waiting);
    }
    counter_table_release(&session->counters);
    kin_window_release(&session->kin);
    tally_free(session->tally);
    free(session);
}

void session_work_release(struct session_work *work)
{
    for (size_t i = 0; work->sessions != NULL && i < work->plan->process_count; i++) {
        free_session(work->sessions[i]);
    }
    free((void *)work->sessions);
    *work = (struct session_work){0};
}

static int open_session(struct session_work *work, size_t process)
{
    const struct plan_process *planned = &work->plan->processes[process];
    struct open_session *session = calloc(1, sizeof(*session));

    if (session == NULL) {
        return -ENOMEM;
    }
    (void)pthread_mutex_init(&session->lock, NULL);
    session->frames_left = planned->frame_count;
    session->next_frame = planned->first_frame;
    session->kin.size = work->plan->memory.kin;
    if (tally_new(&session->tally, &work->totals->tally->shape) < 0) {
        free_session(session);
        return -ENOMEM;
    }
    work->sessions[process] = session;
    return 0;
}

int session_work_hold(struct session_work *work, size_t process)
{
    int r = 0;

    (void)pthread_mutex_lock(&work->lock);
    if (work->sessions[process] == NULL) {
        r = open_session(work, process);
    }
    if (r == 0) {
        struct open_session *session = work->sessions[process];

        (void)pthread_mutex_lock(&session->lock);
        session->holders++;
        (void)pthread_mutex_unlock(&session->lock);
    }
    (void)pthread_mutex_unlock(&work->lock);
    return r;
}

/* The session, which lives as long as the caller holds it. */
static struct open_session *session_of(struct session_work *work, size_t process)
{
    (void)pthread_mutex_lock(&work->lock);
    struct open_session *session = work->sessions[process];
    (void)pthread_mutex_unlock(&work->lock);
    return session;
}

/* --- Counters, in the order of frames --- */

static int join_entry(struct open_session *session, uint32_t run, const struct counter_entry *from)
{
    struct counter_entry *to = NULL;
    struct metric_tally *metric = NULL;
    double rate;
    int r =
        counter_table_enter(&session->counters, from->metric, from->serial, from->is_delta, &to);

    if (r < 0) {
        return r;
    }
    if (to->run != run) {
        to->earlier_total += to->series.total;
        to->series = (struct counter_series){0};
        to->run = run;
    }
    if (!counter_series_join(&to->series, from->is_delta, &from->series, &rate)) {
        return 0;
    }
    r = tally_metric(session->tally, from->metric, &metric);
    return r < 0 ? r : metric_tally_add(metric, rate);
}

static int join_frame(struct session_work *work, struct open_session *session,
                      const struct counter_table *counters, const struct kin_rows *kin)
{
    uint32_t run = work->plan->frames[session->next_frame].run;
    int r = 0;

    for (size_t i = 0; r == 0 && i < counters->count; i++) {
        r = join_entry(session, run, &counters->entries[i]);
    }
    session->next_frame++;
    return r < 0 ? r : kin_window_join(&session->kin, kin, session->tally);
}

static int wait_for_turn(struct open_session *session, size_t frame, struct counter_table *counters,
                         struct kin_rows *kin)
{
    struct waiting_frame *waiting = calloc(1, sizeof(*waiting));

    if (waiting == NULL) {
        return -ENOMEM;
    }
    waiting->frame = frame;
    waiting->counters = *counters;
    *counters = (struct counter_table){0};
    waiting->kin = *kin;
    *kin = (struct kin_rows){0};
    waiting->next = session->waiting;
    session->waiting = waiting;
    return 0;
}

/* Takes the waiting frame whose turn it is, or NULL. */
static struct waiting_frame *take_next(struct open_session *session)
{
    struct waiting_frame **at = &session->waiting;

    while (*at != NULL && (*at)->frame != session->next_frame) {
        at = &(*at)->next;
    }

    struct waiting_frame *found = *at;

    if (found != NULL) {
        *at = found->next;
    }
    return found;
}

static int join_waiting(struct session_work *work, struct open_session *session)
{
    struct waiting_frame *next;
    int r = 0;

    while (r == 0 && (next = take_next(session)) != NULL) {
        r = join_frame(work, session, &next->counters, &next->kin);
        free_waiting(next);
    }
    return r;
}

int session_work_commit(struct session_work *work, const struct plan_frame *frame,
                        struct counter_table *counters, struct kin_rows *kin)
{
    struct open_session *session = session_of(work, frame->process);
    size_t number = (size_t)(frame - work->plan->frames);
    int r;

    (void)pthread_mutex_lock(&session->lock);
    session->frames_left--;
    if (number != session->next_frame) {
        r = wait_for_turn(session, number, counters, kin);
    } else {
        r = join_frame(work, session, counters, kin);
        r = r < 0 ? r : join_waiting(work, session);
    }
    (void)pthread_mutex_unlock(&session->lock);
    counter_table_clear(counters);
    kin_rows_clear(kin);
    return r;
}

/* --- The end of a session --- */

/* The first tally given becomes the session's: most sessions are counted by one worker. */
static int take_tally(struct open_session *session, struct tally **tally)
{
    int r;

    if (!session->has_tally) {
        struct tally *kept = session->tally;

        session->tally = *tally;
        *tally = kept;
        session->has_tally = true;
    }
    r = tally_absorb(session->tally, *tally);
    return r;
}

static int reduce(struct session_work *work, size_t process, struct open_session *session)
{
    int r = kin_window_finish(&session->kin, session->tally);

    r = r < 0
            ? r
            : report_totals_add_session(work->totals, process, session->tally, &session->counters);

    (void)pthread_mutex_lock(&work->lock);
    work->sessions[process] = NULL;
    (void)pthread_mutex_unlock(&work->lock);
    free_session(session);
    return r;
}

int session_work_give(struct session_work *work, size_t process, struct tally **tally)
{
    const struct tally_shape shape = (*tally)->shape;
    struct open_session *session = session_of(work, process);
    bool is_done;
    int r;

    (void)pthread_mutex_lock(&session->lock);
    r = take_tally(session, tally);
    session->holders--;
    is_done = session->frames_left == 0 && session->holders == 0;
    (void)pthread_mutex_unlock(&session->lock);
    tally_free(*tally);
    *tally = NULL;
    r = r < 0 ? r : tally_new(tally, &shape);
    return r == 0 && is_done ? reduce(work, process, session) : r;
}
