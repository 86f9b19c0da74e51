/*
 * Frames to a trace file, appended whole with one write each. The file is called NAME.partial until it is closed.
 */
#pragma once

#include "base.h"
#include "columns.h"

#include <stdbool.h>

#define TRACE_FILE_SUFFIX ".trace.zst"
#define TRACE_PARTIAL_SUFFIX ".partial"

enum {
    TRACE_NAME_MAX_BYTES = 200,
    TRACE_EXECUTABLE_MAX_BYTES = 64,
};

struct trace_writer {
    int fd;                          /* owned; -1 if suspended or never opened */
    int dir_fd;                      /* borrowed from whoever opened it */
    char name[TRACE_NAME_MAX_BYTES]; /* final name, without .partial */
    uint64_t size_bytes;             /* of whole frames */
    bool has_torn_tail;              /* bytes of a failed append stand behind size_bytes */
    bool is_listed;                  /* the folder's entry of the file is durable */
    uint64_t device;                 /* with inode: which file it is, for trace_writer_resume() */
    uint64_t inode;
};

/*
 * The name of a part: <executable>-<pid>-<first 8 hex digits of session>-<part>.trace.zst, the executable reduced to
 * [A-Za-z0-9._-] (others become '_', a leading '.' too) and to TRACE_EXECUTABLE_MAX_BYTES; "unknown" if empty.
 *
 * session   SESSION_ID_BYTES
 * Threads:  any.
 */
void trace_file_name(char ret_name[static TRACE_NAME_MAX_BYTES], const char *executable,
                     uint32_t pid, const uint8_t *session, uint32_t part);

/*
 * Creates dir_fd/NAME.partial with mode 0640 (and the umask).
 *
 * dir_fd    of a folder, opened for reading; must stay open until the writer is released
 * Returns:  0; -EEXIST if NAME or NAME.partial exists, so that the next part number is tried; -EINVAL if NAME is no plain
 *           file name; a negative errno. *ret_writer is set on success only.
 * Threads:  one writer, one thread at a time, as all functions here.
 */
MUST_USE int trace_writer_open(struct trace_writer *ret_writer, int dir_fd, const char *name);

/*
 * Appends one frame. After an error the file ends with the frame before, and appending may be tried again.
 *
 * Returns:  0 or a negative errno.
 */
MUST_USE int trace_writer_append(struct trace_writer *writer, struct slice frame);

/*
 * Makes everything appended durable, the first time also the file's entry in its folder.
 *
 * Returns:  0 or a negative errno; after an error nothing written since the last success is safe, and no later success
 *           makes it so: kernels forget what they could not write.
 */
MUST_USE int trace_writer_sync(struct trace_writer *writer);

/*
 * Syncs, renames to the final name (never replacing a file that has it: -EEXIST) and closes.
 *
 * Returns:  0 or a negative errno; then the file keeps .partial, unless only making its new name durable failed. The
 *           writer is released either way.
 */
MUST_USE int trace_writer_close(struct trace_writer *writer);

/* The same, but the new name becomes durable with the caller's next sync of the folder: one for many files. */
MUST_USE int trace_writer_close_unlisted(struct trace_writer *writer);

/* Closes without renaming: the file keeps .partial. Accepts a writer that was never opened ({.fd = -1}). */
void trace_writer_release(struct trace_writer *writer);

/* Closes the descriptor only, for whoever holds more files than descriptors (an LRU). */
void trace_writer_suspend(struct trace_writer *writer);

/*
 * Opens the descriptor again, if it is closed.
 *
 * Returns:  0; -ESTALE if NAME.partial is not the file that was suspended, or changed its size since; a negative errno.
 */
MUST_USE int trace_writer_resume(struct trace_writer *writer);
