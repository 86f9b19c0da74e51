#include "packet.h"

#include "trace.pb-c.h" /* what stock protobuf says about the same bytes */

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

enum { FRAME_ROOM = 256 << 10 };

static struct packet_arena *arena;
static struct frame_writer *writer;
static struct frame_reader *reader;
static uint8_t frame[FRAME_ROOM];

static void set_up(void)
{
    cr_assert_eq(packet_arena_new(&arena), 0);
    cr_assert_eq(frame_writer_new(&writer), 0);
    cr_assert_eq(frame_reader_new(&reader), 0);
}

static void tear_down(void)
{
    packet_arena_free(arena);
    frame_writer_free(writer);
    frame_reader_free(reader);
}

TestSuite(packet, .init = set_up, .fini = tear_down);

static struct source example_source(void)
{
    return (struct source){
        .id = {.session = "0123456789abcde", .sequence = 41},
        .format_version = TRACE_FORMAT_VERSION,
        .kind = SOURCE_MACHINE,
        .part = 3,
        .pid = 4711,
        .uid = 1000,
        .gid = 100,
        .claimed_pid = 1,
        .executable = "web",
        .host_name = "höst",
        .boot_id = "01234567-89ab-cdef-0123-456789abcdef",
        .writer = "eddy-collector 0.1.0",
        .clock = {1, 2, 3, 4},
        .session_start_ns = UINT64_MAX,
        .label_count = 2,
        .labels = {{"run", "canary"}, {"version", ""}},
        .argument_count = 2,
        .arguments = {"web", ""},
    };
}

static struct end example_end(void)
{
    struct end end = {
        .id = {.session = "0123456789abcde", .sequence = 42},
        .totals = {.produced = {10, 20, 30, 40},
                   .batched = {9, 19, 29, 39},
                   .stale_ends = 5,
                   .names_folded = 6,
                   .attributes_cut = 7,
                   .client_cpu_ns = 8,
                   .frame_bytes = UINT64_MAX},
        .totals_final = true,
        .stored = {8, 18, 28, 38},
        .batches = 3,
        .frame_bytes = 1234,
        .sequence_gaps = 2,
        .loss_count = 2,
        .losses = {{.cause = LOSS_QUOTA, .count = {1, 1, 1, 1}, .first_ns = 5, .last_ns = 6},
                   {.cause = LOSS_NO_SLOT, .count = {.operations = 1}, .queue = "pool"}},
        .reason = END_ROTATED,
        .clock = {4, 3, 2, 1},
    };

    end.totals.lost[LOSS_RING_FULL] = (struct record_counts){1, 2, 3, 4};
    end.totals.lost[LOSS_RECORDER_LOST] = (struct record_counts){4, 5, 6, 7};
    return end;
}

static struct slice write_source(const struct source *source)
{
    size_t size = 0;
    struct slice plain;

    cr_assert_eq(packet_write_source(writer, source, frame, sizeof(frame), &size), 0);
    cr_assert_eq(frame_decompress(reader, (struct slice){frame, size}, &plain), 0);
    return plain;
}

static struct slice write_end(const struct end *end)
{
    size_t size = 0;
    struct slice plain;

    cr_assert_eq(packet_write_end(writer, end, frame, sizeof(frame), &size), 0);
    cr_assert_eq(frame_decompress(reader, (struct slice){frame, size}, &plain), 0);
    return plain;
}

/* Packs messages that our writers would not write. */
static struct slice pack_trace(Eddy__Packet *packet)
{
    static uint8_t plain[FRAME_MAX_PLAIN_BYTES];
    Eddy__Trace trace = EDDY__TRACE__INIT;

    trace.n_packet = 1;
    trace.packet = &packet;
    cr_assert_leq(protobuf_c_message_get_packed_size(&trace.base), sizeof(plain));
    return (struct slice){plain, protobuf_c_message_pack(&trace.base, plain)};
}

static void init_id(Eddy__PacketId *id)
{
    static uint8_t session[SESSION_ID_BYTES] = "0123456789abcde";

    eddy__packet_id__init(id);
    id->session.data = session;
    id->session.len = sizeof(session);
}

static struct slice pack_source(Eddy__Source *source)
{
    static Eddy__PacketId id;
    Eddy__Packet packet = EDDY__PACKET__INIT;

    if (source->id == NULL) {
        init_id(&id);
        source->id = &id;
    }
    packet.body_case = EDDY__PACKET__BODY_SOURCE;
    packet.source = source;
    return pack_trace(&packet);
}

