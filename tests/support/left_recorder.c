#include "left_recorder.h"

#include "batch_decode.h"
#include "frame_maker.h"
#include "names.h"
#include "recorder.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

enum { MEMORY_MIB = 9, SLOTS = 1024, RING_BYTES = 16 << 10, RING_ENTRIES = 16, TID = 4711 };

static void require(bool holds, const char *what)
{
    if (!holds) {
        (void)fprintf(stderr, "does not hold: %s\n", what);
        abort();
    }
}

static struct ring *make_ring(struct recorder *recorder)
{
    struct ring *ring = recorder_at(recorder, recorder->rings_offset);
    struct thread_entry *threads = recorder_at(recorder, recorder->threads_offset);

    ring->mask = RING_ENTRIES - 1;
    ring->epoch = recorder->epoch;
    ring->tid = TID;
    ring->serial = 1;
    ring->lost_operations[LOSS_RING_FULL] = LEFT_RING_LOSSES;
    threads[1].serial_and_tid = UINT64_C(1) << 32 | TID;
    recorder->ring_offsets[0] = recorder->rings_offset;
    recorder->ring_count = 1;
    return ring;
}

static void publish(struct ring *ring, const struct record *record)
{
    ring_entries(ring)[ring->head++ & ring->mask] = *record;
    atomic_store(&ring->published, ring->head);
}

static void publish_operations(const struct recorder *recorder, struct ring *ring, uint32_t name,
                               uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        publish(ring,
                &(struct record){.id = ring->head + 1000,
                                 .begin = recorder->start_ns + i,
                                 .end = recorder->start_ns + i + 10,
                                 .name = name,
                                 .begin_thread = 1,
                                 .end_thread = 1,
                                 .kind = ENTRY_OPERATION,
                                 .flags = RECORD_NEEDS_ID | RECORD_BEGIN_IS_NS | RECORD_END_IS_NS});
    }
}

/* An operation with states, a queue and attributes: three entries; and one of each other kind. */
static void publish_others(struct recorder *recorder, struct ring *ring, uint32_t name)
{
    uint32_t key = names_intern(recorder, "key", NULL, NAME_ATTRIBUTE, VALUE_INTEGER);
    uint32_t queue = names_intern(recorder, "queue", NULL, NAME_QUEUE, VALUE_INTEGER);
    uint32_t gauge = names_intern(recorder, "gauge", "{x}", NAME_GAUGE, VALUE_INTEGER);
    uint32_t mark = names_intern(recorder, "mark", NULL, NAME_MARK, VALUE_INTEGER);
    struct record states = {0};
    struct record attributes = {0};
    const struct attribute_entry text = {.key = key, .type = ATTRIBUTE_TEXT, .length = 4};
    const struct state_entry times = {.ticks = {1, 2, 3}, .mask = 7, .queue = queue, .depth = 2};

    memcpy(&states, &times, sizeof(times));
    memcpy(&attributes, &text, sizeof(text));
    memcpy((char *)&attributes + sizeof(text), "blue", 5);
    ring_entries(ring)[(ring->head + 1) & ring->mask] = states;
    ring_entries(ring)[(ring->head + 2) & ring->mask] = attributes;
    ring_entries(ring)[ring->head & ring->mask] =
        (struct record){.id = 7,
                        .begin = recorder->start_ns,
                        .end = recorder->start_ns + 100,
                        .name = name,
                        .begin_thread = 1,
                        .end_thread = 1,
                        .kind = ENTRY_OPERATION,
                        .continuations = 2,
                        .attribute_bytes = 16,
                        .flags = RECORD_HAS_STATES | RECORD_BEGIN_IS_NS | RECORD_END_IS_NS};
    ring->head += 3;
    publish(ring, &(struct record){.name = gauge, .kind = ENTRY_SAMPLE, .begin = 1, .end = 5});
    publish(ring, &(struct record){.name = mark, .kind = ENTRY_MARK, .begin = 1, .end_thread = 1});
}

/* Two that are open; one being ended whose record was published, and one being ended before that. The latter is open too, in
 * the place of the second. */
