#include "client_fixture.h"
#include "outbox.h"

#include <criterion/criterion.h>
#include <string.h>

static struct outbox outbox;
static uint64_t sequence;
static uint8_t bytes[2 << 20];

static void set_up(void)
{
    client_set_up();
    cr_assert_eq(outbox_init(&outbox, recorder), 0);
    sequence = 0;
}

static void tear_down(void)
{
    outbox_release(&outbox);
    client_tear_down();
}

TestSuite(outbox, .init = set_up, .fini = tear_down);

/* Puts a frame of size bytes, all of them the low byte of its sequence, that stands for ten records. */
static bool put(size_t size)
{
    struct frame_account account = {.sequence = sequence + 1, .rows = {5, 3, 2, 0}};

    if (!outbox_has_room(&outbox, size)) {
        return false;
    }
    sequence++;
    memset(bytes, (uint8_t)sequence, size);
    outbox_put(&outbox, WIRE_FRAME, (struct slice){bytes, size}, &account);
    return true;
}

/* Sends what the window allows; returns how many. */
static unsigned int send_all(void)
{
    struct slice message;
    unsigned int count = 0;

    while (outbox_next(&outbox, &message)) {
        outbox_sending(&outbox);
        outbox_sent(&outbox);
        count++;
    }
    return count;
}

/* The held frames lie apart from each other and are what was put; by_offset and by_sequence are in order. */
static void check_frames(void)
{
    for (uint32_t i = 0; i < outbox.held; i++) {
        const struct outbox_entry *entry = &outbox.entries[outbox.by_offset[i]];
        const uint8_t *frame = outbox.area + entry->offset + WIRE_HEADER_BYTES;
        size_t size = entry->size - WIRE_HEADER_BYTES;
        struct wire_header header;

        cr_assert_eq(entry->state, OUTBOX_HELD);
        cr_assert_geq(entry->offset, outbox.first_offset);
        cr_assert_leq(entry->offset + entry->size, outbox.end_offset);
        cr_assert_eq(wire_header_read(frame - WIRE_HEADER_BYTES, &header), 0);
        cr_assert(wire_checksum_is_right(frame - WIRE_HEADER_BYTES, (struct slice){frame, size}));
        cr_assert_eq(header.sequence, entry->account.sequence);
        cr_assert_eq(header.counts[0], 5);
        cr_assert(size == 0 || (frame[0] == (uint8_t)header.sequence &&
                                frame[size - 1] == (uint8_t)header.sequence));
        if (i > 0) {
            const struct outbox_entry *before = &outbox.entries[outbox.by_offset[i - 1]];

            cr_assert_leq(before->offset + before->size, entry->offset);
            cr_assert_lt(outbox.entries[outbox.by_sequence[i - 1]].account.sequence,
                         outbox.entries[outbox.by_sequence[i]].account.sequence);
        }
    }
}

Test(outbox, frames_are_put_sent_and_acknowledged)
{
    struct slice message;

    cr_assert(!outbox_next(&outbox, &message));
    cr_assert_eq(outbox_next_sequence(&outbox), 1);
    cr_assert(put(100) && put(0) && put(300));
    check_frames();
    cr_assert_eq(atomic_load(&outbox.head->batch), 3);
    cr_assert(outbox_next(&outbox, &message));
    cr_assert_eq(message.size, 100 + WIRE_HEADER_BYTES);
    cr_assert_eq(outbox_acknowledge(&outbox, 3), 0, "nothing was sent yet");
    cr_assert_eq(send_all(), 3);
    cr_assert_eq(outbox_acknowledge(&outbox, 0), 0);
    cr_assert_eq(outbox_acknowledge(&outbox, 1), 10);
    cr_assert_eq(outbox_acknowledge(&outbox, 1), 0);
    cr_assert(outbox_is_done_with(&outbox, 1) && !outbox_is_done_with(&outbox, 2));
    cr_assert_eq(outbox_next_sequence(&outbox), 2);
    cr_assert_eq(outbox_acknowledge(&outbox, UINT64_MAX), 20);
    cr_assert(outbox_is_done_with(&outbox, 3));
    cr_assert_eq(outbox_next_sequence(&outbox), 4);
    cr_assert_eq(outbox.sent_bytes, 0);
}

Test(outbox, an_acknowledgement_frees_only_what_this_connection_got)
{
    struct slice message;

    cr_assert(put(100) && put(100) && put(100));
    cr_assert(outbox_next(&outbox, &message));
    outbox_sending(&outbox);
    outbox_sent(&outbox);
    outbox_sending(&outbox); /* the second in part */
    cr_assert_eq(outbox_acknowledge(&outbox, 3), 10);
    cr_assert_eq(outbox.held, 2);
    outbox_rewind(&outbox);
    cr_assert_eq(outbox_acknowledge(&outbox, 3), 0);
    cr_assert_eq(send_all(), 2);
    cr_assert_eq(outbox_acknowledge(&outbox, 3), 20);
}

