/*
 * The Batch message: a batch's head, names and threads, and its columns as they stand in the file.
 */
#include "packet_internal.h"

#include <errno.h>
#include <string.h>

enum {
    BATCH_HEAD_FIELD = 2,
    BATCH_BODY_FIELD = 2, /* in Packet */
    MAX_NUMBER_COLUMNS = 40,
    MAX_SPARSE_COLUMNS = 10,
    THREAD_NAME_MAX_BYTES = 63,
    UNIT_MAX_BYTES = 63,
};

/* --- Packing --- */

/* The messages of one batch. */
struct packed_batch {
    Eddy__PacketId id;
    Eddy__ClockReading clock;
    struct packed_totals totals;
    Eddy__BatchHead head;
    Eddy__Operations operations;
    Eddy__QueueColumns queue;
    Eddy__AttributeColumns attribute;
    Eddy__Samples samples;
    Eddy__Marks marks;
    Eddy__OpenOperations open;
    Eddy__NumberColumn numbers[MAX_NUMBER_COLUMNS];
    size_t number_count;
    Eddy__SparseColumn sparse[MAX_SPARSE_COLUMNS];
    size_t sparse_count;
    Eddy__Batch batch;
};

/* The messages whose number depends on the batch; one allocation. */
struct packed_lists {
    Eddy__Name *names;
    Eddy__Name **name_pointers;
    Eddy__Thread *threads;
    Eddy__Thread **thread_pointers;
    struct packed_loss *losses;
    Eddy__Loss **loss_pointers;
};

static ProtobufCBinaryData packed_bytes(struct slice slice)
{
    return (ProtobufCBinaryData){slice.size, (uint8_t *)(uintptr_t)slice.data};
}

static Eddy__NumberColumn *pack_number(struct packed_batch *packed, struct number_column column)
{
    if (column.code.size == 0) {
        return NULL;
    }

    Eddy__NumberColumn *message = &packed->numbers[packed->number_count++];

    eddy__number_column__init(message);
    message->code = packed_bytes(column.code);
    message->bits = packed_bytes(column.bits);
    return message;
}

static Eddy__SparseColumn *pack_sparse(struct packed_batch *packed, struct sparse_columns columns)
{
    if (columns.row_gap.code.size == 0) {
        return NULL;
    }

    Eddy__SparseColumn *message = &packed->sparse[packed->sparse_count++];

    eddy__sparse_column__init(message);
    message->row_gap = pack_number(packed, columns.row_gap);
    message->value = pack_number(packed, columns.value);
    return message;
}

static void pack_queue(struct packed_batch *packed, const struct batch_columns *columns)
{
    if (columns->queued_row_gap.code.size == 0) {
        return;
    }
    eddy__queue_columns__init(&packed->queue);
    packed->queue.row_gap = pack_number(packed, columns->queued_row_gap);
    packed->queue.queue = packed_bytes(columns->queued_queue);
    packed->queue.depth = pack_number(packed, columns->queued_depth);
    packed->queue.residence_ns = pack_number(packed, columns->queued_residence);
    packed->operations.queue = &packed->queue;
}

static void pack_attributes(struct packed_batch *packed, const struct batch *batch,
                            const struct batch_columns *columns)
{
    if (columns->attribute_row_gap.code.size == 0) {
        return;
    }
    eddy__attribute_columns__init(&packed->attribute);
    packed->attribute.row_gap = pack_number(packed, columns->attribute_row_gap);
    packed->attribute.key = packed_bytes(columns->attribute_key);
    packed->attribute.type = packed_bytes(columns->attribute_type);
    packed->attribute.value = pack_number(packed, columns->attribute_value);
    packed->attribute.n_text = batch->attributes.text_count;
    packed->attribute.text = (char **)(uintptr_t)batch->attributes.texts;
    packed->operations.attribute = &packed->attribute;
}

static void pack_operations(struct packed_batch *packed, const struct batch *batch,
                            const struct batch_columns *columns)
{
    Eddy__Operations *message = &packed->operations;

    if (batch->operations.count == 0) {
        return;
    }
    eddy__operations__init(message);
    message->begin_gap_ns = pack_number(packed, columns->begin_gap);
    message->duration_ns = pack_number(packed, columns->duration);
    message->name = packed_bytes(columns->name);
    message->status = packed_bytes(columns->status);
    message->begin_thread = packed_bytes(columns->begin_thread);
    message->end_thread = packed_bytes(columns->end_thread);
    message->id = pack_sparse(packed, columns->id);
    message->parent = pack_sparse(packed, columns->parent);
    message->other_ns = pack_sparse(packed, columns->state_ns[STATE_OTHER]);
    message->queued_ns = pack_sparse(packed, columns->state_ns[STATE_QUEUED]);
    message->running_ns = pack_sparse(packed, columns->state_ns[STATE_RUNNING]);
    message->waiting_io_ns = pack_sparse(packed, columns->state_ns[STATE_WAITING_IO]);
    message->waiting_lock_ns = pack_sparse(packed, columns->state_ns[STATE_WAITING_LOCK]);
    message->waiting_child_ns = pack_sparse(packed, columns->state_ns[STATE_WAITING_CHILD]);
    pack_queue(packed, columns);
    pack_attributes(packed, batch, columns);
    packed->batch.operations = message;
}

