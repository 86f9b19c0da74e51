#include "client_fixture.h"
#include "loss_watch.h"
#include "names.h"

#include <criterion/criterion.h>
#include <string.h>

static struct loss_watch *watch;
static struct batch batch;
static struct ring *ring;

static void set_up(void)
{
    client_set_up();
    watch = calloc(1, sizeof(*watch));
    loss_watch_init(watch, recorder);
    ring = make_test_ring(16, 1, 1);
}

static void tear_down(void)
{
    batch_release(&batch);
    free(watch);
    client_tear_down();
}

TestSuite(loss_watch, .init = set_up, .fini = tear_down);

static void check_totals(void)
{
    struct totals totals = loss_watch_totals(watch);
    struct record_counts sum = totals_lost(&totals);

    record_counts_add(&sum, &totals.batched);
    cr_assert_eq(memcmp(&sum, &totals.produced, sizeof(sum)), 0);
}

/* A frame with all that is pending. */
static struct frame_account tell(uint64_t operations)
{
    struct frame_account account = {
        .rows = {.operations = operations}, .first_ns = 50, .last_ns = 60};

    batch_clear(&batch);
    cr_assert_eq(loss_watch_tell(watch, &batch, &account), 0);
    loss_watch_batched(watch, &account);
    check_totals();
    return account;
}

static void expect_loss(uint32_t row, enum loss_cause cause, uint64_t operations, uint64_t samples,
                        uint64_t marks)
{
    const struct loss *loss = &batch.losses[row];

    cr_expect_lt(row, batch.loss_count);
    cr_expect_eq(loss->cause, cause);
    cr_expect_eq(loss->count.operations, operations);
    cr_expect_eq(loss->count.samples, samples);
    cr_expect_eq(loss->count.marks, marks);
}

Test(loss_watch, what_threads_counted_is_told_once)
{
    cr_assert(!loss_watch_has_news(watch));
    ring->lost_operations[LOSS_RING_FULL] = 5;
    ring->lost_samples[LOSS_RING_FULL] = 2;
    ring->lost_marks[LOSS_REENTRY] = 1;
    ring->lost_long_runs[LOSS_REENTRY] = 9;
    recorder->lost_without_ring[0] = 3;
    recorder->lost_without_ring[3] = 8;
    loss_watch_look(watch, recorder->start_ns + 100);
    cr_assert(loss_watch_has_news(watch));
    tell(0);
    cr_assert_eq(batch.loss_count, 3);
    expect_loss(0, LOSS_RING_FULL, 5, 2, 0);
    expect_loss(1, LOSS_NO_RING, 3, 0, 0);
    expect_loss(2, LOSS_REENTRY, 0, 0, 1);
    cr_assert_eq(batch.losses[0].count.long_runs, 0);
    cr_assert_eq(batch.losses[1].count.long_runs, 8);
    cr_assert_eq(batch.losses[2].count.long_runs, 9);
    cr_assert_eq(batch.losses[0].first_ns, recorder->start_ns);
    cr_assert_eq(batch.losses[0].last_ns, recorder->start_ns + 100);
    cr_assert(!loss_watch_has_news(watch));

    ring->lost_operations[LOSS_RING_FULL] = 7;
    loss_watch_look(watch, recorder->start_ns + 200);
    loss_watch_look(watch, recorder->start_ns + 300);
    tell(10);
    cr_assert_eq(batch.loss_count, 1);
    expect_loss(0, LOSS_RING_FULL, 2, 0, 0);
    cr_assert_eq(batch.losses[0].first_ns, recorder->start_ns + 100);
    cr_assert_eq(batch.losses[0].last_ns, recorder->start_ns + 200);

    struct totals totals = loss_watch_totals(watch);

    cr_assert_eq(totals.produced.operations, 20);
    cr_assert_eq(totals.batched.operations, 10);
    cr_assert_eq(totals.lost[LOSS_RING_FULL].operations, 7);
}

Test(loss_watch, what_a_dropped_frame_told_is_told_again)
{
    ring->lost_marks[LOSS_RING_FULL] = 4;
    loss_watch_look(watch, recorder->start_ns + 100);

    struct frame_account first = tell(20);
    struct frame_account second = tell(30);

    cr_assert_eq(batch.loss_count, 0);
    loss_watch_dropped(watch, &first);
    check_totals();
    cr_assert(loss_watch_has_news(watch));

    struct frame_account third = tell(0);

    cr_assert_eq(batch.loss_count, 2);
    expect_loss(0, LOSS_RING_FULL, 0, 0, 4);
    cr_assert_eq(batch.losses[0].first_ns, recorder->start_ns);
    cr_assert_eq(batch.losses[0].last_ns, recorder->start_ns + 100);
    expect_loss(1, LOSS_OUTBOX_FULL, 20, 0, 0);
    cr_assert_eq(batch.losses[1].first_ns, 50);
    cr_assert_eq(batch.losses[1].last_ns, 60);

    /* Dropped as well: its rows were none, but all that it told is news again; and so on. */
    loss_watch_dropped(watch, &third);
    loss_watch_dropped(watch, &second);
    tell(0);
    expect_loss(0, LOSS_RING_FULL, 0, 0, 4);
    expect_loss(1, LOSS_OUTBOX_FULL, 50, 0, 0);
    cr_assert_eq(loss_watch_totals(watch).produced.operations, 50);
    cr_assert_eq(loss_watch_totals(watch).batched.operations, 0);
}

