/*
 * The layout of a recorder: everything libeddy keeps, in one sealed memfd, so that it outlives the process that wrote it.
 * The client maps it; the collector reads what a client that died has left, with pread(), and trusts nothing in it.
 *
 * Layout, by offsets that the header gives (no pointers; every area begins on a page):
 *
 *     header | names | name index | name text | queues | threads | slots | magazines | attributes | staging | outbox | rings ...
 *
 * Pages are touched when first used; the whole stays below EDDY_MEMORY_MIB.
 *
 * What holds at every instant, so that a process killed anywhere leaves a recorder that can be read:
 *   - An operation was begun and not ended if and only if its slot's word has SLOT_LIVE and not SLOT_CLAIMED. Who ends it
 *     claims the slot, publishes the record, and frees the slot. So of a slot that is live and claimed, the record is among
 *     the newest entries of some ring, consumed or not, or it was not published: then the operation did not end.
 *   - Ring entries [consumed, published) are whole records and not yet staged, except those below the "to" of a chunk in
 *     staging that counts: these are copies that were kept already.
 *   - Staging entries [0, used) are whole chunks; they count if and only if staging's batch number is above that of the
 *     newest batch of the outbox (below): else a frame holds them, or they were counted as lost.
 *   - Names, queues and threads that a record mentions were complete before the record was published.
 *
 * Atomics: each field says who writes it. "release"/"acquire" pairs are named where they are used.
 */
#pragma once

#include "base.h"
#include "loss.h"

#include <stdatomic.h>
#include <stdbool.h>

enum {
    RECORDER_VERSION = 2,
    RECORDER_MAX_NAMES = 65536,
    RECORDER_NAME_INDEX = 2 * RECORDER_MAX_NAMES,
    RECORDER_NAME_TEXT_BYTES = 2 << 20,
    RECORDER_MAX_QUEUES = 1024,
    RECORDER_MAX_THREADS = 4096, /* the latest; a power of two */
    RECORDER_MAX_RINGS = 1024,
    RECORDER_MIN_SLOTS = 1024,
    RECORDER_MAX_SLOTS = 1 << 22,
    RECORDER_KINDS = 4, /* of records: operations, samples, marks, long runs */

    NAME_ID_DENIED = 0x7fffffff, /* an attribute key that EDDY_ATTRIBUTES keeps back: in no entry */

    SLOT_INDEX_BITS = 22,
    MAGAZINE_SLOTS = 32, /* slots move between the caches of threads by this many */
    SLOT_CACHE = 4 * MAGAZINE_SLOTS,
    ATTRIBUTE_BYTES = 4 * 64,

    ENTRY_BYTES = 64,
    MAX_CONTINUATIONS = 7, /* of the format; this version makes at most 5 */
    DEFERRED_ENDS = 8,
    RING_ENTRIES_OFFSET = 4096,
    RING_MIN_BYTES = 16 << 10,
};

#define RECORDER_MAGIC UINT64_C(0x3130524459444445) /* "EDDYDR01" */
#define SLOT_LIVE (UINT64_C(1) << 63)
#define SLOT_CLAIMED (UINT64_C(1) << 62)
#define SLOT_GENERATION_MASK ((UINT64_C(1) << 42) - 1)

/* What a ring entry is. A record is one entry of another kind than ENTRY_CHUNK and its continuations behind it. */
enum entry_kind {
    ENTRY_OPERATION = 1,
    ENTRY_SAMPLE = 2,
    ENTRY_MARK = 3,
    ENTRY_CHUNK = 4, /* in staging only */
    ENTRY_LONG_RUN = 5,
};

enum record_flags {
    RECORD_BEGIN_IS_NS = 1, /* begin is monotonic ns, not ticks */
    RECORD_END_IS_NS = 2,
    RECORD_NEEDS_ID = 4, /* a child was begun, or a long run recorded: its id must be in the file */
    RECORD_HAS_STATES = 8, /* the first continuation is a struct state_entry */
};

/*
 * One cache line in a ring. Sample: begin is the time, end the value's bits. Mark: begin is the time. Long run: id and name
 * of the operation, begin and end of the stretch.
 */
struct record {
    uint64_t id;
    uint64_t begin;
    uint64_t end;
    uint64_t parent; /* 0 if none */
    uint32_t name;
    uint32_t begin_thread; /* serial */
    uint32_t end_thread;   /* serial */
    uint8_t kind;          /* enum entry_kind */
    uint8_t status;
    uint8_t continuations;
    uint8_t flags;            /* enum record_flags */
    uint16_t attribute_bytes; /* used, in the continuations behind the states */
    uint8_t reserved[14];
};
_Static_assert(sizeof(struct record) == ENTRY_BYTES, "a record is one cache line");

