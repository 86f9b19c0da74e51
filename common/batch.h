/*
 * A batch in memory: the records of one flush as plain arrays. The client, the machine sampler and the importer fill
 * it, batch_encode() turns it into a frame; batch_decode() turns a frame back into it, and the analyzer reads it.
 *
 * Owns all of its arrays and texts. Reused from batch to batch: batch_clear() keeps the memory.
 *
 * What batch_encode() insists on, and batch_decode() guarantees: every index is within its list, also thread index 0 of
 * operations and marks; every name is of the kind that its column asks for; durations, residences and times per state are
 * below 2^62, and so are lengths of long runs; ends fit into 64 bits; rows are in the order said below; texts are valid UTF-8 within their limits.
 */
#pragma once

#include "base.h"
#include "clocks.h"
#include "loss.h"

#include <stdbool.h>

enum {
    SESSION_ID_BYTES = 16,
    STATE_COUNT = 6,

    BATCH_MAX_OPERATIONS = 65536,
    BATCH_MAX_SAMPLES = 65536,
    BATCH_MAX_MARKS = 65536,
    BATCH_MAX_OPEN = 65536,
    BATCH_MAX_LONG_RUNS = 65536,
    BATCH_MAX_NAMES = 65535,
    BATCH_MAX_THREADS = 65535,
    BATCH_MAX_LOSSES = 4096,
    BATCH_MAX_ATTRIBUTES = 262144,
    NAME_MAX_BYTES = 255,
    NAME_UNIT_MAX_BYTES = 63,
    THREAD_NAME_MAX_BYTES = 63,
    TEXT_MAX_BYTES = 128,
};

/* The values of enum Status, State, Name.Kind, Name.Value and AttributeColumns.Type in trace.proto. */
enum operation_status { STATUS_OK, STATUS_ERROR, STATUS_CANCELLED, STATUS_TIMEOUT, STATUS_COUNT };

enum operation_state {
    STATE_OTHER,
    STATE_QUEUED,
    STATE_RUNNING,
    STATE_WAITING_IO,
    STATE_WAITING_LOCK,
    STATE_WAITING_CHILD,
};

enum name_kind {
    NAME_OPERATION,
    NAME_GAUGE,
    NAME_COUNTER_DELTA,
    NAME_COUNTER_TOTAL,
    NAME_MARK,
    NAME_QUEUE,
    NAME_ATTRIBUTE,
    NAME_KIND_COUNT,
};

enum value_type { VALUE_INTEGER, VALUE_DOUBLE, VALUE_TYPE_COUNT };

enum attribute_type {
    ATTRIBUTE_U64,
    ATTRIBUTE_I64,
    ATTRIBUTE_F64,
    ATTRIBUTE_BOOL,
    ATTRIBUTE_TEXT,
    ATTRIBUTE_TEXT_CUT,
    ATTRIBUTE_TYPE_COUNT,
};

/* Units of operations that are something special; others have none. */
#define UNIT_ITERATION "{iteration}"
#define UNIT_COLLECTION "{collection}"

struct packet_id {
    uint8_t session[SESSION_ID_BYTES];
    uint64_t sequence;
    uint64_t required_features;
};

/* An entry of the batch's dictionary; all name columns index it. */
struct batch_name {
    const char *
        text; /* borrowed from the batch (batch_copy_text) or from whoever fills it; NUL-terminated */
    const char *unit; /* likewise; "" if none */
    enum name_kind kind;
    enum value_type value;
    uint64_t
        rows; /* of operations, samples, marks, queues and attributes; open operations and long runs are not counted */
    uint64_t queue_capacity;
};

struct batch_thread {
    uint32_t tid;
    const char *name; /* as batch_name.text */
    uint64_t serial;
};

/* Values for some rows, in ascending order of row. */
struct sparse_rows {
    uint32_t count;
    uint32_t capacity;
    uint32_t *row;   /* owned */
    uint64_t *value; /* owned */
};

/* Finished operations, sorted by begin. */
struct batch_operations {
    uint32_t count;
    uint32_t capacity;
    uint64_t *begin_ns; /* monotonic; owned, as the arrays below */
    uint64_t *duration_ns;
    uint16_t *name;         /* index into names[] */
    uint8_t *status;        /* enum operation_status */
    uint16_t *begin_thread; /* index into threads[] */
    uint16_t *end_thread;
    struct sparse_rows id;     /* of operations that have children or long runs */
    struct sparse_rows parent; /* id of the parent, of operations that have one */
    struct sparse_rows state_ns[STATE_COUNT];
};

/* Operations that went through a queue; row is ascending and names a row of batch_operations. */
struct batch_queued {
    uint32_t count;
    uint32_t capacity;
    uint32_t *row;
    uint16_t *queue; /* index into names[] */
    uint64_t *depth; /* just after entering, itself included */
    uint64_t *residence_ns;
};