static void check_same_counts(struct record_counts a, struct record_counts b)
{
    cr_assert_eq(memcmp(&a, &b, sizeof(a)), 0);
}

Test(packet, a_source_comes_back)
{
    struct source source = example_source();
    struct source back;

    cr_assert_eq(packet_read_source(arena, write_source(&source), &back), 0);
    cr_assert_arr_eq(back.id.session, source.id.session, SESSION_ID_BYTES);
    cr_assert_eq(back.id.sequence, 41);
    cr_assert_eq(back.format_version, TRACE_FORMAT_VERSION);
    cr_assert_eq(back.kind, SOURCE_MACHINE);
    cr_assert_eq(back.part, 3);
    cr_assert_eq(back.pid, 4711);
    cr_assert_eq(back.uid, 1000);
    cr_assert_eq(back.gid, 100);
    cr_assert_eq(back.claimed_pid, 1);
    cr_assert_str_eq(back.executable, "web");
    cr_assert_str_eq(back.host_name, "höst");
    cr_assert_str_eq(back.boot_id, source.boot_id);
    cr_assert_str_eq(back.writer, source.writer);
    cr_assert_eq(memcmp(&back.clock, &source.clock, sizeof(back.clock)), 0);
    cr_assert_eq(back.session_start_ns, UINT64_MAX);
    cr_assert_eq(back.label_count, 2);
    cr_assert_str_eq(back.labels[0].key, "run");
    cr_assert_str_eq(back.labels[0].value, "canary");
    cr_assert_str_eq(back.labels[1].value, "");
    cr_assert_eq(back.argument_count, 2);
    cr_assert_str_eq(back.arguments[0], "web");
    cr_assert_str_eq(back.arguments[1], "");
}

Test(packet, an_end_comes_back)
{
    struct end end = example_end();
    struct end back;

    cr_assert_eq(packet_read_end(arena, write_end(&end), &back), 0);
    cr_assert_eq(back.id.sequence, 42);
    cr_assert_eq(memcmp(&back.totals, &end.totals, sizeof(end.totals)), 0);
    cr_assert(back.totals_final);
    check_same_counts(back.stored, end.stored);
    cr_assert_eq(back.batches, 3);
    cr_assert_eq(back.frame_bytes, 1234);
    cr_assert_eq(back.sequence_gaps, 2);
    cr_assert_eq(back.reason, END_ROTATED);
    cr_assert_eq(memcmp(&back.clock, &end.clock, sizeof(end.clock)), 0);
    cr_assert_eq(back.loss_count, 2);
    cr_assert_eq(back.losses[0].cause, LOSS_QUOTA);
    check_same_counts(back.losses[0].count, end.losses[0].count);
    cr_assert_eq(back.losses[0].first_ns, 5);
    cr_assert_eq(back.losses[0].last_ns, 6);
    cr_assert_null(back.losses[0].queue);
    cr_assert_str_eq(back.losses[1].queue, "pool");
}

/* The same bytes: what is packed by hand is what protobuf packs. */
static void check_stock_protobuf_agrees(struct slice plain)
{
    Eddy__Trace *trace = eddy__trace__unpack(NULL, plain.size, plain.data);
    uint8_t *again = malloc(plain.size);

    cr_assert_not_null(trace);
    cr_assert_eq(eddy__trace__get_packed_size(trace), plain.size);
    cr_assert_eq(eddy__trace__pack(trace, again), plain.size);
    cr_assert_arr_eq(again, plain.data, plain.size);
    free(again);
    eddy__trace__free_unpacked(trace, NULL);
}

Test(packet, stock_protobuf_reads_and_writes_the_same_bytes)
{
    struct source source = example_source();
    struct end end = example_end();

    check_stock_protobuf_agrees(write_source(&source));
    check_stock_protobuf_agrees(write_end(&end));
}

