#include "codec_fixture.h"

#include "trace.pb-c.h" /* what stock protobuf says about the same bytes */

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
#include <zstd.h>

TestSuite(batch_codec, .init = codec_set_up, .fini = codec_tear_down);

/* --- Round trips --- */

Test(batch_codec, random_batches_come_back)
{
    static const struct batch_shape shapes[] = {
        {0},
        {.names = 1, .threads = 1, .operations = 1},
        {.names = 1,
         .threads = 1,
         .operations = 1,
         .sparse_percent = 100,
         .attributes = 1,
         .samples = 1,
         .marks = 1,
         .open = 1,
         .long_runs = 1,
         .losses = 1},
        {.names = 2, .threads = 3, .operations = 1000, .sparse_percent = 3, .samples = 100},
        {.names = 36,
         .threads = 256,
         .operations = 3000,
         .sparse_percent = 100,
         .attributes = 9000,
         .samples = 2000,
         .marks = 2000,
         .open = 2000,
         .long_runs = 2000,
         .losses = 100}, /* 252 names */
        {.names = 37,
         .threads = 257,
         .operations = 3000,
         .sparse_percent = 50,
         .attributes = 100,
         .samples = 2000,
         .marks = 2000,
         .open = 2000,
         .long_runs = 2000}, /* 259 names: two bytes each */
        {.names = 9000, .threads = 40000, .operations = 500, .marks = 40},
        {.names = 1, .threads = 1, .samples = 500},
        {.names = 1, .threads = 2, .marks = 500},
        {.names = 1, .threads = 0, .open = 500},
        {.names = 1, .threads = 2, .long_runs = 500},
        {.losses = BATCH_MAX_LOSSES},
    };

    for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
        for (uint64_t seed = 0; seed < 3; seed++) {
            cr_assert_eq(random_batch(&batch, seed * 100 + i, &shapes[i]), 0);
            check_back(encode_and_decompress());
        }
    }
    for (uint64_t seed = 0; seed < 200; seed++) {
        cr_assert_eq(random_batch(&batch, seed, &small_shape), 0);
        check_back(encode_and_decompress());
    }
}

Test(batch_codec, a_full_batch_comes_back)
{
    static const struct batch_shape shape = {
        .names = 20,
        .threads = 8,
        .operations = BATCH_MAX_OPERATIONS,
        .sparse_percent = 20,
        .samples = BATCH_MAX_SAMPLES,
        .marks = BATCH_MAX_MARKS,
        .open = 100,
    };

    cr_assert_eq(random_batch(&batch, 1, &shape), 0);
    check_back(encode_and_decompress());
}

Test(batch_codec, memory_is_reused_from_batch_to_batch)
{
    static const struct batch_shape large = {.names = 2, .threads = 2, .operations = 2000};

    cr_assert_eq(random_batch(&batch, 1, &large), 0);
    check_back(encode_and_decompress());

    uint64_t *memory = back.operations.begin_ns;

    cr_assert_eq(random_batch(&batch, 2, &small_shape), 0);
    check_back(encode_and_decompress());
    cr_assert_eq(back.operations.begin_ns, memory);
}

static void make_plain_batch(uint32_t operations)
{
    struct batch_shape shape = {.names = 1, .threads = 2, .operations = operations};

    cr_assert_eq(random_batch(&batch, 5, &shape), 0);
    for (uint32_t i = 0; i < operations; i++) {
        batch.operations.begin_ns[i] = 1000 + i;
        batch.operations.duration_ns[i] = 10;
        batch.operations.status[i] = STATUS_OK;
        batch.operations.begin_thread[i] = 0;
        batch.operations.end_thread[i] = 0;
    }
}

Test(batch_codec, columns_that_say_nothing_are_left_out)
{
    make_plain_batch(100);

    struct slice plain = encode_and_decompress();
    Eddy__Trace *trace = eddy__trace__unpack(NULL, plain.size, plain.data);
    const Eddy__Operations *operations = trace->packet[0]->batch->operations;

    cr_assert_eq(operations->status.len, 0);
    cr_assert_eq(operations->begin_thread.len, 0);
    cr_assert_eq(operations->end_thread.len, 0);
    cr_assert_null(operations->id);
    cr_assert_null(operations->queue);
    cr_assert_null(trace->packet[0]->batch->samples);
    cr_assert_null(trace->packet[0]->batch->long_runs);
    eddy__trace__free_unpacked(trace, NULL);
    check_back(plain);
}

Test(batch_codec, extreme_times_and_durations_come_back)
{
    make_plain_batch(3);
    batch.operations.begin_ns[0] = 0;
    batch.operations.begin_ns[1] = 0;
    batch.operations.begin_ns[2] = UINT64_MAX;
    batch.operations.duration_ns[0] = 0;
    batch.operations.duration_ns[1] = (UINT64_C(1) << 62) - 1;
    batch.operations.duration_ns[2] = 0;
    check_back(encode_and_decompress());
    cr_assert_eq(back.min_begin_ns, 0);
    cr_assert_eq(back.min_end_ns, 0);
    cr_assert_eq(back.max_end_ns, UINT64_MAX);
}

