/*
 * Trace files to frames: walks a file from frame to frame with pread (never maps it), tests each frame's form, and finds
 * the next good frame behind damage.
 *
 * The walk of a file: zstd frames one behind the other, skippable frames are stepped over. A frame is taken for good if it
 * passes frame_check(), begins like a packet, and is followed by another frame or the end of the file; its checksum is left
 * to the caller. If something else follows it, and behind any damage, the content is tested too.
 *
 * Where the bytes are no good frame, damage begins; it ends at the next zstd magic whose frame passes frame_check(),
 * decompresses with the right checksum, holds a packet, and carries the session of the last good frame. A Source of
 * another session is a good frame too, since files may be concatenated, and any packet is, as long as no session is
 * known. A file that ends within a frame was cut off: its tail is damage of kind TRACE_CUT_OFF, also if the rest of the
 * frame is zeros up to the end of the file, as file systems leave it that did not write in time.
 *
 * Hostile bytes: a walk takes time linear in the file's data. Tests that fail may decompress 256 MiB in all and 64 bytes
 * for every byte of the file, where a test of the form alone counts as 4 KiB; beyond that, bytes that look like frames
 * are damage without a test.
 */
#pragma once

#include "base.h"
#include "columns.h"
#include "frame.h"

enum trace_item_kind {
    TRACE_FRAME,   /* a frame whose form is right */
    TRACE_DAMAGE,  /* bytes that are no frame */
    TRACE_CUT_OFF, /* the file ends within a frame */
};

struct trace_item {
    enum trace_item_kind kind;
    uint64_t offset_bytes;
    uint64_t size_bytes; /* of the frame, or of what is skipped */
    struct slice frame;  /* TRACE_FRAME: borrowed from the reader until its next call */
    size_t plain_size;   /* TRACE_FRAME */
    uint8_t checksum[FRAME_CHECKSUM_BYTES]; /* TRACE_FRAME: as it stands there */
};

struct trace_reader;

/*
 * Opens a file for reading. The reader's buffer grows to the largest frame, at most FRAME_MAX_BYTES.
 *
 * fd        owned by the reader from now on, also on error; a regular file
 * Returns:  0, -ENOMEM, -EISDIR, -ESPIPE for anything that is not a regular file, or a negative errno.
 * Threads:  one reader, one thread at a time, as all functions here.
 */
MUST_USE int trace_reader_new(struct trace_reader **ret_reader, int fd);
void trace_reader_free(struct trace_reader *reader);

/*
 * Goes on with another file, in the memory of the reader. After an error nothing but this and trace_reader_free() may follow.
 *
 * Returns:  as trace_reader_new().
 */
MUST_USE int trace_reader_reopen(struct trace_reader *reader, int fd);

/*
 * Reads less from now on: item.frame is only the beginning of the frame, at least its first block if that is short, unless
 * something made the reader test the whole frame. trace_reader_frame_at() shows it whole.
 */
void trace_reader_skim(struct trace_reader *reader);

/*
 * The next item of the walk.
 *
 * Returns:  1 (item), 0 (end of file), a negative errno from pread or -ENOMEM.
 */
MUST_USE int trace_reader_next(struct trace_reader *reader, struct trace_item *ret_item);

/*
 * A caller that found the last frame's content damaged says so: the next frame is then tested like after damage. If the
 * checksum is wrong, the length may be too: the next item may then be a good frame that stands within the last one.
 */
void trace_reader_distrust(struct trace_reader *reader);

/* Where the walk stands, and the size of the file as it was when opened (growth is not followed). */
uint64_t trace_reader_offset(const struct trace_reader *reader);
uint64_t trace_reader_size(const struct trace_reader *reader);

/*
 * Reads one frame whose place is known from an earlier walk.
 *
 * ret_frame borrowed from the reader until its next call
 * Returns:  0; -EBADMSG if there is no valid frame of that size any more; a negative errno.
 */
MUST_USE int trace_reader_frame_at(struct trace_reader *reader, uint64_t offset_bytes, size_t size,
                                   struct slice *ret_frame);
