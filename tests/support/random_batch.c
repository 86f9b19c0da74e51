#include "random_batch.h"

#include <stdio.h>

/* xorshift64*. Source: Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled", 2016. */
uint64_t random_u64(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(0x2545f4914f6cdd1d);
}

static uint32_t random_below(uint64_t *state, uint32_t limit)
{
    return (uint32_t)(random_u64(state) % limit);
}

uint64_t random_bits(uint64_t *state, unsigned int most_bits)
{
    unsigned int bits = random_below(state, most_bits + 1);

    return bits == 0 ? 0 : random_u64(state) >> (64 - bits);
}

/* Text that the batch keeps, some of it not ASCII. */
static const char *random_text(struct batch *batch, uint64_t *state, const char *prefix)
{
    static const char *const tails[] = {"", "ü", "日本語", "🙂", "a b", "\\\"<&>"};
    char text[96];
    int length = snprintf(text, sizeof(text), "%s.%u%s", prefix, random_below(state, 1000),
                          tails[random_below(state, ARRAY_SIZE(tails))]);

    return batch_copy_text(batch, text, (size_t)length);
}

static void fill_names(struct batch *batch, uint64_t *state, const struct batch_shape *shape)
{
    static const char *const prefixes[NAME_KIND_COUNT] = {"op", "g", "d", "t", "m", "q", "a"};

    for (uint32_t i = 0; i < shape->names * NAME_KIND_COUNT; i++) {
        enum name_kind kind = (enum name_kind)(i / shape->names);
        bool is_metric = kind >= NAME_GAUGE && kind <= NAME_COUNTER_TOTAL;

        batch->names[i] = (struct batch_name){
            .text = random_text(batch, state, prefixes[kind]),
            .unit = is_metric ? "By" : "",
            .kind = kind,
            .value = is_metric ? (enum value_type)(i % 2) : VALUE_INTEGER,
            .queue_capacity = kind == NAME_QUEUE ? random_bits(state, 64) : 0,
        };
    }
    batch->name_count = shape->names * NAME_KIND_COUNT;
    for (uint32_t i = 0; i < shape->threads; i++) {
        batch->threads[i] = (struct batch_thread){.tid = random_below(state, 1 << 22),
                                                  .name = random_text(batch, state, "worker"),
                                                  .serial = random_bits(state, 64)};
    }
    batch->thread_count = shape->threads;
}

static uint16_t random_name(uint64_t *state, const struct batch_shape *shape, enum name_kind kind)
{
    return (uint16_t)((uint32_t)kind * shape->names + random_below(state, shape->names));
}

static void fill_sparse(struct sparse_rows *rows, uint64_t *state, const struct batch_shape *shape,
                        unsigned int most_bits)
{
    rows->count = 0;
    for (uint32_t row = 0; row < shape->operations; row++) {
        if (random_below(state, 100) < shape->sparse_percent) {
            rows->row[rows->count] = row;
            rows->value[rows->count++] = random_bits(state, most_bits);
        }
    }
}

static void fill_operations(struct batch *batch, uint64_t *state, const struct batch_shape *shape)
{
    struct batch_operations *operations = &batch->operations;
    uint64_t begin_ns = random_bits(state, 61);

    for (uint32_t i = 0; i < shape->operations; i++) {
        begin_ns += random_bits(state, 44);
        operations->begin_ns[i] = begin_ns;
        operations->duration_ns[i] = random_bits(state, 62);
        operations->name[i] = random_name(state, shape, NAME_OPERATION);
        operations->status[i] = (uint8_t)random_below(state, STATUS_COUNT);
        operations->begin_thread[i] = (uint16_t)random_below(state, shape->threads);
        operations->end_thread[i] = (uint16_t)random_below(state, shape->threads);
    }
    operations->count = shape->operations;
    fill_sparse(&operations->id, state, shape, 64);
    fill_sparse(&operations->parent, state, shape, 64);
    for (int i = 0; i < STATE_COUNT; i++) {
        fill_sparse(&operations->state_ns[i], state, shape, 62);
    }
}

