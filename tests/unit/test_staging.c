#include "batch.h"
#include "client_fixture.h"
#include "staging.h"

#include <criterion/criterion.h>
#include <string.h>

static struct stager stager;

static void set_up(void)
{
    client_set_up();
    stager_init(&stager, recorder);
    stager_clear(&stager, 1);
}

TestSuite(staging, .init = set_up, .fini = client_tear_down);

/*
 * Reads as whoever finds the recorder of a dead process: what staging has, then what the ring has beyond it. The records
 * must be the operations that began at ticks first, first + 1, ... last - 1, each once.
 */
static void check_found(struct ring *ring, uint64_t first, uint64_t last)
{
    uint64_t used = atomic_load(&stager.shared->used);
    uint64_t expected = first;
    uint64_t position = atomic_load(&ring->consumed);
    const struct record *entry = NULL;

    for (uint64_t i = 0; i < used; i += 1U + entry->continuations) {
        entry = &stager.entries[i];
        if (entry->kind == ENTRY_CHUNK) {
            struct chunk_entry chunk;

            memcpy(&chunk, entry, sizeof(chunk));
            cr_assert_eq(chunk.ring, ring->index);
            cr_assert_lt(chunk.from, chunk.to);
            position = position > chunk.to ? position : chunk.to;
        } else {
            cr_assert_eq(entry->begin, expected++);
        }
    }
    for (; position < atomic_load(&ring->published); position += 1U + entry->continuations) {
        entry = &ring_entries(ring)[position & ring->mask];
        cr_assert_eq(entry->begin, expected++);
    }
    cr_assert_eq(expected, last);
}

static void publish_with_details(struct ring *ring, uint64_t begin, uint8_t continuations)
{
    struct record record = plain_operation(1, begin, begin + 1);
    struct record details[MAX_CONTINUATIONS];

    memset(details, 0xee, sizeof(details)); /* any byte may stand there, also that of a kind */
    record.continuations = continuations;
    publish(ring, &record, details);
}

Test(staging, everything_is_found_once_at_every_point)
{
    struct ring *ring = make_test_ring(64, 1, 1);

    publish_operations(ring, 1, 0, 10);
    check_found(ring, 0, 10);
    cr_assert(stager_drain(&stager, ring));
    cr_assert_eq(stager.held.operations, 10);
    cr_assert_eq(stager.held.entries, 11);
    cr_assert_eq(atomic_load(&ring->consumed), 10);
    check_found(ring, 0, 10);
    publish_operations(ring, 1, 10, 5);
    check_found(ring, 0, 15);
    /* As after a kill between the last two steps of a drain: the entries are in both places. */
    cr_assert(stager_drain(&stager, ring));
    atomic_store(&ring->consumed, 10);
    check_found(ring, 0, 15);
    atomic_store(&ring->consumed, 15);
    cr_assert_eq(stager.held.operations, 15);

    stager_clear(&stager, 2);
    cr_assert_eq(atomic_load(&stager.shared->batch), 2);
    check_found(ring, 15, 15);
}

Test(staging, a_ring_that_wraps_around_comes_in_order)
{
    struct ring *ring = make_test_ring(16, 1, 1);
    uint64_t begin = 0;

    for (uint32_t round = 0; round < 20; round++) {
        uint32_t count = round * 7 % 16 + 1;

        publish_operations(ring, 1, begin, count);
        cr_assert(stager_drain(&stager, ring));
        begin += count;
    }
    check_found(ring, 0, begin);
    cr_assert_eq(stager.held.operations, begin);
}

Test(staging, records_stay_whole)
{
    struct ring *ring = make_test_ring(64, 1, 1);

    for (uint64_t i = 0; i < 5; i++) {
        publish_with_details(ring, i, 5);
    }
    stager.capacity = 1 + 6 + 6 + 5; /* a third one would fit in part */
    cr_assert(!stager_drain(&stager, ring));
    cr_assert_eq(stager.held.operations, 2);
    cr_assert_eq(stager.held.details, 10);
    check_found(ring, 0, 5);
    cr_assert(!stager_drain(&stager, ring), "nothing more fits");
    cr_assert_eq(stager.held.entries, 13, "and nothing is left of the attempt");
    check_found(ring, 0, 5);
    stager_clear(&stager, 2);
    stager.capacity = 100;
    cr_assert(stager_drain(&stager, ring));
    check_found(ring, 2, 5);
}

