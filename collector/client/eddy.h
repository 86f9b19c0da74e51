/*
 * eddy.h - record what an asynchronous program does, at the cost of two time stamps per operation.
 *
 *     #include <eddy.h>
 *
 *     static struct eddy_name http_get = EDDY_NAME("http.get");
 *
 *     uint64_t operation = eddy_begin(&http_get);
 *     ...                                            (other threads may go on with it)
 *     eddy_end(operation, EDDY_OK);
 *
 * Link with -leddy. Where the records go is decided from outside: EDDY_SOCKET names the collector's socket, EDDY_DISABLE=1
 * turns everything off. Without a collector the program runs as if nothing were recorded.
 *
 * Every call may be made from any thread and from signal handlers. No call blocks, allocates, locks or fails in a way that
 * the caller must handle: what cannot be kept is dropped and counted (eddy_stats). Exceptions say so: eddy_start(),
 * eddy_flush() and eddy_shutdown(). One operation is worked on by one thread at a time; handing it to another thread needs
 * the same synchronization as handing over any other data.
 *
 * Times are ns of CLOCK_MONOTONIC. Names are copied when first used, at most 255 bytes of UTF-8. struct eddy_name and
 * struct eddy_queue must live as long as the program (static is best).
 *
 * C11 and C++17. Other languages call the exported functions of the same names: all types have fixed widths.
 */
#ifndef EDDY_H
#define EDDY_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EDDY_VERSION "0.1.0"

/* Something with a name: a kind of operation, a metric, a mark, an attribute key. Set up with EDDY_NAME or EDDY_METRIC. */
struct eddy_name {
    const char *text;
    uint64_t reserved_id; /* the library's; zero at first */
    const char *unit;     /* of metrics, UCUM: "By", "ms", "{item}"; may be NULL */
    uint64_t reserved;    /* zero */
};

/* A queue that operations wait in. Set up with EDDY_QUEUE. */
struct eddy_queue {
    struct eddy_name name;
    uint64_t capacity;    /* 0: unbounded or unknown */
    uint64_t reserved[3]; /* zero */
};

#ifdef __cplusplus
#define EDDY_NAME(text)                                                                            \
    {                                                                                              \
        (text), 0, nullptr, 0                                                                      \
    }
#define EDDY_METRIC(text, unit)                                                                    \
    {                                                                                              \
        (text), 0, (unit), 0                                                                       \
    }
#else
#define EDDY_NAME(text)                                                                            \
    {                                                                                              \
        (text), 0, 0, 0                                                                            \
    }
#define EDDY_METRIC(text, unit)                                                                    \
    {                                                                                              \
        (text), 0, (unit), 0                                                                       \
    }
#endif
#define EDDY_QUEUE(text, capacity)                                                                 \
    {                                                                                              \
        EDDY_METRIC(text, "{operation}"), (capacity),                                              \
        {                                                                                          \
            0, 0, 0                                                                                \
        }                                                                                          \
    }

/* How an operation ended. */
enum eddy_status { EDDY_OK = 0, EDDY_ERROR = 1, EDDY_CANCELLED = 2, EDDY_TIMEOUT = 3 };

/* What an operation is doing. Of one whose state is never set nothing but its duration is known. */
enum eddy_operation_state {
    EDDY_OTHER = 0, /* at the begin, until something else is said */
    EDDY_QUEUED = 1,
    EDDY_RUNNING = 2,
    EDDY_WAITING_IO = 3,
    EDDY_WAITING_LOCK = 4,
    EDDY_WAITING_CHILD = 5
};

/* Why records were lost: indexes of eddy_stats.lost. */
enum eddy_loss {
    EDDY_LOST_RING_FULL = 1,
    EDDY_LOST_NO_SLOT = 2,
    EDDY_LOST_NO_RING = 3,
    EDDY_LOST_REENTRY = 4,
    EDDY_LOST_OUT_OF_RANGE = 5,
    EDDY_LOST_OUTBOX_FULL = 6
};

/* Numbers of records (finished operations, samples, marks) since this process began to record. */
struct eddy_stats {
    uint64_t size_bytes; /* set by the caller: sizeof(struct eddy_stats) */
    uint64_t recording;  /* 1 if calls are recorded */
    uint64_t connected;  /* 1 if a collector has the session */
    uint64_t produced;   /* by the program and by the library's own metrics, kept or not */
    uint64_t stored;     /* taken over by a collector and written to its file */
    uint64_t pending;    /* on their way: produced = stored + pending + the sum of lost */
    uint64_t lost[8];    /* by enum eddy_loss */
    uint64_t open;       /* operations begun and not ended */
    uint64_t stale_ends; /* ends of operations that had ended already */
    uint64_t session[2]; /* the 16 bytes of the session id, as they stand in the trace */
};