static void pack_samples(struct packed_batch *packed, const struct batch *batch,
                         const struct batch_columns *columns)
{
    if (batch->samples.count == 0) {
        return;
    }
    eddy__samples__init(&packed->samples);
    packed->samples.time_gap_ns = pack_number(packed, columns->sample_time_gap);
    packed->samples.metric = packed_bytes(columns->sample_metric);
    packed->samples.thread = pack_number(packed, columns->sample_thread);
    packed->samples.integer = pack_number(packed, columns->sample_integer);
    packed->samples.real = packed_bytes(columns->sample_real);
    packed->batch.samples = &packed->samples;
}

static void pack_marks(struct packed_batch *packed, const struct batch *batch,
                       const struct batch_columns *columns)
{
    if (batch->marks.count == 0) {
        return;
    }
    eddy__marks__init(&packed->marks);
    packed->marks.time_gap_ns = pack_number(packed, columns->mark_time_gap);
    packed->marks.name = packed_bytes(columns->mark_name);
    packed->marks.thread = packed_bytes(columns->mark_thread);
    packed->batch.marks = &packed->marks;
}

static void pack_open(struct packed_batch *packed, const struct batch *batch,
                      const struct batch_columns *columns)
{
    if (batch->open.count == 0) {
        return;
    }
    eddy__open_operations__init(&packed->open);
    packed->open.begin_gap_ns = pack_number(packed, columns->open_begin_gap);
    packed->open.name = packed_bytes(columns->open_name);
    packed->open.state = packed_bytes(columns->open_state);
    packed->open.id = pack_number(packed, columns->open_id);
    packed->open.base_ns = columns->open_base_ns;
    packed->open.as_of_ns = batch->open.as_of_ns;
    packed->batch.open = &packed->open;
}

static void pack_head(struct packed_batch *packed, const struct batch *batch)
{
    Eddy__BatchHead *head = &packed->head;

    eddy__batch_head__init(head);
    pack_clock(&packed->clock, &batch->clock);
    pack_totals(&packed->totals, &batch->totals);
    head->min_begin_ns = batch->min_begin_ns;
    head->min_end_ns = batch->min_end_ns;
    head->max_end_ns = batch->max_end_ns;
    head->operations = batch->operations.count;
    head->samples = batch->samples.count;
    head->marks = batch->marks.count;
    head->open_operations = batch->open.count;
    head->clock = &packed->clock;
    head->totals = &packed->totals.message;
    head->anchor_ticks = batch->anchor_ticks;
    head->anchor_ns = batch->anchor_ns;
    head->ns_per_tick = batch->ns_per_tick;
    head->sample_period_ns = batch->sample_period_ns;
    head->salvaged = batch->salvaged;
}

static void pack_name(Eddy__Name *message, const struct batch_name *name)
{
    eddy__name__init(message);
    message->text = (char *)(uintptr_t)name->text;
    message->unit = (char *)(uintptr_t)name->unit;
    message->kind = (Eddy__Name__Kind)name->kind;
    message->value = (Eddy__Name__Value)name->value;
    message->rows = name->rows;
    message->queue_capacity = name->queue_capacity;
}

static void pack_thread(Eddy__Thread *message, const struct batch_thread *thread)
{
    eddy__thread__init(message);
    message->tid = thread->tid;
    message->name = (char *)(uintptr_t)thread->name;
    message->serial = thread->serial;
}

/* Lays the lists out in memory (or, with NULL, counts the bytes). */
static size_t lay_out_lists(struct packed_lists *lists, const struct batch *batch, char *memory)
{
    size_t at = 0;

#define LAY_OUT(list, count)                                                                       \
    do {                                                                                           \
        lists->list = memory == NULL ? NULL : (void *)(memory + at);                               \
        at += (count) * sizeof(*lists->list);                                                      \
    } while (0)
    LAY_OUT(names, batch->name_count);
    LAY_OUT(threads, batch->thread_count);
    LAY_OUT(losses, batch->loss_count);
    LAY_OUT(name_pointers, batch->name_count);
    LAY_OUT(thread_pointers, batch->thread_count);
    LAY_OUT(loss_pointers, batch->loss_count);
#undef LAY_OUT
    return at;
}

