#include "flusher.h"

#include "background_thread.h"
#include "clocks.h"
#include "flush_requests.h"
#include "frame_maker.h"
#include "lone_thread.h"
#include "outbox.h"
#include "process_sampler.h"
#include "staging.h"
#include "stream.h"
#include "thread_reaper.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <time.h>

#define BUSY_SLEEP_NS (10 * NS_PER_MS)     /* between drains while records come */
#define SLOW_SLEEP_NS (100 * NS_PER_MS)    /* at most, while few come: threads wake us if more do */
#define IDLE_SLEEP_NS NS_PER_S             /* at most, when none do */
#define GREETING_SLEEP_NS (50 * NS_PER_MS) /* between looks for the collector's answer */
#define BATCH_AGE_NS NS_PER_S
/* Between looks for threads that ended; more often while new ones come, which want the rings. */
#define REAP_PERIOD_NS NS_PER_S
#define CHURN_REAP_PERIOD_NS (20 * NS_PER_MS)
#define ACTIVE_FOR_NS NS_PER_S          /* since the last operation */
#define LISTENING_FOR_NS (5 * NS_PER_S) /* since the last collector */
#define QUIET_WAIT_NS NS_PER_MS         /* for calls that are on their way when the session ends */

enum {
    QUIET_WAITS = 10,
    FEW_OPERATIONS = 64, /* drained at once: what comes slowly need not be drained often */
};

/* What other threads ask for; written by the flusher after each step. */
struct shown_counts {
    _Atomic bool connected;
    _Atomic uint64_t stored;
    _Atomic uint64_t own_samples;
    _Atomic uint64_t lost[LOSS_CLIENT_CAUSE_COUNT];
};

struct flusher {
    struct recorder *recorder; /* borrowed, as the settings */
    const struct settings *settings;
    struct flush_requests requests;
    struct shown_counts shown;

    /* The thread's own from here on. */
    struct stager stager;
    struct outbox outbox;
    struct stream stream;
    struct frame_maker maker;
    struct process_sampler sampler;
    uint64_t staged_ns;     /* when the oldest of what waits for its batch came; 0: nothing waits */
    uint64_t active_ns;     /* when operations ended last */
    uint64_t reaped_ns;     /* when threads that ended were looked for last */
    uint32_t reaped_serial; /* of the newest thread then */
    uint64_t sleep_ns;
    uint32_t flush_ticket;   /* the one being served; equal to requests.served if none */
    uint64_t flush_sequence; /* its last batch */
};

/* --- Rings to batches --- */

static void make_frame(struct flusher *flusher)
{
    frame_maker_make(&flusher->maker, &flusher->stager, &flusher->sampler.buffer,
                     flusher->sampler.period_ns);
    flusher->staged_ns = 0;
}

/* Drains one ring; as often as staging gets full, a batch is made in between. */
static void drain_ring(struct flusher *flusher, struct ring *ring)
{
    while (!stager_drain(&flusher->stager, ring)) {
        make_frame(flusher);
    }
    if (stager_is_nearly_full(&flusher->stager)) {
        make_frame(flusher);
    }
}

/* Whether threads began to record since those that ended were looked for last. */
static bool has_new_threads(const struct flusher *flusher)
{
    return atomic_load_explicit(&flusher->recorder->thread_serial, memory_order_relaxed) !=
           flusher->reaped_serial;
}

/* How much came since the last time. */
enum traffic { TRAFFIC_NONE, TRAFFIC_FEW, TRAFFIC_MANY };

static enum traffic drain(struct flusher *flusher, uint64_t now_ns)
{
    uint32_t ring_count = recorder_ring_count(flusher->recorder);
    uint64_t batch = flusher->maker.sequence;
    uint32_t before = flusher->stager.held.operations;

    for (uint32_t i = 0; i < ring_count; i++) {
        struct ring *ring = recorder_ring(flusher->recorder, i);

        if (ring != NULL) {
            drain_ring(flusher, ring);
        }
    }
    if (flusher->maker.sequence == batch && flusher->stager.held.operations == before) {
        return TRAFFIC_NONE;
    }
    flusher->active_ns = now_ns;
    /* New threads may want the rings of those that ended. */
    return flusher->maker.sequence == batch && !has_new_threads(flusher) &&
                   flusher->stager.held.operations - before <= FEW_OPERATIONS
               ? TRAFFIC_FEW
               : TRAFFIC_MANY;
}

