#include "report_work.h"

#include "batch_decode.h"
#include "frame_queue.h"
#include "growing_list.h"
#include "session_work.h"
#include "trace_reader.h"

#include <errno.h>
#include <stdatomic.h>
#include <time.h>

enum {
    PROGRESS_PERIOD_MS = 100,
    FRAMES_PER_LOOK = 64, /* at the memory that a worker's tally takes */
};

/* What the threads share. */
struct pool {
    struct report_work *work;
    struct session_work sessions;
    struct frame_queue frames;
    atomic_size_t done;
    atomic_int error;     /* the first one; then all stop */
    pthread_mutex_t lock; /* guards work->bad_frames and running */
    pthread_cond_t ended;
    size_t running;
};

#define NO_INPUT UINT32_MAX

struct worker {
    struct pool *pool;
    pthread_t thread;
    struct frame_reader *frames; /* owned, as all that follows */
    struct batch_decoder *decoder;
    struct batch batch;
    struct frame_tally frame_tally;
    struct counter_table counters;
    struct tally *tally;
    uint64_t frames_done;
    size_t process; /* that tally is of; SIZE_MAX: of none */
    struct trace_reader *reader;
    uint32_t input; /* that reader reads, or NO_INPUT */
};

static int worker_init(struct worker *worker, struct pool *pool)
{
    *worker = (struct worker){.pool = pool, .process = SIZE_MAX, .input = NO_INPUT};
    worker->frame_tally.context = pool->work->context;
    batch_init(&worker->batch);

    int r = frame_reader_new(&worker->frames);

    r = r < 0 ? r : batch_decoder_new(&worker->decoder);
    return r < 0 ? r : tally_new(&worker->tally, &pool->work->totals->tally->shape);
}

static void worker_release(struct worker *worker)
{
    trace_reader_free(worker->reader);
    frame_reader_free(worker->frames);
    batch_decoder_free(worker->decoder);
    batch_release(&worker->batch);
    frame_tally_release(&worker->frame_tally);
    counter_table_release(&worker->counters);
    tally_free(worker->tally);
}

/* --- One frame --- */

static int note_bad(struct pool *pool, const struct plan_frame *frame)
{
    struct report_work *work = pool->work;

    (void)pthread_mutex_lock(&pool->lock);
    int r = growing_list_reserve((void *)&work->bad_frames, &work->bad_capacity, work->bad_count,
                                 sizeof(*work->bad_frames));

    if (r == 0) {
        work->bad_frames[work->bad_count++] = (struct bad_frame){frame->input, frame->offset_bytes};
    }
    (void)pthread_mutex_unlock(&pool->lock);
    return r;
}

static int open_input(struct worker *worker, uint32_t input)
{
    if (worker->input == input) {
        return 0;
    }
    worker->input = NO_INPUT;

    int fd = trace_file_open(worker->pool->work->plan->inputs[input].file.path);
    int r = fd < 0                   ? fd
            : worker->reader == NULL ? trace_reader_new(&worker->reader, fd)
                                     : trace_reader_reopen(worker->reader, fd);

    if (r == 0) {
        worker->input = input;
    }
    return r;
}

/* The plaintext of a frame; its checksum is right. */
static int read_plain(struct worker *worker, const struct plan_frame *frame,
                      struct slice *ret_plain)
{
    struct slice bytes;
    int r = open_input(worker, frame->input);

    r = r < 0
            ? r
            : trace_reader_frame_at(worker->reader, frame->offset_bytes, frame->size_bytes, &bytes);
    return r < 0 ? r : frame_decompress(worker->frames, bytes, ret_plain);
}

/* The plan leaves room for typical data; what is far from it must not take the machine's memory. */
static int check_memory(struct worker *worker)
{
    uint64_t limit = worker->pool->work->plan->memory.memory_bytes;

    if (++worker->frames_done % FRAMES_PER_LOOK != 0) {
        return 0;
    }
    return tally_memory_bytes(worker->tally) > limit ? -E2BIG : 0;
}

/* Whatever makes a frame unreadable now, the next scan will see and say it. */
static int count_frame(struct worker *worker, const struct plan_frame *frame)
{
    struct slice plain;
    int r = read_plain(worker, frame, &plain);

    counter_table_clear(&worker->counters);
    r = r < 0 ? r : batch_decode(worker->decoder, plain, &worker->batch);
    if (r == 0) {
        r = frame_tally_add(&worker->frame_tally, frame, &worker->batch, worker->tally,
                            &worker->counters);
    } else if (r != -ENOMEM) {
        r = note_bad(worker->pool, frame);
    }
    r = r < 0 ? r : check_memory(worker);
    return r < 0 ? r
                 : session_work_commit(&worker->pool->sessions, frame, &worker->counters,
                                       &worker->frame_tally.kin.rows);
}

static int check_repeat(struct worker *worker, const struct plan_frame *frame)
{
    struct slice plain;
    int r = read_plain(worker, frame, &plain);

    return r == 0 || r == -ENOMEM ? r : note_bad(worker->pool, frame);
}

