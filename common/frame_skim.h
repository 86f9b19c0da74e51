/*
 * The form of a frame in a file, from a few small reads: its beginning, what stands before each block, and its end. Nine tenths
 * of a large frame are not read.
 */
#pragma once

#include "file_window.h"
#include "frame.h"

enum {
    /* The head of a batch is rarely longer. What is read at once also holds some of the frames that follow, if they are small. */
    FRAME_SKIM_BYTES = 4 << 10,
    FRAME_SKIM_AHEAD_BYTES = 16 << 10,
};

struct skimmed_frame {
    struct frame_info info;
    struct slice
        beginning; /* of the frame, or all of it; borrowed from the window until its next view */
    uint8_t checksum[FRAME_CHECKSUM_BYTES];
    bool is_followed_well; /* by another frame, as it seems, or by the end of the file */
};

/*
 * Tests the form of the frame at offset, as frame_check() does.
 *
 * Returns:  0; -EBADMSG if it is not valid or not whole; -ENOMEM; what pread said.
 * Threads:  one window, one thread at a time.
 * Cost:     as many reads as the frame has blocks.
 */
MUST_USE int frame_skim(struct file_window *window, uint64_t offset,
                        struct skimmed_frame *ret_skimmed);