static void reap_if_due(struct flusher *flusher, uint64_t now_ns)
{
    uint64_t period_ns = has_new_threads(flusher) ? CHURN_REAP_PERIOD_NS : REAP_PERIOD_NS;

    if (now_ns >= flusher->reaped_ns + period_ns) {
        flusher->reaped_ns = now_ns;
        flusher->reaped_serial =
            atomic_load_explicit(&flusher->recorder->thread_serial, memory_order_relaxed);
        (void)thread_reaper_run(flusher->recorder, &flusher->stager);
    }
}

/* Whether something waits for a batch, and since when. */
static void note_waiting(struct flusher *flusher, uint64_t now_ns)
{
    if (flusher->staged_ns == 0 &&
        (flusher->stager.held.entries > 0 || flusher->sampler.buffer.count > 0)) {
        flusher->staged_ns = now_ns;
    }
}

static void make_frame_if_due(struct flusher *flusher, uint64_t now_ns)
{
    note_waiting(flusher, now_ns);
    if (flusher->staged_ns != 0 && now_ns >= flusher->staged_ns + BATCH_AGE_NS) {
        make_frame(flusher);
    }
}

static void sample_if_due(struct flusher *flusher, uint64_t now_ns)
{
    bool is_active = flusher->active_ns != 0 && now_ns < flusher->active_ns + ACTIVE_FOR_NS;
    bool is_listening = flusher->stream.state == STREAM_READY ||
                        now_ns < flusher->stream.seen_ns + LISTENING_FOR_NS;

    process_sampler_step(&flusher->sampler, now_ns, is_active, is_listening);
}

/* --- Those who wait --- */

static bool is_flushing(const struct flusher *flusher)
{
    return flusher->flush_ticket !=
           atomic_load_explicit(&flusher->requests.served, memory_order_relaxed);
}

/* Called before a drain: what was published before a ticket was asked for is in the rings now. */
static bool take_ticket(struct flusher *flusher)
{
    /* Pairs with the release in flush_requests_ask(). */
    uint32_t asked = atomic_load_explicit(&flusher->requests.asked, memory_order_acquire);

    if (is_flushing(flusher) || asked == flusher->flush_ticket) {
        return false;
    }
    flusher->flush_ticket = asked;
    return true;
}

static void serve_if_done(struct flusher *flusher)
{
    if (is_flushing(flusher) && flusher->stream.state == STREAM_READY &&
        outbox_is_done_with(&flusher->outbox, flusher->flush_sequence)) {
        flush_requests_serve(&flusher->requests, flusher->flush_ticket);
    }
}

static void show_counts(struct flusher *flusher)
{
    struct shown_counts *shown = &flusher->shown;
    const struct loss_watch *watch = &flusher->maker.watch;
    bool connected = flusher->stream.state == STREAM_READY;

    atomic_store_explicit(&shown->own_samples, flusher->sampler.taken, memory_order_relaxed);
    for (int cause = 0; cause < LOSS_CLIENT_CAUSE_COUNT; cause++) {
        const struct record_counts *all = &watch->lost[cause];
        const struct record_counts *seen = &watch->seen[cause]; /* counted by the threads */
        uint64_t own = record_counts_sum(all) - record_counts_sum(seen);

        atomic_store_explicit(&shown->lost[cause], own, memory_order_relaxed);
    }
    atomic_store_explicit(&shown->stored, flusher->stream.records_stored, memory_order_relaxed);
    atomic_store_explicit(&shown->connected, connected, memory_order_relaxed);
    atomic_store_explicit(&flusher->requests.is_connected, connected, memory_order_relaxed);
}

/* --- Sleeping --- */

/* Sleeps until a thread wakes us, at most so long. seen is the wake word from before the drain. */
static void sleep_on_word(struct recorder *recorder, uint32_t seen, uint64_t timeout_ns)
{
    struct timespec timeout = {(time_t)(timeout_ns / NS_PER_S), (long)(timeout_ns % NS_PER_S)};

    /* Pairs with wake_flusher(): it changes the word first and looks at this second, and we do the opposite. */
    atomic_store_explicit(&recorder->flusher_sleeps, 1, memory_order_seq_cst);
    if (atomic_load_explicit(&recorder->wake_word, memory_order_seq_cst) == seen) {
        (void)syscall(SYS_futex, &recorder->wake_word, FUTEX_WAIT, seen, &timeout, NULL, 0);
    }
    atomic_store_explicit(&recorder->flusher_sleeps, 0, memory_order_relaxed);
}

static uint64_t until(uint64_t due_ns, uint64_t now_ns)
{
    return due_ns > now_ns ? due_ns - now_ns : 0;
}

