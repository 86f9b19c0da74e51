#include "frame.h"

#include "bytes.h"

#include <errno.h>
#include <string.h>
#define ZSTD_STATIC_LINKING_ONLY /* for a parameter; we can do without it */
#include <zstd.h>
#include <zstd_errors.h>

#define FRAME_MAGIC 0xFD2FB528U
#define SKIPPABLE_MAGIC 0x184D2A50U
#define SKIPPABLE_MASK 0xFFFFFFF0U

enum {
    SKIPPABLE_HEADER_BYTES = 8,
    MAX_BLOCK_BYTES = 128 << 10,
    MIN_WINDOW_LOG = 10,
    BLOCK_RLE = 1,
    BLOCK_COMPRESSED = 2,
    BLOCK_RESERVED = 3,
    WRITER_WINDOW_LOG = 19, /* what zstd takes for level 1 */
    WRITER_HASH_LOG = 9,    /* matches are few and near: a small table stays in the cache */
    WRITER_STEP = 32,       /* how far the search for matches goes on where there was none */
    /* Blocks of a frame that nobody asked for: full ones, and an empty last one. */
    OWN_BLOCKS = FRAME_MAX_PLAIN_BYTES / MAX_BLOCK_BYTES + 1,
};

/* Frame_Header_Descriptor, RFC 8878, 3.1.1.1.1. */
enum {
    DESCRIPTOR_SINGLE_SEGMENT = 1 << 5,
    DESCRIPTOR_UNUSED_AND_RESERVED = 3 << 3,
    DESCRIPTOR_CHECKSUM = 1 << 2,
    DESCRIPTOR_DICTIONARY = 3,
};

/* What a frame header says. */
struct frame_header {
    size_t size;
    uint64_t content_size;
    uint64_t window_size;
};

static uint64_t read_content_size(const uint8_t *field, unsigned int bytes)
{
    switch (bytes) {
    case 1:
        return field[0];
    case 2:
        return read_le16(field) + 256U;
    case 4:
        return read_le32(field);
    default:
        return read_le64(field);
    }
}

static uint64_t read_window_size(uint8_t descriptor)
{
    uint64_t base = UINT64_C(1) << (MIN_WINDOW_LOG + (descriptor >> 3));

    return base + base / 8 * (descriptor & 7);
}

/* Whether the descriptor is of the form that our writer gives it: content size and checksum, nothing else. */
static bool is_descriptor_allowed(uint8_t descriptor)
{
    const uint8_t forbidden = DESCRIPTOR_UNUSED_AND_RESERVED | DESCRIPTOR_DICTIONARY;
    bool has_content_size = (descriptor >> 6) != 0 || (descriptor & DESCRIPTOR_SINGLE_SEGMENT) != 0;

    return (descriptor & forbidden) == 0 && (descriptor & DESCRIPTOR_CHECKSUM) != 0 &&
           has_content_size;
}

/* Reads the header of bytes that begin like a frame. Returns 0, -EAGAIN, or -EBADMSG. */
static int read_header(struct slice bytes, struct frame_header *ret_header)
{
    size_t at = FRAME_MAGIC_BYTES + 1;

    if (bytes.size < at) {
        return -EAGAIN;
    }

    uint8_t descriptor = bytes.data[FRAME_MAGIC_BYTES];
    bool has_window = (descriptor & DESCRIPTOR_SINGLE_SEGMENT) == 0;
    unsigned int field_bytes = 1U << (descriptor >> 6);

    if (!is_descriptor_allowed(descriptor)) {
        return -EBADMSG;
    }
    ret_header->size = at + has_window + field_bytes;
    if (bytes.size < ret_header->size) {
        return -EAGAIN;
    }
    ret_header->content_size = read_content_size(bytes.data + at + has_window, field_bytes);
    ret_header->window_size =
        has_window ? read_window_size(bytes.data[at]) : ret_header->content_size;
    if (ret_header->content_size == 0 || ret_header->content_size > FRAME_MAX_PLAIN_BYTES ||
        ret_header->window_size > UINT64_C(1) << FRAME_MAX_WINDOW_LOG) {
        return -EBADMSG;
    }
    return 0;
}

