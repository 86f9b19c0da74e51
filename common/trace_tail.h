/*
 * What the end of a trace file is where no good frame stands any more: cut off, or damaged.
 */
#pragma once

#include "file_window.h"

/*
 * Whether the rest of the file from offset on is the beginning of a frame or of a skippable frame, which ends with the
 * file or with the zeros that a file system puts where it did not write in time. Nothing but zeros is no beginning.
 *
 * Returns:  1, 0, or what file_window_show() says.
 * Threads:  one window, one thread at a time.
 * Cost:     reads the rest of the file, but not its holes.
 */
MUST_USE int trace_tail_is_cut_off(struct file_window *window, uint64_t offset);