/* Doubles the sleep while little or nothing comes, up to what is due next. */
static uint64_t next_sleep_ns(struct flusher *flusher, enum traffic traffic)
{
    static const uint64_t most_ns[] = {
        [TRAFFIC_NONE] = IDLE_SLEEP_NS,
        [TRAFFIC_FEW] = SLOW_SLEEP_NS,
        [TRAFFIC_MANY] = BUSY_SLEEP_NS,
    };
    uint64_t now_ns = clock_monotonic_ns();
    uint64_t sleep_ns;

    flusher->sleep_ns = min_u64(2 * flusher->sleep_ns, most_ns[traffic]);
    sleep_ns = min_u64(flusher->sleep_ns, until(process_sampler_due_ns(&flusher->sampler), now_ns));
    if (flusher->stream.state == STREAM_CLOSED) {
        sleep_ns = min_u64(sleep_ns, until(flusher->stream.due_ns, now_ns));
    } else if (flusher->stream.state == STREAM_GREETING) {
        sleep_ns = min_u64(sleep_ns, GREETING_SLEEP_NS);
    }
    if (flusher->staged_ns != 0) {
        sleep_ns = min_u64(sleep_ns, until(flusher->staged_ns + BATCH_AGE_NS, now_ns));
    }
    return sleep_ns;
}

/* --- The thread --- */

static enum traffic step(struct flusher *flusher)
{
    uint64_t now_ns = clock_monotonic_ns();
    bool has_ticket = take_ticket(flusher);
    enum traffic traffic = drain(flusher, now_ns);

    reap_if_due(flusher, now_ns);
    sample_if_due(flusher, now_ns);
    if (has_ticket) {
        make_frame(flusher);
        flusher->flush_sequence = flusher->maker.sequence;
    } else {
        make_frame_if_due(flusher, now_ns);
    }
    (void)stream_step(&flusher->stream, &flusher->outbox, has_ticket);
    show_counts(flusher);
    serve_if_done(flusher);
    return traffic;
}

static bool is_ending(const struct flusher *flusher)
{
    return atomic_load_explicit(&flusher->requests.is_ending, memory_order_acquire);
}

/*
 * Calls that found the session before it ended publish a moment later. A thread that was stopped in between for longer
 * than we wait leaves a record that nobody counts.
 */
static void wait_for_calls(const struct recorder *recorder)
{
    struct timespec pause = {0, QUIET_WAIT_NS};
    bool is_busy = true;

    for (int i = 0; is_busy && i < QUIET_WAITS; i++) {
        (void)clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
        is_busy = false;
        for (uint32_t ring = 0; ring < recorder_ring_count(recorder); ring++) {
            const struct ring *one = recorder_ring(recorder, ring);

            is_busy |= one != NULL && atomic_load_explicit(&one->busy, memory_order_relaxed) != 0;
        }
    }
}

/* Sends what there is and says goodbye, as long as a collector takes it and there is time. */
static void end_session(struct flusher *flusher)
{
    uint64_t end_by_ns = atomic_load_explicit(&flusher->requests.end_by_ns, memory_order_relaxed);
    bool said_goodbye = false;

    wait_for_calls(flusher->recorder);
    (void)drain(flusher, clock_monotonic_ns());
    (void)thread_reaper_run(flusher->recorder, &flusher->stager);
    /* The last sample makes the totals of processes that live shortly complete. */
    flusher->sampler.due_ns = 0;
    sample_if_due(flusher, clock_monotonic_ns());
    make_frame(flusher);
    (void)stream_step(&flusher->stream, &flusher->outbox, true);
    while (flusher->stream.state != STREAM_CLOSED && clock_monotonic_ns() < end_by_ns) {
        said_goodbye = said_goodbye || frame_maker_say_goodbye(&flusher->maker);
        (void)stream_step(&flusher->stream, &flusher->outbox, false);
        if (said_goodbye && outbox_is_done_with(&flusher->outbox, flusher->maker.sequence)) {
            break;
        }
        stream_wait(&flusher->stream, BUSY_SLEEP_NS);
    }
    show_counts(flusher);
    stream_close(&flusher->stream);
}

static void *run(void *argument)
{
    struct flusher *flusher = argument;
    struct recorder *recorder = flusher->recorder;
    bool is_alone = false;
    int r = descriptor_own_table(&flusher->stream.recorder_fd, flusher->settings->debug);

    (void)r; /* Shared descriptors are looked at before they are used. */
    (void)pthread_setname_np(pthread_self(), "eddy-flusher");
    if (process_sampler_init(&flusher->sampler, recorder, flusher->settings->sample_period_ns,
                             flusher->settings->asks_malloc) < 0) {
        flusher->sampler = (struct process_sampler){.recorder = recorder}; /* which takes none */
    }
    while (!is_ending(flusher) && !is_alone) {
        uint32_t word = atomic_load_explicit(&recorder->wake_word, memory_order_seq_cst);
        enum traffic traffic = step(flusher);

        if (is_flushing(flusher) && flusher->stream.state != STREAM_CLOSED) {
            stream_wait(&flusher->stream, BUSY_SLEEP_NS); /* Somebody waits, and so do we. */
            continue;
        }
        if (is_ending(flusher)) {
            break;
        }
        sleep_on_word(recorder, word, next_sleep_ns(flusher, traffic));
        is_alone = flusher->sleep_ns == IDLE_SLEEP_NS && lone_thread_is_this();
    }
    if (is_alone) {
        (void)flush_requests_ask_to_end(&flusher->requests, clock_monotonic_ns() + NS_PER_S);
    }
    end_session(flusher);
    flush_requests_end(&flusher->requests);
    return NULL;
}

