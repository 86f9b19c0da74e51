#include "frame_skim.h"

#include <errno.h>
#include <string.h>

static int walk_blocks(const struct file_window *window, uint64_t offset, struct frame_walk *walk)
{
    int r = 0;

    while (r == 0 && !walk->is_done) {
        uint8_t block[FRAME_BLOCK_HEADER_BYTES];

        r = file_window_copy(window, offset + walk->at, sizeof(block), block);
        r = r < 0 ? r : frame_walk_step(walk, block);
    }
    return r;
}

/* Reads the checksum, and what follows it. */
static int read_end(const struct file_window *window, uint64_t offset,
                    struct skimmed_frame *skimmed)
{
    uint8_t end[FRAME_CHECKSUM_BYTES + FRAME_MAGIC_BYTES];
    uint64_t at = offset + skimmed->info.size - FRAME_CHECKSUM_BYTES;

    if (at + FRAME_CHECKSUM_BYTES > window->file_size) {
        return -EBADMSG;
    }

    size_t size = min_u64(sizeof(end), window->file_size - at);
    int r = file_window_copy(window, at, size, end);

    if (r == 0) {
        memcpy(skimmed->checksum, end, sizeof(skimmed->checksum));
        skimmed->is_followed_well = frame_may_begin(
            (struct slice){end + FRAME_CHECKSUM_BYTES, size - FRAME_CHECKSUM_BYTES});
    }
    return r;
}

int frame_skim(struct file_window *window, uint64_t offset, struct skimmed_frame *ret_skimmed)
{
    struct skimmed_frame skimmed = {0};
    struct frame_walk walk;
    int r = file_window_show_near(window, offset, FRAME_SKIM_BYTES, FRAME_SKIM_AHEAD_BYTES,
                                  &skimmed.beginning);

    r = r < 0 ? r : frame_walk_begin(&walk, skimmed.beginning);
    r = r < 0 ? r : walk_blocks(window, offset, &walk);
    if (r < 0) {
        return r == -EAGAIN ? -EBADMSG : r;
    }
    skimmed.info = (struct frame_info){walk.at + FRAME_CHECKSUM_BYTES, walk.content_size};
    skimmed.beginning.size = min_u64(skimmed.beginning.size, skimmed.info.size);
    r = read_end(window, offset, &skimmed);
    if (r == 0) {
        *ret_skimmed = skimmed;
    }
    return r;
}