/* Attributes of operations, ascending by row; several may share one. */
struct batch_attributes {
    uint32_t count;
    uint32_t capacity;
    uint32_t *row;
    uint16_t *key;   /* index into names[] */
    uint8_t *type;   /* enum attribute_type */
    uint64_t *value; /* U64 and BOOL as is, I64 and F64 their bits, TEXT an index into texts[] */
    uint32_t text_count;
    uint32_t text_capacity;
    const char **texts; /* array owned; strings as batch_name.text */
};

/* Sorted by time. */
struct batch_samples {
    uint32_t count;
    uint32_t capacity;
    uint64_t *time_ns;
    uint16_t *metric; /* index into names[] */
    uint32_t *thread; /* 0: the whole process, else index into threads[] + 1 */
    uint64_t *value;  /* int64_t or double, as names[metric].value says: its bits */
};

struct batch_marks {
    uint32_t count;
    uint32_t capacity;
    uint64_t *time_ns;
    uint16_t *name;
    uint16_t *thread;
};

/* Begun and not ended, sorted by begin. */
struct batch_open {
    uint32_t count;
    uint32_t capacity;
    uint64_t as_of_ns;
    uint64_t *begin_ns;
    uint16_t *name;
    uint8_t *state; /* enum operation_state */
    uint64_t *id;
};

/* Stretches of running that lasted longer than the client was asked to let pass, sorted by begin. */
struct batch_long_runs {
    uint32_t count;
    uint32_t capacity;
    uint64_t *begin_ns; /* of the stretch */
    uint64_t *length_ns;
    uint16_t *name;   /* of the operation */
    uint16_t *thread; /* that left the state */
    uint64_t *id;     /* of the operation */
};

struct batch {
    struct packet_id id;
    struct clock_reading clock;
    uint64_t anchor_ticks; /* 0, 0, 0 where ticks are ns */
    uint64_t anchor_ns;
    double ns_per_tick;
    struct totals totals;
    uint64_t sample_period_ns;
    bool salvaged;

    /* Set by batch_encode() and batch_decode(). */
    uint64_t min_begin_ns;
    uint64_t min_end_ns;
    uint64_t max_end_ns;

    uint32_t name_count;
    uint32_t name_capacity;
    struct batch_name *names; /* owned */
    uint32_t thread_count;
    uint32_t thread_capacity;
    struct batch_thread *threads; /* owned */

    struct batch_operations operations;
    struct batch_queued queued;
    struct batch_attributes attributes;
    struct batch_samples samples;
    struct batch_marks marks;
    struct batch_open open;
    struct batch_long_runs long_runs;

    uint32_t loss_count;
    uint32_t loss_capacity;
    struct loss *losses; /* owned */

    char *text_bytes; /* owned; what batch_copy_text() handed out */
    size_t text_used;
    size_t text_size;
};

/* An empty batch: {0} is one too. Threads: one batch, one thread at a time, as all functions here. */
void batch_init(struct batch *batch);
void batch_release(struct batch *batch);

/* Forgets all rows, names, threads and texts, keeps the memory and the id. */
void batch_clear(struct batch *batch);

/*
 * Make room for at least that many rows in total, keeping those that are there.
 *
 * Returns:  0, -ENOMEM, or -E2BIG above the limit BATCH_MAX_* of the kind.
 */
MUST_USE int batch_reserve_names(struct batch *batch, size_t count);
MUST_USE int batch_reserve_threads(struct batch *batch, size_t count);
MUST_USE int batch_reserve_operations(struct batch *batch, size_t count);
MUST_USE int batch_reserve_queued(struct batch *batch, size_t count);
MUST_USE int batch_reserve_attributes(struct batch *batch, size_t count);
MUST_USE int batch_reserve_texts(struct batch *batch, size_t count);
MUST_USE int batch_reserve_samples(struct batch *batch, size_t count);
MUST_USE int batch_reserve_marks(struct batch *batch, size_t count);
MUST_USE int batch_reserve_open(struct batch *batch, size_t count);
MUST_USE int batch_reserve_long_runs(struct batch *batch, size_t count);
MUST_USE int batch_reserve_losses(struct batch *batch, size_t count);
MUST_USE int sparse_rows_reserve(struct sparse_rows *rows, size_t count);

/*
 * Make room for size bytes of text in total. To be called before the first batch_copy_text() of a batch: growing
 * moves the texts handed out before.
 */
MUST_USE int batch_reserve_text_bytes(struct batch *batch, size_t size);

/*
 * Keeps a copy of text as long as the batch is not cleared.
 *
 * Returns:  the NUL-terminated copy, or NULL if the room reserved is used up.
 */
const char *batch_copy_text(struct batch *batch, const char *text, size_t length);