Test(packet, hello_and_welcome_come_back)
{
    struct hello hello = {
        .session = "0123456789abcde",
        .pid = 7,
        .executable = "web",
        .label_count = 1,
        .labels = {{"a", "b"}},
        .argument_count = 1,
        .arguments = {"web"},
        .session_start_ns = 5,
        .next_sequence = 6,
        .client_version = "0.1.0",
        .recorder_bytes = 64 << 20,
    };
    struct welcome welcome = {1, 2, "0.1.0"};
    struct hello hello_back;
    struct welcome welcome_back;
    uint8_t bytes[1024];
    size_t size = 0;

    cr_assert_eq(packet_pack_hello(&hello, bytes, sizeof(bytes), &size), 0);
    cr_assert_eq(packet_pack_hello(&hello, bytes, size - 1, &(size_t){0}), -ENOBUFS);
    cr_assert_eq(packet_unpack_hello(arena, (struct slice){bytes, size}, &hello_back), 0);
    cr_assert_arr_eq(hello_back.session, hello.session, SESSION_ID_BYTES);
    cr_assert_eq(hello_back.pid, 7);
    cr_assert_str_eq(hello_back.executable, "web");
    cr_assert_eq(hello_back.label_count, 1);
    cr_assert_str_eq(hello_back.labels[0].value, "b");
    cr_assert_eq(hello_back.argument_count, 1);
    cr_assert_str_eq(hello_back.arguments[0], "web");
    cr_assert_eq(hello_back.session_start_ns, 5);
    cr_assert_eq(hello_back.next_sequence, 6);
    cr_assert_str_eq(hello_back.client_version, "0.1.0");
    cr_assert_eq(hello_back.recorder_bytes, 64 << 20);
    for (size_t cut = 0; cut < size; cut++) {
        (void)!packet_unpack_hello(arena, (struct slice){bytes, cut}, &hello_back);
    }

    cr_assert_eq(packet_pack_welcome(&welcome, bytes, sizeof(bytes), &size), 0);
    cr_assert_eq(packet_pack_welcome(&welcome, bytes, size - 1, &(size_t){0}), -ENOBUFS);
    cr_assert_eq(packet_unpack_welcome(arena, (struct slice){bytes, size}, &welcome_back), 0);
    cr_assert_eq(welcome_back.max_payload_bytes, 1);
    cr_assert_eq(welcome_back.max_frame_plain_bytes, 2);
    cr_assert_str_eq(welcome_back.collector_version, "0.1.0");
}

Test(packet, peeking_tells_kind_and_id)
{
    struct source source = example_source();
    struct end end = example_end();
    enum packet_kind kind;
    struct packet_id id;

    cr_assert_eq(packet_peek(write_source(&source), &kind, &id), 0);
    cr_assert_eq(kind, PACKET_SOURCE);
    cr_assert_eq(memcmp(&id, &source.id, sizeof(id)), 0);
    cr_assert_eq(packet_peek(write_end(&end), &kind, &id), 0);
    cr_assert_eq(kind, PACKET_END);
    cr_assert_eq(memcmp(&id, &end.id, sizeof(id)), 0);
}

Test(packet, a_packet_of_another_kind_is_refused)
{
    struct source source = example_source();
    struct end end = example_end();
    struct source source_back;
    struct end end_back;
    struct batch_head head;

    cr_assert_eq(packet_read_end(arena, write_source(&source), &end_back), -EBADMSG);
    cr_assert_eq(packet_read_source(arena, write_end(&end), &source_back), -EBADMSG);
    cr_assert_eq(packet_read_batch_head(arena, write_end(&end), &head), -EBADMSG);
}

Test(packet, unknown_features_are_refused_and_named)
{
    struct source source = example_source();
    struct source back;
    enum packet_kind kind;
    struct packet_id id;

    source.id.required_features = 2;

    struct slice plain = write_source(&source);

    cr_assert_eq(packet_peek(plain, &kind, &id), -EPROTONOSUPPORT);
    cr_assert_eq(id.required_features, 2);
    cr_assert_eq(packet_read_source(arena, plain, &back), -EPROTONOSUPPORT);
}

Test(packet, another_major_version_is_refused)
{
    struct source source = example_source();
    struct source back;

    source.format_version = TRACE_FORMAT_VERSION + 1;
    cr_assert_eq(packet_read_source(arena, write_source(&source), &back), -EPROTONOSUPPORT);
    source.format_version = 0;
    cr_assert_eq(packet_read_source(arena, write_source(&source), &back), -EBADMSG);
}

