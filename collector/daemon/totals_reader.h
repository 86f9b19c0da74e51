/*
 * The client's own account of a session, read from the head of a batch: produced, kept and lost per cause.
 */
#pragma once

#include "packet.h"
#include "trace_writer.h"

struct totals_reader {
    struct frame_reader *frames; /* owned */
    struct packet_arena *arena;  /* owned */
};

MUST_USE int totals_reader_open(struct totals_reader *ret_reader);
void totals_reader_release(struct totals_reader *reader);

/*
 * Reads the totals of the batch in a frame; decompresses its first blocks only.
 *
 * Returns:  0; -EBADMSG if the frame holds no batch; -ENOMEM.
 * Threads:  one reader, one thread at a time, as all functions here.
 */
MUST_USE int totals_read(struct totals_reader *reader, struct slice frame,
                         struct totals *ret_totals);

/* The same for the frame at offset_bytes of an open part, read back from the file. */
MUST_USE int totals_read_back(struct totals_reader *reader, const struct trace_writer *part,
                              uint64_t offset_bytes, size_t size, struct totals *ret_totals);
