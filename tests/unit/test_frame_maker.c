#include "client_fixture.h"
#include "clocks.h"
#include "frame_maker.h"
#include "names.h"
#include "packet.h"

#include "codec_fixture.h" /* behind the product's: it has globals */

#include <criterion/criterion.h>

static int allocations_left = -1; /* -1: all succeed */

static bool allocation_fails(void)
{
    if (allocations_left > 0) {
        allocations_left--;
    }
    return allocations_left == 0;
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    return allocation_fails() ? NULL : __real_malloc(size);
}

void *__real_realloc(void *pointer, size_t size);
void *__wrap_realloc(void *pointer, size_t size);
void *__wrap_realloc(void *pointer, size_t size)
{
    return allocation_fails() ? NULL : __real_realloc(pointer, size);
}

static struct frame_maker maker;
static struct outbox outbox;
static struct stager stager;
static struct sample_buffer samples;
static struct ring *ring;
static uint32_t name;
static uint64_t produced;

static void set_up(void)
{
    client_set_up();
    codec_set_up();
    ring = make_test_ring(4096, (uint32_t)getpid(), 1);
    stager_init(&stager, recorder);
    stager_clear(&stager, 1);
    cr_assert_eq(outbox_init(&outbox, recorder), 0);
    cr_assert_eq(frame_maker_init(&maker, recorder, &outbox), 0);
    name = operation_name("x");
    produced = 0;
}

static void tear_down(void)
{
    frame_maker_release(&maker);
    outbox_release(&outbox);
    sample_buffer_release(&samples);
    codec_tear_down();
    client_tear_down();
}

TestSuite(frame_maker, .init = set_up, .fini = tear_down);

static void make(uint32_t operations)
{
    publish_operations(ring, name, ticks_now(), operations);
    produced += operations;
    cr_assert(stager_drain(&stager, ring));
    frame_maker_make(&maker, &stager, &samples, 0);
    cr_assert_eq(stager.held.entries, 0);
    cr_assert_eq(stager.shared->batch, maker.sequence + 1);
}

/* Decodes the place-th oldest frame into back. */
static const struct outbox_entry *decode(uint32_t place)
{
    const struct outbox_entry *entry = &outbox.entries[outbox.by_sequence[place]];
    struct frame_reader *reader = NULL;
    struct slice plain;

    cr_assert_eq(frame_reader_new(&reader), 0);
    cr_assert_eq(frame_decompress(reader,
                                  (struct slice){outbox.area + entry->offset + WIRE_HEADER_BYTES,
                                                 entry->size - WIRE_HEADER_BYTES},
                                  &plain),
                 0);
    cr_assert_eq(batch_decode(decoder, plain, &back), 0);
    frame_reader_free(reader);
    cr_assert_eq(back.id.sequence, entry->account.sequence);
    return entry;
}

/* Every record is in a frame that is held, or its loss is in the newest totals and, once, in the losses of a frame. */
static void check_books(void)
{
    uint64_t rows = 0;
    uint64_t told = 0;

    for (uint32_t i = 0; i < outbox.held; i++) {
        (void)decode(i);
        rows += back.operations.count;
        for (uint32_t j = 0; j < back.loss_count; j++) {
            told += back.losses[j].count.operations;
        }
    }
    cr_assert_eq(back.totals.produced.operations, produced);
    cr_assert_eq(back.totals.batched.operations, rows);
    cr_assert_eq(totals_lost(&back.totals).operations, produced - rows);
    cr_assert_eq(told, produced - rows);
}

Test(frame_maker, nothing_makes_no_frame)
{
    frame_maker_make(&maker, &stager, &samples, 0);
    cr_assert_eq(outbox.held, 0);
    cr_assert_eq(maker.sequence, 0);
}

Test(frame_maker, what_was_drained_and_sampled_is_in_the_frame)
{
    uint32_t metric = names_intern(recorder, "g", "By", NAME_GAUGE, VALUE_INTEGER);

    sample_buffer_add(&samples, clock_monotonic_ns(), metric, 0, 42);
    make(5);
    cr_assert_eq(maker.sequence, 1);
    cr_assert_eq(samples.count, 0);

    const struct outbox_entry *entry = decode(0);

    cr_assert_eq(entry->type, WIRE_FRAME);
    cr_assert_eq(back.operations.count, 5);
    cr_assert_eq(back.samples.count, 1);
    cr_assert_eq(back.samples.value[0], 42);
    cr_assert_arr_eq(back.id.session, recorder->session, sizeof(back.id.session));
    cr_assert_eq(entry->account.rows.operations, 5);
    cr_assert_leq(entry->account.first_ns, entry->account.last_ns);
    check_books();
}

