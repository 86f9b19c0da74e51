#include "packet_batch.h"

#include "packet_body.h"
#include "packet_columns.h"
#include "packet_frame.h"
#include "packet_head.h"
#include "packet_totals.h"

#include <errno.h>
#include <string.h>

enum { BATCH_THREAD_FIELD = 3, BATCH_LOSS_FIELD = 8 };
enum { THREAD_TID = 1, THREAD_NAME, THREAD_SERIAL };

/* --- Writing --- */

struct content {
    const struct batch *batch;
    const struct batch_columns *columns;
};

static void put_thread_fields(struct proto_sink *sink, const struct batch_thread *thread)
{
    proto_put_uint64(sink, THREAD_TID, thread->tid);
    proto_put_optional_text(sink, THREAD_NAME, thread->name);
    proto_put_uint64(sink, THREAD_SERIAL, thread->serial);
}

static void put_thread(struct proto_sink *sink, const struct batch_thread *thread)
{
    struct proto_sink measure = {0};

    put_thread_fields(&measure, thread);
    proto_put_header(sink, BATCH_THREAD_FIELD, measure.size);
    put_thread_fields(sink, thread);
}

static void put_batch(struct proto_sink *sink, const void *opaque)
{
    const struct content *content = opaque;
    const struct batch *batch = content->batch;

    packet_put_id(sink, &batch->id);
    packet_put_head(sink, batch);
    proto_end_block(sink); /* so that readers can plan from the first block alone */
    for (uint32_t i = 0; i < batch->thread_count; i++) {
        put_thread(sink, &batch->threads[i]);
    }
    packet_put_columns(sink, batch, content->columns);
    for (uint32_t i = 0; i < batch->loss_count; i++) {
        packet_put_loss(sink, BATCH_LOSS_FIELD, &batch->losses[i]);
    }
    packet_put_long_runs(sink, batch, content->columns);
}

int packet_write_batch(struct frame_writer *writer, const struct batch *batch,
                       const struct batch_columns *columns, uint8_t *destination, size_t size,
                       size_t *ret_size)
{
    struct content content = {batch, columns};
    struct packet_body body = {PACKET_BATCH, put_batch, &content};

    return packet_write_frame(writer, &body, destination, size, ret_size);
}

/* --- Reading --- */

static int find_batch(struct packet_arena *arena, struct slice plain, bool is_prefix,
                      struct packet_id *ret_id, struct slice *ret_body)
{
    enum packet_kind kind;
    int r = packet_find_body(plain, is_prefix, &kind, ret_id, ret_body);

    packet_arena_reset(arena);
    return r < 0 ? r : kind == PACKET_BATCH ? 0 : -EBADMSG;
}

int packet_read_batch_head(struct packet_arena *arena, struct slice plain,
                           struct batch_head *ret_head)
{
    struct packet_id id;
    struct slice body;
    struct proto_field field = {0};
    int r = find_batch(arena, plain, true, &id, &body);

    if (r < 0) {
        return r;
    }
    while (field.number < BATCH_HEAD_FIELD) { /* writers keep the order of the numbers */
        if (proto_next(&body, &field) <= 0) {
            return -EBADMSG;
        }
    }
    if (field.number != BATCH_HEAD_FIELD || field.type != PROTO_BYTES) {
        return -EBADMSG;
    }
    r = packet_read_head(arena, field.content, ret_head);
    if (r == 0) {
        ret_head->id = id;
    }
    return r;
}

static int take_head(const struct batch_head *head, struct batch *batch)
{
    int r = batch_reserve_names(batch, head->name_count);

    if (r < 0) {
        return r;
    }
    for (uint32_t i = 0; i < head->name_count; i++) {
        batch->names[i] = head->names[i];
    }
    batch->name_count = head->name_count;
    batch->clock = head->clock;
    batch->anchor_ticks = head->anchor_ticks;
    batch->anchor_ns = head->anchor_ns;
    batch->ns_per_tick = head->ns_per_tick;
    batch->totals = head->totals;
    batch->sample_period_ns = head->sample_period_ns;
    batch->salvaged = head->salvaged;
    batch->min_begin_ns = head->min_begin_ns;
    batch->min_end_ns = head->min_end_ns;
    batch->max_end_ns = head->max_end_ns;
    batch->operations.count = head->operations;
    batch->samples.count = head->samples;
    batch->marks.count = head->marks;
    batch->open.count = head->open_operations;
    batch->long_runs.count = head->long_runs;
    return 0;
}

