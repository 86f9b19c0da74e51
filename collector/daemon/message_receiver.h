/*
 * Bytes of a stream socket to whole messages of the protocol (wire.h), however the stream is cut. A payload is read
 * straight into the buffer that the disk writer will write from; an idle connection has none.
 */
#pragma once

#include "disk_channel.h"
#include "memory_budget.h"
#include "wire.h"

struct message_receiver {
    uint8_t header_bytes[WIRE_HEADER_BYTES];
    size_t header_filled;
    size_t skip_bytes; /* of a longer header, still to be read */
    bool has_header;
    struct wire_header header;
    struct disk_job *message; /* owned; NULL until memory is there */
    size_t payload_filled;
    struct memory_budget *budget; /* borrowed; what disk_job_cost(message) is taken from */
};

/* A descriptor that came along with the bytes (SCM_RIGHTS). */
struct received_descriptor {
    int fd;         /* owned by the caller; -1 if none came */
    size_t surplus; /* further ones, closed at once */
};

void message_receiver_init(struct message_receiver *receiver, struct memory_budget *budget);
void message_receiver_release(struct message_receiver *receiver);

/* Whether a message has begun and is not complete. */
bool message_receiver_is_within(const struct message_receiver *receiver);

/*
 * Reads until one message is complete.
 *
 * descriptor  where a descriptor goes that comes along; NULL: descriptors are not accepted, the kernel closes them
 * ret_message owned by the caller, as its disk_job_cost() in the budget; kind JOB_FRAME, with the payload in bytes; the header
 *             is receiver->header, its bytes receiver->header_bytes
 * Returns:    1 (message), 0 (the peer closed the stream), -EAGAIN (nothing to read), -ENOBUFS (no memory in the
 *             budget: go on later), what wire_header_read() returns, or a negative errno from recvmsg().
 * Threads:    the loop's only.
 */
MUST_USE int message_receiver_read(struct message_receiver *receiver, int fd,
                                   struct received_descriptor *descriptor,
                                   struct disk_job **ret_message);