/*
 * 1 while calls are recorded. Read by the inline functions below, so that a disabled program pays one test; set by
 * the library only.
 */
extern int eddy_recording;

/*
 * Starts recording: memory and one background thread. The first recorded call does it by itself; calling it early
 * keeps that first call short, and is needed if the first call comes from a signal handler.
 *
 * Returns:  0, or a negative errno (recording stays off then: -ECANCELED if EDDY_DISABLE says so).
 * Threads:  any; not from signal handlers.
 */
int eddy_start(void);

/*
 * Sends everything recorded before this call and waits until the collector has written it.
 *
 * Returns:  0, -ETIMEDOUT, or -ENOTCONN if there is no collector at the end of the time.
 * Threads:  any; blocks up to timeout_ms; not from signal handlers.
 */
int eddy_flush(uint32_t timeout_ms);

/* As eddy_flush(), then ends the session for good: nothing is recorded any more. Done at exit by itself (200 ms). */
int eddy_shutdown(uint32_t timeout_ms);

/* Am I being recorded, and what was lost? Returns 0, or -EINVAL if size_bytes is not that of a known version. */
int eddy_stats(struct eddy_stats *ret_stats);

/* Now, in ns of CLOCK_MONOTONIC: the clock of eddy_begin_at() and eddy_record(). */
uint64_t eddy_now_ns(void);

/*
 * Names, metrics and queues known only at run time; the same text gives the same pointer. They are never freed.
 * Returns NULL if memory ran out. They lock and allocate: not from signal handlers.
 */
struct eddy_name *eddy_name_intern(const char *text);
struct eddy_name *eddy_metric_intern(const char *text, const char *unit);
struct eddy_queue *eddy_queue_intern(const char *text, uint64_t capacity);

/* Symbols of the inline functions, where their address is taken: others than the exported ones. */
#define EDDY_INLINE(symbol) __asm__("eddy_inline_" #symbol)

/*
 * Begins an operation, in state EDDY_OTHER.
 *
 * eddy_begin_at      with a begin other than now: the intended start of work that began late. If states are set, the time
 *                    until this call counts as queued
 * eddy_begin_child   as part of another operation; with parent 0 as eddy_begin()
 * eddy_begin_queued  in state EDDY_QUEUED, as one more in queue
 *
 * Returns:  its handle, never reused within 2^42 operations of a slot; 0 if it is not recorded. Every call takes 0 and
 *           does nothing.
 */
static inline uint64_t eddy_begin(struct eddy_name *name) EDDY_INLINE(begin);
static inline uint64_t eddy_begin_at(struct eddy_name *name, uint64_t begin_ns)
    EDDY_INLINE(begin_at);
static inline uint64_t eddy_begin_child(struct eddy_name *name, uint64_t parent)
    EDDY_INLINE(begin_child);
static inline uint64_t eddy_begin_queued(struct eddy_name *name, struct eddy_queue *queue)
    EDDY_INLINE(begin_queued);

/*
 * Says what the operation does from now on (enum eddy_operation_state). Leaving EDDY_QUEUED leaves its queue. EDDY_RUNNING
 * that went on without a break for EDDY_LONG_RUN_US (1000) is recorded by itself, as held by the thread that leaves it.
 */
static inline void eddy_state(uint64_t operation, uint32_t state) EDDY_INLINE(state);

/* Enters a queue (again): state EDDY_QUEUED, one more in queue. */
static inline void eddy_enqueue(uint64_t operation, struct eddy_queue *queue) EDDY_INLINE(enqueue);

/* Ends the operation (enum eddy_status), on any thread. Only the first end of a handle counts; later ones are counted. */
static inline void eddy_end(uint64_t operation, uint32_t status) EDDY_INLINE(end);

/*
 * Operations of two special kinds, at the same two time stamps. Both are the library's part of what a report says of them.
 *
 * eddy_loop_begin  one round of an event loop: when it wakes up (epoll_wait() returned). eddy_loop_end() before it sleeps
 *                  again. In between the loop is deaf: what becomes ready meanwhile waits for the rest of the round.
 * eddy_gc_begin    a pause in which a garbage collector holds the program, until eddy_gc_end(): for language bindings.
 *                  The name says what kind of collection: "gc.minor".
 *
 * A name is used for one of them or for eddy_begin() and the like: its first use decides.
 *
 * Returns:  a handle as eddy_begin(), for all that takes one.
 */