/* Gives away what was counted for another session, and begins with this one. */
static int change_session(struct worker *worker, size_t process)
{
    struct session_work *sessions = &worker->pool->sessions;
    int r = 0;

    if (worker->process == process) {
        return 0;
    }
    if (worker->process != SIZE_MAX) {
        r = session_work_give(sessions, worker->process, &worker->tally);
    }
    worker->process = process;
    if (r == 0 && process != SIZE_MAX) {
        r = session_work_hold(sessions, process);
    }
    return r;
}

/* --- The threads --- */

static bool is_stopped(const struct pool *pool)
{
    return atomic_load_explicit(&pool->error, memory_order_relaxed) != 0;
}

static int count_frames(struct worker *worker)
{
    struct pool *pool = worker->pool;
    const struct report_plan *plan = pool->work->plan;
    size_t at;
    int r = 0;

    while (r == 0 && !is_stopped(pool) &&
           (at = frame_queue_take(&pool->frames, worker->process)) != SIZE_MAX) {
        r = change_session(worker, plan->frames[at].process);
        r = r < 0 ? r : count_frame(worker, &plan->frames[at]);
        atomic_fetch_add_explicit(&pool->done, 1, memory_order_relaxed);
    }
    return r < 0 || is_stopped(pool) ? r : change_session(worker, SIZE_MAX);
}

static int check_repeats(struct worker *worker)
{
    struct pool *pool = worker->pool;
    size_t at;
    int r = 0;

    while (r == 0 && !is_stopped(pool) &&
           (at = frame_queue_take_repeat(&pool->frames)) != SIZE_MAX) {
        r = check_repeat(worker, &pool->work->plan->repeats[at]);
        atomic_fetch_add_explicit(&pool->done, 1, memory_order_relaxed);
    }
    return r;
}

static int work_until_done(struct worker *worker)
{
    int r = count_frames(worker);

    return r < 0 ? r : check_repeats(worker);
}

static void *run_worker(void *context)
{
    struct worker *worker = context;
    struct pool *pool = worker->pool;
    int r = work_until_done(worker);
    int none = 0;

    if (r < 0) {
        (void)atomic_compare_exchange_strong(&pool->error, &none, r);
    }
    (void)pthread_mutex_lock(&pool->lock);
    pool->running--;
    (void)pthread_cond_signal(&pool->ended);
    (void)pthread_mutex_unlock(&pool->lock);
    return NULL;
}

static void wait_for_all(struct pool *pool)
{
    const struct report_work *work = pool->work;
    uint64_t total = work->plan->frame_count + work->plan->repeat_count;

    (void)pthread_mutex_lock(&pool->lock);
    while (pool->running > 0) {
        struct timespec until;

        (void)clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += PROGRESS_PERIOD_MS * (long)NS_PER_MS;
        until.tv_sec += until.tv_nsec / (long)NS_PER_S;
        until.tv_nsec %= (long)NS_PER_S;
        (void)pthread_cond_timedwait(&pool->ended, &pool->lock, &until);
        if (work->tell_progress != NULL) {
            work->tell_progress(work->listener,
                                atomic_load_explicit(&pool->done, memory_order_relaxed), total);
        }
    }
    (void)pthread_mutex_unlock(&pool->lock);
}

static int start_workers(struct pool *pool, struct worker *workers, size_t count,
                         size_t *ret_started)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < count; i++) {
        (void)pthread_mutex_lock(&pool->lock);
        pool->running++;
        (void)pthread_mutex_unlock(&pool->lock);
        r = -pthread_create(&workers[i].thread, NULL, run_worker, &workers[i]);
        if (r == 0) {
            (*ret_started)++;
        } else {
            (void)pthread_mutex_lock(&pool->lock);
            pool->running--;
            (void)pthread_mutex_unlock(&pool->lock);
        }
    }
    if (r < 0 && *ret_started > 0) {
        return 0; /* fewer threads do the same work */
    }
    return r;
}

static int run_pool(struct pool *pool, struct worker *workers, size_t count)
{
    size_t started = 0;
    int r = 0;

    for (size_t i = 0; r == 0 && i < count; i++) {
        r = worker_init(&workers[i], pool);
    }
    r = r < 0 ? r : start_workers(pool, workers, count, &started);
    wait_for_all(pool);
    for (size_t i = 0; i < started; i++) {
        (void)pthread_join(workers[i].thread, NULL);
    }
    for (size_t i = 0; i < count; i++) {
        worker_release(&workers[i]);
    }
    return r < 0 ? r : atomic_load(&pool->error);
}

int report_work_run(struct report_work *work)
{
    size_t frames = work->plan->frame_count + work->plan->repeat_count;
    size_t count = max_u64(min_u64(work->plan->memory.jobs, frames), 1);
    AUTO_FREE struct worker *workers = calloc(count, sizeof(*workers));
    struct pool pool = {
        .work = work, .lock = PTHREAD_MUTEX_INITIALIZER, .ended = PTHREAD_COND_INITIALIZER};
    int r = workers == NULL ? -ENOMEM : 0;

    r = r < 0 ? r : frame_queue_init(&pool.frames, work->plan);
    r = r < 0 ? r : session_work_init(&pool.sessions, work->plan, work->totals);
    r = r < 0 ? r : run_pool(&pool, workers, count);
    frame_queue_release(&pool.frames);
    if (pool.sessions.plan != NULL) {
        session_work_release(&pool.sessions);
    }
    return r;
}