/* First continuation of a record with RECORD_HAS_STATES. */
struct state_entry {
    uint64_t ticks[6]; /* by enum operation_state; valid where mask has the bit */
    uint32_t queue;    /* name id of the last queue entered, 0 if none */
    uint32_t depth;
    uint8_t mask;
    uint8_t reserved[7];
};
_Static_assert(sizeof(struct state_entry) == ENTRY_BYTES, "a continuation is one cache line");

/* In front of the entries that one drain took from one ring into staging. */
struct chunk_entry {
    uint64_t from; /* ring positions: entries [from, to) */
    uint64_t to;
    uint32_t ring; /* index */
    uint8_t reserved[24];
    uint8_t kind; /* ENTRY_CHUNK, where struct record has it */
    uint8_t reserved2[19];
};
_Static_assert(sizeof(struct chunk_entry) == ENTRY_BYTES, "a chunk header is one entry");

/*
 * Attributes, in a slot's attribute area and in continuations: struct, payload (8 bytes, or text padded to 8, 16, ...),
 * struct ... So an entry holds at most 4, and the attributes of a full staging area fit into a batch.
 * key 0: replaced, skip.
 */
struct attribute_entry {
    uint32_t key;   /* name id */
    uint8_t type;   /* enum attribute_type */
    uint8_t length; /* bytes of text */
    uint8_t reserved[2];
};
_Static_assert(sizeof(struct attribute_entry) == 8, "attributes are made of words");

/* An operation that was begun. Two lines: begin and end touch the first only. */
struct slot {
    _Atomic uint64_t word; /* generation, SLOT_LIVE, SLOT_CLAIMED */
    _Atomic uint64_t begin;
    uint64_t parent;
    uint64_t since; /* ticks of the last change of state */
    _Atomic uint32_t name;
    uint32_t begin_thread;
    union {
        struct {
            uint16_t attribute_bytes;
            _Atomic uint8_t state;
            uint8_t state_mask;    /* states whose ticks are valid */
            _Atomic uint8_t flags; /* enum record_flags */
            uint8_t is_in_queue;   /* it counts in the depth of its queue */
            uint8_t reserved[2];
        };
        _Atomic uint64_t facts; /* all of these in one store */
    };
    uint32_t queue; /* index + 1 of the queue it last entered, 0 if none */
    uint32_t queue_depth;
    _Atomic uint32_t next_free; /* of a slot in the list of single ones: the next; 0: none */
    uint32_t reserved3;
    uint64_t state_ticks[6];
    uint64_t reserved2[2];
};
_Static_assert(sizeof(struct slot) == 128, "a slot is two cache lines");

/* Free slots on their way from one thread to another, so that nobody has to touch the slots themselves. */
struct magazine {
    uint32_t slots[MAGAZINE_SLOTS];
    _Atomic uint32_t next; /* in a list: the next; 0: none */
    uint32_t reserved[15];
};
_Static_assert(sizeof(struct magazine) == 192, "a magazine is three cache lines");

struct name_entry {
    uint32_t text_offset;
    uint32_t unit_offset;
    _Atomic uint64_t queue_capacity;
    uint16_t length;
    uint16_t unit_length;
    uint8_t kind;  /* enum name_kind */
    uint8_t value; /* enum value_type */
    uint8_t reserved[2];
    uint32_t hash;
    _Atomic uint32_t queue; /* index + 1 of the queue of this name, 0: none yet */
    uint32_t reserved2;
};

struct queue_entry {
    _Atomic int64_t depth;
    _Atomic uint64_t lost; /* operations that would have entered but were not recorded */
    _Atomic uint32_t name; /* id; 0: not in use */
    uint32_t reserved[11];
};

/* Thread serials to tids: entry serial % RECORDER_MAX_THREADS. */
struct thread_entry {
    _Atomic uint64_t serial_and_tid; /* serial << 32 | tid */
};

/* Ends that signal handlers wanted while their thread was inside a call. */
struct deferred_end {
    uint64_t operation;
    uint64_t end; /* ticks */
    uint64_t status;
};

/* A thread's ring, at a multiple of RING_MIN_BYTES; its entries follow at RING_ENTRIES_OFFSET. */
struct ring {
    /* The producer's line. */
    /* Two words, read as two: a load of both would wait for the store of either to reach the cache. */
    _Atomic uint32_t busy; /* the thread is inside a call */
    _Atomic uint32_t
        deferred;   /* ends that wait in deferred_ends, and ends for which there was no room */
    uint32_t epoch; /* of the session; a thread's ring is valid only if it is the process's */
    uint32_t cached_slots;
    uint64_t head;             /* entries produced */
    uint64_t limit;            /* head may go up to here without a look at consumed */
    uint64_t mask;             /* entries - 1 */
    _Atomic uint64_t finished; /* operations published; written by the producer */
    _Atomic uint64_t sampled;  /* samples, marks and long runs published */
    _Atomic uint32_t serial; /* of the thread; unique in the session; 0 while nobody has the ring */
    uint32_t index;          /* of the ring */

