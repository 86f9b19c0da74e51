#include "trace_reader.h"

#include "batch_encode.h"
#include "random_batch.h"
#include "walk_fixture.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <string.h>
/* --- Whole files --- */

Test(trace_reader, finds_all_frames_in_order)
{
    trace_bytes_add_session(&bytes, 'a', 20);
    walk_all();
    expect_frames_only();
}

Test(trace_reader, finds_nothing_in_an_empty_file)
{
    walk_all();
    cr_assert_eq(walk.count, 0);
}

Test(trace_reader, finds_all_sessions_of_concatenated_files)
{
    trace_bytes_add_session(&bytes, 'a', 2);
    trace_bytes_add_session(&bytes, 'b', 0);
    trace_bytes_add_session(&bytes, 'a', 3);
    walk_all();
    expect_frames_only();
}

Test(trace_reader, steps_over_skippable_frames_anywhere)
{
    trace_bytes_add_skippable(&bytes, 0, 0);
    trace_bytes_add_source(&bytes, 'a');
    trace_bytes_add_skippable(&bytes, 3, 0xff);
    trace_bytes_add_skippable(&bytes, 1000, 0x28);
    trace_bytes_add_batch(&bytes, 3);
    trace_bytes_add_end(&bytes);
    trace_bytes_add_skippable(&bytes, 4, 0);
    walk_all();
    expect_frames_only();
}

Test(trace_reader, tells_newer_packets_like_others)
{
    trace_bytes_add_source(&bytes, 'a');
    trace_bytes_add_newer(&bytes);
    trace_bytes_add_end(&bytes);
    walk_all();
    cr_assert_eq(walk.count, 3);
    cr_assert_eq(walk.steps[1].kind, STEP_NEWER);
}

/* --- Files cut off --- */

Test(trace_reader, every_truncation_keeps_all_whole_frames)
{
    trace_bytes_add_session(&bytes, 'a', 4);
    for (size_t size = 0; size < bytes.size; size++) {
        size_t whole = 0;

        while (end_of_frame(whole) <= size) {
            whole++;
        }
        checked_walk((struct slice){bytes.data, size}, &walk);

        bool is_at_border = size == (whole == 0 ? 0 : end_of_frame(whole - 1));

        cr_assert_eq(walk.count, whole + !is_at_border, "%zu bytes", size);
        for (size_t i = 0; i < whole; i++) {
            cr_assert_eq(walk.steps[i].kind, STEP_GOOD, "%zu bytes", size);
        }
        cr_assert(is_at_border || walk.steps[whole].kind == STEP_CUT_OFF, "%zu bytes", size);
    }
}

Test(trace_reader, zeros_behind_the_beginning_of_a_frame_are_a_file_cut_off)
{
    static const size_t zero_counts[] = {1, 100, 5000};
    static struct trace_bytes file;

    trace_bytes_add_session(&bytes, 'a', 2);
    for (size_t i = 0; i < ARRAY_SIZE(zero_counts); i++) {
        for (size_t size = 0; size < bytes.size; size++) {
            size_t whole = 0;

            while (end_of_frame(whole) <= size) {
                whole++;
            }
            file.size = 0;
            trace_bytes_add_raw(&file, bytes.data, size);
            trace_bytes_add_zeros(&file, zero_counts[i]);
            checked_walk(all_of(&file), &walk);
            /* Zeros that stand where the frame has some: the frame is whole. */
            if (memcmp(file.data, bytes.data, min_u64(end_of_frame(whole), file.size)) == 0 &&
                file.size >= end_of_frame(whole)) {
                continue;
            }
            cr_assert_eq(walk.count, whole + 1, "%zu bytes", size);
            bool is_at_border = size == (whole == 0 ? 0 : end_of_frame(whole - 1));

            cr_assert_eq(walk.steps[whole].kind, is_at_border ? STEP_DAMAGE : STEP_CUT_OFF,
                         "%zu bytes", size);
        }
    }
}

Test(trace_reader, nothing_but_zeros_is_damage)
{
    trace_bytes_add_zeros(&bytes, 1000);
    walk_all();
    expect_steps(&(struct step){STEP_DAMAGE, 0, 1000}, 1);
}

