#include "fake_collector.h"

#include "batch_decode.h"
#include "frame.h"
#include "packet.h"
#include "wire.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { POLL_MS = 20, LONGEST_STALL_MS = 30 };

/* What the thread needs beyond its books. */
struct reader {
    struct fake_collector *fake;
    struct batch_decoder *decoder;
    struct frame_reader *frames;
    struct batch batch;
    uint8_t *message;
};

static uint64_t next_random(struct fake_collector *fake)
{
    fake->random = fake->random * 6364136223846793005ULL + 1442695040888963407ULL;
    return fake->random >> 33;
}

static bool happens(struct fake_collector *fake, unsigned int one_in)
{
    return !fake->is_kind && next_random(fake) % one_in == 0;
}

static void stall(struct fake_collector *fake)
{
    const struct timespec rest = {0, (long)(next_random(fake) % LONGEST_STALL_MS + 1) * 1000000};

    (void)nanosleep(&rest, NULL);
}

/* Reads size bytes; false if the connection ended or the collector is to end. */
static bool read_all(struct fake_collector *fake, int fd, uint8_t *bytes, size_t size)
{
    size_t done = 0;

    while (done < size) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};

        if (fake->is_ended) {
            return false;
        }
        if (poll(&ready, 1, POLL_MS) == 0) {
            continue;
        }

        ssize_t got = recv(fd, bytes + done, size - done, 0);

        if (got <= 0) {
            return false;
        }
        done += (size_t)got;
    }
    return true;
}

/* Sends a message in two parts. */
static bool send_message(int fd, struct wire_header header, struct slice payload)
{
    uint8_t bytes[1024];
    size_t size = WIRE_HEADER_BYTES + payload.size;
    size_t half = size / 2;

    if (payload.size > 0) {
        memcpy(bytes + WIRE_HEADER_BYTES, payload.data, payload.size);
    }
    wire_header_write(bytes, &header, payload);
    return send(fd, bytes, half, MSG_NOSIGNAL) == (ssize_t)half &&
           send(fd, bytes + half, size - half, MSG_NOSIGNAL) == (ssize_t)(size - half);
}

static bool greet(int fd)
{
    const struct welcome welcome = {FRAME_MAX_BYTES, FRAME_MAX_PLAIN_BYTES, "fake"};
    uint8_t payload[256];
    size_t size = 0;

    return packet_pack_welcome(&welcome, payload, sizeof(payload), &size) == 0 &&
           send_message(fd, (struct wire_header){.type = WIRE_WELCOME, .flags = WIRE_VERSION},
                        (struct slice){payload, size});
}

/* Decodes a frame and adds it to the books, unless it was there before. */
static void take_frame(struct reader *reader, const struct wire_header *header)
{
    struct fake_collector *fake = reader->fake;
    struct slice frame = {reader->message + header->header_size, header->payload_size};
    struct frame_info info;
    struct slice plain;

    if (header->sequence == 0 || header->sequence >= FAKE_MAX_SEQUENCE ||
        frame_check(frame, &info) < 0 || info.size != frame.size ||
        frame_decompress(reader->frames, frame, &plain) < 0 ||
        batch_decode(reader->decoder, plain, &reader->batch) < 0 ||
        reader->batch.id.sequence != header->sequence) {
        fake->problem = "a frame is not valid";
        return;
    }
    if (fake->seen[header->sequence]) {
        return;
    }

    const struct batch *batch = &reader->batch;
    const struct record_counts rows = {batch->operations.count, batch->samples.count,
                                       batch->marks.count, batch->long_runs.count};

    fake->seen[header->sequence] = true;
    fake->frames++;
    record_counts_add(&fake->rows, &rows);
    if (header->type == WIRE_GOODBYE) {
        fake->said_goodbye = true;
        fake->totals = batch->totals;
    }
}

/* Returns false if the connection is over. */
static bool serve_message(struct reader *reader, int fd)
{
    struct fake_collector *fake = reader->fake;
    struct wire_header header;

    if (!read_all(fake, fd, reader->message, WIRE_HEADER_BYTES)) {
        return false;
    }
    if (wire_header_read(reader->message, &header) < 0) {
        fake->problem = "a header is not valid";
        return false;
    }
    if (happens(fake, 20)) {
        stall(fake);
    }
    if (happens(fake, 20) ||
        !read_all(fake, fd, reader->message + WIRE_HEADER_BYTES, header.payload_size)) {
        return false;
    }
    if (header.type == WIRE_HELLO) {
        return !happens(fake, 4) && greet(fd);
    }
    take_frame(reader, &header);
    /* It may be written and the acknowledgement never arrive: the client sends the frame again. */
    return !happens(fake, 10) &&
           send_message(fd, (struct wire_header){.type = WIRE_ACK, .sequence = header.sequence},
                        (struct slice){0});
}

static void *run(void *argument)
{
    struct fake_collector *fake = argument;
    struct reader reader = {.fake = fake, .message = malloc(WIRE_HEADER_BYTES + FRAME_MAX_BYTES)};

    batch_init(&reader.batch);
    if (reader.message == NULL || batch_decoder_new(&reader.decoder) < 0 ||
        frame_reader_new(&reader.frames) < 0) {
        fake->problem = "no memory";
        return NULL;
    }
    while (!fake->is_ended) {
        struct pollfd ready = {.fd = fake->listener, .events = POLLIN};
        int fd = poll(&ready, 1, POLL_MS) > 0 ? accept(fake->listener, NULL, NULL) : -1;

        if (fd >= 0) {
            fake->connections++;
            while (serve_message(&reader, fd)) {
            }
            (void)close(fd);
        }
    }
    batch_decoder_free(reader.decoder);
    frame_reader_free(reader.frames);
    batch_release(&reader.batch);
    free(reader.message);
    return NULL;
}

bool fake_collector_start(struct fake_collector *fake, uint64_t seed)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    fake->random = seed;
    (void)snprintf(fake->path, sizeof(fake->path), "/tmp/eddy-stress-%d.sock", (int)getpid());
    (void)unlink(fake->path);
    memcpy(address.sun_path, fake->path, strlen(fake->path));
    fake->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return fake->listener >= 0 &&
           bind(fake->listener, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
           listen(fake->listener, 1) == 0 && pthread_create(&fake->thread, NULL, run, fake) == 0;
}

void fake_collector_stop(struct fake_collector *fake)
{
    fake->is_ended = true;
    (void)pthread_join(fake->thread, NULL);
    (void)close(fake->listener);
    (void)unlink(fake->path);
}