    _Alignas(64) _Atomic uint64_t published; /* written by the producer, release */
    _Alignas(64) _Atomic uint64_t consumed;  /* written by the flusher, release */
    _Atomic uint32_t
        tid; /* 0: the ring is free. Claimed by a thread (0 -> tid), freed by the flusher */

    /* Written by the thread and its signal handlers, read by anybody. */
    _Alignas(64) _Atomic uint64_t lost_operations[LOSS_CLIENT_CAUSE_COUNT];
    _Atomic uint64_t lost_samples[LOSS_CLIENT_CAUSE_COUNT];
    _Atomic uint64_t lost_marks[LOSS_CLIENT_CAUSE_COUNT];
    _Atomic uint64_t lost_long_runs[LOSS_CLIENT_CAUSE_COUNT];
    _Atomic uint64_t stale_ends;
    _Atomic uint64_t attributes_cut;

    struct deferred_end deferred_ends[DEFERRED_ENDS];
    uint32_t slot_cache[SLOT_CACHE];
};
_Static_assert(sizeof(struct ring) <= RING_ENTRIES_OFFSET,
               "a ring's header fits in front of its entries");

/*
 * The books of a session, as far as they cannot be found by counting: written by the flusher whenever it makes a batch or
 * drops a frame. There are two of them, so that one is whole at every instant: that of recorder.books_turn.
 *
 * They say how things stand once `batch` is in the outbox. If the newest batch of the outbox is an older one, the flusher
 * came no further: what they say of this batch is to be taken back. A frame held whose sequence is `dropped` is not held.
 */
struct recorder_books {
    uint64_t batch;
    uint64_t dropped; /* sequence of the frame dropped last; 0: none */
    uint64_t anchor_ticks;
    uint64_t anchor_ns;
    double ns_per_tick;
    uint64_t client_cpu_ns;
    uint64_t frame_bytes;
    uint64_t looked_ns;                                   /* when losses were looked for */
    struct record_counts batched;                         /* since the session began */
    struct record_counts lost[LOSS_CLIENT_CAUSE_COUNT];   /* likewise */
    struct record_counts seen[LOSS_CLIENT_CAUSE_COUNT];   /* of lost, those that threads counted */
    struct record_counts untold[LOSS_CLIENT_CAUSE_COUNT]; /* of lost, those that no batch tells */
    /* Of this batch alone: */
    struct record_counts rows;
    struct record_counts told[LOSS_CLIENT_CAUSE_COUNT]; /* losses */
    uint64_t refused; /* operations of its staging that are lost as out of range, and told */
};

/* Drained records that wait for their batch. Written by the flusher only. */
struct staging {
    _Atomic uint64_t used;  /* entries, chunk headers included; release after they are complete */
    _Atomic uint64_t batch; /* number of the batch that these will become */
    uint64_t reserved[6];
    /* Entries follow. */
};

struct recorder {
    uint64_t magic;
    uint32_t version;
    uint32_t header_bytes;
    uint8_t session[16];
    uint32_t pid;
    uint32_t epoch;
    uint64_t size_bytes;
    uint64_t start_ns; /* monotonic */
    uint64_t first_generation;

    uint64_t names_offset;      /* struct name_entry[RECORDER_MAX_NAMES] */
    uint64_t name_index_offset; /* _Atomic uint32_t[RECORDER_NAME_INDEX] */
    uint64_t name_text_offset;
    uint64_t queues_offset;     /* struct queue_entry[RECORDER_MAX_QUEUES] */
    uint64_t threads_offset;    /* struct thread_entry[RECORDER_MAX_THREADS], by serial */
    uint64_t slots_offset;      /* struct slot[slot_count] */
    uint64_t attributes_offset; /* uint8_t[slot_count][ATTRIBUTE_BYTES] */
    uint64_t staging_offset;
    uint64_t staging_entries;
    uint64_t outbox_offset;
    uint64_t outbox_bytes;
    uint64_t rings_offset;
    uint64_t rings_bytes;
    uint64_t ring_max_bytes; /* EDDY_RING_KIB */
    uint64_t long_run_ticks; /* a stretch of running as long as this is recorded */
    uint64_t slot_count;
    uint64_t magazines_offset; /* struct magazine[magazine_count]; 0 is never used */
    uint64_t magazine_count;

