#include "codec_fixture.h"

#include "trace.pb-c.h" /* to make messages that our writer does not write */

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>

TestSuite(batch_decode, .init = codec_set_up, .fini = codec_tear_down);

/* Memory for messages that are changed: given back at once, whatever was changed. */
struct test_memory {
    size_t used;
    _Alignas(16) uint8_t bytes[1 << 20];
};

static void *take_memory(void *opaque, size_t size)
{
    struct test_memory *memory = opaque;
    void *taken = memory->bytes + memory->used;

    memory->used += (size + 15) / 16 * 16;
    cr_assert_leq(memory->used, sizeof(memory->bytes));
    return taken;
}

static void keep_memory(void *opaque, void *pointer)
{
    (void)opaque;
    (void)pointer;
}

/* Changes a message as its writer would not have written it, and decodes that. */
static int decode_changed(void (*change)(Eddy__Batch *message))
{
    static struct test_memory memory;
    ProtobufCAllocator allocator = {take_memory, keep_memory, &memory};

    memory.used = 0;
    cr_assert_eq(random_batch(&batch, 9, &small_shape), 0);

    struct slice plain = encode_and_decompress();
    Eddy__Trace *trace = eddy__trace__unpack(&allocator, plain.size, plain.data);

    cr_assert_not_null(trace);
    change(trace->packet[0]->batch);

    size_t size = eddy__trace__get_packed_size(trace);
    uint8_t *changed = malloc(size);

    cr_assert_eq(eddy__trace__pack(trace, changed), size);

    int r = batch_decode(decoder, (struct slice){changed, size}, &back);

    free(changed);
    return r;
}

/* Each changes one thing in the message m of small_shape. */
#define CHANGE(name, ...)                                                                          \
    static void name(Eddy__Batch *m)                                                               \
    {                                                                                              \
        __VA_ARGS__;                                                                               \
    }

CHANGE(change_nothing, (void)m)
CHANGE(more_operations, m->head->operations++)
CHANGE(far_too_many_operations, m->head->operations = UINT32_MAX)
CHANGE(fewer_samples, m->head->samples--)
CHANGE(no_marks, m->head->marks = 0)
CHANGE(more_open, m->head->open_operations++)
CHANGE(later_begin, m->head->min_begin_ns++)
CHANGE(later_end, m->head->max_end_ns--)
CHANGE(earlier_end, m->head->min_end_ns++)
CHANGE(overflowing_begin, m->head->min_begin_ns = UINT64_MAX - 5)
CHANGE(fewer_names, m->head->n_name = 3)
CHANGE(name_beyond, m->operations->name.data[4] = 21)
CHANGE(name_of_other_kind, m->operations->name.data[4] = 20)
CHANGE(status_beyond, m->operations->status.data[4] = STATUS_COUNT)
CHANGE(thread_beyond, m->operations->begin_thread.data[0] = 0xff)
CHANGE(short_threads, m->operations->end_thread.len--)
CHANGE(short_status, m->operations->status.len--)
CHANGE(short_bits, m->operations->duration_ns->bits.len--)
CHANGE(code_beyond, m->operations->duration_ns->code.data[0] = 252)
CHANGE(duration_beyond, m->operations->other_ns->value->code.data[0] = 251)
CHANGE(row_beyond, m->operations->id->row_gap->code.data[0] = 7,
       m->operations->id->row_gap->code.data[1] = 7, m->operations->id->row_gap->code.data[2] = 7)