/* The thread gets its ring back piece by piece, and no record is cut where a piece ends. */
Test(staging, a_long_ring_comes_in_chunks_of_whole_records)
{
    enum { RECORDS = 700, CONTINUATIONS = 7 };
    struct ring *ring = make_test_ring(8192, 1, 1);
    uint32_t chunks = 0;

    for (uint64_t i = 0; i < RECORDS; i++) {
        publish_with_details(ring, i, CONTINUATIONS);
    }
    publish_operations(ring, 1, RECORDS, 1000);
    cr_assert(stager_drain(&stager, ring));
    check_found(ring, 0, RECORDS + 1000);
    cr_assert_eq(stager.held.details, RECORDS * CONTINUATIONS);
    for (uint32_t i = 0; i < stager.held.entries; i += 1U + stager.entries[i].continuations) {
        const struct record *entry = &stager.entries[i];

        chunks += entry->kind == ENTRY_CHUNK;
        cr_assert(entry->kind == ENTRY_CHUNK || entry->begin >= RECORDS ||
                  entry->continuations == CONTINUATIONS);
    }
    cr_assert_gt(chunks, 1);
    cr_assert_eq(stager.held.entries, chunks + RECORDS * (1 + CONTINUATIONS) + 1000);
}

/* A batch has room for so many of each kind; the capacity of staging itself is not the limit here. */
Test(staging, batches_have_limits)
{
    static const struct {
        uint8_t kind;
        uint8_t continuations;
        uint32_t *counter;
        uint32_t most;
    } cases[] = {
        {ENTRY_OPERATION, 0, &stager.held.operations, BATCH_MAX_OPERATIONS},
        {ENTRY_SAMPLE, 0, &stager.held.samples, STAGING_MAX_SAMPLES},
        {ENTRY_MARK, 0, &stager.held.marks, BATCH_MAX_MARKS},
        {ENTRY_LONG_RUN, 0, &stager.held.long_runs, BATCH_MAX_LONG_RUNS},
        {ENTRY_OPERATION, 4, &stager.held.details, STAGING_MAX_DETAILS},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct ring *ring = make_test_ring(64, 1, 1);
        struct record record = plain_operation(1, 5, 6);
        const struct record details[MAX_CONTINUATIONS] = {0};

        record.kind = cases[i].kind;
        record.continuations = cases[i].continuations;
        stager_clear(&stager, 1);
        *cases[i].counter = cases[i].most - 1U - cases[i].continuations;
        publish(ring, &record, details);
        cr_expect(stager_drain(&stager, ring), "case %zu", i);
        publish(ring, &record, details);
        if (cases[i].continuations == 0) {
            cr_expect(!stager_drain(&stager, ring), "case %zu", i);
            cr_expect_eq(*cases[i].counter, cases[i].most, "case %zu", i);
        }
        cr_expect(stager_is_nearly_full(&stager), "case %zu", i);
    }
}

Test(staging, entries_of_no_known_kind_are_carried)
{
    struct ring *ring = make_test_ring(16, 1, 1);
    struct record odd = {.kind = 77, .continuations = 200};

    publish(ring, &(struct record){.kind = 0}, NULL);
    ring_entries(ring)[1] = odd; /* claims more than there is */
    ring->head = 2;
    atomic_store(&ring->published, 2);
    cr_assert(stager_drain(&stager, ring));
    cr_assert_eq(stager.held.entries, 3);
    cr_assert_eq(stager.entries[2].continuations, 0);
    cr_assert_eq(stager.held.operations, 0);
}

Test(staging, an_empty_ring_is_drained)
{
    struct ring *ring = make_test_ring(16, 1, 1);

    stager.capacity = 0;
    cr_assert(stager_drain(&stager, ring));
    cr_assert_eq(stager.held.entries, 0);
    cr_assert(!stager_is_nearly_full(&(struct stager){.capacity = 100}));
}
