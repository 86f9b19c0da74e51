/*
 * Plaintext of a frame, from anywhere: every reader of packets must refuse it or read it, and what decodes as a batch must
 * encode to a frame that decodes to the same bytes again.
 */
#include "batch_decode.h"
#include "batch_encode.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct batch_decoder *decoder;
static struct batch_encoder *encoder;
static struct frame_reader *reader;

static void must(int r)
{
    if (r < 0) {
        (void)fprintf(stderr, "fuzz_batch_decode: %s\n", strerror(-r));
        abort();
    }
}

static void set_up(void)
{
    if (decoder == NULL) {
        must(batch_decoder_new(&decoder));
        must(batch_encoder_new(&encoder));
        must(frame_reader_new(&reader));
    }
}

/* Encodes batch into memory of the caller. Returns the bytes of its plaintext, borrowed from reader, or none if too large. */
static struct slice encode(struct batch *batch, uint8_t *frame, size_t room)
{
    struct slice plain = {NULL, 0};
    size_t size = 0;
    int r = batch_encode(encoder, batch, frame, room, &size);

    if (r == -E2BIG) {
        return plain;
    }
    must(r);
    must(frame_decompress(reader, (struct slice){frame, size}, &plain));
    return plain;
}

/* What was decoded once comes back as it is, to the byte. */
static void check_round_trip(struct batch *batch)
{
    static struct batch again;
    size_t room = batch_encode_bound(batch);
    AUTO_FREE uint8_t *frame = malloc(room);
    struct slice plain = encode(batch, frame, room);
    AUTO_FREE uint8_t *first = malloc(plain.size + 1);
    size_t first_size = plain.size;

    if (plain.size == 0) {
        return;
    }
    memcpy(first, plain.data, plain.size);
    must(batch_decode(decoder, plain, &again));
    plain = encode(&again, frame, room);
    if (plain.size != first_size || memcmp(plain.data, first, first_size) != 0) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct batch batch;
    static struct source source;
    static struct end end;
    struct batch_head head;
    struct hello hello;
    struct welcome welcome;
    enum packet_kind kind;
    struct packet_id id;
    struct slice plain = {data, size};

    set_up();

    struct packet_arena *arena = batch_decoder_arena(decoder);

    (void)!packet_peek(plain, &kind, &id);
    (void)!packet_read_source(arena, plain, &source);
    (void)!packet_read_end(arena, plain, &end);
    (void)!packet_read_batch_head(arena, plain, &head);
    (void)!packet_unpack_hello(arena, plain, &hello);
    (void)!packet_unpack_welcome(arena, plain, &welcome);
    if (size <= FRAME_MAX_PLAIN_BYTES && batch_decode(decoder, plain, &batch) == 0) {
        check_round_trip(&batch);
    }
    return 0;
}
