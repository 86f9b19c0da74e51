#include "packet_head.h"

#include "packet_totals.h"
#include "proto_cursor.h"

#include <errno.h>

/* Field numbers of trace.proto. */
enum {
    HEAD_MIN_BEGIN = 1,
    HEAD_MIN_END,
    HEAD_MAX_END,
    HEAD_OPERATIONS,
    HEAD_SAMPLES,
    HEAD_MARKS,
    HEAD_OPEN_OPERATIONS,
    HEAD_NAME,
    HEAD_CLOCK,
    HEAD_ANCHOR_TICKS,
    HEAD_ANCHOR_NS,
    HEAD_NS_PER_TICK,
    HEAD_TOTALS,
    HEAD_SAMPLE_PERIOD,
    HEAD_SALVAGED,
    HEAD_LONG_RUNS,
};
enum { NAME_TEXT = 1, NAME_KIND, NAME_UNIT, NAME_VALUE, NAME_ROWS, NAME_QUEUE_CAPACITY };

/* --- Writing --- */

static void put_name_fields(struct proto_sink *sink, const struct batch_name *name)
{
    proto_put_optional_text(sink, NAME_TEXT, name->text);
    proto_put_uint64(sink, NAME_KIND, name->kind);
    proto_put_optional_text(sink, NAME_UNIT, name->unit);
    proto_put_uint64(sink, NAME_VALUE, name->value);
    proto_put_uint64(sink, NAME_ROWS, name->rows);
    proto_put_uint64(sink, NAME_QUEUE_CAPACITY, name->queue_capacity);
}

static void put_name(struct proto_sink *sink, const struct batch_name *name)
{
    struct proto_sink measure = {0};

    put_name_fields(&measure, name);
    proto_put_header(sink, HEAD_NAME, measure.size);
    put_name_fields(sink, name);
}

static void put_head_fields(struct proto_sink *sink, const struct batch *batch)
{
    proto_put_uint64(sink, HEAD_MIN_BEGIN, batch->min_begin_ns);
    proto_put_uint64(sink, HEAD_MIN_END, batch->min_end_ns);
    proto_put_uint64(sink, HEAD_MAX_END, batch->max_end_ns);
    proto_put_uint64(sink, HEAD_OPERATIONS, batch->operations.count);
    proto_put_uint64(sink, HEAD_SAMPLES, batch->samples.count);
    proto_put_uint64(sink, HEAD_MARKS, batch->marks.count);
    proto_put_uint64(sink, HEAD_OPEN_OPERATIONS, batch->open.count);
    for (uint32_t i = 0; i < batch->name_count; i++) {
        put_name(sink, &batch->names[i]);
    }
    packet_put_clock(sink, HEAD_CLOCK, &batch->clock);
    proto_put_uint64(sink, HEAD_ANCHOR_TICKS, batch->anchor_ticks);
    proto_put_uint64(sink, HEAD_ANCHOR_NS, batch->anchor_ns);
    proto_put_double(sink, HEAD_NS_PER_TICK, batch->ns_per_tick);
    packet_put_totals(sink, HEAD_TOTALS, &batch->totals);
    proto_put_uint64(sink, HEAD_SAMPLE_PERIOD, batch->sample_period_ns);
    proto_put_uint64(sink, HEAD_SALVAGED, batch->salvaged);
    proto_put_uint64(sink, HEAD_LONG_RUNS, batch->long_runs.count);
}

void packet_put_head(struct proto_sink *sink, const struct batch *batch)
{
    struct proto_sink measure = {0};

    put_head_fields(&measure, batch);
    proto_put_header(sink, BATCH_HEAD_FIELD, measure.size);
    put_head_fields(sink, batch);
}

/* --- Reading --- */

/* Takes a number below limit. */
static int read_below(const struct proto_field *field, uint32_t limit, uint32_t *ret_value)
{
    int r = proto_uint32(field, ret_value);

    return r == 0 && *ret_value >= limit ? -EBADMSG : r;
}

static int read_count(const struct proto_field *field, uint32_t most, uint32_t *ret_count)
{
    return read_below(field, most + 1, ret_count);
}

static int read_text(const struct proto_field *field, struct packet_arena *arena, size_t limit,
                     const char **ret_text)
{
    return field->type != PROTO_BYTES
               ? -EBADMSG
               : packet_arena_copy_text(arena, field->content, limit, ret_text);
}

static int read_name_field(const struct proto_field *field, struct packet_arena *arena,
                           struct batch_name *name)
{
    uint32_t number = 0;
    int r;

