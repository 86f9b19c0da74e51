#include "client_fixture.h"
#include "clocks.h"
#include "packet.h"
#include "stream.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

static char path[64];
static int listener;
static int peer; /* the collector's end of the connection */
static struct settings settings;
static struct stream stream;
static struct outbox outbox;

static struct sockaddr_un address_of(const char *text)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", text);
    return address;
}

static int listen_at(const char *text, int backlog)
{
    struct sockaddr_un address = address_of(text);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

    (void)unlink(text);
    cr_assert_eq(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    cr_assert_eq(listen(fd, backlog), 0);
    return fd;
}

static void set_up(void)
{
    client_set_up();
    (void)snprintf(path, sizeof(path), "/tmp/eddy-test-stream-%d.sock", (int)getpid());
    listener = listen_at(path, 8);
    peer = -1;
    settings = plain_settings(path);
    settings.label_count = 1;
    settings.labels[0] = (struct label){"run", "canary"};
    stream_init(&stream, &settings, recorder, recorder_fd);
    cr_assert_eq(outbox_init(&outbox, recorder), 0);
}

static void tear_down(void)
{
    stream_close(&stream);
    outbox_release(&outbox);
    (void)close(listener);
    (void)close(peer);
    (void)unlink(path);
    client_tear_down();
}

TestSuite(stream, .init = set_up, .fini = tear_down, .timeout = 60);

static void put(uint64_t sequence, size_t size)
{
    static uint8_t bytes[1 << 20];
    struct frame_account account = {.sequence = sequence, .rows = {7, 2, 1}};

    memset(bytes, (uint8_t)sequence, size);
    outbox_put(&outbox, WIRE_FRAME, (struct slice){bytes, size}, &account);
}

static bool step(void)
{
    return stream_step(&stream, &outbox, true);
}

/* Connects, and sends the greeting into the socket. */
static void connect_stream(void)
{
    (void)close(peer);
    cr_assert(step());
    peer = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    cr_assert_geq(peer, 0);
    cr_assert_eq(stream.state, STREAM_GREETING);
}

/* Reads a whole message; its payload goes to ret_payload. Returns false if there is none yet. */
static bool receive_message(struct wire_header *ret_header, uint8_t *ret_payload, int *ret_fd)
{
    uint8_t header[WIRE_HEADER_BYTES];
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec part = {header, sizeof(header)};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.bytes,
                             .msg_controllen = sizeof(control.bytes)};

    if (recvmsg(peer, &message, MSG_PEEK | MSG_CMSG_CLOEXEC) < (ssize_t)sizeof(header)) {
        return false;
    }
    cr_assert_eq(recvmsg(peer, &message, MSG_CMSG_CLOEXEC), (ssize_t)sizeof(header));
    cr_assert_eq(wire_header_read(header, ret_header), 0);
    for (size_t done = 0; done < ret_header->payload_size;) {
        ssize_t got = recv(peer, ret_payload + done, ret_header->payload_size - done, 0);

        (void)step();
        done += got > 0 ? (size_t)got : 0;
    }
    cr_assert(
        wire_checksum_is_right(header, (struct slice){ret_payload, ret_header->payload_size}));
    if (ret_fd != NULL) {
        struct cmsghdr *rights = CMSG_FIRSTHDR(&message);

        *ret_fd = -1;
        if (rights != NULL) {
            memcpy(ret_fd, CMSG_DATA(rights), sizeof(int));
        }
    }
    return true;
}

/* --- What a collector says --- */

static uint8_t answer[16 << 10];
static size_t answer_size;

static void add_message(struct wire_header header, const void *payload, size_t size)
{
    memcpy(answer + answer_size + WIRE_HEADER_BYTES, payload == NULL ? "" : payload, size);
    wire_header_write(answer + answer_size, &header,
                      (struct slice){answer + answer_size + WIRE_HEADER_BYTES, size});
    answer_size += WIRE_HEADER_BYTES + size;
}

