#include "checked_walk.h"

#include "packet.h"
#include "trace_bytes.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static struct frame_reader *frames;

static void require(bool holds, const char *what, uint64_t offset)
{
    if (!holds) {
        (void)fprintf(stderr, "at %llu does not hold: %s\n", (unsigned long long)offset, what);
        abort();
    }
}

/* Between two items may stand skippable frames only. */
static void check_gap(struct slice bytes, uint64_t from, uint64_t to)
{
    while (from < to) {
        uint64_t size = 0;

        require(
            frame_check_skippable((struct slice){bytes.data + from, bytes.size - from}, &size) == 0,
            "what is left out is skippable", from);
        from += size;
    }
    require(from == to, "skippable frames end where the next item begins", to);
}

/* The last step, and whether its length may be a lie. */
static void check_place(struct slice bytes, const struct step *last, const struct step *step)
{
    uint64_t end = last->offset + last->size;

    require(step->size > 0, "items are not empty", step->offset);
    require(step->offset + step->size <= bytes.size, "items end within the file", step->offset);
    if (step->offset >= end) {
        check_gap(bytes, end, step->offset);
        return;
    }
    require(last->kind == STEP_OBJECTED, "items do not overlap", step->offset);
    require(step->offset > last->offset, "items ascend", step->offset);
    require(step->kind <= STEP_OBJECTED, "what stands within a bad frame is a frame", step->offset);
}

static enum step_kind check_frame(struct slice bytes, struct trace_reader *reader,
                                  const struct trace_item *item)
{
    struct packet_id id;
    enum packet_kind kind;
    struct slice frame;
    struct slice plain;
    int r = 0;

    require(item->frame.size == item->size_bytes, "items have the size of their frame",
            item->offset_bytes);
    require(memcmp(item->frame.data, bytes.data + item->offset_bytes, item->size_bytes) == 0,
            "frames are what stands in the file", item->offset_bytes);
    require(memcmp(item->checksum,
                   bytes.data + item->offset_bytes + item->size_bytes - sizeof(item->checksum),
                   sizeof(item->checksum)) == 0,
            "the checksum is the frame's end", item->offset_bytes);
    r = frame_decompress(frames, item->frame, &plain);
    require(trace_reader_frame_at(reader, item->offset_bytes, item->size_bytes, &frame) == 0 &&
                memcmp(frame.data, bytes.data + item->offset_bytes, frame.size) == 0,
            "frames are found by their place", item->offset_bytes);
    require(r == 0 || r == -EBADMSG, "frames can be decompressed or are damaged",
            item->offset_bytes);
    if (r == 0) {
        require(plain.size == item->plain_size, "content has the size that the item says",
                item->offset_bytes);
        r = packet_peek(plain, &kind, &id);
    }
    if (r == -EBADMSG) {
        trace_reader_distrust(reader);
        return STEP_OBJECTED;
    }
    return r == 0 ? STEP_GOOD : STEP_NEWER;
}

static struct step check_item(struct slice bytes, struct trace_reader *reader,
                              const struct trace_item *item)
{
    struct step step = {.offset = item->offset_bytes, .size = item->size_bytes};

    switch (item->kind) {
    case TRACE_FRAME:
        step.kind = check_frame(bytes, reader, item);
        break;
    case TRACE_DAMAGE:
        step.kind = STEP_DAMAGE;
        break;
    case TRACE_CUT_OFF:
        step.kind = STEP_CUT_OFF;
        require(step.offset + step.size == bytes.size, "cut off are files at their end",
                step.offset);
        break;
    }
    return step;
}

static void check_end(struct slice bytes, struct trace_reader *reader, const struct step *last)
{
    struct trace_item item;

    check_gap(bytes, last->offset + last->size, bytes.size);
    require(trace_reader_offset(reader) == bytes.size, "the walk ends with the file", bytes.size);
    require(trace_reader_size(reader) == bytes.size, "the file has its size", bytes.size);
    require(trace_reader_next(reader, &item) == 0, "the end stays the end", bytes.size);
}

/* A hash of the good packets that a skimming walk finds: those of the other walk. */
static uint64_t add_packet(uint64_t hash, uint64_t offset, uint64_t size)
{
    return (hash * 31 + offset) * 31 + size;
}

/* A walk that reads less, in the memory of another one. Returns what add_packet() makes of its packets. */
static uint64_t skim(struct slice bytes, struct trace_reader *reader)
{
    struct trace_item item;
    struct packet_id id;
    enum packet_kind kind;
    uint64_t hash = 0;
    int r = trace_reader_reopen(reader, memory_file(bytes.data, bytes.size));

    require(r == 0, "a file can be opened again", 0);
    trace_reader_skim(reader);
    while ((r = trace_reader_next(reader, &item)) == 1) {
        struct slice frame;
        struct slice plain;

        if (item.kind != TRACE_FRAME) {
            continue;
        }
        require(item.frame.size <= item.size_bytes &&
                    memcmp(item.frame.data, bytes.data + item.offset_bytes, item.frame.size) == 0,
                "what is shown of a frame is its beginning", item.offset_bytes);
        require(memcmp(item.checksum,
                       bytes.data + item.offset_bytes + item.size_bytes - sizeof(item.checksum),
                       sizeof(item.checksum)) == 0,
                "the checksum is the frame's end", item.offset_bytes);
        r = trace_reader_frame_at(reader, item.offset_bytes, item.size_bytes, &frame);
        r = r < 0 ? r : frame_decompress(frames, frame, &plain);
        r = r < 0 ? r : packet_peek(plain, &kind, &id);
        if (r == -EBADMSG) {
            trace_reader_distrust(reader);
        } else {
            hash = add_packet(hash, item.offset_bytes, item.size_bytes);
        }
    }
    require(r == 0, "a walk has no errors", trace_reader_offset(reader));
    return hash;
}

void checked_walk(struct slice bytes, struct checked_walk *ret_walk)
{
    struct trace_reader *reader = NULL;
    struct trace_item item;
    struct step last = {0};
    size_t count = 0;
    uint64_t hash = 0;
    int r = trace_reader_new(&reader, memory_file(bytes.data, bytes.size));

    require(r == 0 && (frames != NULL || frame_reader_new(&frames) == 0), "there is memory", 0);
    while ((r = trace_reader_next(reader, &item)) == 1) {
        struct step step = check_item(bytes, reader, &item);

        check_place(bytes, &last, &step);
        if (ret_walk != NULL && count < CHECKED_WALK_MAX_STEPS) {
            ret_walk->steps[count] = step;
        }
        if (step.kind == STEP_GOOD || step.kind == STEP_NEWER) {
            hash = add_packet(hash, step.offset, step.size);
        }
        last = step;
        count++;
    }
    require(r == 0, "a walk has no errors", last.offset);
    check_end(bytes, reader, &last);
    require(skim(bytes, reader) == hash, "who reads less finds the same packets", bytes.size);
    trace_reader_free(reader);
    if (ret_walk != NULL) {
        ret_walk->count = count;
    }
}