    switch (field->number) {
    case NAME_TEXT:
        return read_text(field, arena, NAME_MAX_BYTES, &name->text);
    case NAME_KIND:
        r = read_below(field, NAME_KIND_COUNT, &number);
        name->kind = (enum name_kind)number;
        return r;
    case NAME_UNIT:
        return read_text(field, arena, NAME_UNIT_MAX_BYTES, &name->unit);
    case NAME_VALUE:
        r = read_below(field, VALUE_TYPE_COUNT, &number);
        name->value = (enum value_type)number;
        return r;
    case NAME_ROWS:
        return proto_uint64(field, &name->rows);
    case NAME_QUEUE_CAPACITY:
        return proto_uint64(field, &name->queue_capacity);
    default:
        return 0;
    }
}

static int read_name(const struct proto_field *message, struct packet_arena *arena,
                     struct batch_name *ret_name)
{
    struct slice rest = message->content;
    struct proto_field field;
    int r = message->type != PROTO_BYTES ? -EBADMSG : proto_next(&rest, &field);

    *ret_name = (struct batch_name){.text = "", .unit = ""};
    while (r > 0) {
        r = read_name_field(&field, arena, ret_name);
        r = r < 0 ? r : proto_next(&rest, &field);
    }
    return r;
}

static int read_message(const struct proto_field *field, struct packet_arena *arena,
                        struct batch_head *head)
{
    if (field->type != PROTO_BYTES) {
        return -EBADMSG;
    }
    switch (field->number) {
    case HEAD_CLOCK:
        return packet_read_clock(field->content, &head->clock);
    case HEAD_TOTALS:
        return packet_read_totals(field->content, &head->totals);
    default:
        return read_name(field, arena, &head->names[head->name_count++]);
    }
}

static int read_head_field(const struct proto_field *field, struct packet_arena *arena,
                           struct batch_head *head)
{
    uint32_t number = 0;
    int r;

    switch (field->number) {
    case HEAD_MIN_BEGIN:
        return proto_uint64(field, &head->min_begin_ns);
    case HEAD_MIN_END:
        return proto_uint64(field, &head->min_end_ns);
    case HEAD_MAX_END:
        return proto_uint64(field, &head->max_end_ns);
    case HEAD_OPERATIONS:
        return read_count(field, BATCH_MAX_OPERATIONS, &head->operations);
    case HEAD_SAMPLES:
        return read_count(field, BATCH_MAX_SAMPLES, &head->samples);
    case HEAD_MARKS:
        return read_count(field, BATCH_MAX_MARKS, &head->marks);
    case HEAD_OPEN_OPERATIONS:
        return read_count(field, BATCH_MAX_OPEN, &head->open_operations);
    case HEAD_NAME:
    case HEAD_CLOCK:
    case HEAD_TOTALS:
        return read_message(field, arena, head);
    case HEAD_ANCHOR_TICKS:
        return proto_uint64(field, &head->anchor_ticks);
    case HEAD_ANCHOR_NS:
        return proto_uint64(field, &head->anchor_ns);
    case HEAD_NS_PER_TICK:
        return proto_double(field, &head->ns_per_tick);
    case HEAD_SAMPLE_PERIOD:
        return proto_uint64(field, &head->sample_period_ns);
    case HEAD_SALVAGED:
        r = read_below(field, 2, &number);
        head->salvaged = number != 0;
        return r;
    case HEAD_LONG_RUNS:
        return read_count(field, BATCH_MAX_LONG_RUNS, &head->long_runs);
    default:
        return 0;
    }
}

/* Makes room for the names in the arena: they are counted first. */
static int reserve_names(struct packet_arena *arena, struct slice bytes, struct batch_head *head)
{
    struct proto_field field;
    size_t count = 0;
    int r = proto_next(&bytes, &field);

    while (r > 0) {
        count += field.number == HEAD_NAME;
        r = proto_next(&bytes, &field);
    }
    if (r < 0 || count > BATCH_MAX_NAMES) {
        return -EBADMSG;
    }
    head->names = packet_arena_take(arena, count * sizeof(*head->names));
    return head->names == NULL ? -EBADMSG : 0;
}

int packet_read_head(struct packet_arena *arena, struct slice bytes, struct batch_head *ret_head)
{
    struct batch_head head = {.id = ret_head->id};
    struct proto_field field;
    int r = reserve_names(arena, bytes, &head);

    r = r < 0 ? r : proto_next(&bytes, &field);
    while (r > 0) {
        r = read_head_field(&field, arena, &head);
        r = r < 0 ? r : proto_next(&bytes, &field);
    }
    if (r == 0) {
        *ret_head = head;
    }
    return r;
}
