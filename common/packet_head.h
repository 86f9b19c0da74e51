/*
 * The head of a batch, with its dictionary of names: field 2 of Batch in proto/trace.proto, walked by hand.
 */
#pragma once

#include "packet_arena.h"
#include "proto_sink.h"

enum { BATCH_HEAD_FIELD = 2 };

/* Puts the head of batch, names and all, as a field. Threads: one sink, one thread at a time. */
void packet_put_head(struct proto_sink *sink, const struct batch *batch);

/*
 * Reads the bytes of a head; ret_head->id is left as it is. Names go into the arena.
 *
 * Returns:  0, or -EBADMSG if it is not what trace.proto says, goes beyond a limit of batch.h, or the arena is used up.
 * Threads:  one arena, one thread at a time.
 */
MUST_USE int packet_read_head(struct packet_arena *arena, struct slice bytes,
                              struct batch_head *ret_head);
