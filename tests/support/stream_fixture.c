#include "stream_fixture.h"

#include "packet.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

char stream_path[64];
int listener;
int peer; /* the collector's end of the connection */
struct settings settings;
struct stream stream;
struct outbox outbox;

struct sockaddr_un address_of(const char *text)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", text);
    return address;
}

int listen_at(const char *text, int backlog)
{
    struct sockaddr_un address = address_of(text);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

    (void)unlink(text);
    cr_assert_eq(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
    cr_assert_eq(listen(fd, backlog), 0);
    return fd;
}

void stream_set_up(void)
{
    client_set_up();
    (void)snprintf(stream_path, sizeof(stream_path), "/tmp/eddy-test-stream-%d.sock",
                   (int)getpid());
    listener = listen_at(stream_path, 8);
    peer = -1;
    settings = plain_settings(stream_path);
    settings.label_count = 1;
    settings.labels[0] = (struct label){"run", "canary"};
    stream_init(&stream, &settings, recorder, recorder_fd);
    cr_assert_eq(outbox_init(&outbox, recorder), 0);
}

void stream_tear_down(void)
{
    stream_close(&stream);
    outbox_release(&outbox);
    (void)close(listener);
    (void)close(peer);
    (void)unlink(stream_path);
    client_tear_down();
}

void put_frame(uint64_t sequence, size_t size)
{
    static uint8_t bytes[1 << 20];
    struct frame_account account = {.sequence = sequence, .rows = {7, 2, 1, 0}};

    memset(bytes, (uint8_t)sequence, size);
    outbox_put(&outbox, WIRE_FRAME, (struct slice){bytes, size}, &account);
}

bool step_stream(void)
{
    return stream_step(&stream, &outbox, true);
}

/* Connects, and sends the greeting into the socket. */
void connect_stream(void)
{
    (void)close(peer);
    cr_assert(step_stream());
    peer = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    cr_assert_geq(peer, 0);
    cr_assert_eq(stream.state, STREAM_GREETING);
}

/* Reads a whole message; its payload goes to ret_payload. Returns false if there is none yet. */
bool receive_message(struct wire_header *ret_header, uint8_t *ret_payload, int *ret_fd)
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

        (void)step_stream();
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

uint8_t answer[STREAM_ANSWER_BYTES];
size_t answer_size;

void add_message(struct wire_header header, const void *payload, size_t size)
{
    memcpy(answer + answer_size + WIRE_HEADER_BYTES, payload == NULL ? "" : payload, size);
    wire_header_write(answer + answer_size, &header,
                      (struct slice){answer + answer_size + WIRE_HEADER_BYTES, size});
    answer_size += WIRE_HEADER_BYTES + size;
}

void add_welcome(uint32_t version)
{
    const struct welcome welcome = {FRAME_MAX_BYTES, FRAME_MAX_PLAIN_BYTES, "test"};
    uint8_t payload[256];
    size_t size = 0;

    cr_assert_eq(packet_pack_welcome(&welcome, payload, sizeof(payload), &size), 0);
    add_message((struct wire_header){.type = WIRE_WELCOME, .flags = version}, payload, size);
}

void add_ack(uint64_t sequence)
{
    add_message((struct wire_header){.type = WIRE_ACK, .sequence = sequence}, NULL, 0);
}

void say(void)
{
    cr_assert_eq(send(peer, answer, answer_size, MSG_NOSIGNAL), (ssize_t)answer_size);
    answer_size = 0;
}

void take_greeting_and_welcome(void)
{
    struct wire_header header;
    uint8_t payload[STREAM_GREETING_BYTES];

    cr_assert(receive_message(&header, payload, NULL));
    cr_assert_eq(header.type, WIRE_HELLO);
    add_welcome(WIRE_VERSION);
    say();
    cr_assert(step_stream());
    cr_assert_eq(stream.state, STREAM_READY);
}

void welcome_stream(void)
{
    connect_stream();
    take_greeting_and_welcome();
}
