/*
 * The client's own account of a session, read from the head of a batch: produced, kept and lost per cause.
 */
#pragma once

#include "packet.h"
#include "trace_writer.h"

enum {
    /* A head may have so many bytes, enough for some ten thousand names. What is in larger ones is not looked at. */
    TOTALS_MAX_HEAD_BYTES = 1 << 20,
};

struct totals_reader {
    struct frame_reader *frames; /* owned */
    struct packet_arena *arena;  /* owned */
    uint64_t plain_bytes;        /* that were decompressed since it was opened: what it cost */
};

MUST_USE int totals_reader_open(struct totals_reader *ret_reader);
void totals_reader_release(struct totals_reader *reader);

/*
 * Reads the totals of the batch in a frame.
 *
 * id        session and sequence that the batch must have
 * Returns:  0; -EBADMSG if the frame holds no batch, another one, or one whose head is too large; -ENOMEM.
 * Threads:  one reader, one thread at a time, as all functions here.
 * Cost:     decompresses the first block only, if the head is whole in it, as writers make it; else at most
 *           TOTALS_MAX_HEAD_BYTES more.
 */
MUST_USE int totals_read(struct totals_reader *reader, struct slice frame,
                         const struct packet_id *id, struct totals *ret_totals);

/* The same for the frame of size bytes at offset_bytes of an open part, read back from the file. */
MUST_USE int totals_read_back(struct totals_reader *reader, const struct trace_writer *part,
                              uint64_t offset_bytes, size_t size, const struct packet_id *id,
                              struct totals *ret_totals);
