/*
 * Whether bytes of a file are a frame, and whether that is good: the tests of trace_reader.c, and what it knows of a file. For
 * trace_reader.c only; the rules stand in trace_reader.h.
 */
#pragma once

#include "file_window.h"
#include "packet.h"
#include "trace_reader.h"

enum { TRACE_LOOK_BYTES = 64 << 10 }; /* of the file, at once */

struct identity {
    bool is_known;
    uint8_t session[SESSION_ID_BYTES];
};

/* A frame in the file. */
struct place {
    uint64_t offset;
    struct frame_info info;
    struct identity identity;
    uint8_t checksum[FRAME_CHECKSUM_BYTES];
    size_t shown_bytes; /* of the frame, when it is told */
};

struct trace_reader {
    int fd; /* owned */
    uint64_t size_bytes;
    struct file_window window;
    struct frame_reader *frames; /* owned */
    bool is_skimming;
    uint64_t offset;          /* where the walk stands: before it, everything was told */
    bool has_next;            /* the next good frame is known */
    struct place next;        /* offset is that of the file's end if there is none */
    struct place last;        /* the frame told last; info.size is 0 if it was no frame */
    struct identity identity; /* of the last frame that nobody objected to */
    bool is_distrusted;       /* somebody objected to the last frame */
    bool must_test;           /* the frame at offset, since the one before was objected to */
    unsigned int damage_count;
    uint64_t tested_bytes; /* in vain */
};

static inline uint64_t trace_end_of(const struct place *place)
{
    return place->offset + place->info.size;
}

static inline uint64_t trace_end_of_file(const struct trace_reader *reader)
{
    return reader->window.file_size;
}

/*
 * Tests the frame where the walk stands.
 *
 * Returns:  0 and reader->next is set; -EBADMSG if it is none; another error.
 * Threads:  one reader, one thread at a time, as all functions here.
 */
MUST_USE int trace_test_here(struct trace_reader *reader);

/* The same from a few small reads, if that is enough. Returns 0, and if it was reader->has_next is set; or what pread said. */
MUST_USE int trace_skim_here(struct trace_reader *reader);

/* Tests a frame that bytes seem to begin with at offset, in the midst of something else. Returns as trace_test_here(). */
MUST_USE int trace_test_there(struct trace_reader *reader, uint64_t offset, bool is_expected);