/* Whether bytes, which may be too few to say, begin like a frame. */
static bool has_frame_magic(struct slice bytes)
{
    uint8_t magic[FRAME_MAGIC_BYTES];

    write_le32(magic, FRAME_MAGIC);
    return bytes.size == 0 || memcmp(bytes.data, magic, min_u64(bytes.size, sizeof(magic))) == 0;
}

/* --- A walk from block to block --- */

int frame_walk_begin(struct frame_walk *ret_walk, struct slice bytes)
{
    struct frame_header header;
    int r = has_frame_magic(bytes) ? read_header(bytes, &header) : -EBADMSG;

    if (r == 0) {
        *ret_walk = (struct frame_walk){.content_size = header.content_size,
                                        .window_size = header.window_size,
                                        .at = header.size};
    }
    return r;
}

int frame_walk_step(struct frame_walk *walk, const uint8_t block[static FRAME_BLOCK_HEADER_BYTES])
{
    uint32_t fields = block[0] | (uint32_t)block[1] << 8 | (uint32_t)block[2] << 16;
    unsigned int type = (fields >> 1) & 3;
    size_t size = fields >> 3;

    walk->is_done = (fields & 1) != 0;
    walk->at += FRAME_BLOCK_HEADER_BYTES + (type == BLOCK_RLE ? 1 : size);
    walk->plain_size += type == BLOCK_COMPRESSED ? 0 : size;
    walk->count++;
    return type == BLOCK_RESERVED || size > min_u64(MAX_BLOCK_BYTES, walk->window_size) ||
                   walk->plain_size > walk->content_size || walk->count > FRAME_MAX_BLOCKS ||
                   walk->at > FRAME_MAX_BYTES - FRAME_CHECKSUM_BYTES
               ? -EBADMSG
               : 0;
}

/* Steps over one block of bytes. Returns 0, -EAGAIN, or -EBADMSG. */
static int step_over_block(struct slice bytes, struct frame_walk *walk)
{
    if (walk->at > bytes.size || bytes.size - walk->at < FRAME_BLOCK_HEADER_BYTES) {
        return -EAGAIN;
    }

    int r = frame_walk_step(walk, bytes.data + walk->at);

    return r == 0 && walk->at > bytes.size ? -EAGAIN : r;
}

int frame_check(struct slice bytes, struct frame_info *ret_info)
{
    struct frame_walk walk = {0};
    int r = frame_walk_begin(&walk, bytes);

    while (r == 0 && !walk.is_done) {
        r = step_over_block(bytes, &walk);
    }
    if (r < 0) {
        return r;
    }
    if (bytes.size - walk.at < FRAME_CHECKSUM_BYTES) {
        return -EAGAIN;
    }
    *ret_info = (struct frame_info){walk.at + FRAME_CHECKSUM_BYTES, walk.content_size};
    return 0;
}

/* Whether bytes, which may be too few to say, begin like a skippable frame. */
static bool has_skippable_magic(struct slice bytes)
{
    uint8_t magic[FRAME_MAGIC_BYTES];

    write_le32(magic, SKIPPABLE_MAGIC);
    if (bytes.size > 0) {
        magic[0] |= bytes.data[0] & (uint8_t)~SKIPPABLE_MASK;
    }
    return bytes.size == 0 || memcmp(bytes.data, magic, min_u64(bytes.size, sizeof(magic))) == 0;
}

int frame_check_skippable(struct slice bytes, uint64_t *ret_size)
{
    if (!has_skippable_magic(bytes)) {
        return -EBADMSG;
    }
    if (bytes.size < SKIPPABLE_HEADER_BYTES) {
        return -EAGAIN;
    }
    *ret_size = SKIPPABLE_HEADER_BYTES + (uint64_t)read_le32(bytes.data + FRAME_MAGIC_BYTES);
    return 0;
}

bool frame_may_begin(struct slice bytes)
{
    return has_frame_magic(bytes) || has_skippable_magic(bytes);
}

size_t frame_find_magic(struct slice bytes, size_t from)
{
    size_t end = bytes.size < FRAME_MAGIC_BYTES ? 0 : bytes.size - FRAME_MAGIC_BYTES + 1;

    while (from < end) {
        const uint8_t *found = memchr(bytes.data + from, FRAME_MAGIC & 0xff, end - from);

        if (found == NULL) {
            break;
        }
        from = (size_t)(found - bytes.data);
        if (read_le32(found) == FRAME_MAGIC) {
            return from;
        }
        from++;
    }
    return from > end ? from : end;
}

