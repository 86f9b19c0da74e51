/*
 * Batches to the trace files of one imported session: a Source, the batches, an End; a further part before the plaintext
 * of one exceeds IMPORT_PART_PLAIN_BYTES. What the files say of clocks: monotonic time is time since the Unix epoch.
 */
#pragma once

#include "batch_encode.h"
#include "packet.h"
#include "trace_writer.h"

#define IMPORT_PART_PLAIN_BYTES (900 * MIB)

struct import_parts {
    struct source source;       /* strings borrowed from whoever opened it; part counts on */
    uint64_t last_ns;           /* of the data: the clock reading in every packet but the Source */
    int dir_fd;                 /* borrowed */
    uint64_t plain_bytes;       /* of the current part */
    uint64_t plain_limit_bytes; /* of a part: IMPORT_PART_PLAIN_BYTES, less in tests */
    uint64_t sequence;          /* of the last batch */
    uint32_t file_count;        /* files created, finished or not */
    struct end end;             /* of the current part */
    struct trace_writer file;
    struct batch_encoder *encoder; /* owned, as the rest */
    struct frame_writer *frame_writer;
    uint8_t *frame;
    size_t frame_size;
};

/*
 * Opens the first part in dir_fd.
 *
 * ret_parts to be released, also after an error
 * session   SESSION_ID_BYTES
 * Returns:  0; -EEXIST if there is such a file already; a negative errno.
 * Threads:  one object, one thread at a time, as all functions here.
 */
MUST_USE int import_parts_open(struct import_parts *ret_parts, int dir_fd, const char *process,
                               const uint8_t *session, const uint64_t first_and_last_ns[static 2]);

/* Writes a batch as the next one of the session; sets its id, clock and totals. Returns 0 or a negative errno. */
MUST_USE int import_parts_add(struct import_parts *parts, struct batch *batch);

/* Ends the last part; what it writes is on disk then. Returns 0 or a negative errno. */
MUST_USE int import_parts_close(struct import_parts *parts);

/* Frees what is owned; the files stay as they are. Accepts {0}-initialised parts that were never opened. */
void import_parts_release(struct import_parts *parts);

/* Removes the first file_count files of a session, finished or not. */
void import_parts_remove(int dir_fd, const char *process, const uint8_t *session,
                         uint32_t file_count);