static void add_welcome(uint32_t version)
{
    const struct welcome welcome = {FRAME_MAX_BYTES, FRAME_MAX_PLAIN_BYTES, "test"};
    uint8_t payload[256];
    size_t size = 0;

    cr_assert_eq(packet_pack_welcome(&welcome, payload, sizeof(payload), &size), 0);
    add_message((struct wire_header){.type = WIRE_WELCOME, .flags = version}, payload, size);
}

static void add_ack(uint64_t sequence)
{
    add_message((struct wire_header){.type = WIRE_ACK, .sequence = sequence}, NULL, 0);
}

static void say(void)
{
    cr_assert_eq(send(peer, answer, answer_size, MSG_NOSIGNAL), (ssize_t)answer_size);
    answer_size = 0;
}

static void take_greeting_and_welcome(void)
{
    struct wire_header header;
    uint8_t payload[STREAM_GREETING_BYTES];

    cr_assert(receive_message(&header, payload, NULL));
    cr_assert_eq(header.type, WIRE_HELLO);
    add_welcome(WIRE_VERSION);
    say();
    cr_assert(step());
    cr_assert_eq(stream.state, STREAM_READY);
}

static void welcome_stream(void)
{
    connect_stream();
    take_greeting_and_welcome();
}

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

    put(7, 10);
    connect_stream();
    cr_assert(receive_message(&header, payload, &fd));
    cr_assert_eq(header.type, WIRE_HELLO);
    cr_assert_eq(header.flags, WIRE_VERSION);
    cr_assert_eq(packet_arena_new(&arena), 0);
    cr_assert_eq(packet_unpack_hello(arena, (struct slice){payload, header.payload_size}, &hello),
                 0);
    cr_assert_eq(hello.pid, getpid());
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

    (void)step();
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

    put(1, 100);
    put(2, 200);
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
        cr_assert(step());
    }
    cr_assert_eq(stream.records_stored, 20);
    cr_assert_eq(outbox.held, 0);
    cr_assert(!step(), "nothing moves");
    cr_assert(!stream_is_expecting(&stream, &outbox));
}

Test(stream, acknowledgements_of_what_was_never_sent_free_nothing_else)
{
    welcome_stream();
    add_ack(UINT64_MAX);
    say();
    put(1, 10);
    (void)step();
    cr_assert_eq(outbox.held, 1);
    cr_assert_eq(stream.records_stored, 0);
    add_ack(UINT64_MAX);
    add_ack(UINT64_MAX);
    say();
    (void)step();
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
        put(i, SIZE);
    }
    connect_stream();
    (void)setsockopt(stream.socket.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
    take_greeting_and_welcome();
    while (step()) {
    }
    cr_assert(stream.is_blocked);
    cr_assert_eq(stream.state, STREAM_READY);
    cr_assert(stream_is_expecting(&stream, &outbox));
    while (next <= FRAMES / 2 && receive_message(&header, payload, NULL)) {
        cr_assert_eq(header.sequence, next++);
        cr_assert_eq(payload[SIZE - 1], (uint8_t)header.sequence);
        add_ack(header.sequence);
        say();
        (void)step();
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
    put(1, 100);
    for (size_t cut = 0; cut <= full_size; cut++) {
        bool is_acked = cut == full_size;

        connect_stream();
        cr_assert(receive_message(&header, payload, NULL));
        answer_size = cut < full_size - WIRE_HEADER_BYTES ? cut : full_size - WIRE_HEADER_BYTES;
        memcpy(answer, full, answer_size);
        say();
        (void)step();
        if (stream.state == STREAM_READY) {
            cr_assert(receive_message(&header, payload, NULL));
            cr_assert_eq(header.sequence, 1);
            cr_assert_eq(send(peer, full + full_size - WIRE_HEADER_BYTES,
                              cut + WIRE_HEADER_BYTES - full_size, 0),
                         (ssize_t)(cut + WIRE_HEADER_BYTES - full_size));
            (void)step();
        }
        (void)close(peer);
        peer = -1;
        (void)step();
        cr_assert_eq(stream.state, STREAM_CLOSED, "byte %zu", cut);
        cr_assert_eq(outbox.held, is_acked ? 0 : 1);
    }
    cr_assert_eq(stream.records_stored, 10);
}

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

Test(stream, wrong_answers_end_the_connection_and_nothing_else)
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

    put(1, 10);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        connect_stream();
        cases[i].add();
        say();
        (void)step();
        cr_expect_eq(stream.state, STREAM_CLOSED, "case %zu", i);
        cr_expect_eq(stream.error, cases[i].error, "case %zu: %d", i, stream.error);
        cr_expect_eq(stream.socket.fd, -1);
        cr_expect_eq(outbox.held, 1);
        cr_expect_gt(stream.due_ns, clock_monotonic_ns());
    }
    welcome_stream(); /* and a good one is taken again */
}

