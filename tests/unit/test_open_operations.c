#include "client_fixture.h"
#include "clocks.h"
#include "open_operations.h"

#include <criterion/criterion.h>

static struct open_operations found;
static struct tick_clock ticks;
static struct batch batch;
static struct batch_names names;
static uint32_t name;

/* Ticks are ns here, so that times are easily made. */
static void set_up(void)
{
    uint64_t now_ns = clock_monotonic_ns();

    client_set_up();
    ticks = (struct tick_clock){
        .anchor_ticks = now_ns, .anchor_ns = now_ns, .ns_per_tick = 1.0, .first_ns = now_ns};
    cr_assert_eq(batch_names_init(&names, recorder), 0);
    name = operation_name("long.job");
    atomic_store(&recorder->fresh_slots, 64);
}

static void tear_down(void)
{
    open_operations_release(&found);
    batch_names_release(&names);
    batch_release(&batch);
    client_tear_down();
}

TestSuite(open_operations, .init = set_up, .fini = tear_down);

static void begin_at(uint32_t index, uint64_t begin_ns, uint64_t word_flags)
{
    struct slot *slot = &recorder_slots(recorder)[index];

    atomic_store(&slot->begin, begin_ns);
    atomic_store(&slot->name, name);
    atomic_store(&slot->state, STATE_RUNNING);
    atomic_store(&slot->word, 7 | word_flags);
}

static void tell(void)
{
    batch_clear(&batch);
    batch_names_clear(&names);
    cr_assert_eq(open_operations_tell(&found, &batch, &names), 0);
}

Test(open_operations, those_over_a_second_are_told_in_order)
{
    uint64_t now_ns = clock_monotonic_ns();

    begin_at(32, now_ns - 2 * NS_PER_S, SLOT_LIVE);
    begin_at(33, now_ns - 5 * NS_PER_S, SLOT_LIVE);
    begin_at(34, now_ns - NS_PER_S / 2, SLOT_LIVE);                /* too young */
    begin_at(35, now_ns - 9 * NS_PER_S, SLOT_LIVE | SLOT_CLAIMED); /* ends just now */
    begin_at(36, now_ns - 9 * NS_PER_S, 0);                        /* ended */
    begin_at(95, now_ns - 3 * NS_PER_S, SLOT_LIVE);                /* the last one used */
    begin_at(96, now_ns - 9 * NS_PER_S, SLOT_LIVE);                /* never used */
    cr_assert_eq(open_operations_look(&found, recorder, &ticks, false), 1);
    tell();
    cr_assert_eq(batch.open.count, 3);
    cr_assert_eq(batch.open.begin_ns[0], now_ns - 5 * NS_PER_S);
    cr_assert_eq(batch.open.begin_ns[1], now_ns - 3 * NS_PER_S);
    cr_assert_eq(batch.open.begin_ns[2], now_ns - 2 * NS_PER_S);
    cr_assert_eq(batch.open.id[0], UINT64_C(7) << SLOT_INDEX_BITS | 33);
    cr_assert_eq(batch.open.state[0], STATE_RUNNING);
    cr_assert_str_eq(batch.names[batch.open.name[0]].text, "long.job");
    cr_assert_eq(open_operations_look(&found, recorder, &ticks, false), 0, "the next is not due");
    cr_assert_eq(open_operations_look(&found, recorder, &ticks, true), 1, "the last look is");
    cr_assert_eq(found.count, 4);
}

/* What is told later was seen at the look: an operation may have ended since. */
Test(open_operations, they_are_told_as_of_the_look)
{
    uint64_t before_ns = clock_monotonic_ns();

    begin_at(32, before_ns - 2 * NS_PER_S, SLOT_LIVE);
    cr_assert_eq(open_operations_look(&found, recorder, &ticks, false), 1);

    uint64_t after_ns = clock_monotonic_ns();

    tell();
    cr_assert_geq(batch.open.as_of_ns, before_ns);
    cr_assert_leq(batch.open.as_of_ns, after_ns);
}

Test(open_operations, nothing_open_is_nothing_told)
{
    cr_assert_eq(open_operations_look(&found, recorder, &ticks, true), 1);
    tell();
    cr_assert_eq(batch.open.count, 0);
}

Test(open_operations, begins_in_ns_and_odd_states_are_taken)
{
    struct slot *slot = &recorder_slots(recorder)[40];

    ticks.ns_per_tick = 0.25; /* which must not touch it */
    begin_at(40, 12345, SLOT_LIVE);
    atomic_store(&slot->flags, RECORD_BEGIN_IS_NS);
    atomic_store(&slot->state, 200);
    atomic_store(&slot->name, RECORDER_MAX_NAMES + 5);
    cr_assert_eq(open_operations_look(&found, recorder, &ticks, false), 1);
    tell();
    cr_assert_eq(batch.open.count, 1);
    cr_assert_eq(batch.open.begin_ns[0], 12345);
    cr_assert_eq(batch.open.state[0], STATE_OTHER);
    cr_assert_str_eq(batch.names[batch.open.name[0]].text, "(other)");
}
