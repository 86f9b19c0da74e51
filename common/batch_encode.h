/*
 * A batch to a frame: rows become columns (columns.h), columns become a packet (packet.h), the packet a zstd frame.
 */
#pragma once

#include "batch.h"

/* Owns the column buffers and the compressor; reused from batch to batch. One thread at a time. */
struct batch_encoder;

MUST_USE int batch_encoder_new(struct batch_encoder **ret_encoder);
void batch_encoder_free(struct batch_encoder *encoder);

/*
 * Encodes batch into destination. Sorts nothing: operations and open operations must be sorted by begin, samples and
 * marks by time. Fills in batch->min_begin_ns, min_end_ns, max_end_ns and names[].rows.
 *
 * ret_size  bytes of the frame
 * Returns:  0; -EINVAL if batch breaks a rule of batch.h; -ENOBUFS if size is too small (batch_encode_bound() is
 *           always enough); -E2BIG if the plaintext would exceed FRAME_MAX_PLAIN_BYTES: split the batch; -ENOMEM.
 */
MUST_USE int batch_encode(struct batch_encoder *encoder, struct batch *batch, uint8_t *destination,
                          size_t size, size_t *ret_size);

/* Bytes that the frame of batch needs at most. */
size_t batch_encode_bound(const struct batch *batch);
