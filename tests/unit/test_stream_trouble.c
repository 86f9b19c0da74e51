/* What may go wrong between the stream and its collector. */
#include "clocks.h"
#include "stream_fixture.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

TestSuite(stream_trouble, .init = stream_set_up, .fini = stream_tear_down, .timeout = 60);

/* --- What no collector should say --- */

static void add_nothing_known(void)
{
    memset(answer, 'x', WIRE_HEADER_BYTES);
    answer_size = WIRE_HEADER_BYTES;
}

static void add_damaged(void)
{
    add_welcome(WIRE_VERSION);
    answer[answer_size - 1] ^= 1;
}

static void add_two_welcomes(void)
{
    add_welcome(WIRE_VERSION);
    add_welcome(WIRE_VERSION);
}

static void add_version_0(void)
{
    add_welcome(0);
}

static void add_newer_version(void)
{
    add_welcome(WIRE_VERSION + 1);
}

static void add_hello(void)
{
    add_message((struct wire_header){.type = WIRE_HELLO}, NULL, 0);
}

static void add_frame(void)
{
    add_welcome(WIRE_VERSION);
    add_message((struct wire_header){.type = WIRE_FRAME}, "xyz", 3);
}

static void add_odd_welcome(void)
{
    add_message((struct wire_header){.type = WIRE_WELCOME, .flags = 1}, "\xff\xff\xff", 3);
}

static void add_long_welcome(void)
{
    static uint8_t payload[STREAM_INPUT_BYTES];

    add_message((struct wire_header){.type = WIRE_WELCOME, .flags = 1}, payload, sizeof(payload));
}

static void add_ack_with_payload(void)
{
    add_welcome(WIRE_VERSION);
    add_message((struct wire_header){.type = WIRE_ACK}, "x", 1);
}

Test(stream_trouble, wrong_answers_end_the_connection_and_nothing_else)
{
    static const struct {
        void (*add)(void);
        int error;
    } cases[] = {
        {add_nothing_known, -EBADMSG},
        {add_damaged, -EBADMSG},
        {add_two_welcomes, -EPROTO},
        {add_version_0, -EPROTONOSUPPORT},
        {add_newer_version, -EPROTONOSUPPORT},
        {add_hello, -EPROTO},
        {add_frame, -EPROTO},
        {add_odd_welcome, -EBADMSG},
        {add_long_welcome, -EMSGSIZE},
        {add_ack_with_payload, -EMSGSIZE},
    };

    put_frame(1, 10);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        connect_stream();
        cases[i].add();
        say();
        (void)step_stream();
        cr_expect_eq(stream.state, STREAM_CLOSED, "case %zu", i);
        cr_expect_eq(stream.error, cases[i].error, "case %zu: %d", i, stream.error);
        cr_expect_eq(stream.socket.fd, -1);
        cr_expect_eq(outbox.held, 1);
        cr_expect_gt(stream.due_ns, clock_monotonic_ns());
    }
    welcome_stream(); /* and a good one is taken again */
}

/* --- Looking for a collector --- */

Test(stream_trouble, without_a_collector_it_looks_ever_more_seldom)
{
    uint64_t least_ns = 50 * NS_PER_MS;

    (void)close(listener);
    (void)unlink(stream_path);
    for (int i = 0; i < 12; i++) {
        uint64_t before_ns = clock_monotonic_ns();

        cr_assert(!step_stream());
        cr_assert_eq(stream.error, -ENOENT);
        cr_assert_geq(stream.due_ns, before_ns + least_ns);
        cr_assert_leq(stream.due_ns, clock_monotonic_ns() + 2 * least_ns);
        least_ns = min_u64(2 * least_ns, 2500 * NS_PER_MS);
    }
    cr_assert(!stream_step(&stream, &outbox, false), "the next attempt is not due");

    listener = listen_at(stream_path, 8);
    put_frame(1, 10);
    welcome_stream();
    add_ack(1);
    say();
    (void)step_stream();
    (void)close(peer);
    (void)step_stream();
    cr_assert_eq(stream.state, STREAM_CLOSED);
    cr_assert_leq(stream.due_ns, clock_monotonic_ns() + 100 * NS_PER_MS, "it worked: soon again");
}

Test(stream_trouble, all_paths_are_tried)
{
    (void)snprintf(settings.socket_paths[0], SETTINGS_PATH_BYTES, "/nonexistent/x");
    (void)snprintf(settings.socket_paths[1], SETTINGS_PATH_BYTES, "%s", stream_path);
    settings.socket_path_count = 2;
    connect_stream();
    stream_close(&stream);
    settings.socket_path_count = 0;
    cr_assert(!step_stream());
    cr_assert_eq(stream.error, -ENOENT);
}

Test(stream_trouble, a_collector_that_accepts_nobody_blocks_nothing)
{
    struct sockaddr_un address = address_of(stream_path);

    (void)close(listener);
    listener = listen_at(stream_path, 0);
    for (;;) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

        if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
            break;
        }
    }
    cr_assert(!step_stream());
    cr_assert_eq(stream.error, -EAGAIN);
}

/* --- Descriptors --- */

Test(stream_trouble, a_socket_that_became_another_file_is_left_alone)
{
    int pipes[2];
    char byte;

    put_frame(1, 10);
    welcome_stream();
    cr_assert_eq(pipe2(pipes, O_NONBLOCK), 0);

    int number = stream.socket.fd;

    cr_assert_eq(dup2(pipes[1], number), number);
    put_frame(2, 10);
    (void)step_stream();
    cr_assert_eq(stream.state, STREAM_CLOSED);
    cr_assert_eq(stream.error, -EBADF);
    cr_assert_geq(fcntl(number, F_GETFD), 0);
    cr_assert_eq(read(pipes[0], &byte, 1), -1, "nothing was written");
    welcome_stream();
    cr_assert_eq(outbox.held, 2);
}

Test(stream_trouble, forgetting_closes_both)
{
    connect_stream();

    int number = stream.socket.fd;

    stream_forget(&stream);
    cr_assert_lt(fcntl(number, F_GETFD), 0);
    cr_assert_lt(fcntl(recorder_fd, F_GETFD), 0);
    recorder_fd = -1;
    stream_wait(&stream, 0);
}