Test(packet, bodies_and_fields_of_newer_writers)
{
    /* Trace { Packet { 9: { id } } } and Packet { source, then 9: unknown } */
    static const uint8_t newer_body[] = "\x0a\x16\x4a\x14\x0a\x12\x0a\x10"
                                        "0123456789abcdef";
    struct source source = example_source();
    struct slice plain = write_source(&source);
    uint8_t longer[1024];
    enum packet_kind kind;
    struct packet_id id;
    struct source back;

    cr_assert_eq(packet_peek((struct slice){newer_body, sizeof(newer_body) - 1}, &kind, &id),
                 -EPROTONOSUPPORT);
    cr_assert_arr_eq(id.session, "0123456789abcdef", SESSION_ID_BYTES);

    cr_assert_lt(plain.size, sizeof(longer) - 4);
    cr_assert_geq(plain.data[1], 0x80, "the length takes two bytes");
    memcpy(longer, plain.data, plain.size);
    memcpy(longer + plain.size, "\x4a\x01x", 3);
    longer[1] = (uint8_t)(longer[1] + 3);
    cr_assert_eq(packet_read_source(arena, (struct slice){longer, plain.size + 3}, &back), 0);
    longer[plain.size] = 0x0a; /* a second body */
    cr_assert_eq(packet_read_source(arena, (struct slice){longer, plain.size + 3}, &back),
                 -EBADMSG);
}

Test(packet, limits_of_a_source_are_kept)
{
    static char long_text[SOURCE_MAX_ARGUMENT_BYTES + 1];
    static char *arguments[SOURCE_MAX_ARGUMENTS + 1];
    static Eddy__Label label;
    static Eddy__Label *labels[SOURCE_MAX_LABELS + 1];
    struct source back;

    memset(long_text, 'x', sizeof(long_text) - 1);
    eddy__label__init(&label);
    for (size_t i = 0; i < ARRAY_SIZE(labels); i++) {
        labels[i] = &label;
    }
    for (size_t i = 0; i < ARRAY_SIZE(arguments); i++) {
        arguments[i] = (char *)(uintptr_t) "";
    }

    Eddy__Source source = EDDY__SOURCE__INIT;

    source.format_version = 1;
    cr_assert_eq(packet_read_source(arena, pack_source(&source), &back), 0);
    source.label = labels;
    source.n_label = SOURCE_MAX_LABELS;
    source.command_line = arguments;
    source.n_command_line = SOURCE_MAX_ARGUMENTS;
    cr_assert_eq(packet_read_source(arena, pack_source(&source), &back), 0);
    source.n_label++;
    cr_assert_eq(packet_read_source(arena, pack_source(&source), &back), -EBADMSG);
    source.n_label = 0;
    source.n_command_line++;
    cr_assert_eq(packet_read_source(arena, pack_source(&source), &back), -EBADMSG);
    source.n_command_line = 1;
    arguments[0] = long_text + 1;
    cr_assert_eq(packet_read_source(arena, pack_source(&source), &back), 0);
    arguments[0] = long_text;
    cr_assert_eq(packet_read_source(arena, pack_source(&source), &back), -EBADMSG);
    source.n_command_line = 0;
    source.executable = long_text + SOURCE_MAX_ARGUMENT_BYTES - 255;
    cr_assert_eq(packet_read_source(arena, pack_source(&source), &back), 0);
    source.executable = long_text + SOURCE_MAX_ARGUMENT_BYTES - 256;
    cr_assert_eq(packet_read_source(arena, pack_source(&source), &back), -EBADMSG);
    source.executable = (char *)(uintptr_t) "not \xff UTF-8";
    cr_assert_eq(packet_read_source(arena, pack_source(&source), &back), -EBADMSG);
    source.executable = (char *)(uintptr_t) "";
    source.kind = (Eddy__Source__Kind)SOURCE_KIND_COUNT;
    cr_assert_eq(packet_read_source(arena, pack_source(&source), &back), -EBADMSG);
}

Test(packet, a_session_id_has_16_bytes)
{
    Eddy__Source source = EDDY__SOURCE__INIT;
    Eddy__PacketId id;
    struct source back;
    static uint8_t longer[17];

    init_id(&id);
    source.format_version = 1;
    source.id = &id;
    id.session.len = 15;
    cr_assert_eq(packet_read_source(arena, pack_source(&source), &back), -EBADMSG);
    id.session.len = 17;
    id.session.data = longer;
    cr_assert_eq(packet_read_source(arena, pack_source(&source), &back), -EBADMSG);
    id.session.len = 0;
    cr_assert_eq(packet_read_source(arena, pack_source(&source), &back), -EBADMSG);
}

