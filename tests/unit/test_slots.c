#include "client_fixture.h"
#include "slots.h"

#include <criterion/criterion.h>

enum { SLOT_COUNT = 1024, USABLE = SLOT_COUNT - MAGAZINE_SLOTS };

static struct ring caches[SLOT_COUNT / MAGAZINE_SLOTS];
static bool is_taken[SLOT_COUNT];

TestSuite(slots, .init = client_set_up, .fini = client_tear_down);

/* Takes all there are into caches; each must come once. Returns how many. */
static uint32_t take_all(void)
{
    uint32_t taken = 0;

    for (size_t i = 0; i < ARRAY_SIZE(caches); i++) {
        caches[i].cached_slots = 0;
        if (!slots_refill(recorder, &caches[i])) {
            break;
        }
        for (uint32_t j = 0; j < caches[i].cached_slots; j++) {
            uint32_t index = caches[i].slot_cache[j];

            cr_assert(index >= MAGAZINE_SLOTS && index < SLOT_COUNT && !is_taken[index]);
            is_taken[index] = true;
            taken++;
        }
    }
    return taken;
}

Test(slots, all_can_be_taken_once)
{
    struct ring one_more = {0};

    cr_assert_eq(take_all(), USABLE);
    cr_assert(!slots_refill(recorder, &one_more));
    cr_assert_eq(one_more.cached_slots, 0);
    for (uint32_t i = MAGAZINE_SLOTS; i < SLOT_COUNT; i++) {
        cr_assert_eq(recorder_slots(recorder)[i].word, recorder->first_generation);
    }
}

Test(slots, what_was_given_back_can_be_taken_again)
{
    static const uint32_t counts[] = {
        1, 2, MAGAZINE_SLOTS - 1, MAGAZINE_SLOTS, MAGAZINE_SLOTS + 1, SLOT_CACHE};

    cr_assert_eq(take_all(), USABLE);
    for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
        uint32_t indexes[SLOT_CACHE];
        uint32_t got = 0;
        struct ring cache = {0};

        for (uint32_t j = 0; j < counts[i]; j++) {
            indexes[j] = MAGAZINE_SLOTS + 3 * j;
            is_taken[indexes[j]] = false;
        }
        slots_give_back(recorder, indexes, counts[i]);
        while (slots_refill(recorder, &cache)) {
            for (uint32_t j = 0; j < cache.cached_slots; j++, got++) {
                cr_assert(!is_taken[cache.slot_cache[j]]);
                is_taken[cache.slot_cache[j]] = true;
            }
        }
        cr_assert_eq(got, counts[i]);
    }
    slots_give_back(recorder, NULL, 0); /* none are none */
    cr_assert(!slots_refill(recorder, &(struct ring){0}));
}

Test(slots, a_full_cache_gives_its_oldest)
{
    struct ring cache = {.cached_slots = SLOT_CACHE};
    struct ring other = {0};

    for (uint32_t i = 0; i < SLOT_CACHE; i++) {
        cache.slot_cache[i] = MAGAZINE_SLOTS + i;
    }
    slots_spill(recorder, &cache);
    cr_assert_eq(cache.cached_slots, SLOT_CACHE - MAGAZINE_SLOTS);
    cr_assert_eq(cache.slot_cache[0], 2 * MAGAZINE_SLOTS);
    cr_assert(slots_refill(recorder, &other));
    cr_assert_eq(other.cached_slots, MAGAZINE_SLOTS);
    cr_assert_eq(other.slot_cache[0], MAGAZINE_SLOTS);
}
