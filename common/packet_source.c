/*
 * The packets that collectors write around batches, and the messages that open a connection.
 */
#include "packet_internal.h"

#include <errno.h>
#include <string.h>

enum {
    COMMAND_LINE_MAX_BYTES = 4096,
    BOOT_ID_MAX_BYTES = 36,
    VERSION_MAX_BYTES = 255,
};

/* Labels and arguments as messages. */
struct packed_claims {
    Eddy__Label labels[SOURCE_MAX_LABELS];
    Eddy__Label *label_pointers[SOURCE_MAX_LABELS];
    char *arguments[SOURCE_MAX_ARGUMENTS];
};

static char *packed_text(const char *text)
{
    return (char *)(uintptr_t)text; /* protobuf-c does not write to what it packs */
}

static void pack_labels(struct packed_claims *packed, const struct label *labels, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        eddy__label__init(&packed->labels[i]);
        packed->labels[i].key = packed_text(labels[i].key);
        packed->labels[i].value = packed_text(labels[i].value);
        packed->label_pointers[i] = &packed->labels[i];
    }
}

static void pack_arguments(struct packed_claims *packed, const char *const *arguments, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        packed->arguments[i] = packed_text(arguments[i]);
    }
}

static int read_labels(Eddy__Label *const *messages, size_t count, struct label *ret_labels)
{
    if (count > SOURCE_MAX_LABELS) {
        return -EBADMSG;
    }
    for (size_t i = 0; i < count; i++) {
        if (!string_is_within(messages[i]->key, NAME_MAX_BYTES) ||
            !string_is_within(messages[i]->value, NAME_MAX_BYTES)) {
            return -EBADMSG;
        }
        ret_labels[i] = (struct label){messages[i]->key, messages[i]->value};
    }
    return 0;
}

static int read_arguments(char *const *messages, size_t count, const char **ret_arguments)
{
    size_t total = 0;

    if (count > SOURCE_MAX_ARGUMENTS) {
        return -EBADMSG;
    }
    for (size_t i = 0; i < count; i++) {
        total += strnlen(messages[i], COMMAND_LINE_MAX_BYTES) + 1;
        if (!string_is_within(messages[i], COMMAND_LINE_MAX_BYTES) || total > COMMAND_LINE_MAX_BYTES) {
            return -EBADMSG;
        }
        ret_arguments[i] = messages[i];
    }
    return 0;
}

/* --- Source --- */

static void pack_source_numbers(Eddy__Source *message, const struct source *source)
{
    message->format_version = source->format_version;
    message->kind = (Eddy__Source__Kind)source->kind;
    message->part = source->part;
    message->pid = source->pid;
    message->uid = source->uid;
    message->gid = source->gid;
    message->claimed_pid = source->claimed_pid;
    message->session_start_monotonic_ns = source->session_start_ns;
}

int packet_write_source(struct frame_writer *writer, const struct source *source, uint8_t *destination,
                        size_t size, size_t *ret_size)
{
    Eddy__Packet packet = EDDY__PACKET__INIT;
    Eddy__Source message = EDDY__SOURCE__INIT;
    Eddy__PacketId id;
    Eddy__ClockReading clock;
    struct packed_claims claims;

    pack_id(&id, &source->id);
    pack_clock(&clock, &source->clock);
    pack_labels(&claims, source->labels, source->label_count);
    pack_arguments(&claims, source->arguments, source->argument_count);
    pack_source_numbers(&message, source);
    message.id = &id;
    message.clock = &clock;
    message.executable = packed_text(source->executable);
    message.host_name = packed_text(source->host_name);
    message.boot_id = packed_text(source->boot_id);
    message.writer = packed_text(source->writer);
    message.n_label = source->label_count;
    message.label = claims.label_pointers;
    message.n_command_line = source->argument_count;
    message.command_line = claims.arguments;
    packet.body_case = EDDY__PACKET__BODY_SOURCE;
    packet.source = &message;
    return frame_pack_packet(writer, &packet, 0, destination, size, ret_size);
}

static void read_source_numbers(const Eddy__Source *message, struct source *source)
{
    source->format_version = message->format_version;
    source->part = message->part;
    source->pid = message->pid;
    source->uid = message->uid;
    source->gid = message->gid;
    source->claimed_pid = message->claimed_pid;
    source->session_start_ns = message->session_start_monotonic_ns;
    source->clock = read_clock_reading(message->clock);
}

