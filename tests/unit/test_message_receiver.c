#include "message_receiver.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

enum { BUDGET_BYTES = 1 << 20 };

static int sockets[2]; /* what is written to 0 is received from 1 */
static struct memory_budget budget;
static struct message_receiver receiver;

static void set_up(void)
{
    cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, sockets), 0);
    budget = (struct memory_budget){.limit = BUDGET_BYTES};
    message_receiver_init(&receiver, &budget);
}

static void tear_down(void)
{
    message_receiver_release(&receiver);
    (void)close(sockets[0]);
    (void)close(sockets[1]);
}

TestSuite(message_receiver, .init = set_up, .fini = tear_down);

static void send_bytes(const uint8_t *bytes, size_t size)
{
    cr_assert_eq(write(sockets[0], bytes, size), (ssize_t)size);
}

static size_t make_message(uint8_t *ret_bytes, enum wire_type type, uint64_t sequence,
                           const char *payload)
{
    struct slice slice = {(const uint8_t *)payload, strlen(payload)};

    wire_header_write(ret_bytes, &(struct wire_header){.type = type, .sequence = sequence}, slice);
    memcpy(ret_bytes + WIRE_HEADER_BYTES, slice.data, slice.size);
    return WIRE_HEADER_BYTES + slice.size;
}

static int receive(struct disk_job **ret_message)
{
    return message_receiver_read(&receiver, sockets[1], NULL, ret_message);
}

static void drop(struct disk_job *message)
{
    memory_budget_give_back(&budget, disk_job_cost(message));
    free(message);
}

static void check_message(struct disk_job *message, uint64_t sequence, const char *payload)
{
    cr_expect_eq(receiver.header.sequence, sequence);
    cr_expect_eq(message->size, strlen(payload));
    cr_expect_eq(memcmp(message->bytes, payload, strlen(payload)), 0);
    cr_expect(wire_checksum_is_right(receiver.header_bytes,
                                     (struct slice){message->bytes, message->size}));
    drop(message);
    cr_expect_eq(budget.used, 0);
}

Test(message_receiver, nothing_has_come)
{
    struct disk_job *message = NULL;

    cr_expect_eq(receive(&message), -EAGAIN);
    cr_expect_not(message_receiver_is_within(&receiver));
    cr_expect_null(message);
}

Test(message_receiver, messages_are_whole_wherever_the_stream_is_cut)
{
    uint8_t bytes[1024];
    size_t first = make_message(bytes, WIRE_FRAME, 1, "one payload");
    size_t size = first + make_message(bytes + first, WIRE_FRAME, 2, "");
    struct disk_job *message = NULL;

    for (size_t cut = 0; cut <= size; cut++) {
        send_bytes(bytes, cut);
        if (cut < first) {
            cr_expect_eq(receive(&message), -EAGAIN, "cut at %zu", cut);
            cr_expect_eq(message_receiver_is_within(&receiver), cut > 0);
        }
        send_bytes(bytes + cut, size - cut);
        cr_assert_eq(receive(&message), 1, "cut at %zu", cut);
        check_message(message, 1, "one payload");
        cr_assert_eq(receive(&message), 1, "cut at %zu", cut);
        check_message(message, 2, "");
        cr_expect_not(message_receiver_is_within(&receiver));
    }
}

Test(message_receiver, a_longer_header_is_skipped)
{
    uint8_t bytes[2048] = {0};
    struct disk_job *message = NULL;
    size_t size = make_message(bytes, WIRE_FRAME, 7, "");
    const size_t header_size = 700;

    bytes[6] = (uint8_t)(header_size & 0xff);
    bytes[7] = (uint8_t)(header_size >> 8);
    send_bytes(bytes, size);
    cr_expect_eq(receive(&message), -EAGAIN);
    send_bytes(bytes + size, header_size - size);
    cr_assert_eq(receive(&message), 1);
    cr_expect_eq(receiver.header.sequence, 7);
    drop(message);
    send_bytes(bytes, make_message(bytes, WIRE_FRAME, 8, "next"));
    cr_assert_eq(receive(&message), 1);
    check_message(message, 8, "next");
}

Test(message_receiver, bytes_that_are_no_message_are_refused)
{
    uint8_t bytes[WIRE_HEADER_BYTES];
    struct disk_job *message = NULL;

    memset(bytes, 'x', sizeof(bytes));
    send_bytes(bytes, sizeof(bytes));
    cr_expect_eq(receive(&message), -EBADMSG);
}

