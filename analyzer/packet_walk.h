/*
 * A trace file to packets, one after the other, with what lies between them: damage, a cut-off end, packets that are newer
 * than this program. For the verbs that read a file from front to back; the report reads frames in parallel.
 */
#pragma once

#include "packet.h"
#include "trace_reader.h"

#include <stdbool.h>

enum walk_item_kind {
    WALK_PACKET,
    WALK_DAMAGE,  /* bytes that are no frame, or a frame whose content is damaged */
    WALK_CUT_OFF, /* the file ends within a frame */
    WALK_NEWER,   /* a packet that requires features unknown to this program */
};

struct walk_item {
    enum walk_item_kind kind;
    uint64_t offset_bytes;
    uint64_t size_bytes;
    /* The rest for WALK_PACKET, the id for WALK_NEWER too. */
    enum packet_kind packet;
    struct packet_id id;
    struct slice plain; /* borrowed until the next call */
};

struct packet_walk {
    struct trace_reader *reader; /* owned */
    struct frame_reader *frames; /* owned */
};

/*
 * Opens a file; anything but a regular file is refused without waiting for it.
 *
 * ret_walk  to be released, also after an error
 * Returns:  0, -EISDIR, -ESPIPE if it is neither file nor folder, or a negative errno.
 * Threads:  one object, one thread at a time, as all functions here.
 */
MUST_USE int packet_walk_open(struct packet_walk *ret_walk, const char *path);
void packet_walk_release(struct packet_walk *walk);

/* The next item. Returns 1, 0 at the end of the file, or a negative errno. */
MUST_USE int packet_walk_next(struct packet_walk *walk, struct walk_item *ret_item);

/* The caller found the last packet's content to be damaged: the frames behind it are tested like after damage. */
void packet_walk_distrust(struct packet_walk *walk);