Test(outbox, the_oldest_that_was_never_sent_is_dropped)
{
    struct frame_account dropped;

    cr_assert_null(outbox_to_drop(&outbox));
    cr_assert(!outbox_drop(&outbox, &dropped));
    cr_assert(put(100) && put(100) && put(100) && put(100));
    outbox_sending(&outbox);
    outbox_sent(&outbox);
    outbox_sending(&outbox); /* in part */
    outbox_rewind(&outbox);
    const struct frame_account *next = outbox_to_drop(&outbox);
    cr_assert_not_null(next);
    uint64_t next_sequence = next->sequence;
    cr_assert(outbox_drop(&outbox, &dropped));
    cr_assert_eq(dropped.sequence, next_sequence, "what would be dropped is dropped");
    cr_assert_eq(dropped.sequence, 3);
    cr_assert_eq(dropped.rows.operations, 5);
    cr_assert(outbox_drop(&outbox, &dropped));
    cr_assert_eq(dropped.sequence, 4);
    cr_assert(!outbox_drop(&outbox, &dropped), "a collector may have written the others");
    check_frames();
    cr_assert_eq(send_all(), 2);
    cr_assert_eq(outbox_acknowledge(&outbox, 2), 20);
}

Test(outbox, gaps_are_filled_from_the_front)
{
    size_t size = (outbox.end_offset - outbox.first_offset) / 4 - WIRE_HEADER_BYTES - 64;
    struct frame_account dropped;
    uint64_t first;

    cr_assert(put(size) && put(size) && put(size) && put(size));
    cr_assert(!put(size));
    first = outbox.entries[outbox.by_sequence[0]].offset;
    cr_assert(outbox_drop(&outbox, &dropped));
    cr_assert(!put(size + 64), "it is too large for the gap");
    cr_assert(put(size));
    cr_assert_eq(outbox.entries[outbox.by_sequence[3]].offset, first);
    check_frames();
    for (int i = 0; i < 3; i++) {
        cr_assert(outbox_drop(&outbox, &dropped));
    }
    cr_assert(put(3 * size), "gaps next to each other are one");
    check_frames();
}

Test(outbox, a_frame_may_take_all_there_is_and_no_more)
{
    size_t most = outbox.end_offset - outbox.first_offset - WIRE_HEADER_BYTES;
    struct slice message;

    cr_assert(!outbox_has_room(&outbox, most + 1));
    cr_assert(outbox_has_room(&outbox, most));
    cr_assert(put(most));
    cr_assert(outbox_next(&outbox, &message), "the first one is sent, however large");
    cr_assert(!put(0));
}

Test(outbox, entries_are_limited_too)
{
    uint32_t count = 0;

    while (put(0)) {
        count++;
    }
    cr_assert_eq(count, outbox.head->entry_count);
    check_frames();
    cr_assert_eq(send_all(), count);
    cr_assert_eq(outbox_acknowledge(&outbox, count / 2), 10UL * (count / 2));
    cr_assert(put(0));
    check_frames();
}

/* So that there is always room for newer frames while a collector does not answer. */
Test(outbox, half_of_the_room_may_wait_for_an_answer)
{
    size_t room = outbox.end_offset - outbox.first_offset;
    struct frame_account dropped;
    unsigned int sent;

    while (put(10000)) {
    }
    sent = send_all();
    cr_assert_leq(sent * (10000UL + WIRE_HEADER_BYTES), room / 2);
    cr_assert_gt((sent + 1) * (10000UL + WIRE_HEADER_BYTES), room / 2);
    cr_assert(outbox_drop(&outbox, &dropped));
    cr_assert_eq(dropped.sequence, sent + 1);
    cr_assert_eq(outbox_acknowledge(&outbox, 1), 10);
    cr_assert_eq(send_all(), 1, "for each that is acknowledged the next one goes");
}

Test(outbox, any_sequence_of_steps_keeps_it_whole)
{
    uint64_t random = 1;
    struct frame_account dropped;
    uint64_t settled = 0;

    for (int i = 0; i < 3000; i++) {
        random = random * 6364136223846793005ULL + 1442695040888963407ULL;

        uint64_t draw = random >> 33;

        switch (draw % 6) {
        case 0:
            settled += outbox_drop(&outbox, &dropped) ? 10 : 0;
            break;
        case 1:
            (void)send_all();
            break;
        case 2:
            settled += outbox_acknowledge(&outbox, sequence - draw / 8 % 8);
            break;
        case 3:
            if (draw % 5 == 0) {
                outbox_rewind(&outbox);
            }
            break;
        default:
            (void)put(draw / 8 % 60000);
        }
        if (i % 50 == 0) {
            check_frames();
        }
        cr_assert_eq(settled + 10 * outbox.held, 10 * sequence);
    }
}

Test(outbox, says_that_a_batch_will_never_come)
{
    outbox_skip(&outbox, 9);
    cr_assert_eq(atomic_load(&outbox.head->batch), 9);
    cr_assert_eq(outbox_next_sequence(&outbox), 10);
}