Test(message_receiver, a_payload_larger_than_permitted_is_refused_before_memory_is_taken)
{
    uint8_t bytes[WIRE_HEADER_BYTES];
    struct disk_job *message = NULL;

    (void)make_message(bytes, WIRE_FRAME, 1, "");
    bytes[11] = 0xff;
    send_bytes(bytes, sizeof(bytes));
    cr_expect_eq(receive(&message), -EMSGSIZE);
    cr_expect_eq(budget.used, 0);
}

Test(message_receiver, the_end_of_the_stream_is_told_between_and_within_messages)
{
    uint8_t bytes[256];
    struct disk_job *message = NULL;
    size_t size = make_message(bytes, WIRE_FRAME, 1, "payload");

    send_bytes(bytes, size - 1);
    (void)shutdown(sockets[0], SHUT_WR);
    cr_expect_eq(receive(&message), 0);
    cr_expect(message_receiver_is_within(&receiver));
    message_receiver_release(&receiver);
    cr_expect_eq(budget.used, 0);
}

Test(message_receiver, waits_for_memory_and_goes_on_with_it)
{
    uint8_t bytes[256];
    struct disk_job *message = NULL;

    cr_assert(memory_budget_take(&budget, BUDGET_BYTES));
    send_bytes(bytes, make_message(bytes, WIRE_FRAME, 1, "payload"));
    cr_expect_eq(receive(&message), -ENOBUFS);
    cr_expect_eq(receive(&message), -ENOBUFS);
    memory_budget_give_back(&budget, BUDGET_BYTES);
    cr_assert_eq(receive(&message), 1);
    check_message(message, 1, "payload");
}

static void send_with_descriptors(const uint8_t *bytes, size_t size, const int *fds, size_t count)
{
    struct iovec part = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = size};
    char control[CMSG_SPACE(8 * sizeof(int))] = {0};
    struct msghdr message = {
        .msg_iov = &part,
        .msg_iovlen = 1,
        .msg_control = control,
        .msg_controllen = CMSG_SPACE(count * sizeof(int)),
    };
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);

    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(count * sizeof(int));
    memcpy(CMSG_DATA(header), fds, count * sizeof(int));
    cr_assert_eq(sendmsg(sockets[0], &message, 0), (ssize_t)size);
}

static int next_free_fd(void)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    (void)close(fd);
    return fd;
}

Test(message_receiver, one_descriptor_is_handed_over_and_no_other_stays_open)
{
    struct received_descriptor descriptor = {.fd = -1};
    uint8_t bytes[256];
    struct disk_job *message = NULL;
    const int fds[3] = {sockets[0], sockets[0], sockets[0]};
    int free_before = next_free_fd();

    send_with_descriptors(bytes, make_message(bytes, WIRE_HELLO, 0, "hello"), fds, 3);
    cr_assert_eq(message_receiver_read(&receiver, sockets[1], &descriptor, &message), 1);
    cr_expect_eq(descriptor.fd, free_before);
    cr_expect_eq(descriptor.surplus, 2);
    cr_expect_neq(fcntl(descriptor.fd, F_GETFD) & FD_CLOEXEC, 0);
    (void)close(descriptor.fd);
    cr_expect_eq(next_free_fd(), free_before);
    drop(message);

    /* Where none are expected, the kernel keeps them out. */
    send_with_descriptors(bytes, make_message(bytes, WIRE_FRAME, 1, ""), fds, 1);
    cr_assert_eq(receive(&message), 1);
    cr_expect_eq(next_free_fd(), free_before);
    drop(message);
}

Test(memory_budget, takes_what_is_left_and_always_a_single_message)
{
    struct memory_budget one = {.limit = 100};

    cr_expect(memory_budget_take(&one, 0));
    cr_expect(memory_budget_take(&one, 100));
    cr_expect_not(memory_budget_take(&one, 1));
    memory_budget_give_back(&one, 1);
    cr_expect(memory_budget_take(&one, 1));
    memory_budget_give_back(&one, 100);
    cr_expect_eq(one.used, 0);
    cr_expect(memory_budget_take(&one, 1000));
    cr_expect_not(memory_budget_take(&one, 0));
    memory_budget_give_back(&one, 5000);
    cr_expect_eq(one.used, 0);
    cr_expect(memory_budget_take(&one, 60));
    cr_expect_not(memory_budget_take(&one, SIZE_MAX));
}
