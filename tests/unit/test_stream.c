#include "clocks.h"
#include "packet.h"
#include "stream_fixture.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

TestSuite(stream, .init = stream_set_up, .fini = stream_tear_down, .timeout = 60);

/* --- Greeting --- */

Test(stream, the_greeting_says_who_we_are_and_brings_the_recorder)
{
    struct wire_header header;
    uint8_t payload[STREAM_GREETING_BYTES];
    struct packet_arena *arena = NULL;
    struct hello hello;
    struct stat own;
    struct stat got;
    int fd = -1;

    put_frame(7, 10);
    connect_stream();
    cr_assert(receive_message(&header, payload, &fd));
    cr_assert_eq(header.type, WIRE_HELLO);
    cr_assert_eq(header.flags, WIRE_VERSION);
    cr_assert_eq(packet_arena_new(&arena), 0);
    cr_assert_eq(packet_unpack_hello(arena, (struct slice){payload, header.payload_size}, &hello),
                 0);
    cr_assert_eq(hello.pid, (uint32_t)getpid());
    cr_assert_arr_eq(hello.session, recorder->session, sizeof(hello.session));
    cr_assert_str_eq(hello.executable, "test_stream");
    cr_assert_eq(hello.label_count, 1);
    cr_assert_str_eq(hello.labels[0].value, "canary");
    cr_assert_eq(hello.session_start_ns, recorder->start_ns);
    cr_assert_eq(hello.next_sequence, 7);
    cr_assert_eq(hello.recorder_bytes, recorder->size_bytes);
    cr_assert_eq(fstat(recorder_fd, &own), 0);
    cr_assert_eq(fstat(fd, &got), 0);
    cr_assert_eq(own.st_ino, got.st_ino);
    packet_arena_free(arena);

    (void)step_stream();
    cr_assert(!receive_message(&header, payload, NULL), "frames wait for the welcome");
}

Test(stream, the_longest_greeting_fits)
{
    static char text[NAME_MAX_BYTES + 1];
    struct wire_header header;
    uint8_t payload[STREAM_GREETING_BYTES];

    memset(text, 'x', sizeof(text) - 1);
    settings.label_count = SOURCE_MAX_LABELS;
    for (size_t i = 0; i < SOURCE_MAX_LABELS; i++) {
        settings.labels[i] = (struct label){text, text};
    }
    memset(stream.executable, 'x', sizeof(stream.executable) - 1);
    connect_stream();
    cr_assert(receive_message(&header, payload, NULL));
    cr_assert_gt(header.payload_size, 2 * SOURCE_MAX_LABELS * NAME_MAX_BYTES);
}

/* The program closed our descriptor and got its number for a file of its own: that is not handed over. */
Test(stream, a_recorder_that_became_another_file_stays_here)
{
    struct wire_header header;
    uint8_t payload[STREAM_GREETING_BYTES];
    struct packet_arena *arena = NULL;
    struct hello hello;
    int own = open("/dev/null", O_RDONLY);
    int fd = -1;

    cr_assert_eq(dup2(own, recorder_fd), recorder_fd);
    connect_stream();
    cr_assert(receive_message(&header, payload, &fd));
    cr_assert_eq(fd, -1);
    cr_assert_eq(packet_arena_new(&arena), 0);
    cr_assert_eq(packet_unpack_hello(arena, (struct slice){payload, header.payload_size}, &hello),
                 0);
    cr_assert_eq(hello.recorder_bytes, 0);
    packet_arena_free(arena);
}

/* --- Frames --- */

