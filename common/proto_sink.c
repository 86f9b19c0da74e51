#include "proto_sink.h"

#include "bytes.h"
#include "proto_cursor.h"

#include <string.h>

enum {
    VARINT_MAX_BYTES = 10,
    TAG_TYPE_BITS = 3,
    /* Shorter columns share a block: a block and its tables cost more than they save. */
    COLUMN_BLOCK_MIN_BYTES = 1024,
    /* More than tags and lengths before a column would spoil its statistics. */
    BLOCK_PREFIX_MAX_BYTES = 32,
};

static size_t write_varint(uint8_t ret_bytes[static VARINT_MAX_BYTES], uint64_t value)
{
    size_t size = 0;

    while (value >= 0x80) {
        ret_bytes[size++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    ret_bytes[size++] = (uint8_t)value;
    return size;
}

static void put_varint(struct proto_sink *sink, uint64_t value)
{
    uint8_t bytes[VARINT_MAX_BYTES];

    proto_put_raw(sink, (struct slice){bytes, write_varint(bytes, value)});
}

static void put_tag(struct proto_sink *sink, unsigned int number, enum proto_type type)
{
    put_varint(sink, (uint64_t)number << TAG_TYPE_BITS | type);
}

void proto_put_raw(struct proto_sink *sink, struct slice bytes)
{
    if (sink->writer != NULL && sink->error == 0) {
        sink->error = frame_append(sink->writer, bytes);
    }
    sink->size += bytes.size;
    sink->block_size += bytes.size;
}

void proto_put_header(struct proto_sink *sink, unsigned int number, size_t size)
{
    put_tag(sink, number, PROTO_BYTES);
    put_varint(sink, size);
}

void proto_put_uint64(struct proto_sink *sink, unsigned int number, uint64_t value)
{
    if (value != 0) {
        put_tag(sink, number, PROTO_VARINT);
        put_varint(sink, value);
    }
}

void proto_put_double(struct proto_sink *sink, unsigned int number, double value)
{
    uint8_t bytes[sizeof(value)];

    memcpy(bytes, &value, sizeof(bytes));
    if (read_le64(bytes) != 0) {
        put_tag(sink, number, PROTO_FIXED64);
        proto_put_raw(sink, (struct slice){bytes, sizeof(bytes)});
    }
}

void proto_put_text(struct proto_sink *sink, unsigned int number, const char *text)
{
    struct slice bytes = {(const uint8_t *)text, strlen(text)};

    proto_put_header(sink, number, bytes.size);
    proto_put_raw(sink, bytes);
}

void proto_put_optional_text(struct proto_sink *sink, unsigned int number, const char *text)
{
    if (text != NULL && text[0] != '\0') {
        proto_put_text(sink, number, text);
    }
}

void proto_put_column(struct proto_sink *sink, unsigned int number, struct slice bytes)
{
    bool is_long = bytes.size >= COLUMN_BLOCK_MIN_BYTES;

    if (bytes.size == 0) {
        return;
    }
    if (is_long && sink->block_size > BLOCK_PREFIX_MAX_BYTES) {
        proto_end_block(sink);
    }
    proto_put_header(sink, number, bytes.size);
    proto_put_raw(sink, bytes);
    if (is_long) {
        proto_end_block(sink);
    }
}

void proto_end_block(struct proto_sink *sink)
{
    if (sink->writer != NULL && sink->error == 0) {
        sink->error = frame_flush_block(sink->writer);
    }
    sink->block_size = 0;
}
