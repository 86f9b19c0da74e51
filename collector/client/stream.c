#include "stream.h"

#include "clocks.h"
#include "debug_line.h"
#include "utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

/* At least 100 ms, at most 5 s between two attempts, less a random part of up to a half. */
#define LEAST_BACK_OFF_NS (100 * NS_PER_MS)
#define MOST_BACK_OFF_NS (5 * NS_PER_S)

enum {
    WIRE_VERSION_MASK = 0xffff,
    SEND_BUFFER_BYTES = 1 << 20, /* asked for; the kernel gives what it permits */
};

/* --- What is known from the start --- */

static void find_executable(char ret_name[static EXECUTABLE_NAME_BYTES])
{
    char path[4096];
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);
    const char *name = program_invocation_short_name;

    if (length > 0) {
        path[length] = '\0';

        char *deleted = strstr(path, " (deleted)");
        const char *slash = strrchr(path, '/');

        if (deleted != NULL && deleted[strlen(" (deleted)")] == '\0') {
            *deleted = '\0';
        }
        name = slash == NULL ? path : slash + 1;
    }
    (void)utf8_copy(ret_name, EXECUTABLE_NAME_BYTES, name, strlen(name), NULL);
}

void stream_init(struct stream *stream, const struct settings *settings,
                 const struct recorder *recorder, int recorder_fd)
{
    *stream = (struct stream){
        .settings = settings,
        .recorder = recorder,
        .recorder_fd = NO_DESCRIPTOR,
        .socket = NO_DESCRIPTOR,
        .state = STREAM_CLOSED,
        .error = -ENOTCONN,
        .back_off_ns = LEAST_BACK_OFF_NS,
        .seen_ns = clock_monotonic_ns(),
    };
    memcpy(&stream->random, recorder->session, sizeof(stream->random));
    find_executable(stream->executable);
    if (recorder_fd >= 0) {
        int r = descriptor_note(&stream->recorder_fd, recorder_fd);

        (void)r; /* Without it nothing is handed over, which the greeting says. */
    }
}

/* --- Connecting --- */

/* A part of back_off_ns, from a half to the whole: clients of a collector that restarts do not come all at once. */
static uint64_t jitter(struct stream *stream)
{
    stream->random = stream->random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return stream->back_off_ns / 2 + (stream->random >> 33) % (stream->back_off_ns / 2);
}

/* Plans the next attempt. */
static void back_off(struct stream *stream, int error)
{
    stream->error = error;
    stream->due_ns = clock_monotonic_ns() + jitter(stream);
    stream->back_off_ns = min_u64(2 * stream->back_off_ns, MOST_BACK_OFF_NS);
}

void stream_close(struct stream *stream)
{
    descriptor_release(&stream->socket);
    stream->state = STREAM_CLOSED;
    stream->is_blocked = false;
}

static void disconnect(struct stream *stream, int error)
{
    debug_line(stream->settings->debug, "the connection to the collector ended: %s",
               strerrordesc_np(-error));
    stream_close(stream);
    back_off(stream, error);
}

/* Returns a connected socket, or a negative errno. A full backlog is -EAGAIN: a blocking connect would wait there. */
static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int size = SEND_BUFFER_BYTES;

    if (fd < 0) {
        return -errno;
    }
    memcpy(address.sun_path, path, strnlen(path, sizeof(address.sun_path) - 1));
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
        return -errno;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    return take_fd(&fd);
}

/* Writes the greeting into its buffer. */
static int write_greeting(struct stream *stream, uint64_t next_sequence)
{
    struct hello hello = {
        .pid = stream->recorder->pid,
        .executable = stream->executable,
        .label_count = stream->settings->label_count,
        .session_start_ns = stream->recorder->start_ns,
        .next_sequence = next_sequence,
        .client_version = "libeddy " EDDY_PROJECT_VERSION,
        .recorder_bytes =
            descriptor_is_ours(&stream->recorder_fd) ? stream->recorder->size_bytes : 0,
    };
    uint8_t *payload = stream->greeting + WIRE_HEADER_BYTES;
    size_t size = 0;

    memcpy(hello.session, stream->recorder->session, sizeof(hello.session));
    memcpy(hello.labels, stream->settings->labels, sizeof(hello.labels));

    int r = packet_pack_hello(&hello, payload, sizeof(stream->greeting) - WIRE_HEADER_BYTES, &size);

    if (r == 0) {
        wire_header_write(stream->greeting,
                          &(struct wire_header){.type = WIRE_HELLO, .flags = WIRE_VERSION},
                          (struct slice){payload, size});
        stream->greeting_size = WIRE_HEADER_BYTES + size;
    }
    return r;
}

