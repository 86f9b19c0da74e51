/*
 * What a client says of itself, from the heads of batches: also of batches that were made to cost.
 */
#include "totals_reader.h"

#include "batch_encode.h"
#include "random_batch.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

enum { ROOM = FRAME_MAX_BYTES };

static struct totals_reader reader;
static struct frame_writer *writer;
static struct batch_encoder *encoder;
static uint8_t *room;
static struct totals totals;
static const struct packet_id id = {.session = {1, 2, 3}, .sequence = 7};

static void set_up(void)
{
    room = malloc(ROOM);
    cr_assert_not_null(room);
    cr_assert_eq(totals_reader_open(&reader), 0);
    cr_assert_eq(frame_writer_new(&writer), 0);
    cr_assert_eq(batch_encoder_new(&encoder), 0);
}

static void tear_down(void)
{
    totals_reader_release(&reader);
    frame_writer_free(writer);
    batch_encoder_free(encoder);
    free(room);
}

TestSuite(totals_reader, .init = set_up, .fini = tear_down);

static struct slice make_batch(uint32_t names)
{
    const struct batch_shape shape = {.names = names, .threads = 2, .operations = 60000};
    struct batch batch = {0};
    size_t size = 0;

    cr_assert_eq(random_batch(&batch, 1, &shape), 0);
    batch.id = id;
    batch.totals = (struct totals){.produced = {.operations = 42}};
    cr_assert_eq(batch_encode(encoder, &batch, room, ROOM, &size), 0);
    batch_release(&batch);
    return (struct slice){room, size};
}

Test(totals_reader, reads_what_an_ordinary_head_says_from_the_first_block)
{
    cr_assert_eq(totals_read(&reader, make_batch(5), &id, &totals), 0);
    cr_expect_eq(totals.produced.operations, 42);
    cr_expect_lt(reader.plain_bytes, 4096);
}

Test(totals_reader, reads_heads_with_many_names)
{
    cr_assert_eq(totals_read(&reader, make_batch(4000), &id, &totals), 0);
    cr_expect_eq(totals.produced.operations, 42);
}

Test(totals_reader, believes_nothing_from_a_batch_of_another_session_or_sequence)
{
    struct packet_id foreign = {.session = {1, 2, 4}, .sequence = 7};
    struct packet_id later = {.session = {1, 2, 3}, .sequence = 8};
    struct slice frame = make_batch(1);

    totals.produced.operations = 99;
    cr_expect_eq(totals_read(&reader, frame, &foreign, &totals), -EBADMSG);
    cr_expect_eq(totals_read(&reader, frame, &later, &totals), -EBADMSG);
    cr_expect_eq(totals.produced.operations, 99);
}

/* A small frame with as much plaintext as there may be. */
static struct slice make_bomb(uint8_t content)
{
    uint8_t *plain = malloc(FRAME_MAX_PLAIN_BYTES);
    size_t size = 0;

    cr_assert_not_null(plain);
    memset(plain, content, FRAME_MAX_PLAIN_BYTES);
    cr_assert_eq(frame_start(writer, room, ROOM, FRAME_MAX_PLAIN_BYTES), 0);
    cr_assert_eq(frame_append(writer, (struct slice){plain, FRAME_MAX_PLAIN_BYTES}), 0);
    cr_assert_eq(frame_finish(writer, &size), 0);
    free(plain);
    return (struct slice){room, size};
}

Test(totals_reader, what_cannot_be_read_costs_little)
{
    const uint64_t most = TOTALS_MAX_HEAD_BYTES + (128 << 10);

    cr_expect_eq(totals_read(&reader, make_bomb(0), &id, &totals), -EBADMSG);
    cr_expect_leq(reader.plain_bytes, most);
    cr_expect_eq(totals_read(&reader, make_bomb(0x0a), &id, &totals), -EBADMSG);
    cr_expect_leq(reader.plain_bytes, 2 * most);
    cr_expect_eq(totals_read(&reader, (struct slice){room, 3}, &id, &totals), -EBADMSG);
}
