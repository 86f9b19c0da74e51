/*
 * zstd frames: one frame holds the plaintext of one packet and decodes alone. Knows zstd, and nothing of packets.
 *
 * A frame is valid if and only if
 *   - it begins with the zstd magic number, its descriptor has no dictionary id and its unused and reserved bits are 0;
 *   - it states its content size, 1 .. FRAME_MAX_PLAIN_BYTES, and has a content checksum;
 *   - its window is at most 2^FRAME_MAX_WINDOW_LOG bytes;
 *   - it has at most FRAME_MAX_BLOCKS blocks, none larger than zstd allows, which end within FRAME_MAX_BYTES, and
 *   - it decompresses to exactly the stated size, with the right checksum.
 * frame_check() tests all but the last from the frame's own bytes, without memory and in time linear in its blocks;
 * frame_decompress() tests the last.
 */
#pragma once

#include "base.h"
#include "columns.h"

#include <stdbool.h>

enum {
    FRAME_MAX_PLAIN_BYTES = 8 << 20,
    FRAME_MAX_WINDOW_LOG = 23,
    /* A frame of incompressible content is hardly larger than its content. */
    FRAME_MAX_BYTES = FRAME_MAX_PLAIN_BYTES + (64 << 10),
    /* Keeps frame_check() short: bytes made to look like frames cost little. Writers use a tenth of it. */
    FRAME_MAX_BLOCKS = 1024,
    FRAME_MAGIC_BYTES = 4,
    FRAME_COMPRESSION_LEVEL = 1,
};

struct frame_info {
    size_t size;       /* of the frame: header, blocks, checksum */
    size_t plain_size; /* stated content size */
};

/*
 * Tests the form of the frame at the start of bytes.
 *
 * Returns:  0; -EAGAIN if bytes end within the frame; -EBADMSG if it is not valid.
 * Threads:  any.
 */
MUST_USE int frame_check(struct slice bytes, struct frame_info *ret_info);

/*
 * The same test by pieces, for frames whose bytes are not all at hand: the header, then the three bytes before each block.
 *
 * frame_walk_begin()  needs FRAME_HEADER_MAX_BYTES, or all there are; *ret_walk then says where the first block is
 * frame_walk_step()   takes the bytes at walk->at, and goes on to the next block, or to the checksum if walk->is_done
 * Returns:  0; -EAGAIN if bytes end within the header; -EBADMSG if it is not valid.
 * Threads:  any.
 */
enum { FRAME_HEADER_MAX_BYTES = 18, FRAME_BLOCK_HEADER_BYTES = 3, FRAME_CHECKSUM_BYTES = 4 };

struct frame_walk {
    uint64_t content_size; /* as the header says, as the next one */
    uint64_t window_size;
    size_t at;           /* from the begin of the frame */
    uint64_t plain_size; /* of the blocks that say it: raw and repeated ones */
    unsigned int count;  /* of blocks */
    bool is_done;
};

MUST_USE int frame_walk_begin(struct frame_walk *ret_walk, struct slice bytes);
MUST_USE int frame_walk_step(struct frame_walk *walk,
                             const uint8_t block[static FRAME_BLOCK_HEADER_BYTES]);

/*
 * Tests whether bytes begin with a skippable frame (RFC 8878, 3.1.2).
 *
 * Returns:  0 and its whole size (which may exceed bytes.size); -EAGAIN if bytes end within its header; -EBADMSG if not.
 * Threads:  any.
 */
MUST_USE int frame_check_skippable(struct slice bytes, uint64_t *ret_size);

/* Whether bytes begin like a frame or a skippable frame, as far as they reach; an end of bytes does. Threads: any. */
bool frame_may_begin(struct slice bytes);

/*
 * Finds the magic number of a frame.
 *
 * Returns:  the offset of the first one at or behind from; if there is none, where to go on with more bytes: from, or
 *           bytes.size - 3 if that is greater.
 * Threads:  any.
 */
size_t frame_find_magic(struct slice bytes, size_t from);

/* Compresses; owns a zstd context (about 1 MiB). One thread at a time. */
struct frame_writer;

MUST_USE int frame_writer_new(struct frame_writer **ret_writer);
void frame_writer_free(struct frame_writer *writer);

/* Room that a frame of plain_size bytes with block_count flushes needs at most. */
size_t frame_bound(size_t plain_size, size_t block_count);

/*
 * Starts a frame of exactly plain_size bytes into destination, which stays borrowed until frame_finish().
 *
 * Returns:  0; -EINVAL if plain_size is not 1 .. FRAME_MAX_PLAIN_BYTES. This and the following return -ENOBUFS if
 *           destination is too small, -ENOMEM if zstd gets no memory.
 */
MUST_USE int frame_start(struct frame_writer *writer, uint8_t *destination, size_t size,
                         size_t plain_size);
MUST_USE int frame_append(struct frame_writer *writer, struct slice plain);

/* Ends the current block, so that what follows gets entropy tables of its own. -EINVAL if FRAME_MAX_BLOCKS are used up. */
MUST_USE int frame_flush_block(struct frame_writer *writer);

/* Ends the frame. Returns 0 and the bytes written; -EINVAL if fewer or more than plain_size were appended. */
MUST_USE int frame_finish(struct frame_writer *writer, size_t *ret_size);

/* Decompresses; owns a zstd context and a buffer that grows up to FRAME_MAX_PLAIN_BYTES. One thread at a time. */
struct frame_reader;

MUST_USE int frame_reader_new(struct frame_reader **ret_reader);
void frame_reader_free(struct frame_reader *reader);

/*
 * Decompresses a frame that frame_check() accepted.
 *
 * ret_plain borrowed from reader until its next call
 * Returns:  0; -EBADMSG if the content is damaged; -ENOMEM.
 */
MUST_USE int frame_decompress(struct frame_reader *reader, struct slice frame,
                              struct slice *ret_plain);

/*
 * Decompresses the first blocks of a frame only, up to about limit bytes of plaintext: enough to read a head. The
 * content checksum need not be tested.
 *
 * Returns:  as frame_decompress().
 */
MUST_USE int frame_decompress_prefix(struct frame_reader *reader, struct slice frame, size_t limit,
                                     struct slice *ret_plain);

/*
 * Decompresses the first block of a frame only: what was appended up to the first frame_flush_block(), if that is at most
 * 128 KiB.
 *
 * Returns:  as frame_decompress().
 */
MUST_USE int frame_decompress_first_block(struct frame_reader *reader, struct slice frame,
                                          struct slice *ret_plain);