static bool source_strings_are_valid(const Eddy__Source *message)
{
    return string_is_within(message->executable, NAME_MAX_BYTES) &&
           string_is_within(message->host_name, NAME_MAX_BYTES) &&
           string_is_within(message->boot_id, BOOT_ID_MAX_BYTES) &&
           string_is_within(message->writer, VERSION_MAX_BYTES);
}

int packet_read_source(struct packet_arena *arena, struct slice plain, struct source *ret_source)
{
    const Eddy__Packet *packet = NULL;
    int r = arena_unpack_packet(arena, plain, PACKET_SOURCE, &packet);

    if (r < 0) {
        return r;
    }

    const Eddy__Source *message = packet->source;

    *ret_source = (struct source){0};
    r = read_packet_id(message->id, &ret_source->id);
    if (r < 0) {
        return r;
    }
    if (message->format_version > TRACE_FORMAT_VERSION) {
        return -EPROTONOSUPPORT;
    }
    if (message->format_version == 0 || (unsigned int)message->kind >= SOURCE_KIND_COUNT ||
        !source_strings_are_valid(message) ||
        read_labels(message->label, message->n_label, ret_source->labels) < 0 ||
        read_arguments(message->command_line, message->n_command_line, ret_source->arguments) < 0) {
        return -EBADMSG;
    }
    read_source_numbers(message, ret_source);
    ret_source->kind = (enum source_kind)message->kind;
    ret_source->executable = message->executable;
    ret_source->host_name = message->host_name;
    ret_source->boot_id = message->boot_id;
    ret_source->writer = message->writer;
    ret_source->label_count = message->n_label;
    ret_source->argument_count = message->n_command_line;
    return 0;
}

/* --- End --- */

int packet_write_end(struct frame_writer *writer, const struct end *end, uint8_t *destination, size_t size,
                     size_t *ret_size)
{
    Eddy__Packet packet = EDDY__PACKET__INIT;
    Eddy__End message = EDDY__END__INIT;
    Eddy__PacketId id;
    Eddy__ClockReading clock;
    Eddy__RecordCounts stored;
    struct packed_totals totals;
    struct packed_loss losses[LOSS_CAUSE_COUNT];
    Eddy__Loss *loss_pointers[LOSS_CAUSE_COUNT];

    if (end->loss_count > LOSS_CAUSE_COUNT) {
        return -EINVAL;
    }
    pack_id(&id, &end->id);
    pack_clock(&clock, &end->clock);
    pack_counts(&stored, &end->stored);
    pack_totals(&totals, &end->totals);
    for (uint32_t i = 0; i < end->loss_count; i++) {
        pack_loss(&losses[i], &end->losses[i]);
        loss_pointers[i] = &losses[i].message;
    }
    message.id = &id;
    message.clock = &clock;
    message.stored = &stored;
    message.totals = &totals.message;
    message.totals_final = end->totals_final;
    message.batches = end->batches;
    message.frame_bytes = end->frame_bytes;
    message.sequence_gaps = end->sequence_gaps;
    message.reason = (Eddy__End__Reason)end->reason;
    message.n_loss = end->loss_count;
    message.loss = loss_pointers;
    packet.body_case = EDDY__PACKET__BODY_END;
    packet.end = &message;
    return frame_pack_packet(writer, &packet, 0, destination, size, ret_size);
}

static int read_end_parts(const Eddy__End *message, struct end *end)
{
    struct totals stored_only;
    Eddy__Totals wrapper = EDDY__TOTALS__INIT;

    wrapper.produced = message->stored;
    if (read_packet_id(message->id, &end->id) < 0 || read_totals(message->totals, &end->totals) < 0 ||
        read_totals(&wrapper, &stored_only) < 0 || message->n_loss > LOSS_CAUSE_COUNT ||
        (unsigned int)message->reason >= END_REASON_COUNT) {
        return -EBADMSG;
    }
    end->stored = stored_only.produced;
    for (size_t i = 0; i < message->n_loss; i++) {
        if (read_loss(message->loss[i], &end->losses[i]) < 0) {
            return -EBADMSG;
        }
    }
    end->loss_count = (uint32_t)message->n_loss;
    return 0;
}