CHANGE(no_row_gap, m->operations->parent->row_gap->code.len = 0)
CHANGE(queue_of_other_kind, m->operations->queue->queue.data[0] = 0)
CHANGE(short_depth, m->operations->queue->depth->code.len--)
CHANGE(attribute_type_beyond, m->operations->attribute->type.data[0] = ATTRIBUTE_TYPE_COUNT)
CHANGE(fewer_texts, m->operations->attribute->n_text--)
CHANGE(attribute_key_beyond, m->operations->attribute->key.data[0] = 255)
CHANGE(bad_text, m->operations->attribute->text[0][0] = (char)0xff)
CHANGE(bad_name, m->head->name[0]->text[0] = (char)0xff)
CHANGE(name_kind_beyond, m->head->name[0]->kind = (Eddy__Name__Kind)NAME_KIND_COUNT)
CHANGE(value_type_changed, m->head->name[3]->value = !m->head->name[3]->value)
CHANGE(bad_thread_name, m->thread[0]->name[0] = (char)0xff)
CHANGE(no_threads, m->n_thread = 0)
CHANGE(bad_queue_name, m->loss[0]->queue[0] = (char)0xff)
CHANGE(short_real, m->samples->real.len--)
CHANGE(sample_thread_beyond, m->samples->thread->code.data[0] = 6)
CHANGE(state_beyond, m->open->state.data[0] = STATE_COUNT)
CHANGE(more_long_runs, m->head->long_runs++)
CHANGE(far_too_many_long_runs, m->head->long_runs = BATCH_MAX_LONG_RUNS + 1)
CHANGE(long_run_length_beyond, m->long_runs->length_ns->code.data[0] = 251)
CHANGE(long_run_end_beyond, m->long_runs->base_ns = UINT64_MAX)
CHANGE(long_run_of_other_kind, m->long_runs->name.data[0] = 3)
CHANGE(long_run_thread_beyond, m->long_runs->thread.data[0] = 0xff)
CHANGE(short_long_run_id, m->long_runs->id->code.len--)
CHANGE(no_head, m->head->n_name = 0, m->head->operations = 0)
CHANGE(short_session, m->id->session.len = 15)

Test(batch_decode, messages_that_break_a_rule_are_not_decoded)
{
    static void (*const cases[])(Eddy__Batch *) = {
        more_long_runs,
        far_too_many_long_runs,
        long_run_length_beyond,
        long_run_end_beyond,
        long_run_of_other_kind,
        long_run_thread_beyond,
        short_long_run_id,
        more_operations,
        far_too_many_operations,
        fewer_samples,
        no_marks,
        more_open,
        later_begin,
        later_end,
        earlier_end,
        overflowing_begin,
        fewer_names,
        name_beyond,
        name_of_other_kind,
        status_beyond,
        thread_beyond,
        short_threads,
        short_status,
        short_bits,
        code_beyond,
        duration_beyond,
        row_beyond,
        no_row_gap,
        queue_of_other_kind,
        short_depth,
        attribute_type_beyond,
        fewer_texts,
        attribute_key_beyond,
        bad_text,
        bad_name,
        name_kind_beyond,
        value_type_changed,
        bad_thread_name,
        no_threads,
        bad_queue_name,
        short_real,
        sample_thread_beyond,
        state_beyond,
        no_head,
        short_session,
    };

    cr_assert_eq(decode_changed(change_nothing), 0);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        cr_assert_eq(decode_changed(cases[i]), -EBADMSG, "case %zu", i);
        cr_assert_eq(back.operations.count, 0, "cleared");
        cr_assert_eq(back.name_count, 0, "cleared");
    }
}

CHANGE(require_feature, m->id->required_features = 1)
Test(batch_decode, features_that_change_the_meaning_are_not_decoded)
{
    cr_assert_eq(decode_changed(require_feature), -EPROTONOSUPPORT);
}

Test(batch_decode, a_repeated_column_is_refused)
{
    cr_assert_eq(random_batch(&batch, 9, &small_shape), 0);

    struct slice plain = encode_and_decompress();
    uint8_t *twice = malloc(plain.size + 8);
    static const uint8_t marks_again[] = {0x32, 3, 0x12, 1, 0}; /* Batch.marks { name: "\0" } */

    /* All lengths around it have three bytes or fewer; make room in the outermost ones. */
    memcpy(twice, plain.data, plain.size);
    memcpy(twice + plain.size, marks_again, sizeof(marks_again));
    cr_assert_geq(twice[1], 0x80);
    cr_assert_lt(twice[1], 0xff - 5);
    twice[1] = (uint8_t)(twice[1] + sizeof(marks_again));
    cr_assert_lt(twice[4], 0xff - 5);
    twice[4] = (uint8_t)(twice[4] + sizeof(marks_again));
    cr_assert_eq(twice[3], 0x12, "Packet.batch");
    cr_assert_eq(
        batch_decode(decoder, (struct slice){twice, plain.size + sizeof(marks_again)}, &back),
        -EBADMSG);
    free(twice);
}