Test(trace_reader, skippable_frames_may_be_cut_off_too)
{
    size_t end;

    trace_bytes_add_session(&bytes, 'a', 1);
    end = bytes.size;
    trace_bytes_add_skippable(&bytes, 100, 0xff);
    for (size_t size = end + 1; size < bytes.size; size++) {
        checked_walk((struct slice){bytes.data, size}, &walk);
        cr_assert_eq(walk.count, 4, "%zu bytes", size - end);
        cr_assert_eq(walk.steps[3].kind, STEP_CUT_OFF, "%zu bytes", size - end);
        cr_assert_eq(walk.steps[3].offset, end, "%zu bytes", size - end);
    }
}

Test(trace_reader, zeros_with_something_behind_them_are_damage)
{
    size_t end;

    trace_bytes_add_session(&bytes, 'a', 1);
    end = bytes.size;
    trace_bytes_add_zeros(&bytes, 1000);
    trace_bytes_add_raw(&bytes, "x", 1);
    walk_all();
    cr_assert_eq(walk.count, 4);
    expect_steps(
        (const struct step[]){
            walk.steps[0], walk.steps[1], walk.steps[2], {STEP_DAMAGE, end, 1001}},
        4);
}

/* --- Large frames --- */

/* Writes a Source and large batches to a file in memory. */
static int large_file(size_t batches, size_t *ret_frame_size)
{
    enum { ROOM = 4 << 20 };
    const struct batch_shape shape = {
        .names = 2, .threads = 9, .operations = BATCH_MAX_OPERATIONS, .sparse_percent = 50};
    struct batch_encoder *encoder = NULL;
    struct batch batch = {0};
    uint8_t *frame = malloc(ROOM);

    trace_bytes_add_source(&bytes, 'a');

    int fd = memory_file(bytes.data, bytes.size);

    cr_assert_eq(batch_encoder_new(&encoder), 0);
    for (size_t i = 0; i < batches; i++) {
        cr_assert_eq(random_batch(&batch, i + 1, &shape), 0);
        batch.id.sequence = i + 1;
        memset(batch.id.session, 'a', sizeof(batch.id.session));
        cr_assert_eq(batch_encode(encoder, &batch, frame, ROOM, ret_frame_size), 0);
        cr_assert_eq(write(fd, frame, *ret_frame_size), (ssize_t)*ret_frame_size);
    }
    batch_release(&batch);
    batch_encoder_free(encoder);
    free(frame);
    return fd;
}

Test(trace_reader, reads_frames_larger_than_its_buffer)
{
    enum { BATCHES = 4 };
    struct trace_reader *reader = NULL;
    struct trace_item item;
    size_t frame_size = 0;
    int fd = large_file(BATCHES, &frame_size);
    struct slice again;

    cr_assert_gt(frame_size, 1 << 20, "the test wants frames of more than 1 MiB, not %zu",
                 frame_size);
    cr_assert_eq(trace_reader_new(&reader, fd), 0);
    for (int i = 0; i <= BATCHES; i++) {
        cr_assert_eq(trace_reader_next(reader, &item), 1);
        cr_assert_eq(item.kind, TRACE_FRAME);
    }
    cr_assert_eq(trace_reader_next(reader, &item), 0);
    cr_assert_eq(trace_reader_frame_at(reader, bytes.size, frame_size, &again), -EBADMSG);
    cr_assert_eq(trace_reader_frame_at(reader, 0, bytes.size, &again), 0);
    cr_assert_arr_eq(again.data, bytes.data, bytes.size);
    trace_reader_free(reader);
}