Test(packet, nul_inside_text_is_refused)
{
    struct source source = example_source();
    struct source back;
    uint8_t damaged[1024];
    struct slice plain;
    uint8_t *place;

    source.executable = "executable";
    plain = write_source(&source);
    memcpy(damaged, plain.data, plain.size);
    place = memmem(damaged, plain.size, "executable", 10);
    cr_assert_not_null(place);
    place[3] = '\0';
    cr_assert_eq(packet_read_source(arena, (struct slice){damaged, plain.size}, &back), -EBADMSG);
    place[3] = 'c';
    cr_assert_eq(packet_read_source(arena, (struct slice){damaged, plain.size}, &back), 0);
}

Test(packet, floods_of_submessages_are_refused)
{
    static Eddy__Label *labels[2000000];
    Eddy__Label label = EDDY__LABEL__INIT;
    Eddy__Source source = EDDY__SOURCE__INIT;
    struct source back;

    for (size_t i = 0; i < ARRAY_SIZE(labels); i++) {
        labels[i] = &label;
    }
    source.format_version = 1;
    source.label = labels;
    source.n_label = ARRAY_SIZE(labels);
    cr_assert_eq(packet_read_source(arena, pack_source(&source), &back), -EBADMSG);
}

Test(packet, losses_of_unknown_cause_are_kept_as_unknown)
{
    Eddy__Packet packet = EDDY__PACKET__INIT;
    Eddy__End message = EDDY__END__INIT;
    Eddy__Totals totals = EDDY__TOTALS__INIT;
    Eddy__LossTotal lost = EDDY__LOSS_TOTAL__INIT;
    Eddy__LossTotal *lost_list[] = {&lost, &lost};
    Eddy__RecordCounts counts = EDDY__RECORD_COUNTS__INIT;
    Eddy__PacketId id;
    struct end end;

    init_id(&id);
    counts.operations = 5;
    lost.cause = (Eddy__LossCause)1000;
    lost.count = &counts;
    totals.n_lost = 2;
    totals.lost = lost_list;
    message.id = &id;
    message.totals = &totals;
    packet.body_case = EDDY__PACKET__BODY_END;
    packet.end = &message;
    cr_assert_eq(packet_read_end(arena, pack_trace(&packet), &end), 0);
    cr_assert_eq(end.totals.lost[LOSS_UNKNOWN].operations, 10);
    cr_assert_eq(totals_lost(&end.totals).operations, 10);
}

/* Reads damaged bytes in memory of exactly their size; nothing but the absence of crashes is asked for. */
static void read_all_kinds(const uint8_t *bytes, size_t size)
{
    uint8_t *exact = malloc(size == 0 ? 1 : size);
    struct slice plain = {exact, size};
    static struct source source;
    static struct end end;
    struct batch_head head;
    struct hello hello;
    enum packet_kind kind;
    struct packet_id id;

    memcpy(exact, bytes, size);
    exact = realloc(exact, size == 0 ? 1 : size);
    plain.data = exact;
    (void)!packet_peek(plain, &kind, &id);
    (void)!packet_read_source(arena, plain, &source);
    (void)!packet_read_end(arena, plain, &end);
    (void)!packet_read_batch_head(arena, plain, &head);
    (void)!packet_unpack_hello(arena, plain, &hello);
    free(exact);
}

static void damage_everywhere(struct slice plain)
{
    uint8_t bytes[1024];

    cr_assert_leq(plain.size, sizeof(bytes));
    for (size_t size = 0; size <= plain.size; size++) {
        read_all_kinds(plain.data, size);
    }
    for (size_t bit = 0; bit < 8 * plain.size; bit++) {
        memcpy(bytes, plain.data, plain.size);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        read_all_kinds(bytes, plain.size);
    }
}

Test(packet, damage_never_crashes)
{
    struct source source = example_source();
    struct end end = example_end();

    damage_everywhere(write_source(&source));
    damage_everywhere(write_end(&end));
}

Test(packet, too_much_for_the_room_is_refused)
{
    struct source source = example_source();
    struct end end = example_end();
    size_t size = 0;

    cr_assert_eq(packet_write_source(writer, &source, frame, 20, &size), -ENOBUFS);
    source.label_count = SOURCE_MAX_LABELS + 1;
    cr_assert_eq(packet_write_source(writer, &source, frame, sizeof(frame), &size), -EINVAL);
    end.loss_count = LOSS_CAUSE_COUNT + 1;
    cr_assert_eq(packet_write_end(writer, &end, frame, sizeof(frame), &size), -EINVAL);
}
