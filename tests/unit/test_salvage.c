#include "left_recorder.h"
#include "recorder.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

static struct left_recorder left;

static void set_up(void)
{
    cr_assert(left_recorder_make(&left));
}

static void tear_down(void)
{
    left_recorder_release(&left);
}

TestSuite(salvage, .init = set_up, .fini = tear_down);

static void check_books(const struct salvage_result *result)
{
    struct record_counts sum = totals_lost(&result->totals);

    record_counts_add(&sum, &result->totals.batched);
    cr_assert_eq(result->error, 0);
    cr_assert(result->is_salvaged);
    cr_assert_eq(record_counts_sum(&sum), record_counts_sum(&result->totals.produced));
}

static void check_all(const struct salvage_result *result)
{
    check_books(result);
    cr_assert_eq(result->stored.operations, LEFT_OPERATIONS);
    cr_assert_eq(result->stored.samples, LEFT_SAMPLES);
    cr_assert_eq(result->stored.marks, LEFT_MARKS);
    cr_assert_eq(result->open, LEFT_OPEN);
    cr_assert_eq(result->totals.batched.operations, LEFT_OPERATIONS);
    cr_assert_eq(result->totals.produced.operations, LEFT_OPERATIONS + LEFT_RING_LOSSES);
}

Test(salvage, takes_outbox_staging_ring_and_slots)
{
    struct salvage_result result = left_recorder_salvage(&left, 0);

    check_all(&result);
    cr_assert_eq(result.frames, 2);
    cr_assert_eq(result.last_sequence, 2);
}

Test(salvage, leaves_out_frames_that_arrived)
{
    struct salvage_result result = left_recorder_salvage(&left, 1);

    check_books(&result);
    cr_assert_eq(result.frames, 1);
    cr_assert_eq(result.stored.operations, LEFT_OPERATIONS - LEFT_FRAME_OPERATIONS);
    cr_assert_eq(result.totals.batched.operations, LEFT_OPERATIONS);
}

static struct outbox_entry *first_entry(void)
{
    return recorder_at(left.recorder, left.recorder->outbox_offset + sizeof(struct outbox_head));
}

static struct staging *staging(void)
{
    return recorder_at(left.recorder, left.recorder->staging_offset);
}

/* Killed before the frame of the first batch was put: its operations are in staging still. */
Test(salvage, takes_books_back_that_are_ahead_of_the_outbox)
{
    struct outbox_head *head = recorder_at(left.recorder, left.recorder->outbox_offset);
    struct salvage_result result;

    first_entry()->state = OUTBOX_FREE;
    head->batch = 0;
    staging()->batch = 1;
    result = left_recorder_salvage(&left, 0);
    check_books(&result);
    cr_assert_eq(result.frames, 1);
    cr_assert_eq(result.stored.operations, LEFT_OPERATIONS - LEFT_FRAME_OPERATIONS);
    cr_assert_eq(result.totals.batched.operations, LEFT_OPERATIONS - LEFT_FRAME_OPERATIONS);
    /* The loss that this batch was to tell is told by the last one. */
    cr_assert_eq(result.totals.lost[LOSS_RING_FULL].operations, LEFT_RING_LOSSES);
}

/* Killed after the frame was put, before staging was emptied. */
Test(salvage, ignores_staging_that_is_in_a_frame)
{
    struct salvage_result result;

    staging()->batch = 1;
    result = left_recorder_salvage(&left, 0);
    check_books(&result);
    cr_assert_eq(result.stored.operations, LEFT_OPERATIONS - LEFT_STAGED_OPERATIONS);
}

/* Killed after a chunk was staged, before the ring was told. */
Test(salvage, counts_once_what_is_in_staging_and_in_the_ring)
{
    struct ring *ring = recorder_ring(left.recorder, 0);
    struct salvage_result result;

    cr_assert_not_null(ring);
    atomic_fetch_sub(&ring->consumed, LEFT_STAGED_OPERATIONS - 4);
    result = left_recorder_salvage(&left, 0);
    check_all(&result);
}

/* Killed after the books told of a dropped frame, before it was gone. */
Test(salvage, ignores_a_frame_that_the_books_say_was_dropped)
{
    struct recorder_books *books = &left.recorder->books[left.recorder->books_turn];
    struct salvage_result result;

    books->dropped = 1;
    record_counts_subtract(&books->batched, &first_entry()->account.rows);
    record_counts_add(&books->lost[LOSS_OUTBOX_FULL], &first_entry()->account.rows);
    result = left_recorder_salvage(&left, 0);
    check_books(&result);
    cr_assert_eq(result.frames, 1);
    cr_assert_eq(result.totals.lost[LOSS_OUTBOX_FULL].operations, LEFT_FRAME_OPERATIONS);
}

Test(salvage, counts_a_frame_that_is_damaged_as_lost)
{
    uint8_t *frame =
        recorder_at(left.recorder, left.recorder->outbox_offset + first_entry()->offset);
    struct salvage_result result;

    frame[first_entry()->size - 1] ^= 1;
    result = left_recorder_salvage(&left, 0);
    check_books(&result);
    cr_assert_eq(result.frames, 1);
    cr_assert_eq(result.totals.lost[LOSS_RECORDER_LOST].operations, LEFT_FRAME_OPERATIONS);
}

