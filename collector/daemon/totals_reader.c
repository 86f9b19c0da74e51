#include "totals_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

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

static bool is_of(const struct batch_head *head, const struct packet_id *id)
{
    return head->id.sequence == id->sequence &&
           memcmp(head->id.session, id->session, SESSION_ID_BYTES) == 0;
}

static int read_head(struct totals_reader *reader, struct slice plain, const struct packet_id *id,
                     struct totals *ret_totals)
{
    struct batch_head head;

    reader->plain_bytes += plain.size;
    int r = packet_read_batch_head(reader->arena, plain, &head);
    if (r < 0) {
        return r;
    }
    if (!is_of(&head, id)) {
        return -EBADMSG;
    }
    *ret_totals = head.totals;
    return 0;
}

int totals_read(struct totals_reader *reader, struct slice frame, const struct packet_id *id,
                struct totals *ret_totals)
{
    struct slice plain;

    int r = frame_decompress_first_block(reader->frames, frame, &plain);
    r = r < 0 ? r : read_head(reader, plain, id, ret_totals);
    if (r != -EBADMSG) {
        return r;
    }
    r = frame_decompress_prefix(reader->frames, frame, TOTALS_MAX_HEAD_BYTES, &plain);
    return r < 0 ? r : read_head(reader, plain, id, ret_totals);
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
                     uint64_t offset_bytes, size_t size, const struct packet_id *id,
                     struct totals *ret_totals)
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
    return r < 0 ? r : totals_read(reader, (struct slice){bytes, size}, id, ret_totals);
}
