#include "packet_internal.h"

#include "utf8.h"

#include <errno.h>
#include <string.h>

enum {
    COLUMN_OF_ITS_OWN_BYTES = 1024, /* shorter ones are not worth a block */
    ARENA_ALIGNMENT = 16,
    WIRE_VARINT = 0,
    WIRE_FIXED64 = 1,
    WIRE_BYTES = 2,
    WIRE_FIXED32 = 5,
    TRACE_PACKET_FIELD = 1,
    BODY_ID_FIELD = 1,
    ID_SESSION_FIELD = 1,
    ID_SEQUENCE_FIELD = 2,
    ID_FEATURES_FIELD = 3,
};

/* --- Unpacking --- */

struct packet_arena {
    size_t used;
    uint8_t bytes[PACKET_ARENA_BYTES];
};

int packet_arena_new(struct packet_arena **ret_arena)
{
    /* Not cleared, so that only the pages that messages need are ever touched. */
    struct packet_arena *arena = malloc(sizeof(*arena));

    if (arena == NULL) {
        return -ENOMEM;
    }
    arena->used = 0;
    *ret_arena = arena;
    return 0;
}

void packet_arena_free(struct packet_arena *arena)
{
    free(arena);
}

static void *arena_alloc(void *data, size_t size)
{
    struct packet_arena *arena = data;

    if (size > sizeof(arena->bytes) - arena->used) {
        return NULL;
    }

    void *memory = arena->bytes + arena->used;
    size_t rounded = (size + ARENA_ALIGNMENT - 1) & ~(size_t)(ARENA_ALIGNMENT - 1);

    arena->used = min_u64(arena->used + rounded, sizeof(arena->bytes));
    return memory;
}

void *arena_take(struct packet_arena *arena, size_t size)
{
    return arena_alloc(arena, size);
}

static void arena_ignore_free(void *data, void *pointer)
{
    (void)data;
    (void)pointer;
}

ProtobufCMessage *arena_unpack(struct packet_arena *arena, const ProtobufCMessageDescriptor *descriptor,
                               struct slice bytes)
{
    ProtobufCAllocator allocator = {arena_alloc, arena_ignore_free, arena};

    /* The bytes member is at an odd offset: start aligned. */
    arena->used = (ARENA_ALIGNMENT - (uintptr_t)arena->bytes % ARENA_ALIGNMENT) % ARENA_ALIGNMENT;
    return protobuf_c_message_unpack(descriptor, &allocator, bytes.size, bytes.data);
}

static unsigned int body_field(enum packet_kind kind)
{
    return (unsigned int)kind; /* the oneof's field numbers */
}

int arena_unpack_packet(struct packet_arena *arena, struct slice plain, enum packet_kind kind,
                        const Eddy__Packet **ret_packet)
{
    enum packet_kind found;
    struct packet_id id;
    int r = packet_peek(plain, &found, &id);

    if (r < 0) {
        return r;
    }
    if (found != kind) {
        return -EBADMSG;
    }

    const Eddy__Trace *trace = (const Eddy__Trace *)arena_unpack(arena, &eddy__trace__descriptor, plain);

    if (trace == NULL || trace->n_packet != 1 || (unsigned int)trace->packet[0]->body_case != body_field(kind)) {
        return -EBADMSG;
    }
    *ret_packet = trace->packet[0];
    return 0;
}

bool string_is_within(const char *text, size_t limit)
{
    size_t length = strnlen(text, limit + 1);

    return length <= limit && utf8_is_valid(text, length);
}

/* --- Walking a message's bytes without unpacking it --- */

/* Reads a varint. Returns the bytes it took, or 0 if there is none. */
static size_t read_varint(struct slice bytes, uint64_t *ret_value)
{
    uint64_t value = 0;

    for (size_t i = 0; i < bytes.size && i < 10; i++) {
        value |= (uint64_t)(bytes.data[i] & 0x7f) << (7 * i);
        if (bytes.data[i] < 0x80) {
            *ret_value = value;
            return i + 1;
        }
    }
    return 0;
}

