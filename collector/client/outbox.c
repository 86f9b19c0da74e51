#include "outbox.h"

#include <errno.h>
#include <string.h>

enum {
    ALIGNMENT = 64,
    BYTES_PER_ENTRY = 8192, /* as many entries as frames of this size would fit */
    LEAST_ENTRIES = 16,
    MOST_ENTRIES = 8192,
};

static uint64_t round_up(uint64_t size)
{
    return (size + ALIGNMENT - 1) & ~(uint64_t)(ALIGNMENT - 1);
}

int outbox_init(struct outbox *outbox, struct recorder *recorder)
{
    uint64_t entry_count = max_u64(recorder->outbox_bytes / BYTES_PER_ENTRY, LEAST_ENTRIES);
    uint8_t *area = recorder_at(recorder, recorder->outbox_offset);

    entry_count = min_u64(entry_count, MOST_ENTRIES);
    *outbox = (struct outbox){
        .head = (struct outbox_head *)area,
        .entries = recorder_at(recorder, recorder->outbox_offset + sizeof(struct outbox_head)),
        .area = area,
        .first_offset =
            round_up(sizeof(struct outbox_head) + entry_count * sizeof(struct outbox_entry)),
        .end_offset = recorder->outbox_bytes,
        .by_sequence = malloc(entry_count * sizeof(*outbox->by_sequence)),
        .by_offset = malloc(entry_count * sizeof(*outbox->by_offset)),
        .was_sent = calloc(entry_count, sizeof(*outbox->was_sent)),
    };
    if (outbox->by_sequence == NULL || outbox->by_offset == NULL || outbox->was_sent == NULL) {
        outbox_release(outbox);
        return -ENOMEM;
    }
    outbox->head->entry_count = (uint32_t)entry_count;
    return 0;
}

void outbox_release(struct outbox *outbox)
{
    free(outbox->by_sequence);
    free(outbox->by_offset);
    free(outbox->was_sent);
    outbox->by_sequence = NULL;
    outbox->by_offset = NULL;
    outbox->was_sent = NULL;
    outbox->held = 0;
}

/* --- Room --- */

/*
 * Looks for the first gap of size bytes.
 *
 * ret_place  before which of by_offset it lies
 * Returns:   its offset, or 0 if there is none.
 */
static uint64_t find_gap(const struct outbox *outbox, uint64_t size, uint32_t *ret_place)
{
    uint64_t begin = outbox->first_offset;
    uint32_t place = 0;

    for (; place < outbox->held; place++) {
        const struct outbox_entry *entry = &outbox->entries[outbox->by_offset[place]];

        if (entry->offset - begin >= size) {
            break;
        }
        begin = entry->offset + round_up(entry->size);
    }
    *ret_place = place;
    return begin + size <= outbox->end_offset ? begin : 0;
}

bool outbox_has_room(const struct outbox *outbox, size_t size)
{
    uint32_t place;

    return outbox->held < outbox->head->entry_count &&
           find_gap(outbox, WIRE_HEADER_BYTES + size, &place) != 0;
}

static void insert(uint16_t *list, uint32_t count, uint32_t place, uint16_t entry)
{
    memmove(list + place + 1, list + place, (count - place) * sizeof(*list));
    list[place] = entry;
}

static void take_out(uint16_t *list, uint32_t count, uint32_t place)
{
    memmove(list + place, list + place + 1, (count - place - 1) * sizeof(*list));
}

static void forget(struct outbox *outbox, uint32_t place)
{
    uint16_t index = outbox->by_sequence[place];
    uint32_t at = 0;

    atomic_store_explicit(&outbox->entries[index].state, OUTBOX_FREE, memory_order_release);
    while (outbox->by_offset[at] != index) {
        at++;
    }
    take_out(outbox->by_offset, outbox->held, at);
    take_out(outbox->by_sequence, outbox->held, place);
    outbox->held--;
}

/* Which of by_sequence is the oldest that was never sent; held if there is none. */
static uint32_t find_unsent(const struct outbox *outbox)
{
    uint32_t place = outbox->sent;

    while (place < outbox->held && outbox->was_sent[outbox->by_sequence[place]]) {
        place++;
    }
    return place;
}

const struct frame_account *outbox_to_drop(const struct outbox *outbox)
{
    uint32_t place = find_unsent(outbox);

    return place < outbox->held ? &outbox->entries[outbox->by_sequence[place]].account : NULL;
}

