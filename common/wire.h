/*
 * The socket protocol between libeddy and eddy-collector: messages behind a 64-byte header. Pure bytes: no I/O here.
 *
 * A stream connection (AF_UNIX, SOCK_STREAM). The client sends HELLO (with its recorder's descriptor as SCM_RIGHTS, if
 * it has one), the collector answers WELCOME; then FRAMEs one way and ACKs the other; GOODBYE ends a session, its
 * payload is the last frame (an empty batch whose totals are final), acknowledged like every frame. A control connection
 * sends CONTROL (payload: the request as text) and gets one REPLY (payload: the answer as text, status in count[0]:
 * 0 or an errno), without HELLO.
 *
 * Header, little-endian:
 *
 *     0  magic u32           "EDDY"
 *     4  type u16            enum wire_type
 *     6  header size u16     64; a longer header's further bytes are skipped by receivers that do not know them
 *     8  payload length u32
 *    12  flags u32           0
 *    16  sequence u64        FRAME, GOODBYE: of the batch; ACK: greatest sequence written
 *    24  counts 4 x u32      FRAME, GOODBYE: operations, samples, marks, long runs
 *    40  first time u64      FRAME: least begin, monotonic ns; ACK: greatest sequence durable on disk
 *    48  last time u64       FRAME: greatest end
 *    56  checksum u64        XXH64 (seed 0) of bytes 0..55 and the payload
 *
 * Protocol version: WIRE_VERSION, in the flags of HELLO and
 * WELCOME, low 16 bits; the collector answers with the version that it will speak, at most the client's.
 */
#pragma once

#include "base.h"
#include "columns.h"
#include "frame.h"

#include <stdbool.h>

enum {
    WIRE_HEADER_BYTES = 64,
    WIRE_MAX_HEADER_BYTES = 1024, /* of later versions */
    WIRE_MAGIC = 0x59444445,      /* "EDDY" */
    WIRE_VERSION = 1,
    WIRE_COUNTS = 4,
    WIRE_MAX_HELLO_BYTES = 64 << 10,
    WIRE_MAX_CONTROL_BYTES = 4 << 10,
    WIRE_MAX_REPLY_BYTES = 16 << 20,
    WIRE_MAX_FRAME_BYTES = FRAME_MAX_BYTES,
};

enum wire_type {
    WIRE_HELLO = 1,
    WIRE_WELCOME = 2,
    WIRE_FRAME = 3,
    WIRE_ACK = 4,
    WIRE_GOODBYE = 5,
    WIRE_CONTROL = 6,
    WIRE_REPLY = 7,
};

struct wire_header {
    enum wire_type type;
    uint32_t header_size;
    uint32_t payload_size;
    uint32_t flags;
    uint64_t sequence;
    uint32_t counts[WIRE_COUNTS];
    uint64_t first_ns; /* ACK: durable sequence */
    uint64_t last_ns;
    uint64_t checksum;
};

/* The greatest payload that a message of this type may have; 0 for types that are none. Threads: any, as all here. */
size_t wire_max_payload(enum wire_type type);

/*
 * Writes header for payload.
 *
 * header    its header_size, payload_size and checksum are not read: they are made from payload
 * payload   at most wire_max_payload(header->type) bytes
 */
void wire_header_write(uint8_t ret_bytes[static WIRE_HEADER_BYTES],
                       const struct wire_header *header, struct slice payload);

/*
 * Reads a header. Flags, sequence, counts and times are taken as they are.
 *
 * Returns:  0; -EBADMSG if it is none, or longer than WIRE_MAX_HEADER_BYTES; -EPROTONOSUPPORT if the type is unknown;
 *           -EMSGSIZE if the payload is longer than its type may be.
 */
MUST_USE int wire_header_read(const uint8_t bytes[static WIRE_HEADER_BYTES],
                              struct wire_header *ret_header);

/* Whether the checksum fits the first 56 bytes of header_bytes and the payload. */
bool wire_checksum_is_right(const uint8_t header_bytes[static WIRE_HEADER_BYTES],
                            struct slice payload);
