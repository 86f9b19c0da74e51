/*
 * What the tests of the batch codec share: one batch, its frame and plaintext, and what came back.
 */
#pragma once

#include "batch_decode.h"
#include "batch_encode.h"
#include "random_batch.h"

/* Set up before each test of a suite with .init = codec_set_up, .fini = codec_tear_down. */
extern struct batch_encoder *encoder;
extern struct batch_decoder *decoder;
extern struct batch batch;
extern struct batch back;
extern uint8_t *frame;
extern size_t frame_size;

/* Something of everything. */
extern const struct batch_shape small_shape;

void codec_set_up(void);
void codec_tear_down(void);

/* Encodes batch into frame; returns what batch_encode() says. */
int encode(void);

/* Encodes batch, which must succeed; returns the plaintext, borrowed until the next call. */
struct slice encode_and_decompress(void);

/* Decodes plain, which must give batch again, into back. */
void check_back(struct slice plain);

/* Whether names are those of batch. */
void check_names(const struct batch_name *names, uint32_t count);
