/*
 * Walks the fields of a protobuf message in its bytes, without unpacking it. In: bytes from anywhere. Out: one field at
 * a time. What the fields mean is left to the caller.
 */
#pragma once

#include "columns.h"

enum proto_type { PROTO_VARINT = 0, PROTO_FIXED64 = 1, PROTO_BYTES = 2, PROTO_FIXED32 = 5 };

struct proto_field {
    unsigned int number;
    enum proto_type type;
    uint64_t value;       /* of PROTO_VARINT */
    struct slice content; /* of PROTO_BYTES: also strings and messages */
};

/*
 * Takes the next field off *rest.
 *
 * Returns:  1 (field), 0 (rest is empty), -EBADMSG if rest does not begin with a whole field.
 * Threads:  any, as below.
 */
MUST_USE int proto_next(struct slice *rest, struct proto_field *ret_field);

/*
 * As proto_next(), for the beginning of a message: content may end where the bytes end.
 */
MUST_USE int proto_next_of_prefix(struct slice *rest, struct proto_field *ret_field);

/* Takes the number of a field. Returns 0, or -EBADMSG if the field is not a varint (that fits). */
MUST_USE int proto_uint64(const struct proto_field *field, uint64_t *ret_value);
MUST_USE int proto_uint32(const struct proto_field *field, uint32_t *ret_value);

/* Takes a double. Returns 0, or -EBADMSG. */
MUST_USE int proto_double(const struct proto_field *field, double *ret_value);
