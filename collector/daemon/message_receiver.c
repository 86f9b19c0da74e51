#include "message_receiver.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

enum { DESCRIPTORS_PER_READ_MAX = 4 };

void message_receiver_init(struct message_receiver *receiver, struct memory_budget *budget)
{
    *receiver = (struct message_receiver){.budget = budget};
}

void message_receiver_release(struct message_receiver *receiver)
{
    if (receiver->message != NULL) {
        memory_budget_give_back(receiver->budget, disk_job_cost(receiver->message));
        free(receiver->message);
        receiver->message = NULL;
    }
}

bool message_receiver_is_within(const struct message_receiver *receiver)
{
    return receiver->header_filled > 0;
}

static void keep_descriptors(struct msghdr *message, struct received_descriptor *descriptor)
{
    for (struct cmsghdr *control = CMSG_FIRSTHDR(message); control != NULL;
         control = CMSG_NXTHDR(message, control)) {
        if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        size_t count = (control->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (size_t i = 0; i < count; i++) {
            int fd;

            memcpy(&fd, CMSG_DATA(control) + i * sizeof(fd), sizeof(fd));
            if (descriptor->fd < 0) {
                descriptor->fd = fd;
            } else {
                (void)close(fd);
                descriptor->surplus++;
            }
        }
    }
}

/* Without a control buffer the kernel closes descriptors that come along. Returns bytes read, or a negative errno. */
static ssize_t receive(int fd, void *bytes, size_t size, struct received_descriptor *descriptor)
{
    union {
        struct cmsghdr alignment;
        char bytes[CMSG_SPACE(DESCRIPTORS_PER_READ_MAX * sizeof(int))];
    } control;
    struct iovec part = {.iov_base = bytes, .iov_len = size};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};

    if (descriptor == NULL) {
        ssize_t got = recv(fd, bytes, size, MSG_DONTWAIT);
        return got < 0 ? -errno : got;
    }
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof(control.bytes);
    ssize_t got = recvmsg(fd, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (got < 0) {
        return -errno;
    }
    keep_descriptors(&message, descriptor);
    return got;
}

/* Reads up to size bytes at ret_bytes + *filled. Returns 1 when they are there, else as message_receiver_read(). */
static int fill(int fd, uint8_t *ret_bytes, size_t size, size_t *filled,
                struct received_descriptor *descriptor)
{
    while (*filled < size) {
        ssize_t got = receive(fd, ret_bytes + *filled, size - *filled, descriptor);

        if (got == -EINTR) {
            continue;
        }
        if (got <= 0) {
            return (int)got;
        }
        *filled += (size_t)got;
    }
    return 1;
}

static int skip_longer_header(struct message_receiver *receiver, int fd)
{
    uint8_t ignored[256];

    while (receiver->skip_bytes > 0) {
        size_t filled = 0;
        int r = fill(fd, ignored, min_u64(receiver->skip_bytes, sizeof(ignored)), &filled, NULL);

        receiver->skip_bytes -= filled;
        if (r <= 0) {
            return r;
        }
    }
    return 1;
}

static int read_header(struct message_receiver *receiver, int fd,
                       struct received_descriptor *descriptor)
{
    if (!receiver->has_header) {
        int r = fill(fd, receiver->header_bytes, WIRE_HEADER_BYTES, &receiver->header_filled,
                     descriptor);
        if (r <= 0) {
            return r;
        }
        r = wire_header_read(receiver->header_bytes, &receiver->header);
        if (r < 0) {
            return r;
        }
        receiver->has_header = true;
        receiver->skip_bytes = receiver->header.header_size - WIRE_HEADER_BYTES;
    }
    return skip_longer_header(receiver, fd);
}

static int provide_memory(struct message_receiver *receiver)
{
    size_t size = receiver->header.payload_size;
    size_t cost = sizeof(struct disk_job) + size;

    if (receiver->message != NULL) {
        return 0;
    }
    if (!memory_budget_take(receiver->budget, cost)) {
        return -ENOBUFS;
    }
    receiver->message = disk_job_new(JOB_FRAME, size);
    if (receiver->message == NULL) {
        memory_budget_give_back(receiver->budget, cost);
        return -ENOMEM;
    }
    receiver->payload_filled = 0;
    return 0;
}

int message_receiver_read(struct message_receiver *receiver, int fd,
                          struct received_descriptor *descriptor, struct disk_job **ret_message)
{
    int r = read_header(receiver, fd, descriptor);
    if (r <= 0) {
        return r;
    }
    r = provide_memory(receiver);
    if (r < 0) {
        return r;
    }
    r = fill(fd, receiver->message->bytes, receiver->message->size, &receiver->payload_filled,
             descriptor);
    if (r <= 0) {
        return r;
    }
    *ret_message = take_pointer(&receiver->message);
    receiver->header_filled = 0;
    receiver->has_header = false;
    return 1;
}
