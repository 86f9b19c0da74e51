#include "packet_frame.h"

#include <errno.h>

enum { TRACE_PACKET_FIELD = 1 };

static size_t header_size(unsigned int number, size_t content_size)
{
    struct proto_sink measure = {0};

    proto_put_header(&measure, number, content_size);
    return measure.size;
}

int packet_write_frame(struct frame_writer *writer, const struct packet_body *body,
                       uint8_t *destination, size_t size, size_t *ret_size)
{
    struct proto_sink measure = {0};
    struct proto_sink sink = {.writer = writer};

    body->put(&measure, body->content);

    size_t packet_size = header_size(body->kind, measure.size) + measure.size;
    size_t plain_size = header_size(TRACE_PACKET_FIELD, packet_size) + packet_size;

    if (plain_size > FRAME_MAX_PLAIN_BYTES) {
        return -E2BIG;
    }

    int r = frame_start(writer, destination, size, plain_size);

    if (r < 0) {
        return r;
    }
    proto_put_header(&sink, TRACE_PACKET_FIELD, packet_size);
    proto_put_header(&sink, body->kind, measure.size);
    body->put(&sink, body->content);
    return sink.error < 0 ? sink.error : frame_finish(writer, ret_size);
}
