#include "codec_fixture.h"

#include <criterion/criterion.h>
#include <errno.h>

TestSuite(batch_encode, .init = codec_set_up, .fini = codec_tear_down);

/* Each breaks one rule of the batch of small_shape. */
#define BREAK(name, ...)                                                                           \
    static void name(void)                                                                         \
    {                                                                                              \
        __VA_ARGS__;                                                                               \
    }

BREAK(break_order, batch.operations.begin_ns[1] = 0)
BREAK(break_name, batch.operations.name[2] = (uint16_t)batch.name_count)
BREAK(break_kind, batch.operations.name[2] = 3)
BREAK(break_status, batch.operations.status[19] = STATUS_COUNT)
BREAK(break_begin_thread, batch.operations.begin_thread[19] = 5)
BREAK(break_end_thread, batch.operations.end_thread[0] = 5)
BREAK(break_duration, batch.operations.duration_ns[3] = UINT64_C(1) << 62)
BREAK(break_end, batch.operations.begin_ns[19] = UINT64_MAX - 1,
      batch.operations.duration_ns[19] = 2)
BREAK(break_id_row, batch.operations.id.row[1] = batch.operations.id.row[0])
BREAK(break_parent_row, batch.operations.parent.row[0] = 20)
BREAK(break_state, batch.operations.state_ns[STATE_RUNNING].value[0] = UINT64_MAX)
BREAK(break_queue, batch.queued.queue[0] = 0)
BREAK(break_queued_row, batch.queued.row[1] = 0, batch.queued.row[0] = 0)
BREAK(break_residence, batch.queued.residence_ns[0] = UINT64_MAX)
BREAK(break_attribute_row, batch.attributes.row[0] = 19)
BREAK(break_attribute_type, batch.attributes.type[5] = ATTRIBUTE_TYPE_COUNT)
BREAK(break_attribute_text, batch.attributes.type[5] = ATTRIBUTE_TEXT,
      batch.attributes.value[5] = 30)
BREAK(break_attribute_key, batch.attributes.key[0] = 0)
BREAK(break_sample_order, batch.samples.time_ns[1] = 0)
BREAK(break_sample_metric, batch.samples.metric[1] = 0)
BREAK(break_sample_thread, batch.samples.thread[1] = 6)
BREAK(break_mark_name, batch.marks.name[0] = 0)
BREAK(break_mark_thread, batch.marks.thread[0] = 5)
BREAK(break_open_state, batch.open.state[0] = STATE_COUNT)
BREAK(break_open_order, batch.open.begin_ns[1] = 0, batch.open.begin_ns[0] = 1)
BREAK(break_long_run_order, batch.long_runs.begin_ns[1] = 0, batch.long_runs.begin_ns[0] = 1)
BREAK(break_long_run_length, batch.long_runs.length_ns[6] = UINT64_C(1) << 62)
BREAK(break_long_run_end, batch.long_runs.begin_ns[6] = UINT64_MAX - 1,
      batch.long_runs.length_ns[6] = 2)
BREAK(break_long_run_name, batch.long_runs.name[0] = (uint16_t)batch.name_count)
BREAK(break_long_run_kind, batch.long_runs.name[0] = 3)
BREAK(break_long_run_thread, batch.long_runs.thread[6] = 5)
BREAK(break_text, batch.names[0].text = "\xff")
BREAK(break_unit,
      batch.names[0].unit = "0123456789012345678901234567890123456789012345678901234567890123")
BREAK(break_thread_name, batch.threads[0].name = "\xc3")
BREAK(break_cause, batch.losses[0].cause = LOSS_CAUSE_COUNT)
BREAK(break_thread_count, batch.thread_count = 0)

Test(batch_encode, batches_that_break_a_rule_are_not_encoded)
{
    static void (*const cases[])(void) = {
        break_order,          break_name,          break_kind,           break_status,
        break_begin_thread,   break_end_thread,    break_duration,       break_end,
        break_id_row,         break_parent_row,    break_state,          break_queue,
        break_queued_row,     break_residence,     break_attribute_row,  break_attribute_type,
        break_attribute_text, break_attribute_key, break_sample_order,   break_sample_metric,
        break_sample_thread,  break_mark_name,     break_mark_thread,    break_open_state,
        break_open_order,     break_text,          break_unit,           break_thread_name,
        break_cause,          break_thread_count,  break_long_run_order, break_long_run_length,
        break_long_run_end,   break_long_run_name, break_long_run_kind,  break_long_run_thread,
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        cr_assert_eq(random_batch(&batch, 9, &small_shape), 0);
        cr_assert_eq(encode(), 0);
        cases[i]();
        cr_assert_eq(encode(), -EINVAL, "case %zu", i);
    }
    cr_assert_eq(random_batch(&batch, 9, &small_shape), 0);
    check_back(encode_and_decompress()); /* an encoder is none the worse for it */
}

Test(batch_encode, room_and_size_are_limited)
{
    static const struct batch_shape huge = {
        .names = 1,
        .threads = 60000,
        .operations = BATCH_MAX_OPERATIONS,
        .sparse_percent = 100,
        .attributes = BATCH_MAX_ATTRIBUTES,
    };
    size_t size = 0;

    cr_assert_eq(random_batch(&batch, 9, &small_shape), 0);
    cr_assert_eq(encode(), 0);
    for (size_t room = 0; room < frame_size; room += 7) {
        uint8_t *exact = malloc(room + 1);

        cr_assert_eq(batch_encode(encoder, &batch, exact, room, &size), -ENOBUFS);
        free(exact);
    }
    check_back(encode_and_decompress());
    cr_assert_eq(random_batch(&batch, 9, &huge), 0);
    cr_assert_eq(encode(), -E2BIG);
}
