/*
 * A recorder with any words changed: salvaging comes to an end, and every batch that it makes decodes. Each 12 bytes of the
 * input are a place and what is written there: u8 area, u8 nothing, u16 offset in words, u64 value.
 */
#include "left_recorder.h"
#include "recorder.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CHANGE_BYTES = 12, CHANGES_MAX = 64, AREAS = 12 };

struct change {
    uint64_t *place;
    uint64_t before;
};

static struct left_recorder left;

static void set_up(void)
{
    if (left.recorder == NULL && !left_recorder_make(&left)) {
        abort();
    }
}

/* Where an area of few pages begins: words of it beyond these are not in use. */
static uint64_t *place_of(const uint8_t *change)
{
    const struct recorder *recorder = left.recorder;
    const struct outbox_entry *entry =
        recorder_at(recorder, recorder->outbox_offset + sizeof(struct outbox_head));
    /* As the recorder was made: the header may have been changed by now. */
    static uint64_t offsets[AREAS];
    uint16_t word;

    if (offsets[1] == 0) {
        const uint64_t made[AREAS] = {
            0,
            recorder->names_offset,
            recorder->name_text_offset,
            recorder->threads_offset,
            recorder->slots_offset + MAGAZINE_SLOTS * sizeof(struct slot),
            recorder->staging_offset,
            recorder->outbox_offset,
            recorder->outbox_offset + entry->offset,
            recorder->rings_offset,
            recorder->rings_offset + RING_ENTRIES_OFFSET,
            offsetof(struct recorder, books),
            recorder->slots_offset + 1000 * sizeof(struct slot),
        };

        memcpy(offsets, made, sizeof(offsets));
    }
    memcpy(&word, change + 2, sizeof(word));
    return recorder_at(recorder, offsets[change[0] % AREAS] + (word % 1200) * sizeof(uint64_t));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct change changes[CHANGES_MAX];
    size_t count = min_u64(size / CHANGE_BYTES, CHANGES_MAX);

    set_up();
    for (size_t i = 0; i < count; i++) {
        changes[i].place = place_of(data + i * CHANGE_BYTES);
        changes[i].before = *changes[i].place;
        memcpy(changes[i].place, data + i * CHANGE_BYTES + 4, sizeof(uint64_t));
    }
    (void)left_recorder_salvage(&left, 0);
    for (size_t i = count; i > 0; i--) {
        *changes[i - 1].place = changes[i - 1].before;
    }
    return 0;
}