static void leave_open(struct recorder *recorder, const struct ring *ring, uint32_t name)
{
    struct slot *slots = recorder_slots(recorder);
    uint64_t ended = (ring->head - 1 + 1000);

    for (uint32_t i = 0; i < LEFT_OPEN; i++) {
        struct slot *slot = &slots[MAGAZINE_SLOTS + i];

        slot->word = 17 | SLOT_LIVE | (i == 1 ? SLOT_CLAIMED : 0);
        slot->begin = recorder->start_ns;
        slot->flags = RECORD_BEGIN_IS_NS;
        slot->name = name;
        slot->state = STATE_WAITING_IO;
    }
    slots[ended].word = SLOT_LIVE | SLOT_CLAIMED; /* of generation 0: its id is its index */
    recorder->fresh_slots = (uint32_t)ended + 1 - MAGAZINE_SLOTS;
}

static void fill(struct recorder *recorder, struct frame_maker *maker)
{
    struct stager stager;
    struct sample_buffer samples = {0};
    struct ring *ring = make_ring(recorder);
    uint32_t name = names_intern(recorder, "work", NULL, NAME_OPERATION, VALUE_INTEGER);

    stager_init(&stager, recorder);
    stager_clear(&stager, 1);
    publish(ring, &(struct record){.kind = ENTRY_MARK, .begin = 1, .end_thread = 1});
    publish_operations(recorder, ring, name, LEFT_FRAME_OPERATIONS);
    require(stager_drain(&stager, ring), "staging has room");
    frame_maker_make(maker, &stager, &samples, 0);
    publish_operations(recorder, ring, name, LEFT_STAGED_OPERATIONS);
    require(stager_drain(&stager, ring), "staging has room");
    publish_others(recorder, ring, name);
    publish_operations(recorder, ring, name, LEFT_RING_OPERATIONS - 1);
    leave_open(recorder, ring, name);
}

bool left_recorder_make(struct left_recorder *ret_left)
{
    const struct recorder_sizes sizes = {
        .memory_bytes = MEMORY_MIB * MIB, .ring_bytes = RING_BYTES, .slot_count = SLOTS + SLOTS};
    struct outbox outbox;
    struct frame_maker maker;

    *ret_left = (struct left_recorder){.fd = -1};
    if (recorder_new(&ret_left->recorder, &ret_left->fd, &sizes, 1) < 0 ||
        outbox_init(&outbox, ret_left->recorder) < 0) {
        return false;
    }
    if (frame_maker_init(&maker, ret_left->recorder, &outbox) < 0) {
        outbox_release(&outbox);
        return false;
    }
    fill(ret_left->recorder, &maker);
    memcpy(ret_left->session.id, ret_left->recorder->session, SESSION_ID_BYTES);
    frame_maker_release(&maker);
    outbox_release(&outbox);
    return true;
}

void left_recorder_release(struct left_recorder *left)
{
    recorder_free(left->recorder);
    cleanup_close(&left->fd);
}

struct frame_decoder {
    struct frame_reader *frames;
    struct batch_decoder *batches;
    struct batch batch;
};

static void check_frame(struct salvage_result *result, const struct left_recorder *left,
                        struct frame_decoder *decoder, const struct disk_job *job, bool is_made)
{
    struct batch *batch = &decoder->batch;
    struct slice plain;
    bool is_first = result->frames == 0;

    require(job->session == &left->session, "a frame is the session's");
    require(is_first || job->sequence > result->last_sequence, "sequences grow");
    int r = frame_decompress(decoder->frames, (struct slice){job->bytes, job->size}, &plain);
    r = r < 0 ? r : batch_decode(decoder->batches, plain, batch);
    if (r == 0) {
        result->open = batch->open.count;
        result->totals = batch->totals;
        result->is_salvaged = batch->salvaged;
    }
    /* What the outbox held is taken as it is; what is made here must be right. */
    require(r == 0 || !is_made, "a batch made of what was left decodes");
    result->frames++;
    result->last_sequence = job->sequence;
    record_counts_add(&result->stored, &job->counts);
}

struct salvage_result left_recorder_salvage(struct left_recorder *left, uint64_t last_sequence)
{
    struct salvage_result result = {0};
    struct salvage *salvage = NULL;
    struct frame_decoder decoder = {0};
    struct disk_job *job = NULL;

    require(frame_reader_new(&decoder.frames) == 0 && batch_decoder_new(&decoder.batches) == 0,
            "there is memory");
    int r = salvage_new(&salvage, &left->session, dup(left->fd), last_sequence);
    while (r == 0 && (r = salvage_step(salvage, &job)) == 1) {
        check_frame(&result, left, &decoder, job, salvage->rows.batch.salvaged);
        free(job);
        r = 0;
    }
    result.error = r;
    salvage_free(salvage);
    batch_release(&decoder.batch);
    batch_decoder_free(decoder.batches);
    frame_reader_free(decoder.frames);
    return result;
}