Test(salvage, refuses_the_recorder_of_another_session)
{
    left.session.id[3] ^= 1;
    cr_assert_eq(left_recorder_salvage(&left, 0).error, -EBADMSG);
}

/* A file of that size with the recorder's first bytes in it. */
static int copy_recorder(unsigned int flags, uint64_t size, int seals)
{
    int fd = memfd_create("copy", MFD_CLOEXEC | MFD_ALLOW_SEALING | flags);

    if (fd >= 0 && (ftruncate(fd, (off_t)size) < 0 || fcntl(fd, F_ADD_SEALS, seals) < 0)) {
        (void)close(fd);
        return -1;
    }
    if (fd >= 0 && flags == 0) {
        uint64_t bytes = min_u64(size, left.recorder->size_bytes);

        cr_assert_eq(pwrite(fd, left.recorder, bytes, 0), (ssize_t)bytes);
    }
    return fd;
}

Test(salvage, refuses_files_that_may_change_their_size_or_are_none)
{
    const int all = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
    const uint64_t size = left.recorder->size_bytes;
    const struct {
        uint64_t size;
        unsigned int flags;
        int seals;
        int error;
    } rows[] = {
        {size, 0, all, 0},
        {size, 0, F_SEAL_SHRINK | F_SEAL_GROW, -EBADMSG},
        {size, 0, F_SEAL_SHRINK | F_SEAL_SEAL, -EBADMSG},
        {size, 0, F_SEAL_GROW | F_SEAL_SEAL, -EBADMSG},
        {size - 4096, 0, all, -EBADMSG},
        {size + 4096, 0, all, -EBADMSG},
        {4096, 0, all, -EBADMSG},
        {0, 0, all, -EBADMSG},
        {RECORDER_READER_MAX_BYTES + 4096, 0, all, -EBADMSG},
        {size / (2 * MIB) * (2 * MIB), MFD_HUGETLB, all, -EBADMSG},
    };

    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        int fd = copy_recorder(rows[i].flags, rows[i].size, rows[i].seals);
        int own = left.fd;

        if (fd < 0) {
            continue; /* no huge pages here */
        }
        left.fd = fd;
        cr_expect_eq(left_recorder_salvage(&left, 0).error, rows[i].error, "row %zu", i);
        left.fd = own;
        (void)close(fd);
    }
    cr_assert_not(recorder_reader_accepts(STDIN_FILENO));
    cr_assert_not(recorder_reader_accepts(-1));
}

/* Every word of an area, one after the other, becomes each of some values. What was made is right in any case: that is tested
 * on the way; and whatever is made has an end. */
static void corrupt(void *area, size_t bytes)
{
    static const uint64_t values[] = {0, 1, UINT64_MAX, UINT64_C(1) << 63, 0x0fff};
    uint8_t *at = area;

    for (size_t offset = 0; offset + sizeof(uint64_t) <= bytes; offset += sizeof(uint64_t)) {
        uint64_t saved;

        memcpy(&saved, at + offset, sizeof(saved));
        for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
            memcpy(at + offset, &values[i], sizeof(saved));
            struct salvage_result result = left_recorder_salvage(&left, 0);

            cr_assert(result.error == 0 || result.error == -EBADMSG ||
                          result.error == -EPROTONOSUPPORT,
                      "offset %zu, value %zu: %d", offset, i, result.error);
        }
        memcpy(at + offset, &saved, sizeof(saved));
    }
    struct salvage_result whole = left_recorder_salvage(&left, 0);
    check_all(&whole);
}

Test(salvage, survives_any_header, .timeout = 240)
{
    corrupt(left.recorder, offsetof(struct recorder, ring_offsets) + sizeof(uint64_t));
}

Test(salvage, survives_any_books, .timeout = 240)
{
    corrupt(&left.recorder->books[left.recorder->books_turn], sizeof(struct recorder_books) / 4);
}

Test(salvage, survives_any_outbox, .timeout = 240)
{
    corrupt(recorder_at(left.recorder, left.recorder->outbox_offset), sizeof(struct outbox_head));
    corrupt(first_entry(), 8 * sizeof(uint64_t));
}

Test(salvage, survives_any_staging_and_ring, .timeout = 240)
{
    struct ring *ring = recorder_ring(left.recorder, 0);

    cr_assert_not_null(ring);
    corrupt(staging(), sizeof(struct staging) + 2 * ENTRY_BYTES);
    corrupt(&ring->mask, sizeof(ring->mask));
    corrupt(&ring->published, sizeof(ring->published));
    corrupt(&ring->consumed, sizeof(ring->consumed));
    corrupt(ring_entries(ring), 16 * ENTRY_BYTES);
}

Test(salvage, survives_any_slot_and_name, .timeout = 240)
{
    corrupt(&recorder_slots(left.recorder)[MAGAZINE_SLOTS], sizeof(struct slot));
    corrupt(recorder_name(left.recorder, 1), 12 * sizeof(struct name_entry));
}
