#include "trace_bytes.h"

#include "batch_encode.h"
#include "bytes.h"
#include "random_batch.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum {
    SKIPPABLE_MAGIC = 0x184D2A5E,
    SKIPPABLE_HEADER_BYTES = 8,
    UNKNOWN_FEATURE = 1 << 20,
};

static struct frame_writer *writer;
static struct batch_encoder *encoder;

static void must(int r)
{
    if (r < 0) {
        (void)fprintf(stderr, "trace_bytes: %s\n", strerror(-r));
        abort();
    }
}

static struct packet_id id_of(const struct trace_bytes *bytes)
{
    struct packet_id id = {.sequence = bytes->sequence};

    memset(id.session, bytes->session, sizeof(id.session));
    return id;
}

/* Room for a frame at the end. */
static uint8_t *begin_frame(struct trace_bytes *bytes)
{
    if (writer == NULL) {
        must(frame_writer_new(&writer));
        must(batch_encoder_new(&encoder));
    }
    must(bytes->frame_count < TRACE_BYTES_MAX_FRAMES ? 0 : -E2BIG);
    return bytes->data + bytes->size;
}

static size_t room_of(const struct trace_bytes *bytes)
{
    return sizeof(bytes->data) - bytes->size;
}

static void end_frame(struct trace_bytes *bytes, size_t size)
{
    bytes->offsets[bytes->frame_count] = bytes->size;
    bytes->sizes[bytes->frame_count] = size;
    bytes->frame_count++;
    bytes->size += size;
}

void trace_bytes_add_source(struct trace_bytes *bytes, char session)
{
    uint8_t *frame = begin_frame(bytes);
    struct source source = {
        .format_version = TRACE_FORMAT_VERSION,
        .pid = 4711,
        .executable = "web",
        .host_name = "host",
        .boot_id = "boot",
        .writer = "test",
    };
    size_t size = 0;

    bytes->session = session;
    bytes->sequence = 0;
    source.id = id_of(bytes);
    must(packet_write_source(writer, &source, frame, room_of(bytes), &size));
    end_frame(bytes, size);
}

static void add_batch(struct trace_bytes *bytes, uint32_t operations, uint64_t features)
{
    const struct batch_shape shape = {.names = 2, .threads = 2, .operations = operations};
    uint8_t *frame = begin_frame(bytes);
    struct batch batch = {0};
    size_t size = 0;

    bytes->sequence++;
    must(random_batch(&batch, bytes->sequence, &shape));
    batch.id = id_of(bytes);
    batch.id.required_features = features;
    must(batch_encode(encoder, &batch, frame, room_of(bytes), &size));
    end_frame(bytes, size);
    batch_release(&batch);
}

void trace_bytes_add_batch(struct trace_bytes *bytes, uint32_t operations)
{
    add_batch(bytes, operations, 0);
}

void trace_bytes_add_newer(struct trace_bytes *bytes)
{
    add_batch(bytes, 1, UNKNOWN_FEATURE);
}

void trace_bytes_add_end(struct trace_bytes *bytes)
{
    uint8_t *frame = begin_frame(bytes);
    struct end end = {.id = id_of(bytes), .reason = END_SESSION_ENDED};
    size_t size = 0;

    must(packet_write_end(writer, &end, frame, room_of(bytes), &size));
    end_frame(bytes, size);
}

void trace_bytes_add_raw(struct trace_bytes *bytes, const void *raw, size_t size)
{
    must(size <= room_of(bytes) ? 0 : -E2BIG);
    memcpy(bytes->data + bytes->size, raw, size);
    bytes->size += size;
}

void trace_bytes_add_zeros(struct trace_bytes *bytes, size_t size)
{
    must(size <= room_of(bytes) ? 0 : -E2BIG);
    memset(bytes->data + bytes->size, 0, size);
    bytes->size += size;
}

void trace_bytes_add_skippable(struct trace_bytes *bytes, uint32_t content_size, uint8_t content)
{
    uint8_t header[SKIPPABLE_HEADER_BYTES];

    write_le32(header, SKIPPABLE_MAGIC);
    write_le32(header + 4, content_size);
    trace_bytes_add_raw(bytes, header, sizeof(header));
    trace_bytes_add_zeros(bytes, content_size);
    memset(bytes->data + bytes->size - content_size, content, content_size);
}

void trace_bytes_add_file(struct trace_bytes *bytes, const struct trace_bytes *other)
{
    must(bytes->frame_count + other->frame_count <= TRACE_BYTES_MAX_FRAMES ? 0 : -E2BIG);
    for (size_t i = 0; i < other->frame_count; i++) {
        bytes->offsets[bytes->frame_count] = bytes->size + other->offsets[i];
        bytes->sizes[bytes->frame_count] = other->sizes[i];
        bytes->frame_count++;
    }
    trace_bytes_add_raw(bytes, other->data, other->size);
}

void trace_bytes_add_session(struct trace_bytes *bytes, char session, unsigned int batches)
{
    trace_bytes_add_source(bytes, session);
    for (unsigned int i = 0; i < batches; i++) {
        trace_bytes_add_batch(bytes, i);
    }
    trace_bytes_add_end(bytes);
}

int memory_file(const void *bytes, size_t size)
{
    int fd = memfd_create("trace", MFD_CLOEXEC);

    if (fd < 0 || write(fd, bytes, size) != (ssize_t)size) {
        must(-errno);
    }
    return fd;
}
