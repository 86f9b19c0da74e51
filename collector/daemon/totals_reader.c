#include "totals_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

enum {
    /* Enough for the head of a batch with some hundred names. */
    HEAD_PREFIX_BYTES = 64 << 10,
};

int totals_reader_open(struct totals_reader *ret_reader)
{
    struct totals_reader reader = {0};

    int r = frame_reader_new(&reader.frames);
    if (r == 0) {
        r = packet_arena_new(&reader.arena);
    }
    if (r < 0) {
        totals_reader_release(&reader);
        return r;
    }
    *ret_reader = reader;
    return 0;
}

void totals_reader_release(struct totals_reader *reader)
{
    frame_reader_free(reader->frames);
    packet_arena_free(reader->arena);
    *reader = (struct totals_reader){0};
}

static int read_with_prefix(struct totals_reader *reader, struct slice frame, size_t limit,
                            struct totals *ret_totals)
{
    struct batch_head head;
    struct slice plain;

    int r = frame_decompress_prefix(reader->frames, frame, limit, &plain);
    if (r == 0) {
        r = packet_read_batch_head(reader->arena, plain, &head);
    }
    if (r == 0) {
        *ret_totals = head.totals;
    }
    return r;
}

int totals_read(struct totals_reader *reader, struct slice frame, struct totals *ret_totals)
{
    int r = read_with_prefix(reader, frame, HEAD_PREFIX_BYTES, ret_totals);

    return r == -EBADMSG ? read_with_prefix(reader, frame, FRAME_MAX_PLAIN_BYTES, ret_totals) : r;
}

static int read_exactly(int fd, uint8_t *bytes, size_t size, uint64_t offset_bytes)
{
    for (size_t done = 0; done < size;) {
        ssize_t got = pread(fd, bytes + done, size - done, (off_t)(offset_bytes + done));

        if (got == 0) {
            return -EBADMSG;
        }
        if (got < 0 && errno != EINTR) {
            return -errno;
        }
        done += got > 0 ? (size_t)got : 0;
    }
    return 0;
}

int totals_read_back(struct totals_reader *reader, const struct trace_writer *part,
                     uint64_t offset_bytes, size_t size, struct totals *ret_totals)
{
    char name[TRACE_NAME_MAX_BYTES + sizeof(TRACE_PARTIAL_SUFFIX)];
    AUTO_FREE uint8_t *bytes = malloc(size);

    if (bytes == NULL) {
        return -ENOMEM;
    }
    (void)snprintf(name, sizeof(name), "%s" TRACE_PARTIAL_SUFFIX, part->name);
    AUTO_CLOSE int fd = openat(part->dir_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        return -errno;
    }
    int r = read_exactly(fd, bytes, size, offset_bytes);
    return r < 0 ? r : totals_read(reader, (struct slice){bytes, size}, ret_totals);
}