static int try_paths(struct stream *stream)
{
    int r = -ENOENT;

    for (size_t i = 0; i < stream->settings->socket_path_count; i++) {
        const char *path = stream->settings->socket_paths[i];

        r = connect_to(path);
        if (r >= 0 || r == -EAGAIN) {
            return r;
        }
        if (r != stream->error) {
            debug_line(stream->settings->debug, "no collector at %s: %s", path,
                       strerrordesc_np(-r));
        }
    }
    return r;
}

static void connect_now(struct stream *stream, struct outbox *outbox)
{
    int r = try_paths(stream);

    r = r < 0 ? r : descriptor_take(&stream->socket, r);
    r = r < 0 ? r : write_greeting(stream, outbox_next_sequence(outbox));
    if (r < 0) {
        descriptor_release(&stream->socket);
        back_off(stream, r);
        return;
    }
    stream->state = STREAM_GREETING;
    stream->sent = 0;
    stream->input_size = 0;
    stream->error = 0;
    outbox_rewind(outbox);
}

/* --- Sending --- */

/* The first byte of the greeting takes the recorder's descriptor along. */
static ssize_t send_with_recorder(const struct stream *stream, const uint8_t *bytes, size_t size)
{
    struct iovec part = {(void *)(uintptr_t)bytes, size};
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    if (descriptor_is_ours(&stream->recorder_fd)) {
        message.msg_control = control.bytes;
        message.msg_controllen = sizeof(control.bytes);

        struct cmsghdr *header = CMSG_FIRSTHDR(&message);

        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(sizeof(int));
        memcpy(CMSG_DATA(header), &stream->recorder_fd.fd, sizeof(int));
    }
    return sendmsg(stream->socket.fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static bool is_busy(int error)
{
    return error == EAGAIN || error == EINTR || error == ENOBUFS || error == ENOMEM;
}

/*
 * Sends what is left of message.
 *
 * Returns:  1 if all of it was sent, 0 if the socket takes no more now, a negative errno.
 */
static int send_rest(struct stream *stream, struct slice message, bool with_recorder)
{
    stream->is_blocked = false;
    while (stream->sent < message.size) {
        const uint8_t *rest = message.data + stream->sent;
        size_t size = message.size - stream->sent;

        if (!descriptor_is_ours(&stream->socket)) {
            return -EBADF;
        }

        ssize_t sent = with_recorder && stream->sent == 0
                           ? send_with_recorder(stream, rest, size)
                           : send(stream->socket.fd, rest, size, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (sent < 0 && is_busy(errno)) {
            stream->is_blocked = true;
            return 0;
        }
        if (sent < 0) {
            return -errno;
        }
        stream->sent += (size_t)sent;
    }
    return 1;
}

/* Returns 1 if anything moved, 0 if not, a negative errno. */
static int send_frames(struct stream *stream, struct outbox *outbox)
{
    struct slice message;
    size_t before = stream->sent;
    bool moved = false;
    int r = 1;

    while (r > 0 && outbox_next(outbox, &message)) {
        outbox_sending(outbox);
        r = send_rest(stream, message, false);
        if (r > 0) {
            outbox_sent(outbox);
            stream->sent = 0;
            moved = true;
        }
    }
    return r < 0 ? r : moved || stream->sent != before;
}

static int send_greeting(struct stream *stream)
{
    size_t before = stream->sent;
    struct slice greeting = {stream->greeting, stream->greeting_size};
    int r = before == greeting.size ? 0 : send_rest(stream, greeting, true);

    return r < 0 ? r : stream->sent != before;
}

/* --- Receiving --- */

static int take_welcome(struct stream *stream, const struct wire_header *header,
                        struct slice payload)
{
    struct packet_arena *arena = NULL;
    struct welcome welcome = {0};
    uint32_t version = header->flags & WIRE_VERSION_MASK;

    if (stream->state != STREAM_GREETING || stream->sent != stream->greeting_size) {
        return -EPROTO;
    }
    if (version == 0 || version > WIRE_VERSION) {
        return -EPROTONOSUPPORT;
    }

    int r = packet_arena_new(&arena);

    r = r < 0 ? r : packet_unpack_welcome(arena, payload, &welcome);
    if (r == 0) {
        debug_line(stream->settings->debug, "connected to %s", welcome.collector_version);
        stream->max_payload_bytes = welcome.max_payload_bytes;
        stream->state = STREAM_READY;
        stream->sent = 0;
    }
    packet_arena_free(arena);
    return r;
}

static int take_message(struct stream *stream, struct outbox *outbox,
                        const struct wire_header *header, struct slice payload)
{
    switch (header->type) {
    case WIRE_WELCOME:
        return take_welcome(stream, header, payload);
    case WIRE_ACK:
        stream->records_stored += outbox_acknowledge(outbox, header->sequence);
        stream->back_off_ns =
            LEAST_BACK_OFF_NS; /* It works: the next end of a connection is a new one. */
        return 0;
    case WIRE_HELLO:
    case WIRE_FRAME:
    case WIRE_GOODBYE:
    case WIRE_CONTROL:
    case WIRE_REPLY:
    default:
        return -EPROTO;
    }
}

/*
 * Takes the messages that are complete.
 *
 * Returns:  the bytes used, or a negative errno.
 */
static int take_input(struct stream *stream, struct outbox *outbox)
{
    size_t used = 0;

    while (stream->input_size - used >= WIRE_HEADER_BYTES) {
        const uint8_t *bytes = stream->input + used;
        struct wire_header header;
        int r = wire_header_read(bytes, &header);
        size_t size = r < 0 ? 0 : header.header_size + (size_t)header.payload_size;

        if (r < 0 || size > sizeof(stream->input)) {
            return r < 0 ? r : -EMSGSIZE;
        }
        if (stream->input_size - used < size) {
            break;
        }

        struct slice payload = {bytes + header.header_size, header.payload_size};

        r = wire_checksum_is_right(bytes, payload) ? take_message(stream, outbox, &header, payload)
                                                   : -EBADMSG;
        if (r < 0) {
            return r;
        }
        used += size;
    }
    return (int)used;
}

/* Returns 1 if anything came, 0 if not, a negative errno. */
static int receive(struct stream *stream, struct outbox *outbox)
{
    bool moved = false;

    for (;;) {
        if (!descriptor_is_ours(&stream->socket)) {
            return -EBADF;
        }

        ssize_t received = recv(stream->socket.fd, stream->input + stream->input_size,
                                sizeof(stream->input) - stream->input_size, MSG_DONTWAIT);

        if (received <= 0) {
            bool is_nothing = received < 0 && is_busy(errno);

            return is_nothing ? moved : received == 0 ? -ECONNRESET : -errno;
        }
        moved = true;
        stream->input_size += (size_t)received;

        int used = take_input(stream, outbox);

        if (used < 0) {
            return used;
        }
        stream->input_size -= (size_t)used;
        memmove(stream->input, stream->input + used, stream->input_size);
    }
}

/* --- Steps --- */

bool stream_step(struct stream *stream, struct outbox *outbox, bool is_urgent)
{
    bool was_closed = stream->state == STREAM_CLOSED;

    if (was_closed && (is_urgent || clock_monotonic_ns() >= stream->due_ns)) {
        connect_now(stream, outbox);
    }
    if (stream->state == STREAM_CLOSED) {
        return false;
    }
    stream->seen_ns = clock_monotonic_ns();

    int received = receive(stream, outbox);
    int sent = received < 0                    ? received
               : stream->state == STREAM_READY ? send_frames(stream, outbox)
                                               : send_greeting(stream);

    if (sent < 0) {
        disconnect(stream, sent);
        return false;
    }
    return was_closed || received > 0 || sent > 0;
}

void stream_wait(const struct stream *stream, uint64_t timeout_ns)
{
    struct timespec timeout = {(time_t)(timeout_ns / NS_PER_S), (long)(timeout_ns % NS_PER_S)};
    struct pollfd poll = {
        .fd = descriptor_is_ours(&stream->socket) ? stream->socket.fd : -1,
        .events = (short)(POLLIN | (stream->is_blocked ? POLLOUT : 0)),
    };

    (void)ppoll(&poll, 1, &timeout, NULL);
}

void stream_forget(struct stream *stream)
{
    descriptor_release(&stream->socket);
    descriptor_release(&stream->recorder_fd);
}