static inline uint64_t eddy_loop_begin(struct eddy_name *loop) EDDY_INLINE(loop_begin);
static inline void eddy_loop_end(uint64_t iteration) EDDY_INLINE(loop_end);
static inline uint64_t eddy_gc_begin(struct eddy_name *kind) EDDY_INLINE(gc_begin);
static inline void eddy_gc_end(uint64_t collection) EDDY_INLINE(gc_end);

/* Attributes. The same key again replaces the value. Text: at most 128 bytes of UTF-8 are kept. About 250 bytes a record. */
static inline void eddy_set_u64(uint64_t operation, struct eddy_name *key, uint64_t value)
    EDDY_INLINE(set_u64);
static inline void eddy_set_i64(uint64_t operation, struct eddy_name *key, int64_t value)
    EDDY_INLINE(set_i64);
static inline void eddy_set_f64(uint64_t operation, struct eddy_name *key, double value)
    EDDY_INLINE(set_f64);
static inline void eddy_set_bool(uint64_t operation, struct eddy_name *key, uint32_t value)
    EDDY_INLINE(set_bool);
static inline void eddy_set_text(uint64_t operation, struct eddy_name *key, const char *value)
    EDDY_INLINE(set_text);

/* A value of a metric now; an increment of a counter; an instant event. */
static inline void eddy_gauge(struct eddy_name *metric, int64_t value) EDDY_INLINE(gauge);
static inline void eddy_gauge_f64(struct eddy_name *metric, double value) EDDY_INLINE(gauge_f64);
static inline void eddy_count(struct eddy_name *metric, int64_t increment) EDDY_INLINE(count);
static inline void eddy_mark(struct eddy_name *name) EDDY_INLINE(mark);

/* An operation that was timed elsewhere; durations of 2^62 ns and more are refused and counted. */
static inline void eddy_record(struct eddy_name *name, uint64_t begin_ns, uint64_t duration_ns,
                               uint32_t status) EDDY_INLINE(record);

/*
 * The rest of this file is how the functions above reach the library. Each tests eddy_recording, or the handle, and calls
 * the exported function of the same name and contract: the one that other languages call.
 */
#define EDDY_EXPORTED(symbol) __asm__(#symbol)

uint64_t eddy_exported_begin(struct eddy_name *name) EDDY_EXPORTED(eddy_begin);
uint64_t eddy_exported_begin_at(struct eddy_name *name, uint64_t begin_ns)
    EDDY_EXPORTED(eddy_begin_at);
uint64_t eddy_exported_begin_child(struct eddy_name *name, uint64_t parent)
    EDDY_EXPORTED(eddy_begin_child);
uint64_t eddy_exported_begin_queued(struct eddy_name *name, struct eddy_queue *queue)
    EDDY_EXPORTED(eddy_begin_queued);
void eddy_exported_state(uint64_t operation, uint32_t state) EDDY_EXPORTED(eddy_state);
void eddy_exported_enqueue(uint64_t operation, struct eddy_queue *queue)
    EDDY_EXPORTED(eddy_enqueue);
void eddy_exported_end(uint64_t operation, uint32_t status) EDDY_EXPORTED(eddy_end);
uint64_t eddy_exported_loop_begin(struct eddy_name *loop) EDDY_EXPORTED(eddy_loop_begin);
void eddy_exported_loop_end(uint64_t iteration) EDDY_EXPORTED(eddy_loop_end);
uint64_t eddy_exported_gc_begin(struct eddy_name *kind) EDDY_EXPORTED(eddy_gc_begin);
void eddy_exported_gc_end(uint64_t collection) EDDY_EXPORTED(eddy_gc_end);
void eddy_exported_set_u64(uint64_t operation, struct eddy_name *key, uint64_t value)
    EDDY_EXPORTED(eddy_set_u64);
void eddy_exported_set_i64(uint64_t operation, struct eddy_name *key, int64_t value)
    EDDY_EXPORTED(eddy_set_i64);
void eddy_exported_set_f64(uint64_t operation, struct eddy_name *key, double value)
    EDDY_EXPORTED(eddy_set_f64);
void eddy_exported_set_bool(uint64_t operation, struct eddy_name *key, uint32_t value)
    EDDY_EXPORTED(eddy_set_bool);
void eddy_exported_set_text(uint64_t operation, struct eddy_name *key, const char *value)
    EDDY_EXPORTED(eddy_set_text);
