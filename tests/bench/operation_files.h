/*
 * Invented operations to trace files, as a collector would have written them: one session per file, batches of
 * BATCH_MAX_OPERATIONS.
 */
#pragma once

#include "base.h"
#include "batch_encode.h"
#include "packet.h"
#include "trace_writer.h"

/* One file after the other; the memory is kept. One thread at a time. */
struct operation_files {
    int dir_fd; /* owned, as the rest */
    struct batch_encoder *encoder;
    struct frame_writer *frame_writer;
    struct batch batch;
    uint8_t *frame;
    size_t frame_size;
};

/* Returns 0 or a negative errno; to be released in any case. */
MUST_USE int operation_files_open(struct operation_files *ret_files, const char *folder);
void operation_files_release(struct operation_files *files);

/*
 * Writes the file of the source with that number.
 *
 * ret_bytes size of the file
 * Returns:  0; -EEXIST if it is there; a negative errno.
 */
MUST_USE int operation_files_write(struct operation_files *files, uint32_t number,
                                   uint64_t operation_count, uint64_t *ret_bytes);