static int read_head(struct packet_arena *arena, struct slice bytes, struct batch *batch)
{
    struct batch_head head;
    int r = packet_read_head(arena, bytes, &head);

    return r < 0 ? r : take_head(&head, batch);
}

static int read_thread_fields(struct packet_arena *arena, struct slice message,
                              struct batch_thread *ret_thread)
{
    struct proto_field field;
    int r = proto_next(&message, &field);

    *ret_thread = (struct batch_thread){.name = ""};
    while (r > 0) {
        if (field.number == THREAD_TID) {
            r = proto_uint32(&field, &ret_thread->tid);
        } else if (field.number == THREAD_SERIAL) {
            r = proto_uint64(&field, &ret_thread->serial);
        } else if (field.number == THREAD_NAME) {
            r = field.type != PROTO_BYTES
                    ? -EBADMSG
                    : packet_arena_copy_text(arena, field.content, THREAD_NAME_MAX_BYTES,
                                             &ret_thread->name);
        }
        r = r < 0 ? r : proto_next(&message, &field);
    }
    return r;
}

static int read_thread(struct packet_arena *arena, struct slice bytes, struct batch *batch)
{
    int r = batch_reserve_threads(batch, (size_t)batch->thread_count + 1);

    r = r < 0 ? r : read_thread_fields(arena, bytes, &batch->threads[batch->thread_count]);
    if (r == 0) {
        batch->thread_count++;
    }
    return r;
}

static int read_loss(struct packet_arena *arena, struct slice bytes, struct batch *batch)
{
    int r = batch_reserve_losses(batch, (size_t)batch->loss_count + 1);

    r = r < 0 ? r : packet_read_loss(arena, bytes, &batch->losses[batch->loss_count]);
    if (r == 0) {
        batch->loss_count++;
    }
    return r;
}

static int read_field(const struct proto_field *field, struct packet_arena *arena,
                      struct batch *batch, struct batch_columns *columns)
{
    bool is_message =
        field->number <= BATCH_LOSS_FIELD; /* fields of newer writers may have any type */

    if (is_message && field->type != PROTO_BYTES) {
        return -EBADMSG;
    }
    switch (field->number) {
    case BODY_ID_FIELD:
        return 0; /* packet_find_body() read it */
    case BATCH_HEAD_FIELD:
        return read_head(arena, field->content, batch);
    case BATCH_THREAD_FIELD:
        return read_thread(arena, field->content, batch);
    case BATCH_LOSS_FIELD:
        return read_loss(arena, field->content, batch);
    default:
        return packet_read_columns(field, arena, batch, columns);
    }
}

/*
 * Writers keep the order of the numbers, and what is no list stands there once: so a prefix shows what the whole holds, and
 * no column has two parts.
 */
static bool is_in_order(unsigned int number, unsigned int last_number)
{
    bool is_list = number == BATCH_THREAD_FIELD ||
                   (number >= BATCH_LOSS_FIELD && number != BATCH_LONG_RUNS_FIELD);

    return number > last_number || (number == last_number && is_list);
}

static int read_fields(struct slice body, struct packet_arena *arena, struct batch *batch,
                       struct batch_columns *columns)
{
    unsigned int last_number = 0;
    struct proto_field field;
    int r = proto_next(&body, &field);

    while (r > 0) {
        r = is_in_order(field.number, last_number) ? read_field(&field, arena, batch, columns)
                                                   : -EBADMSG;
        last_number = field.number;
        r = r < 0 ? r : proto_next(&body, &field);
    }
    return r;
}

int packet_read_batch(struct packet_arena *arena, struct slice plain, struct batch *batch,
                      struct batch_columns *ret_columns)
{
    struct slice body;

    batch_clear(batch);
    *ret_columns = (struct batch_columns){0};

    int r = find_batch(arena, plain, false, &batch->id, &body);

    r = r < 0 ? r : read_fields(body, arena, batch, ret_columns);
    return r == -E2BIG ? -EBADMSG : r;
}
