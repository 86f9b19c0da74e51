#include "session.h"

#include "eddy.h"
#include "flusher.h"
#include "ticks.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <time.h>

enum { PAGE_BYTES = 4096, EPOCH_LIMIT = 1 << 24, START_PAUSE_NS = 50 * 1000 };

/* What every process starts with; the first start replaces it by a page that a fork wipes. */
static struct session_page empty_page;

struct session_page *session = &empty_page;
struct settings session_settings;

/* Counts the sessions of this process and its ancestors, so that a child's epoch is never that of its parent. */
static uint32_t last_epoch;
static _Atomic bool is_page_ready;

/* What a forked child inherited from its parent's session and does not need. Known because it lies outside the page. */
static struct flusher *flusher_of_ancestor;

/*
 * In a forked child, at once: the parent's socket must not stay open in a child that lives on without recording, or the
 * collector would not see that the parent died.
 */
static void forget_ancestor(void)
{
    int saved_errno = errno;

    if (flusher_of_ancestor != NULL) {
        flusher_forget_after_fork(flusher_of_ancestor);
        flusher_of_ancestor = NULL;
    }
    errno = saved_errno;
}

/* Maps the page that a fork wipes, or returns NULL. */
static struct session_page *map_page(void)
{
    struct session_page *page =
        mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (page == MAP_FAILED) {
        return NULL;
    }
    if (madvise(page, PAGE_BYTES, MADV_WIPEONFORK) != 0) {
        /* A kernel before 4.14: without this, a forked child could harm its parent. */
        (void)munmap(page, PAGE_BYTES);
        return NULL;
    }
    return page;
}

/*
 * Maps the page and reads the environment: once per process family. Runs before main(), so that no two threads race and
 * no call has to.
 */
__attribute__((constructor)) static void prepare(void)
{
    int saved_errno = errno;
    struct session_page *page = map_page();

    settings_read(&session_settings);
    if (session_settings.disabled) {
        __atomic_store_n(&eddy_recording, 0, __ATOMIC_RELAXED);
    }
    if (page != NULL) {
        ticks_init();
        (void)pthread_atfork(NULL, NULL, forget_ancestor); /* or else the first record does it */
        session = page;
        atomic_store(&is_page_ready, true);
    }
    errno = saved_errno;
}

static int give_up(int error)
{
    __atomic_store_n(&eddy_recording, 0, __ATOMIC_RELAXED);
    atomic_store_explicit(&session->stage, SESSION_OFF, memory_order_release);
    return error;
}

static int run_session(void)
{
    struct recorder *recorder = NULL;
    int fd = -1;

    forget_ancestor(); /* where fork() was not how this process came to be */

    uint32_t epoch = ++last_epoch % EPOCH_LIMIT;
    int r = recorder_new(&recorder, &fd, &session_settings.sizes, epoch);

    if (r < 0) {
        return r;
    }
    session->recorder = recorder;
    session->slot_mask = (uint32_t)recorder->slot_count - 1;
    session->attributes = recorder_at(recorder, recorder->attributes_offset);
    r = flusher_start(&session->flusher, recorder, fd, &session_settings);
    if (r < 0) {
        session->recorder = NULL;
        recorder_free(recorder);
        (void)close(fd);
        return r;
    }
    flusher_of_ancestor = session->flusher;
    (void)atomic_fetch_add_explicit(
        &recorder->lost_without_ring[0],
        atomic_exchange_explicit(&session->refused_while_starting, 0, memory_order_relaxed),
        memory_order_relaxed);
    session->long_run_ticks = recorder->long_run_ticks;
    session->slots = recorder_slots(recorder);
    atomic_store_explicit(&session->stage, SESSION_RUNNING, memory_order_release);
    /* Last, and with release: whoever sees the epoch sees all of the above. */
    atomic_store_explicit(&session->epoch, epoch, memory_order_release);
    return 0;
}

/*
 * Another thread is starting: a millisecond, once in the life of the process. We sleep, because a thread with real-time
 * priority that only yields might not let the other one run.
 */
static int wait_for_start(void)
{
    const struct timespec pause = {0, START_PAUSE_NS};
    uint32_t stage;

    while ((stage = atomic_load_explicit(&session->stage, memory_order_acquire)) ==
           SESSION_STARTING) {
        (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
    }
    return stage == SESSION_RUNNING ? 0 : -ECANCELED;
}

/* By the one thread that starts, or by one of those that come meanwhile. */
static int start_or_wait(void)
{
    uint32_t stage = SESSION_NONE;

    if (atomic_compare_exchange_strong_explicit(&session->stage, &stage, SESSION_STARTING,
                                                memory_order_acq_rel, memory_order_acquire)) {
        int r = run_session();

        return r < 0 ? give_up(r) : 0;
    }
    return stage == SESSION_STARTING ? wait_for_start() : stage == SESSION_RUNNING ? 0 : -ECANCELED;
}

int session_start(void)
{
    int saved_errno = errno;
    int cancel_state = 0;

    if (!atomic_load(&is_page_ready) || session_settings.disabled) {
        __atomic_store_n(&eddy_recording, 0, __ATOMIC_RELAXED);
        return -ECANCELED;
    }
    /* A thread that is cancelled must not end in here, where others wait for it. */
    (void)pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);

    int r = start_or_wait();

    (void)pthread_setcancelstate(cancel_state, NULL);
    errno = saved_errno;
    return r;
}

int session_stop(uint32_t timeout_ms)
{
    uint32_t stage = SESSION_RUNNING;

    __atomic_store_n(&eddy_recording, 0, __ATOMIC_RELAXED);
    if (!atomic_compare_exchange_strong_explicit(&session->stage, &stage, SESSION_OFF,
                                                 memory_order_acq_rel, memory_order_acquire)) {
        return 0;
    }
    /* From here on calls find no session. One that is inside a call still publishes into memory that stays mapped. */
    atomic_store_explicit(&session->epoch, 0, memory_order_release);
    return flusher_shutdown(session->flusher, timeout_ms);
}
