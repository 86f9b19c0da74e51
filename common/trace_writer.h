/*
 * Frames to a trace file, appended whole with one write each. The file is called NAME.partial until it is closed.
 */
#pragma once

#include "base.h"
#include "columns.h"

#define TRACE_FILE_SUFFIX ".trace.zst"
#define TRACE_PARTIAL_SUFFIX ".partial"

enum {
    TRACE_NAME_MAX_BYTES = 200,
    TRACE_EXECUTABLE_MAX_BYTES = 64,
};

struct trace_writer {
    int fd;                         /* owned; -1 if closed for lack of descriptors */
    int dir_fd;                     /* borrowed from whoever opened it */
    char name[TRACE_NAME_MAX_BYTES]; /* final name, without .partial */
    uint64_t size_bytes;            /* of whole frames; the file is cut back to it after a failed write */
};

/*
 * The name of a part: <executable>-<pid>-<first 8 hex digits of session>-<part>.trace.zst, the executable reduced to
 * [A-Za-z0-9._-] (others become '_', a leading '.' too) and to TRACE_EXECUTABLE_MAX_BYTES; "unknown" if empty.
 */
void trace_file_name(char ret_name[static TRACE_NAME_MAX_BYTES], const char *executable, uint32_t pid,
                     const uint8_t *session, uint32_t part);

/*
 * Creates dir_fd/NAME.partial with mode 0640 (and the umask).
 *
 * Returns:  0; -EEXIST if NAME or NAME.partial exists, so that the next part number is tried; a negative errno.
 * Threads:  one writer, one thread at a time, as all functions here.
 */
MUST_USE int trace_writer_open(struct trace_writer *ret_writer, int dir_fd, const char *name);

/*
 * Appends one frame. After an error the file ends with the frame before.
 *
 * Returns:  0 or a negative errno.
 */
MUST_USE int trace_writer_append(struct trace_writer *writer, struct slice frame);

/* fdatasync(). Returns 0 or a negative errno; after an error nothing written since the last success is safe. */
MUST_USE int trace_writer_sync(struct trace_writer *writer);

/* Syncs, renames to the final name and closes. Returns 0 or a negative errno; the writer is released either way. */
MUST_USE int trace_writer_close(struct trace_writer *writer);

/* Closes without renaming: the file keeps .partial. Accepts a writer that was never opened ({.fd = -1}). */
void trace_writer_release(struct trace_writer *writer);

/* Close and reopen the descriptor, for whoever holds more files than descriptors (an LRU). */
void trace_writer_suspend(struct trace_writer *writer);
MUST_USE int trace_writer_resume(struct trace_writer *writer);