static void fill_queued(struct batch *batch, uint64_t *state, const struct batch_shape *shape)
{
    struct batch_queued *queued = &batch->queued;

    queued->count = 0;
    for (uint32_t row = 0; row < shape->operations; row++) {
        if (random_below(state, 100) < shape->sparse_percent) {
            uint32_t i = queued->count++;

            queued->row[i] = row;
            queued->queue[i] = random_name(state, shape, NAME_QUEUE);
            queued->depth[i] = random_bits(state, 64);
            queued->residence_ns[i] = random_bits(state, 62);
        }
    }
}

static void fill_attributes(struct batch *batch, uint64_t *state, const struct batch_shape *shape)
{
    struct batch_attributes *attributes = &batch->attributes;

    attributes->text_count = 0;
    for (uint32_t i = 0; i < shape->attributes; i++) {
        uint8_t type = (uint8_t)random_below(state, ATTRIBUTE_TYPE_COUNT);
        bool is_text = type == ATTRIBUTE_TEXT || type == ATTRIBUTE_TEXT_CUT;

        attributes->row[i] = (uint32_t)((uint64_t)i * shape->operations / shape->attributes);
        attributes->key[i] = random_name(state, shape, NAME_ATTRIBUTE);
        attributes->type[i] = type;
        attributes->value[i] = is_text ? attributes->text_count : random_bits(state, 64);
        if (is_text) {
            attributes->texts[attributes->text_count++] = random_text(batch, state, "value");
        }
    }
    attributes->count = shape->attributes;
}

static void fill_instants(struct batch *batch, uint64_t *state, const struct batch_shape *shape)
{
    uint64_t time_ns = random_bits(state, 60);

    for (uint32_t i = 0; i < shape->samples; i++) {
        time_ns += random_bits(state, 40);
        batch->samples.time_ns[i] = time_ns;
        batch->samples.metric[i] =
            random_name(state, shape, (enum name_kind)(NAME_GAUGE + (int)random_below(state, 3)));
        batch->samples.thread[i] = random_below(state, shape->threads + 1);
        batch->samples.value[i] = random_bits(state, 64);
    }
    batch->samples.count = shape->samples;
    for (uint32_t i = 0; i < shape->marks; i++) {
        time_ns += random_bits(state, 40);
        batch->marks.time_ns[i] = time_ns;
        batch->marks.name[i] = random_name(state, shape, NAME_MARK);
        batch->marks.thread[i] = (uint16_t)random_below(state, shape->threads);
    }
    batch->marks.count = shape->marks;
}

static void fill_long_runs(struct batch *batch, uint64_t *state, const struct batch_shape *shape)
{
    struct batch_long_runs *runs = &batch->long_runs;
    uint64_t begin_ns = random_bits(state, 60);

    for (uint32_t i = 0; i < shape->long_runs; i++) {
        begin_ns += random_bits(state, 40);
        runs->begin_ns[i] = begin_ns;
        runs->length_ns[i] = random_bits(state, 62);
        runs->name[i] = random_name(state, shape, NAME_OPERATION);
        runs->thread[i] = (uint16_t)random_below(state, shape->threads);
        runs->id[i] = random_bits(state, 64);
    }
    runs->count = shape->long_runs;
}

static void fill_open(struct batch *batch, uint64_t *state, const struct batch_shape *shape)
{
    uint64_t begin_ns = random_bits(state, 60);

    for (uint32_t i = 0; i < shape->open; i++) {
        begin_ns += random_bits(state, 40);
        batch->open.begin_ns[i] = begin_ns;
        batch->open.name[i] = random_name(state, shape, NAME_OPERATION);
        batch->open.state[i] = (uint8_t)random_below(state, STATE_COUNT);
        batch->open.id[i] = random_bits(state, 64);
    }
    batch->open.count = shape->open;
    batch->open.as_of_ns = shape->open > 0 ? begin_ns + 1 : 0;
    for (uint32_t i = 0; i < shape->losses; i++) {
        batch->losses[i] = (struct loss){
            .cause = (enum loss_cause)random_below(state, LOSS_CAUSE_COUNT),
            .count = {random_bits(state, 64), random_bits(state, 64), random_bits(state, 64),
                      random_bits(state, 64)},
            .first_ns = random_bits(state, 64),
            .last_ns = random_bits(state, 64),
            .queue = i % 2 == 0 ? random_text(batch, state, "queue") : NULL,
        };
    }
    batch->loss_count = shape->losses;
}

