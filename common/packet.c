/*
 * What describes a program and its connection - Source, Hello, Welcome: messages of many texts that come once per file or
 * connection. They go through protobuf-c, which nobody else sees. What comes with every batch is walked by hand, without
 * copies: packet_batch.c, packet_end.c.
 */
#include "packet.h"

#include "packet_arena.h"
#include "packet_body.h"
#include "packet_frame.h"

#include "trace.pb-c.h"

#include <errno.h>
#include <string.h>

enum { VERSION_MAX_BYTES = 255 };

/* --- Between protobuf-c and sinks and arenas --- */

struct sink_buffer {
    ProtobufCBuffer base;
    struct proto_sink *sink;
};

static void append_to_sink(ProtobufCBuffer *buffer, size_t size, const uint8_t *data)
{
    proto_put_raw(((struct sink_buffer *)buffer)->sink, (struct slice){data, size});
}

/* The fields of a message, without a tag before them. */
static void put_fields(struct proto_sink *sink, const ProtobufCMessage *message)
{
    struct sink_buffer buffer = {{append_to_sink}, sink};

    (void)protobuf_c_message_pack_to_buffer(message, &buffer.base);
}

static int pack_message(const ProtobufCMessage *message, uint8_t *destination, size_t size,
                        size_t *ret_size)
{
    if (protobuf_c_message_get_packed_size(message) > size) {
        return -ENOBUFS;
    }
    *ret_size = protobuf_c_message_pack(message, destination);
    return 0;
}

static void *allocate_in_arena(void *arena, size_t size)
{
    return packet_arena_take(arena, size);
}

static void leave_to_arena(void *arena, void *pointer)
{
    (void)arena;
    (void)pointer;
}

/* Returns the message, in the arena, or NULL if it is not valid or too large. */
static const void *unpack(struct packet_arena *arena, const ProtobufCMessageDescriptor *descriptor,
                          struct slice bytes)
{
    ProtobufCAllocator allocator = {allocate_in_arena, leave_to_arena, arena};

    return protobuf_c_message_unpack(descriptor, &allocator, bytes.size, bytes.data);
}

/* protobuf-c does not write to what it packs. */
static char *packed_text(const char *text)
{
    return (char *)(uintptr_t)text;
}

static Eddy__ClockReading pack_clock(const struct clock_reading *clock)
{
    Eddy__ClockReading message = EDDY__CLOCK_READING__INIT;

    message.monotonic_ns = clock->monotonic_ns;
    message.realtime_ns = clock->realtime_ns;
    message.boottime_ns = clock->boottime_ns;
    message.bracket_ns = clock->bracket_ns;
    return message;
}

static struct clock_reading read_clock(const Eddy__ClockReading *message)
{
    if (message == NULL) {
        return (struct clock_reading){0};
    }
    return (struct clock_reading){message->monotonic_ns, message->realtime_ns, message->boottime_ns,
                                  message->bracket_ns};
}

/* --- Source --- */

/* What a program claims of itself, with room for what the message points to. */
struct packed_claims {
    Eddy__Label labels[SOURCE_MAX_LABELS];
    Eddy__Label *label_pointers[SOURCE_MAX_LABELS];
    char *arguments[SOURCE_MAX_ARGUMENTS];
};

static void pack_claims(struct packed_claims *ret_packed, const struct label *labels,
                        size_t label_count, const char *const *arguments, size_t argument_count)
{
    for (size_t i = 0; i < label_count; i++) {
        eddy__label__init(&ret_packed->labels[i]);
        ret_packed->labels[i].key = packed_text(labels[i].key);
        ret_packed->labels[i].value = packed_text(labels[i].value);
        ret_packed->label_pointers[i] = &ret_packed->labels[i];
    }
    for (size_t i = 0; i < argument_count; i++) {
        ret_packed->arguments[i] = packed_text(arguments[i]);
    }
}

static int read_labels(const struct packet_arena *arena, Eddy__Label *const *messages, size_t count,
                       struct label *ret_labels)
{
    if (count > SOURCE_MAX_LABELS) {
        return -EBADMSG;
    }
    for (size_t i = 0; i < count; i++) {
        if (!packet_arena_text_is_valid(arena, messages[i]->key, NAME_MAX_BYTES) ||
            !packet_arena_text_is_valid(arena, messages[i]->value, NAME_MAX_BYTES)) {
            return -EBADMSG;
        }
        ret_labels[i] = (struct label){messages[i]->key, messages[i]->value};
    }
    return 0;
}

static int read_arguments(const struct packet_arena *arena, char *const *messages, size_t count,
                          const char **ret_arguments)
{
    size_t room = SOURCE_MAX_ARGUMENT_BYTES;

    if (count > SOURCE_MAX_ARGUMENTS) {
        return -EBADMSG;
    }
    for (size_t i = 0; i < count; i++) {
        if (room == 0 || !packet_arena_text_is_valid(arena, messages[i], room - 1)) {
            return -EBADMSG;
        }
        room -= strlen(messages[i]) + 1;
        ret_arguments[i] = messages[i];
    }
    return 0;
}

