/*
 * Small trace files in memory, whole or damaged, for the tests of those who read them.
 */
#pragma once

#include "packet.h"

enum {
    TRACE_BYTES_ROOM = 64 << 10,
    TRACE_BYTES_MAX_FRAMES = 64,
};

/* {0} is an empty file. */
struct trace_bytes {
    uint8_t data[TRACE_BYTES_ROOM];
    size_t size;
    size_t frame_count;                     /* of frames that hold packets */
    size_t offsets[TRACE_BYTES_MAX_FRAMES]; /* of these frames */
    size_t sizes[TRACE_BYTES_MAX_FRAMES];
    uint64_t sequence; /* of the last batch */
    char session;      /* all bytes of the session's id */
};

/*
 * Append a packet, or anything else. What does not fit ends the program.
 *
 * Threads:  one thread, as all functions here.
 */
void trace_bytes_add_source(struct trace_bytes *bytes, char session);
void trace_bytes_add_batch(struct trace_bytes *bytes, uint32_t operations);
void trace_bytes_add_end(struct trace_bytes *bytes);
void trace_bytes_add_newer(
    struct trace_bytes *bytes); /* a batch with an unknown required feature */
void trace_bytes_add_skippable(struct trace_bytes *bytes, uint32_t content_size, uint8_t content);
void trace_bytes_add_raw(struct trace_bytes *bytes, const void *raw, size_t size);
void trace_bytes_add_zeros(struct trace_bytes *bytes, size_t size);
void trace_bytes_add_file(struct trace_bytes *bytes, const struct trace_bytes *other);

/* A Source, batches, and an End. */
void trace_bytes_add_session(struct trace_bytes *bytes, char session, unsigned int batches);

/* A file in memory that holds the bytes. Owned by the caller. */
int memory_file(const void *bytes, size_t size);
