/*
 * A moving view of a file that is read with pread (never mapped: a file may shrink while it is read). Bytes are read once
 * as long as the view moves forward; looking back reads again.
 *
 * The buffer begins with FILE_WINDOW_FIRST_BYTES and grows to what is asked for, at most to FILE_WINDOW_MAX_BYTES and the
 * bytes read ahead.
 */
#pragma once

#include "columns.h"

enum {
    FILE_WINDOW_FIRST_BYTES = 1 << 20,
    FILE_WINDOW_MAX_BYTES = 9 << 20, /* the greatest view */
    FILE_WINDOW_AHEAD_BYTES = 1 << 20,
};

struct file_window {
    int fd;             /* borrowed */
    uint64_t file_size; /* as it was at the beginning, or where reading met an earlier end */
    uint8_t *buffer;    /* owned */
    size_t buffer_size;
    uint64_t begin; /* offset of the buffer's first byte */
    size_t filled;
};

/*
 * A window at the beginning of a file of file_size bytes; growth is not followed.
 *
 * Returns:  0 or -ENOMEM.
 * Threads:  one window, one thread at a time, as all functions here.
 */
MUST_USE int file_window_init(struct file_window *window, int fd, uint64_t file_size);
void file_window_release(struct file_window *window);

/* Goes on with another file, in the same memory. */
void file_window_reset(struct file_window *window, int fd, uint64_t file_size);

/*
 * Shows the bytes at offset: at least size of them or up to the end of the file, more if they are at hand.
 *
 * size      at most FILE_WINDOW_MAX_BYTES
 * ret_bytes borrowed until the next call
 * Returns:  0, -ENOMEM, or what pread said.
 */
MUST_USE int file_window_show(struct file_window *window, uint64_t offset, size_t size,
                              struct slice *ret_bytes);

/*
 * As file_window_show(), but reads nothing beyond size: for views that do not follow each other.
 */
MUST_USE int file_window_show_only(struct file_window *window, uint64_t offset, size_t size,
                                   struct slice *ret_bytes);

/* As file_window_show(), but reads no more than ahead_bytes if that is more than size: for views with gaps between them. */
MUST_USE int file_window_show_near(struct file_window *window, uint64_t offset, size_t size,
                                   size_t ahead_bytes, struct slice *ret_bytes);

/*
 * Copies a few bytes, which are read by themselves if they are not at hand: the view stays where it is.
 *
 * Returns:  0; -EBADMSG if the file ends before; what pread said.
 */
MUST_USE int file_window_copy(const struct file_window *window, uint64_t offset, size_t size,
                              uint8_t *ret_bytes);

/* Where the next bytes at or behind offset are that are not in a hole of the file; offset if that is not known. */
uint64_t file_window_skip_hole(const struct file_window *window, uint64_t offset);