static void decode_exactly(const uint8_t *bytes, size_t size)
{
    uint8_t *exact = malloc(size == 0 ? 1 : size);

    memcpy(exact, bytes, size);
    exact = realloc(exact, size == 0 ? 1 : size);

    int r = batch_decode(decoder, (struct slice){exact, size}, &back);

    cr_assert(r == 0 || r == -EBADMSG || r == -EPROTONOSUPPORT, "%d", r);
    free(exact);
}

Test(batch_decode, cut_plaintext_is_refused)
{
    cr_assert_eq(random_batch(&batch, 9, &small_shape), 0);

    struct slice plain = encode_and_decompress();

    for (size_t size = 0; size < plain.size; size++) {
        decode_exactly(plain.data, size);
        cr_assert_eq(back.operations.count, 0);
    }
}

Test(batch_decode, flipped_bits_never_crash)
{
    cr_assert_eq(random_batch(&batch, 9, &small_shape), 0);

    struct slice plain = encode_and_decompress();
    uint8_t *bytes = malloc(plain.size);

    for (size_t bit = 0; bit < 8 * plain.size; bit++) {
        memcpy(bytes, plain.data, plain.size);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        decode_exactly(bytes, plain.size);
    }
    free(bytes);
}

Test(batch_decode, random_damage_never_crashes)
{
    uint64_t state = 77;

    for (uint64_t seed = 0; seed < 20; seed++) {
        cr_assert_eq(random_batch(&batch, seed, &small_shape), 0);

        struct slice plain = encode_and_decompress();
        uint8_t *bytes = malloc(plain.size);

        for (int round = 0; round < 300; round++) {
            memcpy(bytes, plain.data, plain.size);
            for (uint64_t i = 0; i <= random_u64(&state) % 4; i++) {
                bytes[random_u64(&state) % plain.size] = (uint8_t)random_u64(&state);
            }
            decode_exactly(bytes, plain.size);
        }
        free(bytes);
    }
}

/* A batch of field number repeated as often as a plaintext can hold it. */
static void decode_flood(uint8_t tag, const char *content, size_t content_size)
{
    static uint8_t plain[FRAME_MAX_PLAIN_BYTES];
    static const uint8_t id[] = "\x0a\x12\x0a\x10"
                                "0123456789abcdef";
    size_t start = 5 + 5;
    size_t at = start + sizeof(id) - 1;

    memcpy(plain + start, id, sizeof(id) - 1);
    if (tag != 0x12) {
        memcpy(plain + at, "\x12\0", 2);
        at += 2;
    }
    while (at + 2 + content_size <= sizeof(plain)) {
        plain[at++] = tag;
        plain[at++] = (uint8_t)content_size;
        memcpy(plain + at, content, content_size);
        at += content_size;
    }
    for (int level = 0; level < 2; level++) { /* lengths in four bytes, whatever they are */
        size_t place = level == 0 ? 0 : 5;
        size_t size = at - place - 5;

        plain[place] = level == 0 ? 0x0a : 0x12;
        for (int i = 0; i < 4; i++) {
            plain[place + 1 + (size_t)i] = (uint8_t)((size >> (7 * i) & 0x7f) | (i < 3 ? 0x80 : 0));
        }
    }
    cr_assert_eq(batch_decode(decoder, (struct slice){plain, at}, &back), -EBADMSG);
}

Test(batch_decode, floods_of_messages_are_refused)
{
    decode_flood(0x1a, "", 0);       /* threads */
    decode_flood(0x42, "", 0);       /* losses */
    decode_flood(0x22, "", 0);       /* operations, each empty */
    decode_flood(0x12, "\x42\0", 2); /* heads with a name each */
}