static void pack_lists(struct packed_batch *packed, struct packed_lists *lists, const struct batch *batch)
{
    for (uint32_t i = 0; i < batch->name_count; i++) {
        pack_name(&lists->names[i], &batch->names[i]);
        lists->name_pointers[i] = &lists->names[i];
    }
    for (uint32_t i = 0; i < batch->thread_count; i++) {
        pack_thread(&lists->threads[i], &batch->threads[i]);
        lists->thread_pointers[i] = &lists->threads[i];
    }
    for (uint32_t i = 0; i < batch->loss_count; i++) {
        pack_loss(&lists->losses[i], &batch->losses[i]);
        lists->loss_pointers[i] = &lists->losses[i].message;
    }
    packed->head.n_name = batch->name_count;
    packed->head.name = lists->name_pointers;
    packed->batch.n_thread = batch->thread_count;
    packed->batch.thread = lists->thread_pointers;
    packed->batch.n_loss = batch->loss_count;
    packed->batch.loss = lists->loss_pointers;
}

/* Bytes of the plaintext up to the end of the head: there the first block ends, so that a reader can plan from it. */
static size_t head_end(const Eddy__Packet *packet)
{
    Eddy__Trace trace = EDDY__TRACE__INIT;
    Eddy__Batch head_only = EDDY__BATCH__INIT;
    Eddy__Packet *pointer = (Eddy__Packet *)(uintptr_t)packet;

    trace.n_packet = 1;
    trace.packet = &pointer;
    head_only.id = packet->batch->id;
    head_only.head = packet->batch->head;
    return protobuf_c_message_get_packed_size(&trace.base) -
           protobuf_c_message_get_packed_size(&packet->batch->base) +
           protobuf_c_message_get_packed_size(&head_only.base);
}

int packet_write_batch(struct frame_writer *writer, const struct batch *batch,
                       const struct batch_columns *columns, uint8_t *destination, size_t size,
                       size_t *ret_size)
{
    struct packed_batch packed;
    struct packed_lists lists;
    Eddy__Packet packet = EDDY__PACKET__INIT;
    size_t list_bytes = lay_out_lists(&lists, batch, NULL);
    AUTO_FREE char *memory = malloc(list_bytes + 1);

    if (memory == NULL) {
        return -ENOMEM;
    }
    (void)lay_out_lists(&lists, batch, memory);
    packed.number_count = 0;
    packed.sparse_count = 0;
    eddy__batch__init(&packed.batch);
    pack_id(&packed.id, &batch->id);
    pack_head(&packed, batch);
    pack_lists(&packed, &lists, batch);
    packed.batch.id = &packed.id;
    packed.batch.head = &packed.head;
    pack_operations(&packed, batch, columns);
    pack_samples(&packed, batch, columns);
    pack_marks(&packed, batch, columns);
    pack_open(&packed, batch, columns);
    packet.body_case = EDDY__PACKET__BODY_BATCH;
    packet.batch = &packed.batch;
    return frame_pack_packet(writer, &packet, head_end(&packet), destination, size, ret_size);
}

/* --- Unpacking --- */

static struct slice read_bytes(ProtobufCBinaryData bytes)
{
    return (struct slice){bytes.data, bytes.len};
}

static struct number_column read_number(const Eddy__NumberColumn *message)
{
    if (message == NULL) {
        return (struct number_column){0};
    }
    return (struct number_column){read_bytes(message->code), read_bytes(message->bits)};
}

static struct sparse_columns read_sparse(const Eddy__SparseColumn *message)
{
    if (message == NULL) {
        return (struct sparse_columns){0};
    }
    return (struct sparse_columns){read_number(message->row_gap), read_number(message->value)};
}