    /* Written by any thread. */
    /* Heads of lists: tag << 32 | first, 0 if none. */
    _Alignas(64) _Atomic uint64_t full_magazines;
    _Atomic uint64_t empty_magazines;
    _Atomic uint64_t single_slots;
    _Atomic uint32_t fresh_magazines; /* magazines 1 .. fresh_magazines were used at least once */
    _Atomic uint32_t
        fresh_slots; /* likewise, slots MAGAZINE_SLOTS .. MAGAZINE_SLOTS + fresh_slots - 1 */
    _Atomic uint32_t name_count; /* ids 1 .. name_count are taken */
    _Atomic uint32_t name_text_used;
    _Atomic uint32_t queue_count;
    _Atomic uint32_t thread_serial;
    _Atomic uint32_t
        ring_count; /* rings made; may pass RECORDER_MAX_RINGS; those without an offset are not ready */
    _Atomic uint64_t rings_used; /* bytes */
    _Atomic uint64_t names_folded;
    _Atomic uint64_t lost_without_ring[RECORDER_KINDS]; /* of threads that found no ring */
    _Atomic uint64_t ring_offsets[RECORDER_MAX_RINGS];

    /* The futex that the flusher sleeps on: counts wakes. Written by any thread. */
    _Alignas(64) _Atomic uint32_t wake_word;
    _Atomic uint32_t flusher_sleeps;

    /* Written by the flusher. */
    _Alignas(64) _Atomic uint32_t books_turn; /* which of books is whole; release */
    struct recorder_books books[2];
};

/* What stands in one frame, as far as the books are concerned. */
struct frame_account {
    uint64_t sequence;
    struct record_counts rows;
    uint64_t first_ns; /* least begin and greatest end of the rows */
    uint64_t last_ns;
    struct record_counts lost[LOSS_CLIENT_CAUSE_COUNT]; /* told in the frame */
    uint64_t lost_first_ns;
    uint64_t lost_last_ns;
};

/*
 * The outbox: frames that the collector has not yet acknowledged. Its area: struct outbox_head, entries[head.entry_count],
 * frames. An entry counts if and only if its state is OUTBOX_HELD; its frame, with the header of the wire protocol in
 * front, lies at its offset from the begin of the area. Entries stand in no order: their sequences say it. Frames lie
 * wherever there was room.
 *
 * head.batch is the number of the newest batch that ever got here. It is written after the entry is held, so a reader
 * takes the greater one of it and of the sequences held: staging is to be ignored if its batch number is not above that.
 * No positions of rings are kept here: a ring's consumed is moved before the batch of these records is made.
 */
enum outbox_state { OUTBOX_FREE = 0, OUTBOX_HELD = 1 };

struct outbox_head {
    uint32_t entry_count;
    uint32_t reserved;
    _Atomic uint64_t batch;
    uint64_t reserved2[6];
};

struct outbox_entry {
    _Atomic uint32_t state;
    uint32_t type;   /* enum wire_type */
    uint64_t offset; /* of the wire header, from the begin of the area */
    uint64_t size;   /* wire header and frame */
    struct frame_account account;
};

/* --- Where things are, in a recorder that can be trusted: one's own, or a copy that was checked --- */

static inline void *recorder_at(const struct recorder *recorder, uint64_t offset)
{
    return (char *)(uintptr_t)recorder + offset;
}

static inline struct slot *recorder_slots(const struct recorder *recorder)
{
    return recorder_at(recorder, recorder->slots_offset);
}

static inline struct magazine *recorder_magazines(const struct recorder *recorder)
{
    return recorder_at(recorder, recorder->magazines_offset);
}

static inline struct name_entry *recorder_name(const struct recorder *recorder, uint32_t id)
{
    return (struct name_entry *)recorder_at(recorder, recorder->names_offset) + id;
}

static inline struct queue_entry *recorder_queue(const struct recorder *recorder, uint32_t index)
{
    return (struct queue_entry *)recorder_at(recorder, recorder->queues_offset) + index;
}

/* NULL if the ring is not ready yet. The acquire pairs with the release of the thread that made it. */
static inline struct ring *recorder_ring(const struct recorder *recorder, uint32_t index)
{
    uint64_t offset = atomic_load_explicit(&recorder->ring_offsets[index], memory_order_acquire);

    return offset == 0 ? NULL : recorder_at(recorder, offset);
}

/* Rings that exist, ready or not. */
static inline uint32_t recorder_ring_count(const struct recorder *recorder)
{
    uint32_t count = atomic_load_explicit(&recorder->ring_count, memory_order_acquire);

    return count < RECORDER_MAX_RINGS ? count : RECORDER_MAX_RINGS;
}

static inline struct record *ring_entries(struct ring *ring)
{
    return (struct record *)((char *)ring + RING_ENTRIES_OFFSET);
}