/* A zstd result as errno; otherwise says what an error means where memory is not the problem. */
static int error_of(size_t result, int otherwise)
{
    if (!ZSTD_isError(result)) {
        return 0;
    }
    return ZSTD_getErrorCode(result) == ZSTD_error_memory_allocation ? -ENOMEM : otherwise;
}

/* --- Writing --- */

struct frame_writer {
    ZSTD_CCtx *context; /* owned */
    ZSTD_outBuffer out; /* dst borrowed from the caller */
    size_t plain_left;
    size_t blocks_left; /* that may be flushed */
};

static bool set_parameter(struct frame_writer *writer, ZSTD_cParameter parameter, int value)
{
    return !ZSTD_isError(ZSTD_CCtx_setParameter(writer->context, parameter, value));
}

/*
 * Columns are bytes of low entropy, or noise: what compresses them is the frequencies of bytes, hardly ever a match. So the
 * search for matches takes long steps. zstd would then no longer look at frequencies, unless it is told to.
 */
static bool set_parameters(struct frame_writer *writer)
{
    return set_parameter(writer, ZSTD_c_compressionLevel, FRAME_COMPRESSION_LEVEL) &&
           set_parameter(writer, ZSTD_c_windowLog, WRITER_WINDOW_LOG) &&
           set_parameter(writer, ZSTD_c_hashLog, WRITER_HASH_LOG) &&
           set_parameter(writer, ZSTD_c_checksumFlag, 1) &&
           (!set_parameter(writer, ZSTD_c_literalCompressionMode, ZSTD_ps_enable) ||
            set_parameter(writer, ZSTD_c_targetLength, WRITER_STEP));
}

int frame_writer_new(struct frame_writer **ret_writer)
{
    struct frame_writer *writer = calloc(1, sizeof(*writer));

    if (writer == NULL) {
        return -ENOMEM;
    }
    writer->context = ZSTD_createCCtx();
    if (writer->context == NULL || !set_parameters(writer)) {
        frame_writer_free(writer);
        return -ENOMEM;
    }
    *ret_writer = writer;
    return 0;
}

void frame_writer_free(struct frame_writer *writer)
{
    if (writer != NULL) {
        (void)ZSTD_freeCCtx(writer->context);
        free(writer);
    }
}

size_t frame_bound(size_t plain_size, size_t block_count)
{
    return ZSTD_compressBound(plain_size) + FRAME_BLOCK_HEADER_BYTES * (block_count + 1) +
           FRAME_CHECKSUM_BYTES;
}

int frame_start(struct frame_writer *writer, uint8_t *destination, size_t size, size_t plain_size)
{
    if (plain_size == 0 || plain_size > FRAME_MAX_PLAIN_BYTES) {
        return -EINVAL;
    }
    writer->out = (ZSTD_outBuffer){destination, size, 0};
    writer->plain_left = plain_size;
    writer->blocks_left = FRAME_MAX_BLOCKS - OWN_BLOCKS;
    (void)ZSTD_CCtx_reset(writer->context, ZSTD_reset_session_only);
    return error_of(ZSTD_CCtx_setPledgedSrcSize(writer->context, plain_size), -EINVAL);
}

/* Feeds plain in and goes on until zstd has nothing left to do for this directive. */
static int compress(struct frame_writer *writer, struct slice plain, ZSTD_EndDirective directive)
{
    ZSTD_inBuffer in = {plain.data, plain.size, 0};
    size_t left = 0;

    do {
        left = ZSTD_compressStream2(writer->context, &writer->out, &in, directive);

        int r = error_of(left, -EINVAL);

        if (r < 0) {
            return r;
        }
        if (writer->out.pos == writer->out.size && (left > 0 || in.pos < in.size)) {
            return -ENOBUFS;
        }
    } while (in.pos < in.size || (directive != ZSTD_e_continue && left > 0));
    return 0;
}

int frame_append(struct frame_writer *writer, struct slice plain)
{
    if (plain.size > writer->plain_left) {
        return -EINVAL;
    }
    writer->plain_left -= plain.size;
    return plain.size == 0 ? 0 : compress(writer, plain, ZSTD_e_continue);
}

int frame_flush_block(struct frame_writer *writer)
{
    if (writer->blocks_left == 0) {
        return -EINVAL;
    }
    writer->blocks_left--;
    return compress(writer, (struct slice){NULL, 0}, ZSTD_e_flush);
}