/* --- Looking for a collector --- */

Test(stream, without_a_collector_it_looks_ever_more_seldom)
{
    uint64_t least_ns = 50 * NS_PER_MS;

    (void)close(listener);
    (void)unlink(path);
    for (int i = 0; i < 12; i++) {
        uint64_t before_ns = clock_monotonic_ns();

        cr_assert(!step());
        cr_assert_eq(stream.error, -ENOENT);
        cr_assert_geq(stream.due_ns, before_ns + least_ns);
        cr_assert_leq(stream.due_ns, clock_monotonic_ns() + 2 * least_ns);
        least_ns = min_u64(2 * least_ns, 2500 * NS_PER_MS);
    }
    cr_assert(!stream_step(&stream, &outbox, false), "the next attempt is not due");

    listener = listen_at(path, 8);
    put(1, 10);
    welcome_stream();
    add_ack(1);
    say();
    (void)step();
    (void)close(peer);
    (void)step();
    cr_assert_eq(stream.state, STREAM_CLOSED);
    cr_assert_leq(stream.due_ns, clock_monotonic_ns() + 100 * NS_PER_MS, "it worked: soon again");
}

Test(stream, all_paths_are_tried)
{
    (void)snprintf(settings.socket_paths[0], SETTINGS_PATH_BYTES, "/nonexistent/x");
    (void)snprintf(settings.socket_paths[1], SETTINGS_PATH_BYTES, "%s", path);
    settings.socket_path_count = 2;
    connect_stream();
    stream_close(&stream);
    settings.socket_path_count = 0;
    cr_assert(!step());
    cr_assert_eq(stream.error, -ENOENT);
}

Test(stream, a_collector_that_accepts_nobody_blocks_nothing)
{
    struct sockaddr_un address = address_of(path);

    (void)close(listener);
    listener = listen_at(path, 0);
    for (;;) {
        int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

        if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
            break;
        }
    }
    cr_assert(!step());
    cr_assert_eq(stream.error, -EAGAIN);
}

/* --- Descriptors --- */

Test(stream, a_socket_that_became_another_file_is_left_alone)
{
    int pipes[2];
    char byte;

    put(1, 10);
    welcome_stream();
    cr_assert_eq(pipe2(pipes, O_NONBLOCK), 0);

    int number = stream.socket.fd;

    cr_assert_eq(dup2(pipes[1], number), number);
    put(2, 10);
    (void)step();
    cr_assert_eq(stream.state, STREAM_CLOSED);
    cr_assert_eq(stream.error, -EBADF);
    cr_assert_geq(fcntl(number, F_GETFD), 0);
    cr_assert_eq(read(pipes[0], &byte, 1), -1, "nothing was written");
    welcome_stream();
    cr_assert_eq(outbox.held, 2);
}

Test(stream, forgetting_closes_both)
{
    connect_stream();

    int number = stream.socket.fd;

    stream_forget(&stream);
    cr_assert_lt(fcntl(number, F_GETFD), 0);
    cr_assert_lt(fcntl(recorder_fd, F_GETFD), 0);
    recorder_fd = -1;
    stream_wait(&stream, 0);
}
