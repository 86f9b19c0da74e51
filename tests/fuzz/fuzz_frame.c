/*
 * Any bytes as a frame, and as the content of one: what frame_check() accepts keeps its limits, what decompresses does so
 * in part too, and content comes back from a frame as it was.
 */
#include "frame.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct frame_reader *reader;
static struct frame_reader *prefix_reader;
static struct frame_writer *writer;

static void require(bool holds, const char *what)
{
    if (!holds) {
        (void)fprintf(stderr, "does not hold: %s\n", what);
        abort();
    }
}

static void set_up(void)
{
    if (reader == NULL) {
        require(frame_reader_new(&reader) == 0 && frame_reader_new(&prefix_reader) == 0 &&
                    frame_writer_new(&writer) == 0,
                "there is memory");
    }
}

/* Shorter bytes ask for more or are refused; they are never a frame, and their end is not met with an error only then. */
static void check_shorter(struct slice frame)
{
    struct frame_info info;

    for (size_t size = 0; size < frame.size; size += 1 + size / 8) {
        require(frame_check((struct slice){frame.data, size}, &info) == -EAGAIN,
                "the beginning of a frame asks for more");
    }
}

static void check_prefixes(struct slice frame, struct slice plain)
{
    const size_t limits[] = {1, 100, 4096, plain.size / 2 + 1, plain.size, plain.size + 1};

    for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
        struct slice prefix;

        require(frame_decompress_prefix(prefix_reader, frame, limits[i], &prefix) == 0,
                "what decompresses does so in part");
        require(prefix.size == min_u64(limits[i], plain.size), "a prefix has the size asked for");
        require(memcmp(prefix.data, plain.data, prefix.size) == 0, "a prefix is a prefix");
    }
}

static void check_frame(struct slice bytes)
{
    struct slice plain;
    struct frame_info info;
    int r = frame_check(bytes, &info);

    require(r == 0 || r == -EAGAIN || r == -EBADMSG, "bytes are a frame, or a part, or none");
    if (r < 0) {
        require(frame_decompress(reader, bytes, &plain) == -EBADMSG, "no frame, no content");
        /* A prefix needs less than a frame; it must only not crash. */
        (void)!frame_decompress_prefix(prefix_reader, bytes, 100, &plain);
        return;
    }
    require(info.size <= bytes.size && info.size <= FRAME_MAX_BYTES, "frames have a limit");
    require(info.plain_size > 0 && info.plain_size <= FRAME_MAX_PLAIN_BYTES, "content has one");
    require(frame_may_begin(bytes), "frames begin like frames");
    bytes.size = info.size;
    check_shorter(bytes);
    r = frame_decompress(reader, bytes, &plain);
    require(r == 0 || r == -EBADMSG, "content is good or damaged");
    if (r == 0) {
        require(plain.size == info.plain_size, "content has the size stated");
        check_prefixes(bytes, plain);
    }
}

static void check_skippable(struct slice bytes)
{
    uint64_t size = 0;
    int r = frame_check_skippable(bytes, &size);

    require(r != 0 || (size >= 8 && frame_may_begin(bytes)), "skippable frames have a header");
    require(r != -EAGAIN || bytes.size < 8, "their header has 8 bytes");
}

/* The slow way to find what frame_find_magic() finds. */
static void check_magics(struct slice bytes)
{
    static const uint8_t magic[FRAME_MAGIC_BYTES] = {0x28, 0xb5, 0x2f, 0xfd};
    size_t next = frame_find_magic(bytes, 0);

    for (size_t at = 0; at + sizeof(magic) <= bytes.size; at++) {
        if (memcmp(bytes.data + at, magic, sizeof(magic)) == 0) {
            require(next == at, "each magic is found");
            next = frame_find_magic(bytes, at + 1);
        }
    }
    require(next + sizeof(magic) > bytes.size, "nothing else is found");
}

/* Bytes as content; blocks are flushed where it says so. */
static void check_round_trip(struct slice content)
{
    size_t room = frame_bound(content.size, content.size);
    AUTO_FREE uint8_t *frame = malloc(room);
    struct slice plain;
    size_t size = 0;
    int r = frame_start(writer, frame, room, content.size);

    for (size_t at = 0; r == 0 && at < content.size;) {
        size_t part = min_u64(1 + content.data[at], content.size - at);

        r = frame_append(writer, (struct slice){content.data + at, part});
        r = r == 0 && content.data[at] % 16 == 0 ? frame_flush_block(writer) : r;
        at += part;
    }
    if (r == -EINVAL && content.size > FRAME_MAX_BLOCKS / 2) {
        return; /* too many blocks */
    }
    require(r == 0 && frame_finish(writer, &size) == 0, "content fits into the bound");
    require(frame_decompress(reader, (struct slice){frame, size}, &plain) == 0 &&
                plain.size == content.size && memcmp(plain.data, content.data, plain.size) == 0,
            "content comes back");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice bytes = {data, size};

    set_up();
    check_frame(bytes);
    check_skippable(bytes);
    check_magics(bytes);
    if (size > 0 && size <= FRAME_MAX_PLAIN_BYTES) {
        check_round_trip(bytes);
    }
    return 0;
}
