#include "codec_fixture.h"

#include <criterion/criterion.h>
#include <string.h>

const struct batch_shape small_shape = {
    .names = 3,
    .threads = 5,
    .operations = 20,
    .sparse_percent = 40,
    .attributes = 30,
    .samples = 20,
    .marks = 10,
    .open = 8,
    .long_runs = 7,
    .losses = 3,
};

struct batch_encoder *encoder;
struct batch_decoder *decoder;
static struct frame_reader *reader;
struct batch batch;
struct batch back;
uint8_t *frame;
size_t frame_size;

void codec_set_up(void)
{
    cr_assert_eq(batch_encoder_new(&encoder), 0);
    cr_assert_eq(batch_decoder_new(&decoder), 0);
    cr_assert_eq(frame_reader_new(&reader), 0);
    batch_init(&batch);
    batch_init(&back);
}

void codec_tear_down(void)
{
    batch_encoder_free(encoder);
    batch_decoder_free(decoder);
    frame_reader_free(reader);
    batch_release(&batch);
    batch_release(&back);
    free(frame);
}

int encode(void)
{
    size_t bound = batch_encode_bound(&batch);

    free(frame);
    frame = malloc(bound);
    return batch_encode(encoder, &batch, frame, bound, &frame_size);
}

struct slice encode_and_decompress(void)
{
    struct slice plain;

    cr_assert_eq(encode(), 0);
    cr_assert_eq(frame_decompress(reader, (struct slice){frame, frame_size}, &plain), 0);
    return plain;
}

