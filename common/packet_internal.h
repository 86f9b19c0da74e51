/*
 * What packet.c and packet_batch.c share: bounded unpacking, packing straight into a frame, and small conversions.
 * Nobody else includes this, so that nobody else sees protobuf-c.
 */
#pragma once

#include "packet.h"

#include "trace.pb-c.h"

/* Unpacks bytes with memory from the arena only; what an earlier call unpacked is gone. NULL if not valid, or too large. */
ProtobufCMessage *arena_unpack(struct packet_arena *arena, const ProtobufCMessageDescriptor *descriptor,
                               struct slice bytes);

/* Memory from the arena beside what was unpacked last; NULL if there is none left. */
void *arena_take(struct packet_arena *arena, size_t size);

/* The body of a packet of the given kind out of a whole plaintext; -EBADMSG, -EPROTONOSUPPORT. */
MUST_USE int arena_unpack_packet(struct packet_arena *arena, struct slice plain, enum packet_kind kind,
                                 const Eddy__Packet **ret_packet);

/*
 * Packs one packet into a frame. first_block: bytes of the packet's body after which a block ends; 0: none.
 */
MUST_USE int frame_pack_packet(struct frame_writer *writer, Eddy__Packet *packet, size_t first_block,
                               uint8_t *destination, size_t size, size_t *ret_size);

/* Finds the first field of a message in its bytes. Returns 0 and its content, -ENOENT, -EBADMSG. */
MUST_USE int find_message(struct slice message, unsigned int field, bool may_be_cut, struct slice *ret_content);

/* A string from a message: never NULL, at most limit bytes. */
bool string_is_within(const char *text, size_t limit);

MUST_USE int read_packet_id(const Eddy__PacketId *message, struct packet_id *ret_id);
struct clock_reading read_clock_reading(const Eddy__ClockReading *message);
MUST_USE int read_totals(const Eddy__Totals *message, struct totals *ret_totals);
MUST_USE int read_loss(const Eddy__Loss *message, struct loss *ret_loss);

/* Messages with room for what they point to. */
struct packed_totals {
    Eddy__Totals message;
    Eddy__RecordCounts produced;
    Eddy__RecordCounts batched;
    Eddy__LossTotal lost[LOSS_CAUSE_COUNT];
    Eddy__RecordCounts counts[LOSS_CAUSE_COUNT];
    Eddy__LossTotal *pointers[LOSS_CAUSE_COUNT];
};

struct packed_loss {
    Eddy__Loss message;
    Eddy__RecordCounts count;
};

void pack_id(Eddy__PacketId *ret_message, const struct packet_id *id);
void pack_clock(Eddy__ClockReading *ret_message, const struct clock_reading *clock);
void pack_counts(Eddy__RecordCounts *ret_message, const struct record_counts *counts);
void pack_totals(struct packed_totals *ret_packed, const struct totals *totals);
void pack_loss(struct packed_loss *ret_packed, const struct loss *loss);
