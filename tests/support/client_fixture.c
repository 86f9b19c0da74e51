#include "client_fixture.h"

#include "names.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

enum { MEMORY_MIB = 9, SLOTS = 1024, RING_BYTES = 16 << 10 };

struct recorder *recorder;
int recorder_fd = -1;

void client_set_up(void)
{
    const struct recorder_sizes sizes = {
        .memory_bytes = MEMORY_MIB * MIB, .ring_bytes = RING_BYTES, .slot_count = SLOTS};

    cr_assert_eq(recorder_new(&recorder, &recorder_fd, &sizes, 1), 0);
}

void client_tear_down(void)
{
    recorder_free(recorder);
    if (recorder_fd >= 0) {
        (void)close(recorder_fd);
    }
}

struct ring *make_test_ring(uint32_t entries, uint32_t tid, uint32_t serial)
{
    uint64_t bytes = (uint64_t)entries * ENTRY_BYTES + RING_ENTRIES_OFFSET;
    uint64_t used = atomic_load(&recorder->rings_used);
    uint32_t index = atomic_load(&recorder->ring_count);
    struct ring *ring = recorder_at(recorder, recorder->rings_offset + used);
    struct thread_entry *threads = recorder_at(recorder, recorder->threads_offset);

    cr_assert_leq(used + bytes, recorder->rings_bytes);
    ring->index = index;
    ring->mask = entries - 1;
    ring->epoch = recorder->epoch;
    atomic_store(&ring->tid, tid);
    atomic_store(&ring->serial, serial);
    atomic_store(&threads[serial % RECORDER_MAX_THREADS].serial_and_tid,
                 (uint64_t)serial << 32 | tid);
    atomic_store(&recorder->rings_used, (used + bytes + 4095) & ~UINT64_C(4095));
    atomic_store(&recorder->ring_offsets[index], recorder->rings_offset + used);
    atomic_store(&recorder->ring_count, index + 1);
    return ring;
}

void publish(struct ring *ring, const struct record *record, const struct record *continuations)
{
    uint64_t entries = 1U + record->continuations;

    cr_assert_leq(ring->head + entries - atomic_load(&ring->consumed), ring->mask + 1);
    ring_entries(ring)[ring->head & ring->mask] = *record;
    for (uint64_t i = 1; i < entries; i++) {
        ring_entries(ring)[(ring->head + i) & ring->mask] = continuations[i - 1];
    }
    ring->head += entries;
    atomic_store(&ring->published, ring->head);
}

struct record plain_operation(uint32_t name, uint64_t begin, uint64_t end)
{
    return (struct record){
        .id = begin << SLOT_INDEX_BITS | 32,
        .begin = begin,
        .end = end,
        .name = name,
        .begin_thread = 1,
        .end_thread = 1,
        .kind = ENTRY_OPERATION,
    };
}

void publish_operations(struct ring *ring, uint32_t name, uint64_t begin, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct record record = plain_operation(name, begin + i, begin + i + 10);

        publish(ring, &record, NULL);
    }
}

uint32_t operation_name(const char *text)
{
    return names_intern(recorder, text, NULL, NAME_OPERATION, VALUE_INTEGER);
}

struct settings plain_settings(const char *socket_path)
{
    struct settings settings = {.socket_path_count = 1};

    (void)snprintf(settings.socket_paths[0], SETTINGS_PATH_BYTES, "%s", socket_path);
    return settings;
}