Test(loss_watch, losses_of_queues_are_named)
{
    struct queue_entry *inbox = recorder_queue(recorder, names_intern_queue(recorder, "in", 1) - 1);
    struct queue_entry *outbox =
        recorder_queue(recorder, names_intern_queue(recorder, "out", 1) - 1);

    ring->lost_operations[LOSS_NO_SLOT] = 10;
    inbox->lost = 3;
    outbox->lost = 4;
    loss_watch_look(watch, recorder->start_ns + 100);
    tell(0);
    cr_assert_eq(batch.loss_count, 3);
    expect_loss(0, LOSS_NO_SLOT, 3, 0, 0);
    cr_assert_str_eq(batch.losses[0].queue, "in");
    expect_loss(1, LOSS_NO_SLOT, 4, 0, 0);
    cr_assert_str_eq(batch.losses[1].queue, "out");
    expect_loss(2, LOSS_NO_SLOT, 3, 0, 0);
    cr_assert_null(batch.losses[2].queue);

    /* The queue's counter was seen before the ring's: it waits for it, so that the sum stays right. */
    inbox->lost = 9;
    loss_watch_look(watch, recorder->start_ns + 200);
    cr_assert(!loss_watch_has_news(watch));
    ring->lost_operations[LOSS_NO_SLOT] = 14;
    loss_watch_look(watch, recorder->start_ns + 300);
    tell(0);
    cr_assert_eq(batch.loss_count, 1);
    expect_loss(0, LOSS_NO_SLOT, 4, 0, 0);
    cr_assert_str_eq(batch.losses[0].queue, "in");
}

Test(loss_watch, the_flushers_own_losses_count_as_well)
{
    const struct record_counts lost = {1, 2, 3, 4};

    loss_watch_add(watch, LOSS_OUT_OF_RANGE, &(struct record_counts){0}, 1, 2);
    cr_assert(!loss_watch_has_news(watch));
    loss_watch_add(watch, LOSS_OUT_OF_RANGE, &lost, 20, 30);
    loss_watch_add(watch, LOSS_OUT_OF_RANGE, &lost, 10, 25);
    tell(0);
    expect_loss(0, LOSS_OUT_OF_RANGE, 2, 4, 6);
    cr_assert_eq(batch.losses[0].count.long_runs, 8);
    cr_assert_eq(batch.losses[0].first_ns, 10);
    cr_assert_eq(batch.losses[0].last_ns, 30);
}

Test(loss_watch, other_numbers_come_along)
{
    ring->stale_ends = 3;
    make_test_ring(16, 2, 2)->stale_ends = 4;
    ring->attributes_cut = 5;
    recorder->names_folded = 6;
    watch->frame_bytes = 7;

    struct totals totals = loss_watch_totals(watch);

    cr_assert_eq(totals.stale_ends, 7);
    cr_assert_eq(totals.attributes_cut, 5);
    cr_assert_eq(totals.names_folded, 6);
    cr_assert_eq(totals.frame_bytes, 7);
    cr_assert_gt(totals.client_cpu_ns, 0);
}

Test(loss_watch, any_sequence_of_steps_adds_up)
{
    static struct frame_account frames[64];
    uint64_t random = 1;
    uint64_t produced = 0;
    size_t held = 0;

    for (int i = 0; i < 5000; i++) {
        random = random * 6364136223846793005ULL + 1442695040888963407ULL;

        uint64_t draw = random >> 33;

        switch (draw % 4) {
        case 0:
            ring->lost_operations[1 + draw / 8 % 5] += draw / 64 % 9;
            produced += draw / 64 % 9;
            loss_watch_look(watch, recorder->start_ns + (uint64_t)i);
            break;
        case 1:
            if (held > 0) {
                loss_watch_dropped(watch, &frames[--held]);
            }
            break;
        default:
            if (held < ARRAY_SIZE(frames)) {
                frames[held++] = tell(draw / 8 % 100);
                produced += draw / 8 % 100;
            }
        }
        check_totals();
        cr_assert_eq(loss_watch_totals(watch).produced.operations, produced);
    }
    /* What is held and what is pending tell every loss, and each once. */
    uint64_t told = 0;

    if (held == ARRAY_SIZE(frames)) {
        loss_watch_dropped(watch, &frames[--held]);
    }
    frames[held++] = tell(0);
    for (size_t i = 0; i < held; i++) {
        for (int cause = 0; cause < LOSS_CLIENT_CAUSE_COUNT; cause++) {
            told += frames[i].lost[cause].operations;
        }
    }

    struct totals totals = loss_watch_totals(watch);

    cr_assert_eq(told, totals_lost(&totals).operations);
}
