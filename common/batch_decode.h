/*
 * A frame's plaintext to a batch: the packet is unpacked (packet.h), its columns become rows (columns.h). The bytes may
 * come from anywhere: every length, index and order is checked, and what does not fit is -EBADMSG.
 */
#pragma once

#include "batch.h"
#include "columns.h"
#include "packet.h"

/* Owns scratch columns and the arena that decoded texts live in. One thread at a time. */
struct batch_decoder;

MUST_USE int batch_decoder_new(struct batch_decoder **ret_decoder);
void batch_decoder_free(struct batch_decoder *decoder);

/* For packet_read_*() by the owner of the decoder, between batches. */
struct packet_arena *batch_decoder_arena(struct batch_decoder *decoder);

/*
 * Decodes a Batch packet. On success batch is what was given to batch_encode(), row for row; its texts stay valid
 * until the next call with this decoder. On error batch is cleared.
 *
 * Returns:  0, -EBADMSG, -EPROTONOSUPPORT, -ENOMEM.
 */
MUST_USE int batch_decode(struct batch_decoder *decoder, struct slice plain, struct batch *batch);