#define CHECK_ARRAY(member, count)                                                                 \
    cr_assert(count == 0 ||                                                                        \
                  memcmp(batch.member, back.member, (count) * sizeof(batch.member[0])) == 0,       \
              #member)

static void check_sparse(const struct sparse_rows *a, const struct sparse_rows *b)
{
    cr_assert_eq(a->count, b->count);
    if (a->count > 0) {
        cr_assert_arr_eq(a->row, b->row, a->count * sizeof(*a->row));
        cr_assert_arr_eq(a->value, b->value, a->count * sizeof(*a->value));
    }
}

static void check_operations(void)
{
    size_t count = batch.operations.count;

    cr_assert_eq(back.operations.count, count);
    CHECK_ARRAY(operations.begin_ns, count);
    CHECK_ARRAY(operations.duration_ns, count);
    CHECK_ARRAY(operations.name, count);
    CHECK_ARRAY(operations.status, count);
    CHECK_ARRAY(operations.begin_thread, count);
    CHECK_ARRAY(operations.end_thread, count);
    check_sparse(&batch.operations.id, &back.operations.id);
    check_sparse(&batch.operations.parent, &back.operations.parent);
    for (int state = 0; state < STATE_COUNT; state++) {
        check_sparse(&batch.operations.state_ns[state], &back.operations.state_ns[state]);
    }
    cr_assert_eq(back.queued.count, batch.queued.count);
    CHECK_ARRAY(queued.row, batch.queued.count);
    CHECK_ARRAY(queued.queue, batch.queued.count);
    CHECK_ARRAY(queued.depth, batch.queued.count);
    CHECK_ARRAY(queued.residence_ns, batch.queued.count);
}

static void check_details(void)
{
    cr_assert_eq(back.attributes.count, batch.attributes.count);
    CHECK_ARRAY(attributes.row, batch.attributes.count);
    CHECK_ARRAY(attributes.key, batch.attributes.count);
    CHECK_ARRAY(attributes.type, batch.attributes.count);
    CHECK_ARRAY(attributes.value, batch.attributes.count);
    cr_assert_eq(back.attributes.text_count, batch.attributes.text_count);
    for (uint32_t i = 0; i < batch.attributes.text_count; i++) {
        cr_assert_str_eq(back.attributes.texts[i], batch.attributes.texts[i]);
    }
    cr_assert_eq(back.samples.count, batch.samples.count);
    CHECK_ARRAY(samples.time_ns, batch.samples.count);
    CHECK_ARRAY(samples.metric, batch.samples.count);
    CHECK_ARRAY(samples.thread, batch.samples.count);
    CHECK_ARRAY(samples.value, batch.samples.count);
    cr_assert_eq(back.marks.count, batch.marks.count);
    CHECK_ARRAY(marks.time_ns, batch.marks.count);
    CHECK_ARRAY(marks.name, batch.marks.count);
    CHECK_ARRAY(marks.thread, batch.marks.count);
    cr_assert_eq(back.open.count, batch.open.count);
    cr_assert_eq(back.open.as_of_ns, batch.open.as_of_ns);
    CHECK_ARRAY(open.begin_ns, batch.open.count);
    CHECK_ARRAY(open.name, batch.open.count);
    CHECK_ARRAY(open.state, batch.open.count);
    CHECK_ARRAY(open.id, batch.open.count);
    cr_assert_eq(back.long_runs.count, batch.long_runs.count);
    CHECK_ARRAY(long_runs.begin_ns, batch.long_runs.count);
    CHECK_ARRAY(long_runs.length_ns, batch.long_runs.count);
    CHECK_ARRAY(long_runs.name, batch.long_runs.count);
    CHECK_ARRAY(long_runs.thread, batch.long_runs.count);
    CHECK_ARRAY(long_runs.id, batch.long_runs.count);
}

void check_names(const struct batch_name *names, uint32_t count)
{
    cr_assert_eq(count, batch.name_count);
    for (uint32_t i = 0; i < count; i++) {
        cr_assert_str_eq(names[i].text, batch.names[i].text);
        cr_assert_str_eq(names[i].unit, batch.names[i].unit);
        cr_assert_eq(names[i].kind, batch.names[i].kind);
        cr_assert_eq(names[i].value, batch.names[i].value);
        cr_assert_eq(names[i].rows, batch.names[i].rows);
        cr_assert_eq(names[i].queue_capacity, batch.names[i].queue_capacity);
    }
}

static void check_lists(void)
{
    check_names(back.names, back.name_count);
    cr_assert_eq(back.thread_count, batch.thread_count);
    for (uint32_t i = 0; i < batch.thread_count; i++) {
        cr_assert_eq(back.threads[i].tid, batch.threads[i].tid);
        cr_assert_eq(back.threads[i].serial, batch.threads[i].serial);
        cr_assert_str_eq(back.threads[i].name, batch.threads[i].name);
    }
    cr_assert_eq(back.loss_count, batch.loss_count);
    for (uint32_t i = 0; i < batch.loss_count; i++) {
        const struct loss *a = &batch.losses[i];
        const struct loss *b = &back.losses[i];

        cr_assert_eq(a->cause, b->cause);
        cr_assert_eq(memcmp(&a->count, &b->count, sizeof(a->count)), 0);
        cr_assert_eq(a->first_ns, b->first_ns);
        cr_assert_eq(a->last_ns, b->last_ns);
        cr_assert_eq(a->queue == NULL, b->queue == NULL);
        cr_assert(a->queue == NULL || strcmp(a->queue, b->queue) == 0);
    }
}

static void check_head_numbers(void)
{
    cr_assert_eq(memcmp(&back.id, &batch.id, sizeof(batch.id)), 0);
    cr_assert_eq(memcmp(&back.clock, &batch.clock, sizeof(batch.clock)), 0);
    cr_assert_eq(back.anchor_ticks, batch.anchor_ticks);
    cr_assert_eq(back.anchor_ns, batch.anchor_ns);
    cr_assert_eq(back.ns_per_tick, batch.ns_per_tick);
    cr_assert_eq(memcmp(&back.totals, &batch.totals, sizeof(batch.totals)), 0);
    cr_assert_eq(back.sample_period_ns, batch.sample_period_ns);
    cr_assert_eq(back.salvaged, batch.salvaged);
    cr_assert_eq(back.min_begin_ns, batch.min_begin_ns);
    cr_assert_eq(back.min_end_ns, batch.min_end_ns);
    cr_assert_eq(back.max_end_ns, batch.max_end_ns);
}

void check_back(struct slice plain)
{
    struct batch_head head;

    cr_assert_eq(batch_decode(decoder, plain, &back), 0);
    check_head_numbers();
    check_lists();
    check_operations();
    check_details();

    cr_assert_eq(packet_read_batch_head(batch_decoder_arena(decoder), plain, &head), 0);
    check_names(head.names, head.name_count);
    cr_assert_eq(head.operations, batch.operations.count);
    cr_assert_eq(head.samples, batch.samples.count);
    cr_assert_eq(head.marks, batch.marks.count);
    cr_assert_eq(head.open_operations, batch.open.count);
    cr_assert_eq(head.long_runs, batch.long_runs.count);
    cr_assert_eq(head.max_end_ns, batch.max_end_ns);
    cr_assert_eq(memcmp(&head.id, &batch.id, sizeof(batch.id)), 0);
    cr_assert_eq(memcmp(&head.totals, &batch.totals, sizeof(batch.totals)), 0);
}
