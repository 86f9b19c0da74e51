#include "client_fixture.h"
#include "slots.h"
#include "staging.h"
#include "thread_reaper.h"

#include <criterion/criterion.h>
#include <sys/syscall.h>

enum { NO_SUCH_TID = (1 << 30) + 7 };

TestSuite(thread_reaper, .init = client_set_up, .fini = client_tear_down);

static uint32_t own_tid(void)
{
    return (uint32_t)syscall(SYS_gettid);
}

Test(thread_reaper, a_dead_threads_ring_is_drained_and_its_slots_given_back)
{
    struct ring *dead = make_test_ring(64, NO_SUCH_TID, 1);
    struct ring *alive = make_test_ring(64, own_tid(), 2);
    struct stager stager;
    struct ring taker = {0};

    stager_init(&stager, recorder);
    publish_operations(dead, operation_name("x"), 100, 5);
    cr_assert(slots_refill(recorder, dead));
    cr_assert_eq(dead->cached_slots, MAGAZINE_SLOTS);

    uint32_t first = dead->slot_cache[0];

    cr_assert_eq(thread_reaper_run(recorder, &stager), 1);
    cr_assert_eq(atomic_load(&dead->tid), 0);
    cr_assert_eq(atomic_load(&alive->tid), own_tid());
    cr_assert_eq(stager.held.operations, 5);
    cr_assert_eq(dead->cached_slots, 0);
    cr_assert(slots_refill(recorder, &taker));
    cr_assert_eq(taker.cached_slots, MAGAZINE_SLOTS);
    cr_assert_eq(taker.slot_cache[MAGAZINE_SLOTS - 1], first, "the last one in comes first");
    cr_assert_eq(thread_reaper_run(recorder, &stager), 0, "a free ring is not dead again");
}

Test(thread_reaper, a_ring_that_cannot_be_emptied_waits)
{
    struct ring *dead = make_test_ring(64, NO_SUCH_TID, 1);
    struct stager stager;

    stager_init(&stager, recorder);
    stager.capacity = 3;
    publish_operations(dead, operation_name("x"), 100, 5);
    cr_assert_eq(thread_reaper_run(recorder, &stager), 0);
    cr_assert_eq(atomic_load(&dead->tid), NO_SUCH_TID);
    cr_assert_eq(stager.held.operations, 2);
    stager_clear(&stager, 2);
    stager.capacity = 100;
    cr_assert_eq(thread_reaper_run(recorder, &stager), 1);
    cr_assert_eq(stager.held.operations, 3);
}

/* The kernel gave the number of a dead thread to a new one: the older serial is the dead one. */
Test(thread_reaper, of_two_rings_with_one_tid_the_older_is_dead)
{
    struct ring *older = make_test_ring(64, own_tid(), 5);
    struct ring *younger = make_test_ring(64, own_tid(), 6);
    struct stager stager;

    stager_init(&stager, recorder);
    cr_assert_eq(thread_reaper_run(recorder, &stager), 1);
    cr_assert_eq(atomic_load(&older->tid), 0);
    cr_assert_eq(atomic_load(&younger->tid), own_tid());
}

/* A thread sets the tid first and the serial later; in between the ring is that of no older thread. */
Test(thread_reaper, a_ring_that_is_being_claimed_is_not_dead)
{
    static const bool is_used_before[] = {false, true};

    for (size_t i = 0; i < ARRAY_SIZE(is_used_before); i++) {
        struct ring *claimed = make_test_ring(64, 0, 0);
        struct stager stager;

        stager_init(&stager, recorder);
        if (is_used_before[i]) {
            atomic_store(&claimed->serial, 3);
            atomic_store(&claimed->tid, NO_SUCH_TID);
            cr_assert_eq(thread_reaper_run(recorder, &stager), 1);
        }

        struct ring *left_behind = make_test_ring(64, own_tid(), 5);

        atomic_store(&claimed->tid, own_tid());
        (void)thread_reaper_run(recorder, &stager);
        cr_expect_eq(atomic_load(&claimed->tid), own_tid(), "case %zu", i);
        /* With its serial there, the one left behind is known to be dead. */
        atomic_store(&claimed->serial, 9);
        cr_expect_eq(thread_reaper_run(recorder, &stager), 1);
        cr_expect_eq(atomic_load(&left_behind->tid), 0);
        atomic_store(&claimed->tid, 0);
    }
}