static void put_source(struct proto_sink *sink, const void *content)
{
    const struct source *source = content;
    Eddy__Source message = EDDY__SOURCE__INIT;
    Eddy__ClockReading clock = pack_clock(&source->clock);
    struct packed_claims claims;

    pack_claims(&claims, source->labels, source->label_count, source->arguments,
                source->argument_count);
    message.format_version = source->format_version;
    message.kind = (Eddy__Source__Kind)source->kind;
    message.part = source->part;
    message.pid = source->pid;
    message.uid = source->uid;
    message.gid = source->gid;
    message.executable = packed_text(source->executable);
    message.n_label = source->label_count;
    message.label = claims.label_pointers;
    message.n_command_line = source->argument_count;
    message.command_line = claims.arguments;
    message.host_name = packed_text(source->host_name);
    message.boot_id = packed_text(source->boot_id);
    message.clock = &clock;
    message.session_start_monotonic_ns = source->session_start_ns;
    message.writer = packed_text(source->writer);
    message.claimed_pid = source->claimed_pid;
    packet_put_id(sink, &source->id);
    put_fields(sink, &message.base);
}

int packet_write_source(struct frame_writer *writer, const struct source *source,
                        uint8_t *destination, size_t size, size_t *ret_size)
{
    if (source->label_count > SOURCE_MAX_LABELS || source->argument_count > SOURCE_MAX_ARGUMENTS) {
        return -EINVAL;
    }

    struct packet_body body = {PACKET_SOURCE, put_source, source};

    return packet_write_frame(writer, &body, destination, size, ret_size);
}

static int read_source(const struct packet_arena *arena, const Eddy__Source *message,
                       struct source *source)
{
    if (message->format_version == 0 || (unsigned int)message->kind >= SOURCE_KIND_COUNT ||
        !packet_arena_text_is_valid(arena, message->executable, NAME_MAX_BYTES) ||
        !packet_arena_text_is_valid(arena, message->host_name, NAME_MAX_BYTES) ||
        !packet_arena_text_is_valid(arena, message->boot_id, BOOT_ID_MAX_BYTES) ||
        !packet_arena_text_is_valid(arena, message->writer, VERSION_MAX_BYTES) ||
        read_labels(arena, message->label, message->n_label, source->labels) < 0 ||
        read_arguments(arena, message->command_line, message->n_command_line, source->arguments) <
            0) {
        return -EBADMSG;
    }
    source->format_version = message->format_version;
    source->kind = (enum source_kind)message->kind;
    source->part = message->part;
    source->pid = message->pid;
    source->uid = message->uid;
    source->gid = message->gid;
    source->claimed_pid = message->claimed_pid;
    source->executable = message->executable;
    source->host_name = message->host_name;
    source->boot_id = message->boot_id;
    source->writer = message->writer;
    source->clock = read_clock(message->clock);
    source->session_start_ns = message->session_start_monotonic_ns;
    source->label_count = message->n_label;
    source->argument_count = message->n_command_line;
    return 0;
}

int packet_read_source(struct packet_arena *arena, struct slice plain, struct source *ret_source)
{
    enum packet_kind kind;
    struct slice body;
    struct packet_id id;
    int r = packet_find_body(plain, false, &kind, &id, &body);

    if (r < 0) {
        return r;
    }
    packet_arena_reset(arena);

    const Eddy__Source *message =
        kind == PACKET_SOURCE ? unpack(arena, &eddy__source__descriptor, body) : NULL;

    if (message == NULL) {
        return -EBADMSG;
    }
    if (message->format_version > TRACE_FORMAT_VERSION) {
        return -EPROTONOSUPPORT;
    }
    *ret_source = (struct source){.id = id};
    return read_source(arena, message, ret_source);
}

/* --- Hello and Welcome --- */

int packet_pack_hello(const struct hello *hello, uint8_t *destination, size_t size,
                      size_t *ret_size)
{
    Eddy__Hello message = EDDY__HELLO__INIT;
    struct packed_claims claims;

    if (hello->label_count > SOURCE_MAX_LABELS || hello->argument_count > SOURCE_MAX_ARGUMENTS) {
        return -EINVAL;
    }
    pack_claims(&claims, hello->labels, hello->label_count, hello->arguments,
                hello->argument_count);
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
    return pack_message(&message.base, destination, size, ret_size);
}

int packet_unpack_hello(struct packet_arena *arena, struct slice bytes, struct hello *ret_hello)
{
    packet_arena_reset(arena);

    const Eddy__Hello *message = unpack(arena, &eddy__hello__descriptor, bytes);

    if (message == NULL || message->session.len != SESSION_ID_BYTES ||
        !packet_arena_text_is_valid(arena, message->executable, NAME_MAX_BYTES) ||
        !packet_arena_text_is_valid(arena, message->client_version, VERSION_MAX_BYTES)) {
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
    if (read_labels(arena, message->label, message->n_label, ret_hello->labels) < 0 ||
        read_arguments(arena, message->command_line, message->n_command_line,
                       ret_hello->arguments) < 0) {
        return -EBADMSG;
    }
    return 0;
}

int packet_pack_welcome(const struct welcome *welcome, uint8_t *destination, size_t size,
                        size_t *ret_size)
{
    Eddy__Welcome message = EDDY__WELCOME__INIT;

    message.max_payload_bytes = welcome->max_payload_bytes;
    message.max_frame_plain_bytes = welcome->max_frame_plain_bytes;
    message.collector_version = packed_text(welcome->collector_version);
    return pack_message(&message.base, destination, size, ret_size);
}

int packet_unpack_welcome(struct packet_arena *arena, struct slice bytes,
                          struct welcome *ret_welcome)
{
    packet_arena_reset(arena);

    const Eddy__Welcome *message = unpack(arena, &eddy__welcome__descriptor, bytes);

    if (message == NULL ||
        !packet_arena_text_is_valid(arena, message->collector_version, VERSION_MAX_BYTES)) {
        return -EBADMSG;
    }
    *ret_welcome = (struct welcome){message->max_payload_bytes, message->max_frame_plain_bytes,
                                    message->collector_version};
    return 0;
}