bool outbox_drop(struct outbox *outbox, struct frame_account *ret_account)
{
    uint32_t place = find_unsent(outbox);

    if (place == outbox->held) {
        return false;
    }
    *ret_account = outbox->entries[outbox->by_sequence[place]].account;
    forget(outbox, place);
    return true;
}

void outbox_skip(struct outbox *outbox, uint64_t sequence)
{
    atomic_store_explicit(&outbox->head->batch, sequence, memory_order_release);
}

/* --- Putting --- */

static uint16_t find_free_entry(const struct outbox *outbox)
{
    uint16_t index = 0;

    while (atomic_load_explicit(&outbox->entries[index].state, memory_order_relaxed) !=
           OUTBOX_FREE) {
        index++;
    }
    return index;
}

static uint32_t as_count(uint64_t count)
{
    return (uint32_t)min_u64(count, UINT32_MAX);
}

static void write_message(uint8_t *message, enum wire_type type, struct slice frame,
                          const struct frame_account *account)
{
    struct wire_header header = {
        .type = type,
        .sequence = account->sequence,
        .counts = {as_count(account->rows.operations), as_count(account->rows.samples),
                   as_count(account->rows.marks), as_count(account->rows.long_runs)},
        .first_ns = account->first_ns,
        .last_ns = account->last_ns,
    };

    memcpy(message + WIRE_HEADER_BYTES, frame.data, frame.size);
    wire_header_write(message, &header, frame);
}

void outbox_put(struct outbox *outbox, enum wire_type type, struct slice frame,
                const struct frame_account *account)
{
    uint64_t size = WIRE_HEADER_BYTES + frame.size;
    uint32_t place = 0;
    uint64_t offset = find_gap(outbox, size, &place);
    uint16_t index = find_free_entry(outbox);
    struct outbox_entry *entry = &outbox->entries[index];

    write_message(outbox->area + offset, type, frame, account);
    entry->type = type;
    entry->offset = offset;
    entry->size = size;
    entry->account = *account;
    /* From here on the frame counts, and what is in staging does not. */
    atomic_store_explicit(&entry->state, OUTBOX_HELD, memory_order_release);
    atomic_store_explicit(&outbox->head->batch, account->sequence, memory_order_release);

    insert(outbox->by_offset, outbox->held, place, index);
    outbox->by_sequence[outbox->held++] = index;
    outbox->was_sent[index] = false;
}

/* --- Sending --- */

void outbox_rewind(struct outbox *outbox)
{
    outbox->sent = 0;
    outbox->sent_bytes = 0;
}

bool outbox_next(const struct outbox *outbox, struct slice *ret_message)
{
    uint64_t window = (outbox->end_offset - outbox->first_offset) / 2;

    if (outbox->sent == outbox->held) {
        return false;
    }

    const struct outbox_entry *entry = &outbox->entries[outbox->by_sequence[outbox->sent]];

    if (outbox->sent > 0 && outbox->sent_bytes + entry->size > window) {
        return false;
    }
    *ret_message = (struct slice){outbox->area + entry->offset, entry->size};
    return true;
}

void outbox_sending(struct outbox *outbox)
{
    outbox->was_sent[outbox->by_sequence[outbox->sent]] = true;
}

void outbox_sent(struct outbox *outbox)
{
    outbox->sent_bytes += outbox->entries[outbox->by_sequence[outbox->sent]].size;
    outbox->sent++;
}

uint64_t outbox_acknowledge(struct outbox *outbox, uint64_t sequence)
{
    uint64_t records = 0;

    while (outbox->sent > 0) {
        const struct outbox_entry *entry = &outbox->entries[outbox->by_sequence[0]];

        if (entry->account.sequence > sequence) {
            break;
        }
        records += record_counts_sum(&entry->account.rows);
        outbox->sent_bytes -= entry->size;
        outbox->sent--;
        forget(outbox, 0);
    }
    return records;
}

static uint64_t oldest(const struct outbox *outbox)
{
    return outbox->entries[outbox->by_sequence[0]].account.sequence;
}

bool outbox_is_done_with(const struct outbox *outbox, uint64_t sequence)
{
    return outbox->held == 0 || oldest(outbox) > sequence;
}

uint64_t outbox_next_sequence(const struct outbox *outbox)
{
    return outbox->held > 0 ? oldest(outbox)
                            : atomic_load_explicit(&outbox->head->batch, memory_order_relaxed) + 1;
}