int packet_read_end(struct packet_arena *arena, struct slice plain, struct end *ret_end)
{
    const Eddy__Packet *packet = NULL;
    int r = arena_unpack_packet(arena, plain, PACKET_END, &packet);

    if (r < 0) {
        return r;
    }

    const Eddy__End *message = packet->end;

    *ret_end = (struct end){
        .totals_final = message->totals_final,
        .batches = message->batches,
        .frame_bytes = message->frame_bytes,
        .sequence_gaps = message->sequence_gaps,
        .reason = (enum end_reason)message->reason,
        .clock = read_clock_reading(message->clock),
    };
    return read_end_parts(message, ret_end);
}

/* --- Hello and Welcome --- */

static int pack_plain(const ProtobufCMessage *message, uint8_t *destination, size_t size, size_t *ret_size)
{
    if (protobuf_c_message_get_packed_size(message) > size) {
        return -ENOBUFS;
    }
    *ret_size = protobuf_c_message_pack(message, destination);
    return 0;
}

int packet_pack_hello(const struct hello *hello, uint8_t *destination, size_t size, size_t *ret_size)
{
    Eddy__Hello message = EDDY__HELLO__INIT;
    struct packed_claims claims;

    pack_labels(&claims, hello->labels, hello->label_count);
    pack_arguments(&claims, hello->arguments, hello->argument_count);
    message.session.data = (uint8_t *)(uintptr_t)hello->session;
    message.session.len = SESSION_ID_BYTES;
    message.pid = hello->pid;
    message.executable = packed_text(hello->executable);
    message.n_label = hello->label_count;
    message.label = claims.label_pointers;
    message.n_command_line = hello->argument_count;
    message.command_line = claims.arguments;
    message.session_start_monotonic_ns = hello->session_start_ns;
    message.next_sequence = hello->next_sequence;
    message.client_version = packed_text(hello->client_version);
    message.recorder_bytes = hello->recorder_bytes;
    return pack_plain(&message.base, destination, size, ret_size);
}

int packet_unpack_hello(struct packet_arena *arena, struct slice bytes, struct hello *ret_hello)
{
    const Eddy__Hello *message =
        (const Eddy__Hello *)arena_unpack(arena, &eddy__hello__descriptor, bytes);

    if (message == NULL || message->session.len != SESSION_ID_BYTES ||
        !string_is_within(message->executable, NAME_MAX_BYTES) ||
        !string_is_within(message->client_version, VERSION_MAX_BYTES)) {
        return -EBADMSG;
    }
    *ret_hello = (struct hello){
        .pid = message->pid,
        .executable = message->executable,
        .label_count = message->n_label,
        .argument_count = message->n_command_line,
        .session_start_ns = message->session_start_monotonic_ns,
        .next_sequence = message->next_sequence,
        .client_version = message->client_version,
        .recorder_bytes = message->recorder_bytes,
    };
    memcpy(ret_hello->session, message->session.data, SESSION_ID_BYTES);
    if (read_labels(message->label, message->n_label, ret_hello->labels) < 0 ||
        read_arguments(message->command_line, message->n_command_line, ret_hello->arguments) < 0) {
        return -EBADMSG;
    }
    return 0;
}

int packet_pack_welcome(const struct welcome *welcome, uint8_t *destination, size_t size, size_t *ret_size)
{
    Eddy__Welcome message = EDDY__WELCOME__INIT;

    message.max_payload_bytes = welcome->max_payload_bytes;
    message.max_frame_plain_bytes = welcome->max_frame_plain_bytes;
    message.collector_version = packed_text(welcome->collector_version);
    return pack_plain(&message.base, destination, size, ret_size);
}

int packet_unpack_welcome(struct packet_arena *arena, struct slice bytes, struct welcome *ret_welcome)
{
    const Eddy__Welcome *message =
        (const Eddy__Welcome *)arena_unpack(arena, &eddy__welcome__descriptor, bytes);

    if (message == NULL || !string_is_within(message->collector_version, VERSION_MAX_BYTES)) {
        return -EBADMSG;
    }
    *ret_welcome = (struct welcome){message->max_payload_bytes, message->max_frame_plain_bytes,
                                    message->collector_version};
    return 0;
}
