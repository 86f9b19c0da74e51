#include "packet_walk.h"

#include <errno.h>
#include <fcntl.h>

int packet_walk_open(struct packet_walk *ret_walk, const char *path)
{
    /* Not blocking: a FIFO must be refused, not waited for. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    *ret_walk = (struct packet_walk){0};
    if (fd < 0) {
        return -errno;
    }

    int r = trace_reader_new(&ret_walk->reader, fd);

    return r < 0 ? r : frame_reader_new(&ret_walk->frames);
}

void packet_walk_release(struct packet_walk *walk)
{
    trace_reader_free(walk->reader);
    frame_reader_free(walk->frames);
    *walk = (struct packet_walk){0};
}

void packet_walk_distrust(struct packet_walk *walk)
{
    trace_reader_distrust(walk->reader);
}

/* Opens the frame of an item whose place is set already. */
static int unwrap(struct packet_walk *walk, struct slice frame, struct walk_item *item)
{
    int r = frame_decompress(walk->frames, frame, &item->plain);

    r = r < 0 ? r : packet_peek(item->plain, &item->packet, &item->id);
    if (r == -EPROTONOSUPPORT) {
        item->kind = WALK_NEWER;
        return 1;
    }
    if (r == -EBADMSG) {
        item->kind = WALK_DAMAGE;
        packet_walk_distrust(walk);
        return 1;
    }
    item->kind = WALK_PACKET;
    return r < 0 ? r : 1;
}

int packet_walk_next(struct packet_walk *walk, struct walk_item *ret_item)
{
    struct trace_item found;
    int r = trace_reader_next(walk->reader, &found);

    if (r <= 0) {
        return r;
    }
    *ret_item = (struct walk_item){.offset_bytes = found.offset_bytes};
    if (found.kind == TRACE_FRAME) {
        ret_item->size_bytes = found.frame.size;
        return unwrap(walk, found.frame, ret_item);
    }
    ret_item->size_bytes = found.size_bytes;
    ret_item->kind = found.kind == TRACE_CUT_OFF ? WALK_CUT_OFF : WALK_DAMAGE;
    return 1;
}