static void read_operations(const Eddy__Operations *message, struct batch_columns *columns)
{
    columns->begin_gap = read_number(message->begin_gap_ns);
    columns->duration = read_number(message->duration_ns);
    columns->name = read_bytes(message->name);
    columns->status = read_bytes(message->status);
    columns->begin_thread = read_bytes(message->begin_thread);
    columns->end_thread = read_bytes(message->end_thread);
    columns->id = read_sparse(message->id);
    columns->parent = read_sparse(message->parent);
    columns->state_ns[STATE_OTHER] = read_sparse(message->other_ns);
    columns->state_ns[STATE_QUEUED] = read_sparse(message->queued_ns);
    columns->state_ns[STATE_RUNNING] = read_sparse(message->running_ns);
    columns->state_ns[STATE_WAITING_IO] = read_sparse(message->waiting_io_ns);
    columns->state_ns[STATE_WAITING_LOCK] = read_sparse(message->waiting_lock_ns);
    columns->state_ns[STATE_WAITING_CHILD] = read_sparse(message->waiting_child_ns);
    if (message->queue != NULL) {
        columns->queued_row_gap = read_number(message->queue->row_gap);
        columns->queued_queue = read_bytes(message->queue->queue);
        columns->queued_depth = read_number(message->queue->depth);
        columns->queued_residence = read_number(message->queue->residence_ns);
    }
    if (message->attribute != NULL) {
        columns->attribute_row_gap = read_number(message->attribute->row_gap);
        columns->attribute_key = read_bytes(message->attribute->key);
        columns->attribute_type = read_bytes(message->attribute->type);
        columns->attribute_value = read_number(message->attribute->value);
    }
}

static void read_instants(const Eddy__Batch *message, struct batch_columns *columns)
{
    if (message->samples != NULL) {
        columns->sample_time_gap = read_number(message->samples->time_gap_ns);
        columns->sample_metric = read_bytes(message->samples->metric);
        columns->sample_thread = read_number(message->samples->thread);
        columns->sample_integer = read_number(message->samples->integer);
        columns->sample_real = read_bytes(message->samples->real);
    }
    if (message->marks != NULL) {
        columns->mark_time_gap = read_number(message->marks->time_gap_ns);
        columns->mark_name = read_bytes(message->marks->name);
        columns->mark_thread = read_bytes(message->marks->thread);
    }
    if (message->open != NULL) {
        columns->open_begin_gap = read_number(message->open->begin_gap_ns);
        columns->open_name = read_bytes(message->open->name);
        columns->open_state = read_bytes(message->open->state);
        columns->open_id = read_number(message->open->id);
        columns->open_base_ns = message->open->base_ns;
    }
}

static int read_name(const Eddy__Name *message, struct batch_name *ret_name)
{
    if (!string_is_within(message->text, NAME_MAX_BYTES) ||
        !string_is_within(message->unit, UNIT_MAX_BYTES) ||
        (unsigned int)message->kind >= NAME_KIND_COUNT ||
        (unsigned int)message->value >= VALUE_TYPE_COUNT) {
        return -EBADMSG;
    }
    *ret_name = (struct batch_name){
        .text = message->text,
        .unit = message->unit,
        .kind = (enum name_kind)message->kind,
        .value = (enum value_type)message->value,
        .rows = message->rows,
        .queue_capacity = message->queue_capacity,
    };
    return 0;
}

static int read_names(const Eddy__BatchHead *head, struct batch_name *ret_names)
{
    for (size_t i = 0; i < head->n_name; i++) {
        int r = read_name(head->name[i], &ret_names[i]);

        if (r < 0) {
            return r;
        }
    }
    return 0;
}

static int read_threads(const Eddy__Batch *message, struct batch *batch)
{
    int r = message->n_thread > BATCH_MAX_THREADS ? -EBADMSG
                                                   : batch_reserve_threads(batch, message->n_thread);

    if (r < 0) {
        return r;
    }
    for (size_t i = 0; i < message->n_thread; i++) {
        const Eddy__Thread *thread = message->thread[i];

        if (!string_is_within(thread->name, THREAD_NAME_MAX_BYTES)) {
            return -EBADMSG;
        }
        batch->threads[i] = (struct batch_thread){thread->tid, thread->name, thread->serial};
    }
    batch->thread_count = (uint32_t)message->n_thread;
    return 0;
}

static int read_losses(const Eddy__Batch *message, struct batch *batch)
{
    int r = message->n_loss > BATCH_MAX_LOSSES ? -EBADMSG
                                                : batch_reserve_losses(batch, message->n_loss);

    for (size_t i = 0; r == 0 && i < message->n_loss; i++) {
        r = read_loss(message->loss[i], &batch->losses[i]);
    }
    batch->loss_count = r < 0 ? 0 : (uint32_t)message->n_loss;
    return r;
}

static int read_texts(const Eddy__AttributeColumns *message, struct batch *batch)
{
    int r = message->n_text > BATCH_MAX_ATTRIBUTES ? -EBADMSG
                                                    : batch_reserve_texts(batch, message->n_text);

    if (r < 0) {
        return r;
    }
    for (size_t i = 0; i < message->n_text; i++) {
        if (!string_is_within(message->text[i], TEXT_MAX_BYTES)) {
            return -EBADMSG;
        }
        batch->attributes.texts[i] = message->text[i];
    }
    batch->attributes.text_count = (uint32_t)message->n_text;
    return 0;
}

