/*
 * End packets: the last of a part, walked by hand like the batches whose totals they close.
 */
#include "packet_body.h"
#include "packet_frame.h"
#include "packet_totals.h"
#include "proto_cursor.h"

#include <errno.h>

/* Field numbers of trace.proto. */
enum {
    END_TOTALS = 2,
    END_BATCHES,
    END_FRAME_BYTES,
    END_LOSS,
    END_REASON,
    END_CLOCK,
    END_TOTALS_FINAL,
    END_STORED,
    END_SEQUENCE_GAPS,
};

static void put_end(struct proto_sink *sink, const void *content)
{
    const struct end *end = content;

    packet_put_id(sink, &end->id);
    packet_put_totals(sink, END_TOTALS, &end->totals);
    proto_put_uint64(sink, END_BATCHES, end->batches);
    proto_put_uint64(sink, END_FRAME_BYTES, end->frame_bytes);
    for (uint32_t i = 0; i < end->loss_count; i++) {
        packet_put_loss(sink, END_LOSS, &end->losses[i]);
    }
    proto_put_uint64(sink, END_REASON, end->reason);
    packet_put_clock(sink, END_CLOCK, &end->clock);
    proto_put_uint64(sink, END_TOTALS_FINAL, end->totals_final);
    packet_put_counts(sink, END_STORED, &end->stored);
    proto_put_uint64(sink, END_SEQUENCE_GAPS, end->sequence_gaps);
}

int packet_write_end(struct frame_writer *writer, const struct end *end, uint8_t *destination,
                     size_t size, size_t *ret_size)
{
    if (end->loss_count > LOSS_CAUSE_COUNT) {
        return -EINVAL;
    }

    struct packet_body body = {PACKET_END, put_end, end};

    return packet_write_frame(writer, &body, destination, size, ret_size);
}

static int read_message(const struct proto_field *field, struct packet_arena *arena,
                        struct end *end)
{
    if (field->type != PROTO_BYTES) {
        return -EBADMSG;
    }
    switch (field->number) {
    case END_TOTALS:
        return packet_read_totals(field->content, &end->totals);
    case END_CLOCK:
        return packet_read_clock(field->content, &end->clock);
    case END_STORED:
        return packet_read_counts(field->content, &end->stored);
    default:
        return end->loss_count == LOSS_CAUSE_COUNT
                   ? -EBADMSG
                   : packet_read_loss(arena, field->content, &end->losses[end->loss_count++]);
    }
}

static int read_reason(const struct proto_field *field, enum end_reason *ret_reason)
{
    uint64_t number = 0;
    int r = proto_uint64(field, &number);

    *ret_reason = (enum end_reason)number;
    return r == 0 && number >= END_REASON_COUNT ? -EBADMSG : r;
}

static int read_field(const struct proto_field *field, struct packet_arena *arena, struct end *end)
{
    uint64_t is_final = 0;
    int r;

    switch (field->number) {
    case END_TOTALS:
    case END_LOSS:
    case END_CLOCK:
    case END_STORED:
        return read_message(field, arena, end);
    case END_BATCHES:
        return proto_uint64(field, &end->batches);
    case END_FRAME_BYTES:
        return proto_uint64(field, &end->frame_bytes);
    case END_REASON:
        return read_reason(field, &end->reason);
    case END_TOTALS_FINAL:
        r = proto_uint64(field, &is_final);
        end->totals_final = is_final != 0;
        return r;
    case END_SEQUENCE_GAPS:
        return proto_uint64(field, &end->sequence_gaps);
    default:
        return 0;
    }
}

int packet_read_end(struct packet_arena *arena, struct slice plain, struct end *ret_end)
{
    enum packet_kind kind;
    struct slice body;
    struct proto_field field;
    struct end end = {0};
    int r = packet_find_body(plain, false, &kind, &end.id, &body);

    if (r == 0 && kind != PACKET_END) {
        r = -EBADMSG;
    }
    packet_arena_reset(arena);
    r = r < 0 ? r : proto_next(&body, &field);
    while (r > 0) {
        r = read_field(&field, arena, &end);
        r = r < 0 ? r : proto_next(&body, &field);
    }
    if (r == 0) {
        *ret_end = end;
    }
    return r;
}