Test(trace_reader, finds_large_frames_behind_damage)
{
    struct trace_reader *reader = NULL;
    struct trace_item item;
    size_t frame_size = 0;
    int fd = large_file(3, &frame_size);

    cr_assert_eq(pwrite(fd, "x", 1, (off_t)bytes.size), 1);
    cr_assert_eq(trace_reader_new(&reader, fd), 0);
    cr_assert_eq(trace_reader_next(reader, &item), 1);
    cr_assert_eq(trace_reader_next(reader, &item), 1);
    cr_expect_eq(item.kind, TRACE_DAMAGE);
    cr_expect_eq(item.offset_bytes, bytes.size);
    for (int i = 0; i < 2; i++) {
        cr_assert_eq(trace_reader_next(reader, &item), 1);
        cr_expect_eq(item.kind, TRACE_FRAME);
    }
    cr_assert_eq(trace_reader_next(reader, &item), 0);
    trace_reader_free(reader);
}

/* --- Frames by their place --- */

Test(trace_reader, places_that_hold_no_frame_are_refused)
{
    struct trace_reader *reader = NULL;
    struct slice frame;

    trace_bytes_add_session(&bytes, 'a', 1);
    cr_assert_eq(trace_reader_new(&reader, memory_file(bytes.data, bytes.size)), 0);
    cr_expect_eq(trace_reader_frame_at(reader, 0, bytes.sizes[0], &frame), 0);
    cr_expect_eq(trace_reader_frame_at(reader, 0, bytes.sizes[0] + 1, &frame), -EBADMSG);
    cr_expect_eq(trace_reader_frame_at(reader, 0, bytes.sizes[0] - 1, &frame), -EBADMSG);
    cr_expect_eq(trace_reader_frame_at(reader, 1, bytes.sizes[0], &frame), -EBADMSG);
    cr_expect_eq(trace_reader_frame_at(reader, 0, 0, &frame), -EBADMSG);
    cr_expect_eq(trace_reader_frame_at(reader, 0, bytes.size + 1, &frame), -EBADMSG);
    cr_expect_eq(trace_reader_frame_at(reader, 0, FRAME_MAX_BYTES + 1, &frame), -EBADMSG);
    cr_expect_eq(trace_reader_frame_at(reader, bytes.size, 1, &frame), -EBADMSG);
    cr_expect_eq(trace_reader_frame_at(reader, UINT64_MAX, 10, &frame), -EBADMSG);
    cr_expect_eq(trace_reader_frame_at(reader, bytes.offsets[1], bytes.sizes[1], &frame), 0);
    trace_reader_free(reader);
}

/* --- Files that change --- */

Test(trace_reader, does_not_follow_growth)
{
    struct trace_reader *reader = NULL;
    struct trace_item item;
    size_t opened = 0;

    trace_bytes_add_session(&bytes, 'a', 3);
    opened = bytes.offsets[2];

    int fd = memory_file(bytes.data, opened);

    cr_assert_eq(trace_reader_new(&reader, fd), 0);
    cr_assert_eq(trace_reader_next(reader, &item), 1);
    cr_assert_eq(write(fd, bytes.data + opened, bytes.size - opened),
                 (ssize_t)(bytes.size - opened));
    cr_assert_eq(trace_reader_next(reader, &item), 1);
    cr_assert_eq(item.kind, TRACE_FRAME);
    cr_assert_eq(trace_reader_next(reader, &item), 0);
    cr_assert_eq(trace_reader_offset(reader), opened);
    cr_assert_eq(trace_reader_size(reader), opened);
    trace_reader_free(reader);
}

Test(trace_reader, survives_files_that_are_cut_while_they_are_read)
{
    size_t frame_size = 0;

    for (size_t told = 0; told < 4; told++) {
        for (int cut = 0; cut <= 3; cut++) {
            struct trace_reader *reader = NULL;
            struct trace_item item;

            bytes.size = 0;
            bytes.frame_count = 0;

            int fd = large_file(4, &frame_size);
            int r = 1;

            cr_assert_eq(trace_reader_new(&reader, fd), 0);
            for (size_t i = 0; i < told; i++) {
                cr_assert_eq(trace_reader_next(reader, &item), 1);
            }
            cr_assert_eq(ftruncate(fd, cut * 500000), 0);
            for (int i = 0; r == 1; i++) {
                r = trace_reader_next(reader, &item);
                cr_assert_lt(i, 10);
            }
            cr_assert_eq(r, 0);
            trace_reader_free(reader);
        }
    }
}