static bool head_counts_are_valid(const Eddy__BatchHead *head)
{
    return head->operations <= BATCH_MAX_OPERATIONS && head->samples <= BATCH_MAX_SAMPLES &&
           head->marks <= BATCH_MAX_MARKS && head->open_operations <= BATCH_MAX_OPEN &&
           head->n_name <= BATCH_MAX_NAMES;
}

int packet_read_batch_head(struct packet_arena *arena, struct slice plain, struct batch_head *ret_head)
{
    enum packet_kind kind;
    struct slice packet;
    struct slice body;
    struct slice bytes;

    *ret_head = (struct batch_head){0};

    int r = packet_peek(plain, &kind, &ret_head->id);

    if (r < 0) {
        return r;
    }
    if (kind != PACKET_BATCH || find_message(plain, 1, true, &packet) < 0 ||
        find_message(packet, BATCH_BODY_FIELD, true, &body) < 0 ||
        find_message(body, BATCH_HEAD_FIELD, true, &bytes) < 0) {
        return -EBADMSG;
    }

    const Eddy__BatchHead *head =
        (const Eddy__BatchHead *)arena_unpack(arena, &eddy__batch_head__descriptor, bytes);

    if (head == NULL || !head_counts_are_valid(head) ||
        read_totals(head->totals, &ret_head->totals) < 0) {
        return -EBADMSG;
    }
    ret_head->names = arena_take(arena, head->n_name * sizeof(*ret_head->names));
    if (ret_head->names == NULL || read_names(head, ret_head->names) < 0) {
        return -EBADMSG;
    }
    ret_head->name_count = (uint32_t)head->n_name;
    ret_head->min_begin_ns = head->min_begin_ns;
    ret_head->min_end_ns = head->min_end_ns;
    ret_head->max_end_ns = head->max_end_ns;
    ret_head->operations = head->operations;
    ret_head->samples = head->samples;
    ret_head->marks = head->marks;
    ret_head->open_operations = head->open_operations;
    ret_head->clock = read_clock_reading(head->clock);
    ret_head->sample_period_ns = head->sample_period_ns;
    ret_head->salvaged = head->salvaged;
    return 0;
}

static int read_head(const Eddy__BatchHead *head, struct batch *batch)
{
    if (head == NULL || !head_counts_are_valid(head) ||
        read_totals(head->totals, &batch->totals) < 0) {
        return -EBADMSG;
    }

    int r = batch_reserve_names(batch, head->n_name);

    if (r < 0) {
        return r;
    }
    batch->name_count = (uint32_t)head->n_name;
    batch->min_begin_ns = head->min_begin_ns;
    batch->min_end_ns = head->min_end_ns;
    batch->max_end_ns = head->max_end_ns;
    batch->operations.count = head->operations;
    batch->samples.count = head->samples;
    batch->marks.count = head->marks;
    batch->open.count = head->open_operations;
    batch->clock = read_clock_reading(head->clock);
    batch->anchor_ticks = head->anchor_ticks;
    batch->anchor_ns = head->anchor_ns;
    batch->ns_per_tick = head->ns_per_tick;
    batch->sample_period_ns = head->sample_period_ns;
    batch->salvaged = head->salvaged;
    return read_names(head, batch->names);
}

int packet_read_batch(struct packet_arena *arena, struct slice plain, struct batch *batch,
                      struct batch_columns *ret_columns)
{
    const Eddy__Packet *packet = NULL;
    int r = arena_unpack_packet(arena, plain, PACKET_BATCH, &packet);

    batch_clear(batch);
    *ret_columns = (struct batch_columns){0};
    if (r < 0) {
        return r;
    }

    const Eddy__Batch *message = packet->batch;

    r = read_packet_id(message->id, &batch->id);
    r = r < 0 ? r : read_head(message->head, batch);
    r = r < 0 ? r : read_threads(message, batch);
    r = r < 0 ? r : read_losses(message, batch);
    if (r == 0 && message->operations != NULL) {
        read_operations(message->operations, ret_columns);
        if (message->operations->attribute != NULL) {
            r = read_texts(message->operations->attribute, batch);
        }
    }
    if (r == 0 && message->open != NULL) {
        batch->open.as_of_ns = message->open->as_of_ns;
    }
    read_instants(message, ret_columns);
    return r;
}