static struct slice slice_from(struct slice bytes, size_t offset)
{
    return (struct slice){bytes.data + offset, bytes.size - offset};
}

/* One field of a message. */
struct wire_field {
    unsigned int number;
    unsigned int type;
    uint64_t value;       /* of a varint */
    struct slice content; /* of bytes */
};

/* Reads the field at the start of bytes. Returns the bytes it takes (perhaps more than there are, if cut), or 0. */
static uint64_t read_field(struct slice bytes, bool may_be_cut, struct wire_field *ret_field)
{
    uint64_t tag = 0;
    size_t tag_size = read_varint(bytes, &tag);

    *ret_field = (struct wire_field){.number = (unsigned int)(tag >> 3), .type = tag & 7};
    if (tag_size == 0 || tag >> 32 != 0) {
        return 0;
    }
    bytes = slice_from(bytes, tag_size);
    if (ret_field->type == WIRE_FIXED64 || ret_field->type == WIRE_FIXED32) {
        return tag_size + (ret_field->type == WIRE_FIXED64 ? 8 : 4);
    }

    size_t value_size = read_varint(bytes, &ret_field->value);

    if (value_size == 0 || ret_field->type == WIRE_VARINT) {
        return value_size == 0 ? 0 : tag_size + value_size;
    }

    size_t available = bytes.size - value_size;

    if (ret_field->type != WIRE_BYTES || ret_field->value > FRAME_MAX_PLAIN_BYTES ||
        (ret_field->value > available && !may_be_cut)) {
        return 0;
    }
    ret_field->content =
        (struct slice){bytes.data + value_size, min_u64(ret_field->value, available)};
    return tag_size + value_size + ret_field->value;
}

int find_message(struct slice message, unsigned int field, bool may_be_cut, struct slice *ret_content)
{
    while (message.size > 0) {
        struct wire_field found;
        uint64_t size = read_field(message, may_be_cut, &found);

        if (size == 0) {
            return -EBADMSG;
        }
        if (found.number == field && found.type == WIRE_BYTES) {
            *ret_content = found.content;
            return 0;
        }
        if (size > message.size) {
            return may_be_cut ? -ENOENT : -EBADMSG;
        }
        message = slice_from(message, size);
    }
    return -ENOENT;
}

/* Reads a PacketId by hand: it is asked for more often than the rest of its packet. */
static int read_id_bytes(struct slice message, struct packet_id *ret_id)
{
    bool has_session = false;

    *ret_id = (struct packet_id){0};
    while (message.size > 0) {
        struct wire_field field;
        uint64_t size = read_field(message, false, &field);

        if (size == 0 || size > message.size) {
            return -EBADMSG;
        }
        if (field.number == ID_SESSION_FIELD && field.type == WIRE_BYTES &&
            field.content.size == SESSION_ID_BYTES) {
            memcpy(ret_id->session, field.content.data, SESSION_ID_BYTES);
            has_session = true;
        } else if (field.number == ID_SEQUENCE_FIELD && field.type == WIRE_VARINT) {
            ret_id->sequence = field.value;
        } else if (field.number == ID_FEATURES_FIELD && field.type == WIRE_VARINT) {
            ret_id->required_features = field.value;
        }
        message = slice_from(message, size);
    }
    return has_session ? 0 : -EBADMSG;
}

/* The body of the packet that plain is, or begins. */
static int find_body(struct slice plain, enum packet_kind *ret_kind, struct slice *ret_body)
{
    struct wire_field packet;
    struct wire_field body;
    uint64_t packet_size = read_field(plain, true, &packet);

    if (packet_size < plain.size || packet.number != TRACE_PACKET_FIELD || packet.type != WIRE_BYTES ||
        read_field(packet.content, true, &body) == 0 || body.type != WIRE_BYTES ||
        body.number < PACKET_SOURCE || body.number > PACKET_END) {
        return -EBADMSG;
    }
    *ret_kind = (enum packet_kind)body.number;
    *ret_body = body.content;
    return 0;
}

