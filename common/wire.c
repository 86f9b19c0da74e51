#include "wire.h"

#include "bytes.h"

#include <errno.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

enum {
    OFFSET_TYPE = 4,
    OFFSET_HEADER_SIZE = 6,
    OFFSET_PAYLOAD_SIZE = 8,
    OFFSET_FLAGS = 12,
    OFFSET_SEQUENCE = 16,
    OFFSET_COUNTS = 24,
    OFFSET_FIRST = 40,
    OFFSET_LAST = 48,
    OFFSET_CHECKSUM = 56,
};

size_t wire_max_payload(enum wire_type type)
{
    switch (type) {
    case WIRE_HELLO:
    case WIRE_WELCOME:
        return WIRE_MAX_HELLO_BYTES;
    case WIRE_FRAME:
    case WIRE_GOODBYE:
        return WIRE_MAX_FRAME_BYTES;
    case WIRE_CONTROL:
        return WIRE_MAX_CONTROL_BYTES;
    case WIRE_REPLY:
        return WIRE_MAX_REPLY_BYTES;
    case WIRE_ACK:
    default:
        return 0;
    }
}

static uint64_t checksum(const uint8_t *header_bytes, struct slice payload)
{
    XXH64_state_t state;

    (void)XXH64_reset(&state, 0);
    (void)XXH64_update(&state, header_bytes, OFFSET_CHECKSUM);
    if (payload.size > 0) {
        (void)XXH64_update(&state, payload.data, payload.size);
    }
    return XXH64_digest(&state);
}

void wire_header_write(uint8_t ret_bytes[static WIRE_HEADER_BYTES],
                       const struct wire_header *header, struct slice payload)
{
    memset(ret_bytes, 0, WIRE_HEADER_BYTES);
    write_le32(ret_bytes, WIRE_MAGIC);
    write_le16(ret_bytes + OFFSET_TYPE, (uint16_t)header->type);
    write_le16(ret_bytes + OFFSET_HEADER_SIZE, WIRE_HEADER_BYTES);
    write_le32(ret_bytes + OFFSET_PAYLOAD_SIZE, (uint32_t)payload.size);
    write_le32(ret_bytes + OFFSET_FLAGS, header->flags);
    write_le64(ret_bytes + OFFSET_SEQUENCE, header->sequence);
    for (int i = 0; i < WIRE_COUNTS; i++) {
        write_le32(ret_bytes + OFFSET_COUNTS + 4 * i, header->counts[i]);
    }
    write_le64(ret_bytes + OFFSET_FIRST, header->first_ns);
    write_le64(ret_bytes + OFFSET_LAST, header->last_ns);
    write_le64(ret_bytes + OFFSET_CHECKSUM, checksum(ret_bytes, payload));
}

int wire_header_read(const uint8_t bytes[static WIRE_HEADER_BYTES], struct wire_header *ret_header)
{
    unsigned int type = read_le16(bytes + OFFSET_TYPE);
    unsigned int header_size = read_le16(bytes + OFFSET_HEADER_SIZE);
    uint32_t payload_size = read_le32(bytes + OFFSET_PAYLOAD_SIZE);

    if (read_le32(bytes) != WIRE_MAGIC || header_size < WIRE_HEADER_BYTES ||
        header_size > WIRE_MAX_HEADER_BYTES) {
        return -EBADMSG;
    }
    if (type < WIRE_HELLO || type > WIRE_REPLY) {
        return -EPROTONOSUPPORT;
    }
    if (payload_size > wire_max_payload((enum wire_type)type)) {
        return -EMSGSIZE;
    }
    *ret_header = (struct wire_header){
        .type = (enum wire_type)type,
        .header_size = header_size,
        .payload_size = payload_size,
        .flags = read_le32(bytes + OFFSET_FLAGS),
        .sequence = read_le64(bytes + OFFSET_SEQUENCE),
        .first_ns = read_le64(bytes + OFFSET_FIRST),
        .last_ns = read_le64(bytes + OFFSET_LAST),
        .checksum = read_le64(bytes + OFFSET_CHECKSUM),
    };
    for (int i = 0; i < WIRE_COUNTS; i++) {
        ret_header->counts[i] = read_le32(bytes + OFFSET_COUNTS + 4 * i);
    }
    return 0;
}

bool wire_checksum_is_right(const uint8_t header_bytes[static WIRE_HEADER_BYTES],
                            struct slice payload)
{
    return checksum(header_bytes, payload) == read_le64(header_bytes + OFFSET_CHECKSUM);
}