/* --- Starting --- */

static void flusher_free(struct flusher *flusher)
{
    frame_maker_release(&flusher->maker);
    outbox_release(&flusher->outbox);
    process_sampler_release(&flusher->sampler);
    free(flusher);
}

/* Of 0, which stands for never: more than any stretch has. By the first slope: good to about a thousandth. */
static uint64_t ticks_of(const struct tick_clock *clock, uint64_t ns)
{
    return ns == 0 ? UINT64_MAX : max_u64((uint64_t)((double)ns / clock->ns_per_tick), 1);
}

static int flusher_new(struct flusher **ret_flusher, struct recorder *recorder, int recorder_fd,
                       const struct settings *settings)
{
    struct flusher *flusher = calloc(1, sizeof(*flusher));

    if (flusher == NULL) {
        return -ENOMEM;
    }
    flusher->recorder = recorder;
    flusher->settings = settings;
    flusher->sleep_ns = BUSY_SLEEP_NS;
    stager_init(&flusher->stager, recorder);
    stream_init(&flusher->stream, settings, recorder, recorder_fd);

    int r = outbox_init(&flusher->outbox, recorder);

    r = r < 0 ? r : frame_maker_init(&flusher->maker, recorder, &flusher->outbox);
    if (r < 0) {
        flusher_free(flusher);
        return r;
    }
    stager_clear(&flusher->stager, 1);
    recorder->long_run_ticks = ticks_of(&flusher->maker.clock, settings->long_run_ns);
    *ret_flusher = flusher;
    return 0;
}

int flusher_start(struct flusher **ret_flusher, struct recorder *recorder, int recorder_fd,
                  const struct settings *settings)
{
    struct flusher *flusher = NULL;
    int r = flusher_new(&flusher, recorder, recorder_fd, settings);

    if (r < 0) {
        return r;
    }
    r = background_thread_start(run, flusher);
    if (r < 0) {
        flusher_free(flusher);
        return r;
    }
    *ret_flusher = flusher;
    return 0;
}

/* --- For other threads --- */

static void wake(const struct flusher *flusher)
{
    struct recorder *recorder = flusher->recorder;

    (void)atomic_fetch_add_explicit(&recorder->wake_word, 1, memory_order_seq_cst);
    (void)syscall(SYS_futex, &recorder->wake_word, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static uint64_t deadline_ns(uint32_t timeout_ms)
{
    return clock_monotonic_ns() + timeout_ms * NS_PER_MS;
}

int flusher_flush(struct flusher *flusher, uint32_t timeout_ms)
{
    uint64_t until_ns = deadline_ns(timeout_ms);
    uint32_t ticket = flush_requests_ask(&flusher->requests);

    wake(flusher);
    return flush_requests_wait(&flusher->requests, ticket, until_ns);
}

int flusher_shutdown(struct flusher *flusher, uint32_t timeout_ms)
{
    uint64_t until_ns = deadline_ns(timeout_ms);

    (void)flush_requests_ask_to_end(&flusher->requests, until_ns);
    wake(flusher);
    return flush_requests_wait_for_end(&flusher->requests, until_ns);
}

struct flusher_counts flusher_counts(const struct flusher *flusher)
{
    const struct shown_counts *shown = &flusher->shown;
    struct flusher_counts counts = {
        .stored = atomic_load_explicit(&shown->stored, memory_order_relaxed),
        .connected = atomic_load_explicit(&shown->connected, memory_order_relaxed),
        .own_samples = atomic_load_explicit(&shown->own_samples, memory_order_relaxed),
    };

    for (int cause = 0; cause < LOSS_CLIENT_CAUSE_COUNT; cause++) {
        counts.lost[cause] = atomic_load_explicit(&shown->lost[cause], memory_order_relaxed);
    }
    return counts;
}

void flusher_forget_after_fork(struct flusher *flusher)
{
    stream_forget(&flusher->stream);
}