int packet_peek(struct slice plain, enum packet_kind *ret_kind, struct packet_id *ret_id)
{
    struct slice body;
    struct slice id;
    int r = find_body(plain, ret_kind, &body);

    if (r < 0) {
        return r;
    }
    if (find_message(body, BODY_ID_FIELD, true, &id) < 0 || read_id_bytes(id, ret_id) < 0) {
        return -EBADMSG;
    }
    return (ret_id->required_features & ~(uint64_t)KNOWN_FEATURES) != 0 ? -EPROTONOSUPPORT : 0;
}

/* --- Packing --- */

/* A protobuf-c buffer that writes into a frame, and gives each long column blocks of its own. */
struct frame_sink {
    ProtobufCBuffer base;
    struct frame_writer *writer;
    size_t written;
    size_t in_block;
    size_t first_block_end;
    int error;
};

static void sink_flush(struct frame_sink *sink)
{
    if (sink->error == 0) {
        sink->error = frame_flush_block(sink->writer);
    }
    sink->in_block = 0;
}

static void sink_append(ProtobufCBuffer *buffer, size_t size, const uint8_t *data)
{
    struct frame_sink *sink = (struct frame_sink *)buffer;
    bool is_column = size >= COLUMN_OF_ITS_OWN_BYTES;

    if (sink->error != 0) {
        return;
    }
    /* More than tag and length of the column itself: something that would spoil its statistics. */
    if (is_column && sink->in_block > 16) {
        sink_flush(sink);
    }
    sink->error = frame_append(sink->writer, (struct slice){data, size});
    sink->written += size;
    sink->in_block += size;
    if (is_column || sink->written == sink->first_block_end) {
        sink_flush(sink);
    }
}

int frame_pack_packet(struct frame_writer *writer, Eddy__Packet *packet, size_t first_block,
                      uint8_t *destination, size_t size, size_t *ret_size)
{
    Eddy__Trace trace = EDDY__TRACE__INIT;

    trace.n_packet = 1;
    trace.packet = &packet;

    size_t plain_size = protobuf_c_message_get_packed_size(&trace.base);

    if (plain_size > FRAME_MAX_PLAIN_BYTES) {
        return -E2BIG;
    }

    struct frame_sink sink = {
        .base = {sink_append}, .writer = writer, .first_block_end = first_block};
    int r = frame_start(writer, destination, size, plain_size);

    if (r < 0) {
        return r;
    }
    (void)protobuf_c_message_pack_to_buffer(&trace.base, &sink.base);
    return sink.error < 0 ? sink.error : frame_finish(writer, ret_size);
}

/* --- Parts of messages --- */

void pack_id(Eddy__PacketId *ret_message, const struct packet_id *id)
{
    eddy__packet_id__init(ret_message);
    ret_message->session.data = (uint8_t *)(uintptr_t)id->session;
    ret_message->session.len = SESSION_ID_BYTES;
    ret_message->sequence = id->sequence;
    ret_message->required_features = id->required_features;
}

int read_packet_id(const Eddy__PacketId *message, struct packet_id *ret_id)
{
    if (message == NULL || message->session.len != SESSION_ID_BYTES) {
        return -EBADMSG;
    }
    memcpy(ret_id->session, message->session.data, SESSION_ID_BYTES);
    ret_id->sequence = message->sequence;
    ret_id->required_features = message->required_features;
    return 0;
}

void pack_clock(Eddy__ClockReading *ret_message, const struct clock_reading *clock)
{
    eddy__clock_reading__init(ret_message);
    ret_message->monotonic_ns = clock->monotonic_ns;
    ret_message->realtime_ns = clock->realtime_ns;
    ret_message->boottime_ns = clock->boottime_ns;
    ret_message->bracket_ns = clock->bracket_ns;
}

struct clock_reading read_clock_reading(const Eddy__ClockReading *message)
{
    if (message == NULL) {
        return (struct clock_reading){0};
    }
    return (struct clock_reading){message->monotonic_ns, message->realtime_ns, message->boottime_ns,
                                  message->bracket_ns};
}

