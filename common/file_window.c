#include "file_window.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

int file_window_init(struct file_window *window, int fd, uint64_t file_size)
{
    *window = (struct file_window){.fd = fd, .file_size = file_size};
    window->buffer_size = min_u64(max_u64(file_size, 1), FILE_WINDOW_FIRST_BYTES);
    window->buffer = malloc(window->buffer_size);
    return window->buffer == NULL ? -ENOMEM : 0;
}

void file_window_reset(struct file_window *window, int fd, uint64_t file_size)
{
    *window = (struct file_window){.fd = fd,
                                   .file_size = file_size,
                                   .buffer = window->buffer,
                                   .buffer_size = window->buffer_size};
}

void file_window_release(struct file_window *window)
{
    free(window->buffer);
    window->buffer = NULL;
}

static bool holds(const struct file_window *window, uint64_t offset, uint64_t size)
{
    return offset >= window->begin && offset + size <= window->begin + window->filled;
}

/* What is still wanted comes to the front of the buffer; the rest is forgotten. */
static void move_to(struct file_window *window, uint64_t offset)
{
    size_t kept = 0;

    if (holds(window, offset, 0)) {
        kept = (size_t)(window->begin + window->filled - offset);
        memmove(window->buffer, window->buffer + (offset - window->begin), kept);
    }
    window->begin = offset;
    window->filled = kept;
}

/*
 * Twice the size that is asked for, so that bytes are moved less often than they are read. Where the limit does not allow
 * that, the bytes read ahead bound how often they are.
 */
static int grow(struct file_window *window, size_t size)
{
    size_t wanted = min_u64(2 * size, FILE_WINDOW_MAX_BYTES + FILE_WINDOW_AHEAD_BYTES);

    if (wanted <= window->buffer_size) {
        return 0;
    }

    uint8_t *buffer = realloc(window->buffer, wanted);

    if (buffer == NULL) {
        return -ENOMEM;
    }
    window->buffer = buffer;
    window->buffer_size = wanted;
    return 0;
}

/* Reads until the first wanted bytes of the buffer are filled, or the file ends. */
static int fill(struct file_window *window, size_t wanted)
{
    while (window->filled < wanted) {
        uint64_t at = window->begin + window->filled;
        size_t room =
            min_u64(wanted - window->filled, window->file_size - min_u64(at, window->file_size));
        ssize_t got =
            room == 0 ? 0 : pread(window->fd, window->buffer + window->filled, room, (off_t)at);

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return -errno;
        }
        if (got == 0) { /* it may have been cut while it was read */
            window->file_size = min_u64(window->file_size, at);
            return 0;
        }
        window->filled += (size_t)got;
    }
    return 0;
}

/* Reads ahead_bytes in all, if that is more than size and the buffer holds it. */
static int show(struct file_window *window, uint64_t offset, size_t size, size_t ahead_bytes,
                struct slice *ret_bytes)
{
    size_t at_least = min_u64(size, window->file_size - min_u64(offset, window->file_size));

    if (!holds(window, offset, at_least)) {
        int r = grow(window, at_least);

        if (r < 0) {
            return r;
        }
        move_to(window, offset);
        r = fill(window, min_u64(max_u64(at_least, ahead_bytes), window->buffer_size));
        if (r < 0) {
            return r;
        }
    }
    *ret_bytes = (struct slice){window->buffer + (offset - window->begin),
                                (size_t)(window->begin + window->filled - offset)};
    return 0;
}

int file_window_show(struct file_window *window, uint64_t offset, size_t size,
                     struct slice *ret_bytes)
{
    return show(window, offset, size, SIZE_MAX, ret_bytes);
}

int file_window_show_only(struct file_window *window, uint64_t offset, size_t size,
                          struct slice *ret_bytes)
{
    return show(window, offset, size, 0, ret_bytes);
}

int file_window_show_near(struct file_window *window, uint64_t offset, size_t size,
                          size_t ahead_bytes, struct slice *ret_bytes)
{
    return show(window, offset, size, ahead_bytes, ret_bytes);
}

int file_window_copy(const struct file_window *window, uint64_t offset, size_t size,
                     uint8_t *ret_bytes)
{
    if (holds(window, offset, size)) {
        memcpy(ret_bytes, window->buffer + (offset - window->begin), size);
        return 0;
    }
    for (size_t done = 0; done < size;) {
        ssize_t got = pread(window->fd, ret_bytes + done, size - done, (off_t)(offset + done));

        if (got < 0 && errno != EINTR) {
            return -errno;
        }
        if (got == 0) {
            return -EBADMSG;
        }
        done += got < 0 ? 0 : (size_t)got;
    }
    return 0;
}

uint64_t file_window_skip_hole(const struct file_window *window, uint64_t offset)
{
    off_t data = lseek(window->fd, (off_t)offset, SEEK_DATA);

    if (data < 0) {
        return errno == ENXIO ? window->file_size : offset;
    }
    return min_u64((uint64_t)data, window->file_size);
}
