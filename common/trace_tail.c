#include "trace_tail.h"

#include "frame.h"

#include <errno.h>
#include <stdbool.h>

enum { LOOK_BYTES = 64 << 10 };

/* Whether all bytes from offset on are zeros. Returns 1, 0, or an error. */
static int rest_is_zero(struct file_window *window, uint64_t offset)
{
    while (offset < window->file_size) {
        struct slice bytes;
        int r = file_window_show(window, offset, LOOK_BYTES, &bytes);

        if (r < 0) {
            return r;
        }
        for (size_t i = 0; i < bytes.size; i++) {
            if (bytes.data[i] != 0) {
                return 0;
            }
        }
        offset += bytes.size;
        offset = max_u64(offset, file_window_skip_hole(window, offset));
    }
    return 1;
}

/* Whether offset is that of a skippable frame that is longer than the rest of the file. */
static int is_cut_skippable(struct file_window *window, uint64_t offset)
{
    struct slice bytes;
    uint64_t size = 0;
    int r = file_window_show(window, offset, LOOK_BYTES, &bytes);

    if (r < 0) {
        return r;
    }
    return frame_check_skippable(bytes, &size) == 0 && offset + size > window->file_size;
}

static bool is_beginning(struct slice bytes)
{
    struct frame_info info;
    uint64_t size = 0;

    return frame_check(bytes, &info) == -EAGAIN || frame_check_skippable(bytes, &size) == -EAGAIN;
}

/* Whether the rest of the file is the beginning of a frame, and perhaps zeros. */
static int is_cut_frame(struct file_window *window, uint64_t offset)
{
    uint64_t size =
        min_u64(FRAME_MAX_BYTES, window->file_size - min_u64(offset, window->file_size));
    int r = rest_is_zero(window, offset + size);
    struct slice bytes;

    if (r <= 0) {
        return r;
    }
    r = file_window_show(window, offset, size, &bytes);
    if (r < 0) {
        return r;
    }
    bytes.size = min_u64(bytes.size, size);
    if (is_beginning(bytes)) {
        return 1;
    }
    while (bytes.size > 0 && bytes.data[bytes.size - 1] == 0) {
        bytes.size--;
    }
    return bytes.size > 0 && is_beginning(bytes);
}

int trace_tail_is_cut_off(struct file_window *window, uint64_t offset)
{
    int r = is_cut_skippable(window, offset);

    return r == 0 ? is_cut_frame(window, offset) : r;
}
