#include "batch_details.h"

#include "batch_rules.h"

#include <string.h>

enum { WORD_BYTES = 8 };

static int add_sparse(struct sparse_rows *rows, uint32_t row, uint64_t value)
{
    if (rows->count == rows->capacity) {
        int r = sparse_rows_reserve(rows, rows->count + (size_t)1);

        if (r < 0) {
            return r;
        }
    }
    rows->row[rows->count] = row;
    rows->value[rows->count++] = value;
    return 0;
}

/* --- States and queue --- */

static uint64_t ticks_to_ns(const struct detail_sink *sink, uint64_t ticks)
{
    double ns = (double)ticks * sink->ns_per_tick;

    return ns < (double)DURATION_LIMIT_NS ? (uint64_t)ns : DURATION_LIMIT_NS - 1;
}

static int add_queued(const struct detail_sink *sink, uint32_t row,
                      const struct state_entry *states)
{
    struct batch_queued *queued = &sink->batch->queued;
    int name = batch_names_index(sink->names, sink->batch, states->queue, QUEUE_KINDS);
    int r = name < 0 ? name : batch_reserve_queued(sink->batch, queued->count + (size_t)1);

    if (r < 0) {
        return r;
    }

    bool was_queued = (states->mask & 1U << STATE_QUEUED) != 0;

    queued->row[queued->count] = row;
    queued->queue[queued->count] = (uint16_t)name;
    queued->depth[queued->count] = states->depth;
    queued->residence_ns[queued->count] =
        was_queued ? ticks_to_ns(sink, states->ticks[STATE_QUEUED]) : 0;
    queued->count++;
    return 0;
}

/*
 * Times per state in ns. Of an operation with an intended begin, what no call saw happened before its eddy_begin_at(): it
 * waited for its turn.
 */
static uint32_t states_in_ns(const struct detail_sink *sink, uint32_t row, uint8_t flags,
                             const struct state_entry *states, uint64_t ret_ns[static STATE_COUNT])
{
    uint64_t unseen_ns = sink->batch->operations.duration_ns[row];
    uint32_t mask = states->mask;

    for (unsigned int state = 0; state < STATE_COUNT; state++) {
        ret_ns[state] = (mask & 1U << state) != 0 ? ticks_to_ns(sink, states->ticks[state]) : 0;
        unseen_ns -= min_u64(unseen_ns, ret_ns[state]);
    }
    if ((flags & RECORD_BEGIN_IS_NS) != 0 && unseen_ns > 0) {
        ret_ns[STATE_QUEUED] += unseen_ns;
        mask |= 1U << STATE_QUEUED;
    }
    return mask;
}

static int add_states(const struct detail_sink *sink, uint32_t row, uint8_t flags,
                      const struct state_entry *states)
{
    uint64_t ns[STATE_COUNT];
    uint32_t mask = states_in_ns(sink, row, flags, states, ns);
    int r = 0;

    for (unsigned int state = 0; r == 0 && state < STATE_COUNT; state++) {
        if ((mask & 1U << state) != 0) {
            r = add_sparse(&sink->batch->operations.state_ns[state], row, ns[state]);
        }
    }
    return r < 0 || states->queue == 0 ? r : add_queued(sink, row, states);
}

/* --- Attributes --- */

static bool is_text(uint8_t type)
{
    return type == ATTRIBUTE_TEXT || type == ATTRIBUTE_TEXT_CUT;
}

static size_t payload_bytes(const struct attribute_entry *entry)
{
    return is_text(entry->type) && entry->length > 0
               ? (entry->length + (size_t)WORD_BYTES - 1) / WORD_BYTES * WORD_BYTES
               : WORD_BYTES;
}

static int add_attribute(const struct detail_sink *sink, uint32_t row,
                         const struct attribute_entry *entry, const uint8_t *payload)
{
    struct batch_attributes *attributes = &sink->batch->attributes;
    int key = batch_names_index(sink->names, sink->batch, entry->key, ATTRIBUTE_KINDS);
    int r = key < 0 ? key : batch_reserve_attributes(sink->batch, attributes->count + (size_t)1);
    uint64_t value = 0;

    if (r == 0 && is_text(entry->type)) {
        r = batch_texts_index(sink->texts, sink->batch, (const char *)payload,
                              min_u64(entry->length, TEXT_MAX_BYTES));
        value = (uint64_t)r;
    } else {
        memcpy(&value, payload, sizeof(value));
    }
    if (r < 0) {
        return r;
    }
    attributes->row[attributes->count] = row;
    attributes->key[attributes->count] = (uint16_t)key;
    attributes->type[attributes->count] = entry->type;
    attributes->value[attributes->count++] = value;
    return 0;
}

static int add_attributes(const struct detail_sink *sink, uint32_t row, const uint8_t *area,
                          size_t size)
{
    size_t at = 0;

    while (at + sizeof(struct attribute_entry) <= size) {
        struct attribute_entry entry;

        memcpy(&entry, area + at, sizeof(entry));
        at += sizeof(entry);
        if (entry.type >= ATTRIBUTE_TYPE_COUNT || payload_bytes(&entry) > size - at) {
            return 0; /* Not what set_attribute() writes: the rest cannot be told apart. */
        }

        int r = entry.key == 0 ? 0 : add_attribute(sink, row, &entry, area + at);

        if (r < 0) {
            return r;
        }
        at += payload_bytes(&entry);
    }
    return 0;
}

int batch_details_add(const struct detail_sink *sink, uint32_t row, const struct record *record)
{
    struct batch_operations *operations = &sink->batch->operations;
    const struct record *continuation = record + 1;
    size_t entries = record->continuations;
    int r = 0;

    if ((record->flags & RECORD_NEEDS_ID) != 0) {
        r = add_sparse(&operations->id, row, record->id);
    }
    if (r == 0 && record->parent != 0) {
        r = add_sparse(&operations->parent, row, record->parent);
    }
    if (r == 0 && (record->flags & RECORD_HAS_STATES) != 0 && entries > 0) {
        struct state_entry states;

        memcpy(&states, continuation, sizeof(states));
        r = add_states(sink, row, record->flags, &states);
        continuation++;
        entries--;
    }
    if (r == 0 && entries > 0) {
        r = add_attributes(sink, row, (const uint8_t *)continuation,
                           min_u64(record->attribute_bytes, entries * ENTRY_BYTES));
    }
    return r;
}