Test(stream, frames_go_and_acknowledgements_come_in_single_bytes)
{
    struct wire_header header;
    uint8_t payload[4096];

    put_frame(1, 100);
    put_frame(2, 200);
    welcome_stream();
    for (uint64_t i = 1; i <= 2; i++) {
        cr_assert(receive_message(&header, payload, NULL));
        cr_assert_eq(header.type, WIRE_FRAME);
        cr_assert_eq(header.sequence, i);
        cr_assert_eq(payload[99], i);
    }
    add_ack(1);
    add_ack(2);
    for (size_t i = 0; i < answer_size; i++) {
        cr_assert_eq(stream.records_stored, 10 * (i / WIRE_HEADER_BYTES));
        cr_assert_eq(send(peer, answer + i, 1, 0), 1);
        cr_assert(step_stream());
    }
    cr_assert_eq(stream.records_stored, 20);
    cr_assert_eq(outbox.held, 0);
    cr_assert(!step_stream(), "nothing moves");
    cr_assert_eq(stream.state, STREAM_READY);
}

Test(stream, acknowledgements_of_what_was_never_sent_free_nothing_else)
{
    welcome_stream();
    add_ack(UINT64_MAX);
    say();
    put_frame(1, 10);
    (void)step_stream();
    cr_assert_eq(outbox.held, 1);
    cr_assert_eq(stream.records_stored, 0);
    add_ack(UINT64_MAX);
    add_ack(UINT64_MAX);
    say();
    (void)step_stream();
    cr_assert_eq(outbox.held, 0);
    cr_assert_eq(stream.records_stored, 10);
    cr_assert_eq(stream.state, STREAM_READY);
}

Test(stream, a_peer_that_does_not_read_blocks_nothing)
{
    enum { FRAMES = 10, SIZE = 100000 };
    static uint8_t payload[SIZE];
    struct wire_header header;
    int small = 4096;
    uint64_t next = 1;

    for (uint64_t i = 1; i <= FRAMES; i++) {
        put_frame(i, SIZE);
    }
    connect_stream();
    (void)setsockopt(stream.socket.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
    take_greeting_and_welcome();
    while (step_stream()) {
    }
    cr_assert(stream.is_blocked);
    cr_assert_eq(stream.state, STREAM_READY);
    cr_assert(outbox.held > 0);
    while (next <= FRAMES / 2 && receive_message(&header, payload, NULL)) {
        cr_assert_eq(header.sequence, next++);
        cr_assert_eq(payload[SIZE - 1], (uint8_t)header.sequence);
        add_ack(header.sequence);
        say();
        (void)step_stream();
    }
    cr_assert_eq(next, FRAMES / 2 + 1);
    cr_assert_eq(stream.records_stored, 10 * (next - 1));
}

/* Whatever was not acknowledged comes again, whole and from the start. */
Test(stream, a_connection_may_end_at_any_byte)
{
    struct wire_header header;
    static uint8_t payload[4096];
    uint8_t full[512];
    size_t full_size;

    add_welcome(WIRE_VERSION);
    add_ack(1);
    full_size = answer_size;
    memcpy(full, answer, full_size);
    put_frame(1, 100);
    for (size_t cut = 0; cut <= full_size; cut++) {
        bool is_acked = cut == full_size;

        connect_stream();
        cr_assert(receive_message(&header, payload, NULL));
        answer_size = cut < full_size - WIRE_HEADER_BYTES ? cut : full_size - WIRE_HEADER_BYTES;
        memcpy(answer, full, answer_size);
        say();
        (void)step_stream();
        if (stream.state == STREAM_READY) {
            cr_assert(receive_message(&header, payload, NULL));
            cr_assert_eq(header.sequence, 1);
            cr_assert_eq(send(peer, full + full_size - WIRE_HEADER_BYTES,
                              cut + WIRE_HEADER_BYTES - full_size, 0),
                         (ssize_t)(cut + WIRE_HEADER_BYTES - full_size));
            (void)step_stream();
        }
        (void)close(peer);
        peer = -1;
        (void)step_stream();
        cr_assert_eq(stream.state, STREAM_CLOSED, "byte %zu", cut);
        cr_assert_eq(outbox.held, is_acked ? 0 : 1);
    }
    cr_assert_eq(stream.records_stored, 10);
}