Test(frame_maker, losses_alone_make_a_frame)
{
    ring->lost_operations[LOSS_RING_FULL] = 3;
    produced += 3;
    frame_maker_make(&maker, &stager, &samples, 0);
    cr_assert_eq(outbox.held, 1);
    check_books();
    frame_maker_make(&maker, &stager, &samples, 0);
    cr_assert_eq(outbox.held, 1, "they were told");
}

Test(frame_maker, times_beyond_the_format_are_counted)
{
    struct record record = plain_operation(name, 5, UINT64_C(1) << 63);

    record.flags = RECORD_BEGIN_IS_NS | RECORD_END_IS_NS;
    publish(ring, &record, NULL);
    produced++;
    make(2);
    make(0);
    check_books();
    (void)decode(outbox.held - 1);
    cr_assert_eq(back.totals.lost[LOSS_OUT_OF_RANGE].operations, 1);
}

Test(frame_maker, a_full_outbox_drops_the_oldest_and_says_so)
{
    while (outbox.held == maker.sequence) {
        make(3000);
        cr_assert_lt(maker.sequence, 1000);
    }
    make(3000);
    cr_assert_gt(decode(0)->account.sequence, 1);
    /* What is dropped to make room for a frame is told in the next one: here the last, whose books are final. */
    cr_assert(frame_maker_say_goodbye(&maker));
    check_books();
    cr_assert_eq(decode(outbox.held - 1)->type, WIRE_GOODBYE);
    cr_assert_eq(back.operations.count, 0);
}

/* The collector may have written them: then the new one is lost. */
Test(frame_maker, frames_that_were_sent_are_not_dropped)
{
    struct slice message;
    uint32_t sent = 0;

    while (outbox_has_room(&outbox, 30000)) {
        make(3000);
    }
    while (sent < outbox.held) { /* to one collector after the other */
        outbox_rewind(&outbox);
        outbox.sent = sent++;
        cr_assert(outbox_next(&outbox, &message) || outbox.sent_bytes == 0);
        outbox_sending(&outbox);
    }
    outbox_rewind(&outbox);

    uint32_t held = outbox.held;

    make(4000);
    cr_assert_eq(outbox.held, held);
    cr_assert(frame_maker_say_goodbye(&maker) || !outbox_has_room(&outbox, 500));
    while (outbox_next(&outbox, &message)) {
        outbox_sent(&outbox);
    }
    (void)outbox_acknowledge(&outbox, 2);
    cr_assert(frame_maker_say_goodbye(&maker));
    (void)decode(outbox.held - 1);
    cr_assert_eq(back.totals.produced.operations, produced);
    cr_assert_eq(totals_lost(&back.totals).operations, 4000);
}

Test(frame_maker, open_operations_are_in_the_goodbye)
{
    struct slot *slot = &recorder_slots(recorder)[MAGAZINE_SLOTS];

    atomic_store(&recorder->fresh_slots, MAGAZINE_SLOTS);
    atomic_store(&slot->begin, ticks_now());
    atomic_store(&slot->name, name);
    atomic_store(&slot->word, 1 | SLOT_LIVE);
    make(1);
    (void)decode(0);
    cr_assert_eq(back.open.count, 0, "too young");
    cr_assert(frame_maker_say_goodbye(&maker));
    (void)decode(1);
    cr_assert_eq(back.open.count, 1);
    check_books();
}

/* From the n-th allocation on there is no memory, and then there is again. */
Test(frame_maker, without_memory_records_are_counted_as_lost)
{
    for (int n = 1; n < 60; n++) {
        struct frame_account ignored;

        while (outbox_drop(&outbox, &ignored)) {
            loss_watch_dropped(&maker.watch, &ignored);
        }
        frame_maker_release(&maker);
        cr_assert_eq(frame_maker_init(&maker, recorder, &outbox), 0);
        maker.sequence = atomic_load(&outbox.head->batch);
        produced = 0;
        allocations_left = n;
        make(100);
        make(300);
        allocations_left = -1;
        make(10);
        cr_assert(frame_maker_say_goodbye(&maker));
        check_books();
    }
}
