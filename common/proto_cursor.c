#include "proto_cursor.h"

#include <errno.h>
#include <string.h>

enum {
    VARINT_MAX_BYTES = 10,
    TAG_TYPE_BITS = 3,
    TAG_TYPE_MASK = 7,
};

static void skip(struct slice *rest, size_t size)
{
    rest->data += size;
    rest->size -= size;
}

static int take_varint(struct slice *rest, uint64_t *ret_value)
{
    uint64_t value = 0;

    for (size_t i = 0; i < rest->size && i < VARINT_MAX_BYTES; i++) {
        uint64_t byte = rest->data[i];

        if (i == VARINT_MAX_BYTES - 1 && byte > 1) {
            return -EBADMSG; /* more than 64 bits */
        }
        value |= (byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            skip(rest, i + 1);
            *ret_value = value;
            return 0;
        }
    }
    return -EBADMSG;
}

static int take_tag(struct slice *rest, struct proto_field *ret_field)
{
    uint64_t tag = 0;
    int r = take_varint(rest, &tag);

    if (r < 0 || tag > UINT32_MAX || tag >> TAG_TYPE_BITS == 0) {
        return -EBADMSG;
    }
    *ret_field = (struct proto_field){.number = (unsigned int)(tag >> TAG_TYPE_BITS),
                                      .type = (enum proto_type)(tag & TAG_TYPE_MASK)};
    return 0;
}

static int take_bytes(struct slice *rest, size_t size, struct slice *ret_content)
{
    if (size > rest->size) {
        return -EBADMSG;
    }
    *ret_content = (struct slice){rest->data, size};
    skip(rest, size);
    return 0;
}

static int take_field(struct slice *rest, struct proto_field *field, uint64_t *ret_size)
{
    int r = take_tag(rest, field);

    *ret_size = 0;
    if (r < 0) {
        return r;
    }
    switch (field->type) {
    case PROTO_VARINT:
        return take_varint(rest, &field->value);
    case PROTO_BYTES:
        return take_varint(rest, ret_size);
    case PROTO_FIXED64:
        *ret_size = sizeof(uint64_t);
        return 0;
    case PROTO_FIXED32:
        *ret_size = sizeof(uint32_t);
        return 0;
    default:
        return -EBADMSG; /* groups: not in proto3 */
    }
}

int proto_next(struct slice *rest, struct proto_field *ret_field)
{
    uint64_t size = 0;

    if (rest->size == 0) {
        return 0;
    }

    int r = take_field(rest, ret_field, &size);

    r = r < 0 ? r : take_bytes(rest, size, &ret_field->content);
    return r < 0 ? r : 1;
}

int proto_next_of_prefix(struct slice *rest, struct proto_field *ret_field)
{
    uint64_t size = 0;

    if (rest->size == 0) {
        return 0;
    }

    int r = take_field(rest, ret_field, &size);

    r = r < 0 ? r : take_bytes(rest, min_u64(size, rest->size), &ret_field->content);
    return r < 0 ? r : 1;
}

int proto_uint64(const struct proto_field *field, uint64_t *ret_value)
{
    if (field->type != PROTO_VARINT) {
        return -EBADMSG;
    }
    *ret_value = field->value;
    return 0;
}

int proto_uint32(const struct proto_field *field, uint32_t *ret_value)
{
    if (field->type != PROTO_VARINT || field->value > UINT32_MAX) {
        return -EBADMSG;
    }
    *ret_value = (uint32_t)field->value;
    return 0;
}

int proto_double(const struct proto_field *field, double *ret_value)
{
    if (field->type != PROTO_FIXED64) {
        return -EBADMSG;
    }
    memcpy(ret_value, field->content.data, sizeof(*ret_value));
    return 0;
}
