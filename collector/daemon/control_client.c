#include "control_client.h"

#include "wire.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

enum { TIMEOUT_SECONDS = 30 };

PRINTF_LIKE(3, 4) static int fail(char *ret_error, int error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(ret_error, CONTROL_ERROR_MAX_BYTES, format, arguments);
    va_end(arguments);
    return error;
}

static const char *advice_for(int error)
{
    switch (error) {
    case ENOENT:
    case ECONNREFUSED:
        return "; no collector runs there: start one with 'eddy-collector run', or name another "
               "socket with --socket";
    case EACCES:
    case EPERM:
        return "; become a member of the socket's group, or try sudo";
    default:
        return "";
    }
}

static int connect_to(const char *path, int *ret_fd, char *ret_error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const struct timeval timeout = {.tv_sec = TIMEOUT_SECONDS};

    if (strlen(path) >= sizeof(address.sun_path)) {
        return fail(ret_error, -ENAMETOOLONG,
                    "socket path '%.150s...' is too long: %zu bytes, at most %zu are possible",
                    path, strlen(path), sizeof(address.sun_path) - 1);
    }
    memcpy(address.sun_path, path, strlen(path));
    AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)) < 0 ||
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout)) < 0) {
        return fail(ret_error, -errno, "cannot create a socket: %s", strerror(errno));
    }
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
        return fail(ret_error, -errno, "cannot reach a collector at '%s': %s%s", path,
                    strerror(errno), advice_for(errno));
    }
    *ret_fd = take_fd(&fd);
    return 0;
}

static int send_request(int fd, struct slice request)
{
    uint8_t bytes[WIRE_HEADER_BYTES + WIRE_MAX_CONTROL_BYTES];

    if (request.size > WIRE_MAX_CONTROL_BYTES) {
        return -EMSGSIZE;
    }
    wire_header_write(bytes, &(struct wire_header){.type = WIRE_CONTROL}, request);
    memcpy(bytes + WIRE_HEADER_BYTES, request.data, request.size);
    ssize_t sent = send(fd, bytes, WIRE_HEADER_BYTES + request.size, MSG_NOSIGNAL);
    if (sent < 0) {
        return -errno;
    }
    return (size_t)sent == WIRE_HEADER_BYTES + request.size ? 0 : -EIO;
}

static int receive_whole(int fd, uint8_t *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t got = recv(fd, bytes + done, size - done, 0);

        if (got == 0) {
            return -ECONNRESET;
        }
        if (got < 0 && errno != EINTR) {
            return errno == EAGAIN ? -ETIMEDOUT : -errno;
        }
        done += got > 0 ? (size_t)got : 0;
    }
    return 0;
}

static int skip_longer_header(int fd, const struct wire_header *header)
{
    uint8_t ignored[WIRE_MAX_HEADER_BYTES];

    return receive_whole(fd, ignored, header->header_size - WIRE_HEADER_BYTES);
}

/* Receives an answer of any status into *ret_answer; its bytes end with a NUL. */
static int receive_answer(int fd, struct text_buffer *ret_answer, uint32_t *ret_status)
{
    uint8_t header_bytes[WIRE_HEADER_BYTES];
    struct wire_header header;

    int r = receive_whole(fd, header_bytes, sizeof(header_bytes));
    r = r < 0 ? r : wire_header_read(header_bytes, &header);
    if (r == 0 && header.type != WIRE_REPLY) {
        r = -EBADMSG;
    }
    r = r < 0 ? r : skip_longer_header(fd, &header);
    if (r < 0) {
        return r;
    }
    AUTO_FREE char *bytes = calloc(1, (size_t)header.payload_size + 1);
    if (bytes == NULL) {
        return -ENOMEM;
    }
    r = receive_whole(fd, (uint8_t *)bytes, header.payload_size);
    if (r < 0) {
        return r;
    }
    if (!wire_checksum_is_right(header_bytes,
                                (struct slice){(const uint8_t *)bytes, header.payload_size})) {
        return -EBADMSG;
    }
    *ret_status = header.counts[0];
    text_buffer_init(ret_answer, WIRE_MAX_REPLY_BYTES);
    ret_answer->size = header.payload_size;
    ret_answer->capacity = (size_t)header.payload_size + 1;
    ret_answer->bytes = take_pointer(&bytes);
    return 0;
}

int control_ask(const char *socket_path, const char *request, struct text_buffer *ret_answer,
                char ret_error[static CONTROL_ERROR_MAX_BYTES])
{
    struct text_buffer answer;
    uint32_t status = 0;
    AUTO_CLOSE int fd = -1;

    int r = connect_to(socket_path, &fd, ret_error);
    if (r < 0) {
        return r;
    }
    r = send_request(fd, (struct slice){(const uint8_t *)request, strlen(request)});
    r = r < 0 ? r : receive_answer(fd, &answer, &status);
    if (r < 0) {
        return fail(ret_error, r, "the collector at '%s' did not answer: %s", socket_path,
                    strerror(-r));
    }
    if (status != 0) {
        r = fail(ret_error, status > INT32_MAX ? -EIO : -(int)status,
                 "the collector at '%s' refused: %.300s", socket_path, answer.bytes);
        text_buffer_release(&answer);
        return r;
    }
    *ret_answer = answer;
    return 0;
}
