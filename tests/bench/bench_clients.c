/*
 * Many clients that greet the collector and then say nothing, as idle programs do: for what a connection costs it. Each
 * passes a descriptor as a recorder would be. Prints one line of JSON when all have been welcomed, and holds the
 * connections until its stdin ends.
 *
 *     bench_clients SOCKET COUNT
 *
 * Connects as many as descriptors permit: the line says how many.
 */
#include "base.h"
#include "bench_clock.h"
#include "packet.h"
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

enum {
    MAX_CLIENTS = 1000000,
    OTHER_DESCRIPTORS = 16,
    RECORDER_BYTES = 1 << 20,
    HELLO_BYTES = 4096,
    TRIES = 1000,
    RETRY_NS = 1000000,
    EXIT_USAGE = 2,
};

static uint64_t permitted_clients(void)
{
    struct rlimit limit = {0};

    (void)getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur > OTHER_DESCRIPTORS ? limit.rlim_cur - OTHER_DESCRIPTORS : 1;
}

/* A full backlog refuses for a moment. */
static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int r = -1;

    if (fd < 0 || strlen(path) >= sizeof(address.sun_path)) {
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path));
    for (int i = 0; i < TRIES && r < 0; i++) {
        r = connect(fd, (const struct sockaddr *)&address, sizeof(address));
        if (r < 0 && errno != EAGAIN) {
            return -1;
        }
        if (r < 0) {
            bench_sleep_ns(RETRY_NS);
        }
    }
    return r < 0 ? -1 : take_fd(&fd);
}

static int send_with_descriptor(int fd, struct slice bytes, int passed)
{
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes.data, .iov_len = bytes.size};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};

    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(&control.header), &passed, sizeof(int));
    return sendmsg(fd, &message, MSG_NOSIGNAL) == (ssize_t)bytes.size ? 0 : -1;
}

static int greet(int fd, uint64_t number, int recorder)
{
    uint8_t bytes[WIRE_HEADER_BYTES + HELLO_BYTES];
    struct hello hello = {
        .pid = (uint32_t)getpid(),
        .executable = "bench_clients",
        .session_start_ns = bench_now_ns(),
        .next_sequence = 1,
        .client_version = "bench",
        .recorder_bytes = RECORDER_BYTES,
    };
    size_t size = 0;

    memcpy(hello.session, &number, sizeof(number));
    hello.session[SESSION_ID_BYTES - 1] = 1;

    int r = packet_pack_hello(&hello, bytes + WIRE_HEADER_BYTES, HELLO_BYTES, &size);

    if (r < 0) {
        return r;
    }
    wire_header_write(bytes, &(struct wire_header){.type = WIRE_HELLO, .flags = WIRE_VERSION},
                      (struct slice){bytes + WIRE_HEADER_BYTES, size});
    return send_with_descriptor(fd, (struct slice){bytes, WIRE_HEADER_BYTES + size}, recorder);
}

static bool is_welcomed(int fd)
{
    uint8_t bytes[WIRE_HEADER_BYTES];
    struct wire_header header;

    return recv(fd, bytes, sizeof(bytes), MSG_WAITALL) == (ssize_t)sizeof(bytes) &&
           wire_header_read(bytes, &header) == 0 && header.type == WIRE_WELCOME;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        (void)fputs("usage: bench_clients SOCKET COUNT\n", stderr);
        return EXIT_USAGE;
    }

    uint64_t count = min_u64(bench_number(argv[2], 1, MAX_CLIENTS), permitted_clients());
    uint64_t session = bench_now_ns() << 20;
    uint64_t connected = 0;
    int recorder = memfd_create("bench", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (recorder < 0 || ftruncate(recorder, RECORDER_BYTES) < 0) {
        return EXIT_FAILURE;
    }
    (void)fcntl(recorder, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    for (; connected < count; connected++) {
        int fd = connect_to(argv[1]);

        if (fd < 0 || greet(fd, session + connected, recorder) < 0 || !is_welcomed(fd)) {
            break;
        }
    }
    (void)printf("{\"wanted\":%s,\"connected\":%" PRIu64 "}\n", argv[2], connected);
    (void)fflush(stdout);
    (void)getchar();
    return EXIT_SUCCESS;
}