void pack_counts(Eddy__RecordCounts *ret_message, const struct record_counts *counts)
{
    eddy__record_counts__init(ret_message);
    ret_message->operations = counts->operations;
    ret_message->samples = counts->samples;
    ret_message->marks = counts->marks;
}

static struct record_counts read_counts(const Eddy__RecordCounts *message)
{
    if (message == NULL) {
        return (struct record_counts){0};
    }
    return (struct record_counts){message->operations, message->samples, message->marks};
}

void pack_totals(struct packed_totals *ret_packed, const struct totals *totals)
{
    Eddy__Totals *message = &ret_packed->message;

    eddy__totals__init(message);
    pack_counts(&ret_packed->produced, &totals->produced);
    pack_counts(&ret_packed->batched, &totals->batched);
    message->produced = &ret_packed->produced;
    message->batched = &ret_packed->batched;
    message->lost = ret_packed->pointers;
    for (int cause = 0; cause < LOSS_CAUSE_COUNT; cause++) {
        if (!record_counts_are_zero(&totals->lost[cause])) {
            size_t i = message->n_lost++;

            eddy__loss_total__init(&ret_packed->lost[i]);
            pack_counts(&ret_packed->counts[i], &totals->lost[cause]);
            ret_packed->lost[i].cause = (Eddy__LossCause)cause;
            ret_packed->lost[i].count = &ret_packed->counts[i];
            ret_packed->pointers[i] = &ret_packed->lost[i];
        }
    }
    message->stale_ends = totals->stale_ends;
    message->names_folded = totals->names_folded;
    message->attributes_cut = totals->attributes_cut;
    message->client_cpu_ns = totals->client_cpu_ns;
    message->frame_bytes = totals->frame_bytes;
}

/* Causes that this version does not know are kept as unknown: the numbers still have to add up. */
static enum loss_cause read_cause(Eddy__LossCause cause)
{
    unsigned int number = (unsigned int)cause;

    return number < LOSS_CAUSE_COUNT ? (enum loss_cause)number : LOSS_UNKNOWN;
}

int read_totals(const Eddy__Totals *message, struct totals *ret_totals)
{
    *ret_totals = (struct totals){0};
    if (message == NULL) {
        return 0;
    }
    ret_totals->produced = read_counts(message->produced);
    ret_totals->batched = read_counts(message->batched);
    for (size_t i = 0; i < message->n_lost; i++) {
        struct record_counts counts = read_counts(message->lost[i]->count);

        record_counts_add(&ret_totals->lost[read_cause(message->lost[i]->cause)], &counts);
    }
    ret_totals->stale_ends = message->stale_ends;
    ret_totals->names_folded = message->names_folded;
    ret_totals->attributes_cut = message->attributes_cut;
    ret_totals->client_cpu_ns = message->client_cpu_ns;
    ret_totals->frame_bytes = message->frame_bytes;
    return 0;
}

void pack_loss(struct packed_loss *ret_packed, const struct loss *loss)
{
    Eddy__Loss *message = &ret_packed->message;

    eddy__loss__init(message);
    pack_counts(&ret_packed->count, &loss->count);
    message->cause = (Eddy__LossCause)loss->cause;
    message->count = &ret_packed->count;
    message->first_monotonic_ns = loss->first_ns;
    message->last_monotonic_ns = loss->last_ns;
    if (loss->queue != NULL) {
        message->queue = (char *)(uintptr_t)loss->queue;
    }
}

int read_loss(const Eddy__Loss *message, struct loss *ret_loss)
{
    if (!string_is_within(message->queue, NAME_MAX_BYTES)) {
        return -EBADMSG;
    }
    *ret_loss = (struct loss){
        .cause = read_cause(message->cause),
        .count = read_counts(message->count),
        .first_ns = message->first_monotonic_ns,
        .last_ns = message->last_monotonic_ns,
        .queue = message->queue[0] == '\0' ? NULL : message->queue,
    };
    return 0;
}