Test(batch_codec, head_tells_range_and_rows)
{
    make_plain_batch(4);
    batch.operations.duration_ns[0] = 500;
    check_back(encode_and_decompress());
    cr_assert_eq(back.min_begin_ns, 1000);
    cr_assert_eq(back.min_end_ns, 1011);
    cr_assert_eq(back.max_end_ns, 1500);
    cr_assert_eq(back.names[0].rows, 4);
    cr_assert_eq(back.names[1].rows, 0);
}

/* --- The format --- */

Test(batch_codec, stock_protobuf_reads_and_writes_the_same_bytes)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        cr_assert_eq(random_batch(&batch, seed, &small_shape), 0);

        struct slice plain = encode_and_decompress();
        Eddy__Trace *trace = eddy__trace__unpack(NULL, plain.size, plain.data);
        uint8_t *again = malloc(plain.size);

        cr_assert_not_null(trace);
        cr_assert_eq(eddy__trace__get_packed_size(trace), plain.size);
        cr_assert_eq(eddy__trace__pack(trace, again), plain.size);
        cr_assert_arr_eq(again, plain.data, plain.size);
        free(again);
        eddy__trace__free_unpacked(trace, NULL);
    }
}

enum { MAGIC_BYTES = 4, BLOCK_HEADER_BYTES = 3 };

/* Decompresses the first block of the frame only. */
static size_t decompress_first_block(uint8_t *ret_plain, size_t room)
{
    ZSTD_DCtx *context = ZSTD_createDCtx();
    unsigned int size_code = frame[MAGIC_BYTES] >> 6;
    bool is_single_segment = (frame[MAGIC_BYTES] >> 5 & 1) != 0;
    size_t size_bytes = size_code == 0 ? is_single_segment : (size_t)1 << size_code;
    size_t window_bytes = is_single_segment ? 0 : 1;
    size_t header = MAGIC_BYTES + 1 + window_bytes + size_bytes;
    uint32_t block = (uint32_t)frame[header] | (uint32_t)frame[header + 1] << 8 |
                     (uint32_t)frame[header + 2] << 16;
    ZSTD_inBuffer in = {frame, header + BLOCK_HEADER_BYTES + (block >> 3), 0};
    ZSTD_outBuffer out = {ret_plain, room, 0};

    while (in.pos < in.size) {
        cr_assert_not(ZSTD_isError(ZSTD_decompressStream(context, &out, &in)));
    }
    (void)ZSTD_decompressStream(context, &out, &in);
    ZSTD_freeDCtx(context);
    return out.pos;
}

/* Where the head ends, seen by stock protobuf: the plaintext without all that follows. */
static size_t end_of_head(struct slice plain)
{
    Eddy__Trace *trace = eddy__trace__unpack(NULL, plain.size, plain.data);
    const Eddy__Batch *message = trace->packet[0]->batch;
    size_t id = protobuf_c_message_get_packed_size(&message->id->base);
    size_t head = protobuf_c_message_get_packed_size(&message->head->base);
    size_t whole = protobuf_c_message_get_packed_size(&message->base);
    size_t head_length_bytes = head < 128 ? 1 : head < 128 * 128 ? 2 : 3;

    eddy__trace__free_unpacked(trace, NULL);
    return plain.size - whole + 2 + id + 1 + head_length_bytes + head;
}

Test(batch_codec, the_first_block_ends_with_the_head)
{
    static const struct batch_shape shapes[] = {{0},
                                                {.names = 3, .threads = 3, .operations = 5},
                                                {.names = 3, .threads = 100, .operations = 5000}};
    static uint8_t first_block[128 << 10];

    for (size_t i = 0; i < ARRAY_SIZE(shapes); i++) {
        cr_assert_eq(random_batch(&batch, i, &shapes[i]), 0);

        struct slice plain = encode_and_decompress();
        size_t size = decompress_first_block(first_block, sizeof(first_block));
        struct batch_head head;

        cr_assert_eq(size, end_of_head(plain));
        cr_assert_eq(packet_read_batch_head(batch_decoder_arena(decoder),
                                            (struct slice){first_block, size}, &head),
                     0);
        check_names(head.names, head.name_count);
    }
}

Test(batch_codec, a_head_is_read_from_a_prefix_that_holds_it)
{
    cr_assert_eq(random_batch(&batch, 3, &small_shape), 0);

    struct slice plain = encode_and_decompress();
    size_t end = end_of_head(plain);

    for (size_t size = 0; size <= plain.size; size++) {
        uint8_t *exact = malloc(size == 0 ? 1 : size);
        struct batch_head head;

        memcpy(exact, plain.data, size);
        exact = realloc(exact, size == 0 ? 1 : size);
        cr_assert_eq(packet_read_batch_head(batch_decoder_arena(decoder),
                                            (struct slice){exact, size}, &head),
                     size >= end ? 0 : -EBADMSG, "%zu of %zu", size, plain.size);
        free(exact);
    }
}
