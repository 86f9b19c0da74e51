/*
 * Packets: the protobuf messages of proto/trace.proto as plain structs, and back. Whole batches: packet_batch.h, for
 * batch_encode.c and batch_decode.c.
 *
 * Unpacking is bounded: all memory comes from a packet_arena of PACKET_ARENA_BYTES, so that a hostile message is refused
 * instead of growing. What unpacked structs point to lives in the arena and in the plaintext, until the next unpacking.
 */
#pragma once

#include "batch.h"
#include "columns.h"
#include "frame.h"

enum {
    /*
     * Holds what is kept of any plaintext within the limits of batch.h: its texts (at most the plaintext itself), with
     * 16 bytes around each of 2 x 65,535 of names, 65,535 of threads and 262,144 of attributes, and the list of names.
     */
    PACKET_ARENA_BYTES = 3 * FRAME_MAX_PLAIN_BYTES,
    TRACE_FORMAT_VERSION = 1,
    SOURCE_MAX_LABELS = 32,
    SOURCE_MAX_ARGUMENTS = 256,
    SOURCE_MAX_ARGUMENT_BYTES = 4096, /* of all arguments and their NULs */
    BOOT_ID_MAX_BYTES = 36,
    /* Bits of required_features that this code knows: none is assigned yet. */
    KNOWN_FEATURES = 0,
};

enum packet_kind { PACKET_SOURCE = 1, PACKET_BATCH = 2, PACKET_END = 3 };

enum source_kind { SOURCE_PROCESS, SOURCE_MACHINE, SOURCE_IMPORTED, SOURCE_KIND_COUNT };

enum end_reason {
    END_SESSION_ENDED,
    END_CONNECTION_LOST,
    END_ROTATED,
    END_COLLECTOR_STOPPED,
    END_LIMIT,
    END_SALVAGED,
    END_REASON_COUNT,
};

struct label {
    const char *key;
    const char *value;
};

/* All strings are borrowed and never NULL. */
struct source {
    struct packet_id id;
    uint32_t format_version;
    enum source_kind kind;
    uint32_t part;
    uint32_t pid; /* stamped by the kernel, as uid and gid */
    uint32_t uid;
    uint32_t gid;
    uint32_t claimed_pid;
    const char *executable;
    const char *host_name;
    const char *boot_id;
    const char *writer;
    struct clock_reading clock;
    uint64_t session_start_ns; /* monotonic */
    size_t label_count;
    struct label labels[SOURCE_MAX_LABELS];
    size_t argument_count;
    const char *arguments[SOURCE_MAX_ARGUMENTS];
};

struct end {
    struct packet_id id;
    struct totals totals;
    bool totals_final;
    struct record_counts stored; /* rows of this part */
    uint64_t batches;
    uint64_t frame_bytes;
    uint64_t sequence_gaps;
    uint32_t loss_count;
    struct loss losses[LOSS_CAUSE_COUNT];
    enum end_reason reason;
    struct clock_reading clock;
};

struct hello {
    uint8_t session[SESSION_ID_BYTES];
    uint32_t pid;
    const char *executable;
    size_t label_count;
    struct label labels[SOURCE_MAX_LABELS];
    size_t argument_count;
    const char *arguments[SOURCE_MAX_ARGUMENTS];
    uint64_t session_start_ns; /* monotonic */
    uint64_t next_sequence;
    const char *client_version;
    uint64_t recorder_bytes;
};

struct welcome {
    uint64_t max_payload_bytes;
    uint64_t max_frame_plain_bytes;
    const char *collector_version;
};

/* The numbers of a BatchHead that a reader plans with; names point into the arena. */
struct batch_head {
    struct packet_id id;
    uint64_t min_begin_ns;
    uint64_t min_end_ns;
    uint64_t max_end_ns;
    uint32_t operations;
    uint32_t samples;
    uint32_t marks;
    uint32_t open_operations;
    uint32_t long_runs;
    uint32_t name_count;
    struct batch_name *names;
    struct clock_reading clock;
    uint64_t anchor_ticks;
    uint64_t anchor_ns;
    double ns_per_tick;
    struct totals totals;
    uint64_t sample_period_ns;
    bool salvaged;
};

/* Memory for unpacking. One thread at a time. */
struct packet_arena;

MUST_USE int packet_arena_new(struct packet_arena **ret_arena);
void packet_arena_free(struct packet_arena *arena);

/*
 * Pack a packet into one whole frame, at destination.
 *
 * ret_size  bytes written
 * Returns:  0, -ENOBUFS if size is too small, -E2BIG if the plaintext would exceed FRAME_MAX_PLAIN_BYTES, -EINVAL if
 *           there are more labels, arguments or losses than the struct has room for.
 * Threads:  one writer, one thread at a time.
 */
MUST_USE int packet_write_source(struct frame_writer *writer, const struct source *source,
                                 uint8_t *destination, size_t size, size_t *ret_size);
MUST_USE int packet_write_end(struct frame_writer *writer, const struct end *end,
                              uint8_t *destination, size_t size, size_t *ret_size);

/*
 * Which body the plaintext of a frame has, and its id, without unpacking the rest.
 *
 * Returns:  0; -EBADMSG if it is no packet; -EPROTONOSUPPORT if it requires features that this code does not know, or
 *           is of a kind that it does not know (ret_id is set then).
 * Threads:  any.
 */
MUST_USE int packet_peek(struct slice plain, enum packet_kind *ret_kind, struct packet_id *ret_id);

/*
 * Unpack the plaintext of a frame.
 *
 * Returns:  0; -EBADMSG if it is not what trace.proto says (also: counts above the limits of batch.h, text that is too
 *           long, a session id that is not 16 bytes); -EPROTONOSUPPORT if it is newer than this code.
 * Threads:  one arena, one thread at a time.
 */
MUST_USE int packet_read_source(struct packet_arena *arena, struct slice plain,
                                struct source *ret_source);
MUST_USE int packet_read_end(struct packet_arena *arena, struct slice plain, struct end *ret_end);

/* As above; plain may be the beginning of a plaintext only, as long as the head is whole in it. */
MUST_USE int packet_read_batch_head(struct packet_arena *arena, struct slice plain,
                                    struct batch_head *ret_head);

/* Messages of the socket, plain protobuf without a frame. Same results as above; pack returns -ENOBUFS if too small. */
MUST_USE int packet_pack_hello(const struct hello *hello, uint8_t *destination, size_t size,
                               size_t *ret_size);
MUST_USE int packet_unpack_hello(struct packet_arena *arena, struct slice bytes,
                                 struct hello *ret_hello);
MUST_USE int packet_pack_welcome(const struct welcome *welcome, uint8_t *destination, size_t size,
                                 size_t *ret_size);
MUST_USE int packet_unpack_welcome(struct packet_arena *arena, struct slice bytes,
                                   struct welcome *ret_welcome);