int frame_finish(struct frame_writer *writer, size_t *ret_size)
{
    if (writer->plain_left != 0) {
        return -EINVAL;
    }

    int r = compress(writer, (struct slice){NULL, 0}, ZSTD_e_end);

    if (r < 0) {
        return r;
    }
    *ret_size = writer->out.pos;
    return 0;
}

/* --- Reading --- */

struct frame_reader {
    ZSTD_DCtx *context; /* owned */
    uint8_t *plain;     /* owned */
    size_t plain_room;
};

int frame_reader_new(struct frame_reader **ret_reader)
{
    struct frame_reader *reader = calloc(1, sizeof(*reader));

    if (reader == NULL) {
        return -ENOMEM;
    }
    reader->context = ZSTD_createDCtx();
    if (reader->context == NULL ||
        ZSTD_isError(
            ZSTD_DCtx_setParameter(reader->context, ZSTD_d_windowLogMax, FRAME_MAX_WINDOW_LOG))) {
        frame_reader_free(reader);
        return -ENOMEM;
    }
    *ret_reader = reader;
    return 0;
}

void frame_reader_free(struct frame_reader *reader)
{
    if (reader != NULL) {
        (void)ZSTD_freeDCtx(reader->context);
        free(reader->plain);
        free(reader);
    }
}

/* The stated size is believed only as far as the format allows: frame_check() tested it. */
static int reserve_plain(struct frame_reader *reader, size_t size)
{
    if (size <= reader->plain_room) {
        return 0;
    }
    free(reader->plain);
    reader->plain_room = 0;
    reader->plain = malloc(size);
    if (reader->plain == NULL) {
        return -ENOMEM;
    }
    reader->plain_room = size;
    return 0;
}

int frame_decompress(struct frame_reader *reader, struct slice frame, struct slice *ret_plain)
{
    struct frame_info info;
    int r = frame_check(frame, &info);

    if (r < 0 || info.size != frame.size) {
        return -EBADMSG;
    }
    r = reserve_plain(reader, info.plain_size);
    if (r < 0) {
        return r;
    }

    size_t size = ZSTD_decompressDCtx(reader->context, reader->plain, info.plain_size, frame.data,
                                      frame.size);

    r = error_of(size, -EBADMSG);
    if (r < 0) {
        return r;
    }
    if (size != info.plain_size) {
        return -EBADMSG;
    }
    *ret_plain = (struct slice){reader->plain, size};
    return 0;
}

/* Decompresses until out is full or frame has no more to give. */
static int fill(struct frame_reader *reader, struct slice frame, ZSTD_outBuffer *out)
{
    ZSTD_inBuffer in = {frame.data, frame.size, 0};
    size_t before = 0;
    size_t left = 1;

    (void)ZSTD_DCtx_reset(reader->context, ZSTD_reset_session_only);
    do {
        before = in.pos + out->pos;
        left = ZSTD_decompressStream(reader->context, out, &in);

        int r = error_of(left, -EBADMSG);

        if (r < 0) {
            return r;
        }
    } while (left > 0 && out->pos < out->size && in.pos + out->pos > before);
    return 0;
}

int frame_decompress_prefix(struct frame_reader *reader, struct slice frame, size_t limit,
                            struct slice *ret_plain)
{
    struct frame_header header;

    if (!has_frame_magic(frame) || read_header(frame, &header) < 0) {
        return -EBADMSG;
    }

    size_t size = min_u64(limit, header.content_size);
    int r = reserve_plain(reader, size);
    ZSTD_outBuffer out = {reader->plain, size, 0};

    r = r < 0 ? r : fill(reader, frame, &out);
    if (r < 0) {
        return r;
    }
    *ret_plain = (struct slice){reader->plain, out.pos};
    return 0;
}

int frame_decompress_first_block(struct frame_reader *reader, struct slice frame,
                                 struct slice *ret_plain)
{
    struct frame_walk walk = {0};

    if (frame_walk_begin(&walk, frame) < 0 || step_over_block(frame, &walk) < 0) {
        return -EBADMSG;
    }
    return frame_decompress_prefix(reader, (struct slice){frame.data, walk.at}, MAX_BLOCK_BYTES,
                                   ret_plain);
}