void eddy_exported_gauge(struct eddy_name *metric, int64_t value) EDDY_EXPORTED(eddy_gauge);
void eddy_exported_gauge_f64(struct eddy_name *metric, double value) EDDY_EXPORTED(eddy_gauge_f64);
void eddy_exported_count(struct eddy_name *metric, int64_t increment) EDDY_EXPORTED(eddy_count);
void eddy_exported_mark(struct eddy_name *name) EDDY_EXPORTED(eddy_mark);
void eddy_exported_record(struct eddy_name *name, uint64_t begin_ns, uint64_t duration_ns,
                          uint32_t status) EDDY_EXPORTED(eddy_record);

static inline int eddy_is_recording_(void)
{
    return __atomic_load_n(&eddy_recording, __ATOMIC_RELAXED);
}

static inline uint64_t eddy_begin(struct eddy_name *name)
{
    return eddy_is_recording_() ? eddy_exported_begin(name) : 0;
}

static inline uint64_t eddy_begin_at(struct eddy_name *name, uint64_t begin_ns)
{
    return eddy_is_recording_() ? eddy_exported_begin_at(name, begin_ns) : 0;
}

static inline uint64_t eddy_begin_child(struct eddy_name *name, uint64_t parent)
{
    return eddy_is_recording_() ? eddy_exported_begin_child(name, parent) : 0;
}

static inline uint64_t eddy_begin_queued(struct eddy_name *name, struct eddy_queue *queue)
{
    return eddy_is_recording_() ? eddy_exported_begin_queued(name, queue) : 0;
}

static inline void eddy_state(uint64_t operation, uint32_t state)
{
    if (operation != 0) {
        eddy_exported_state(operation, state);
    }
}

static inline void eddy_enqueue(uint64_t operation, struct eddy_queue *queue)
{
    if (operation != 0) {
        eddy_exported_enqueue(operation, queue);
    }
}

static inline void eddy_end(uint64_t operation, uint32_t status)
{
    if (operation != 0) {
        eddy_exported_end(operation, status);
    }
}

static inline uint64_t eddy_loop_begin(struct eddy_name *loop)
{
    return eddy_is_recording_() ? eddy_exported_loop_begin(loop) : 0;
}

static inline void eddy_loop_end(uint64_t iteration)
{
    if (iteration != 0) {
        eddy_exported_loop_end(iteration);
    }
}

static inline uint64_t eddy_gc_begin(struct eddy_name *kind)
{
    return eddy_is_recording_() ? eddy_exported_gc_begin(kind) : 0;
}

static inline void eddy_gc_end(uint64_t collection)
{
    if (collection != 0) {
        eddy_exported_gc_end(collection);
    }
}

static inline void eddy_set_u64(uint64_t operation, struct eddy_name *key, uint64_t value)
{
    if (operation != 0) {
        eddy_exported_set_u64(operation, key, value);
    }
}

static inline void eddy_set_i64(uint64_t operation, struct eddy_name *key, int64_t value)
{
    if (operation != 0) {
        eddy_exported_set_i64(operation, key, value);
    }
}

static inline void eddy_set_f64(uint64_t operation, struct eddy_name *key, double value)
{
    if (operation != 0) {
        eddy_exported_set_f64(operation, key, value);
    }
}

static inline void eddy_set_bool(uint64_t operation, struct eddy_name *key, uint32_t value)
{
    if (operation != 0) {
        eddy_exported_set_bool(operation, key, value);
    }
}

static inline void eddy_set_text(uint64_t operation, struct eddy_name *key, const char *value)
{
    if (operation != 0) {
        eddy_exported_set_text(operation, key, value);
    }
}

static inline void eddy_gauge(struct eddy_name *metric, int64_t value)
{
    if (eddy_is_recording_()) {
        eddy_exported_gauge(metric, value);
    }
}

static inline void eddy_gauge_f64(struct eddy_name *metric, double value)
{
    if (eddy_is_recording_()) {
        eddy_exported_gauge_f64(metric, value);
    }
}

static inline void eddy_count(struct eddy_name *metric, int64_t increment)
{
    if (eddy_is_recording_()) {
        eddy_exported_count(metric, increment);
    }
}

static inline void eddy_mark(struct eddy_name *name)
{
    if (eddy_is_recording_()) {
        eddy_exported_mark(name);
    }
}

static inline void eddy_record(struct eddy_name *name, uint64_t begin_ns, uint64_t duration_ns,
                               uint32_t status)
{
    if (eddy_is_recording_()) {
        eddy_exported_record(name, begin_ns, duration_ns, status);
    }
}

#undef EDDY_EXPORTED
#undef EDDY_INLINE

#ifdef __cplusplus
}
#endif

#endif
