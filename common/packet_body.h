/*
 * Where a packet's body stands in its plaintext, and the id that each body begins with. Knows the outermost tags of
 * trace.proto only.
 */
#pragma once

#include "packet.h"
#include "proto_sink.h"

/* The field number that all packet bodies share. */
enum { BODY_ID_FIELD = 1 };

/*
 * Finds the body of the packet and its id.
 *
 * is_prefix whether plain may end before the packet does: ret_body then ends there too
 * Returns:  as packet_peek().
 * Threads:  any.
 */
MUST_USE int packet_find_body(struct slice plain, bool is_prefix, enum packet_kind *ret_kind,
                              struct packet_id *ret_id, struct slice *ret_body);

/* Puts id as the first field of a body. Threads: one sink, one thread at a time. */
void packet_put_id(struct proto_sink *sink, const struct packet_id *id);
