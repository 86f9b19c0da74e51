/*
 * The body of one packet to one frame: measures it, puts the outermost tags before it, streams it into the compressor.
 */
#pragma once

#include "packet.h"
#include "proto_sink.h"

/* A body, whatever its kind. */
struct packet_body {
    enum packet_kind kind;
    void (*put)(struct proto_sink *sink,
                const void *content); /* called once to measure and once to write */
    const void *content;              /* borrowed */
};

/*
 * Writes the frame of a packet.
 *
 * Returns:  as packet_write_source().
 * Threads:  one writer, one thread at a time.
 */
MUST_USE int packet_write_frame(struct frame_writer *writer, const struct packet_body *body,
                                uint8_t *destination, size_t size, size_t *ret_size);
