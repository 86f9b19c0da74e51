/*
 * Clock readings, totals and losses, which batches and ends share: small messages of proto/trace.proto, walked by hand.
 */
#pragma once

#include "packet_arena.h"
#include "proto_sink.h"

/* Put a message as field number. Threads: one sink or arena, one thread at a time, as all functions here. */
void packet_put_clock(struct proto_sink *sink, unsigned int number,
                      const struct clock_reading *clock);
void packet_put_counts(struct proto_sink *sink, unsigned int number,
                       const struct record_counts *counts);
void packet_put_totals(struct proto_sink *sink, unsigned int number, const struct totals *totals);
void packet_put_loss(struct proto_sink *sink, unsigned int number, const struct loss *loss);

/*
 * Read the bytes of a message. Causes of loss that this version does not know become LOSS_UNKNOWN: the numbers still have
 * to add up.
 *
 * Returns:  0, or -EBADMSG if it is not what trace.proto says or the arena is used up.
 */
MUST_USE int packet_read_clock(struct slice bytes, struct clock_reading *ret_clock);
MUST_USE int packet_read_counts(struct slice bytes, struct record_counts *ret_counts);
MUST_USE int packet_read_totals(struct slice bytes, struct totals *ret_totals);
MUST_USE int packet_read_loss(struct packet_arena *arena, struct slice bytes,
                              struct loss *ret_loss);
