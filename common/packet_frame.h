/*
 * The body of one packet to one frame: measures it, puts the outermost tags before it, streams it into the compressor.
 */
#pragma once

#include "packet.h"
#include "proto_sink.h"

/* Puts the fields of a body; called once to measure and once to write. */
typedef void packet_put_body(struct proto_sink *sink, const void *content);

/*
 * Writes the frame of a packet.
 *
 * content   what put() is called with
 * Returns:  as packet_write_source().
 * Threads:  one writer, one thread at a time.
 */
MUST_USE int packet_write_frame(struct frame_writer *writer, enum packet_kind kind,
                                packet_put_body *put, const void *content, uint8_t *destination,
                                size_t size, size_t *ret_size);