static void fill_head(struct batch *batch, uint64_t *state)
{
    for (int i = 0; i < SESSION_ID_BYTES; i++) {
        batch->id.session[i] = (uint8_t)random_u64(state);
    }
    batch->id.sequence = random_bits(state, 64);
    batch->clock = (struct clock_reading){random_bits(state, 64), random_bits(state, 64),
                                          random_bits(state, 64), random_bits(state, 20)};
    batch->anchor_ticks = random_bits(state, 64);
    batch->anchor_ns = random_bits(state, 64);
    batch->ns_per_tick = 1.0 / (1.0 + random_below(state, 1000));
    batch->totals.produced.operations = random_bits(state, 64);
    batch->totals.batched.marks = random_bits(state, 64);
    batch->totals.produced.long_runs = random_bits(state, 64);
    batch->totals.lost[LOSS_RING_FULL].operations = random_bits(state, 64);
    batch->totals.lost[LOSS_RECORDER_LOST].samples = random_bits(state, 64);
    batch->totals.stale_ends = random_bits(state, 64);
    batch->totals.names_folded = random_bits(state, 64);
    batch->totals.attributes_cut = random_bits(state, 64);
    batch->totals.client_cpu_ns = random_bits(state, 64);
    batch->totals.frame_bytes = random_bits(state, 64);
    batch->sample_period_ns = random_bits(state, 40);
    batch->salvaged = random_below(state, 2) == 1;
}

static int reserve_shape(struct batch *batch, const struct batch_shape *shape)
{
    struct batch_operations *operations = &batch->operations;
    uint32_t texts =
        shape->names * NAME_KIND_COUNT + shape->threads + shape->attributes + shape->losses;
    int r = batch_reserve_names(batch, (size_t)shape->names * NAME_KIND_COUNT);

    r = r < 0 ? r : batch_reserve_threads(batch, shape->threads);
    r = r < 0 ? r : batch_reserve_operations(batch, shape->operations);
    r = r < 0 ? r : sparse_rows_reserve(&operations->id, shape->operations);
    r = r < 0 ? r : sparse_rows_reserve(&operations->parent, shape->operations);
    for (int i = 0; r == 0 && i < STATE_COUNT; i++) {
        r = sparse_rows_reserve(&operations->state_ns[i], shape->operations);
    }
    r = r < 0 ? r : batch_reserve_queued(batch, shape->operations);
    r = r < 0 ? r : batch_reserve_attributes(batch, shape->attributes);
    r = r < 0 ? r : batch_reserve_texts(batch, shape->attributes);
    r = r < 0 ? r : batch_reserve_samples(batch, shape->samples);
    r = r < 0 ? r : batch_reserve_marks(batch, shape->marks);
    r = r < 0 ? r : batch_reserve_open(batch, shape->open);
    r = r < 0 ? r : batch_reserve_long_runs(batch, shape->long_runs);
    r = r < 0 ? r : batch_reserve_losses(batch, shape->losses);
    return r < 0 ? r : batch_reserve_text_bytes(batch, (size_t)texts * 64 + 64);
}

int random_batch(struct batch *batch, uint64_t seed, const struct batch_shape *shape)
{
    uint64_t state = seed * 2 + 1;
    int r = reserve_shape(batch, shape);

    if (r < 0) {
        return r;
    }
    batch_clear(batch);
    fill_head(batch, &state);
    fill_names(batch, &state, shape);
    fill_operations(batch, &state, shape);
    fill_queued(batch, &state, shape);
    fill_attributes(batch, &state, shape);
    fill_instants(batch, &state, shape);
    fill_open(batch, &state, shape);
    fill_long_runs(batch, &state, shape);
    return 0;
}
