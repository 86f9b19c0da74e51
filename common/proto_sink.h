/*
 * Writes the fields of protobuf messages into a frame, or only counts their bytes: a message's length stands before it,
 * so the same functions run once to measure and once to write.
 */
#pragma once

#include "frame.h"

struct proto_sink {
    struct frame_writer *writer; /* borrowed; NULL: count only */
    size_t size;                 /* bytes so far */
    size_t block_size;           /* of them, since a block ended */
    int error; /* the first of writer, negative errno; nothing is written after it */
};

/* Threads: one sink, one thread at a time, as all functions here. */
void proto_put_raw(struct proto_sink *sink, struct slice bytes);

/* Tag and length of a field of type bytes, string or message, whose size bytes of content follow. */
void proto_put_header(struct proto_sink *sink, unsigned int number, size_t size);

/* A number; nothing if it is 0, as proto3 wants it. */
void proto_put_uint64(struct proto_sink *sink, unsigned int number, uint64_t value);

/* A double; nothing if all its bits are 0. */
void proto_put_double(struct proto_sink *sink, unsigned int number, double value);

/* A string; written also if it is empty, since it may be an element of a list. */
void proto_put_text(struct proto_sink *sink, unsigned int number, const char *text);

/* A string, or nothing if it is empty or NULL. */
void proto_put_optional_text(struct proto_sink *sink, unsigned int number, const char *text);

/* A column: bytes that get a zstd block of their own if they are long enough to be worth one. Nothing if empty. */
void proto_put_column(struct proto_sink *sink, unsigned int number, struct slice bytes);

/* Ends the zstd block. */
void proto_end_block(struct proto_sink *sink);
