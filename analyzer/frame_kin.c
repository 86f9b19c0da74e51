#include "frame_kin.h"

#include "frame_tally.h"

#include <errno.h>
#include <string.h>

/* Of Fibonacci hashing: 2^64 / golden ratio. */
#define HASH_FACTOR 0x9e3779b97f4a7c15ULL

enum { LEAST_SLOTS = 64 };

void frame_kin_release(struct frame_kin *kin)
{
    kin_rows_release(&kin->rows);
    free(kin->slots);
    *kin = (struct frame_kin){0};
}

/* Room for two slots for each parent, all empty. */
static int reserve(struct frame_kin *kin, size_t parents)
{
    size_t needed = LEAST_SLOTS;

    while (needed < 2 * parents) {
        needed *= 2;
    }
    if (needed > kin->slot_count) {
        free(kin->slots);
        kin->slots = malloc(needed * sizeof(*kin->slots));
        kin->slot_count = kin->slots == NULL ? 0 : needed;
        if (kin->slots == NULL) {
            return -ENOMEM;
        }
    }
    memset(kin->slots, 0, kin->slot_count * sizeof(*kin->slots));
    return 0;
}

/* The slot of an id, or the empty one where it belongs. */
static uint32_t *slot_of(const struct frame_kin *kin, uint64_t id)
{
    size_t at = (size_t)(id * HASH_FACTOR >> 32) & (kin->slot_count - 1);

    while (kin->slots[at] != 0 && kin->rows.parents[kin->slots[at] - 1].id != id) {
        at = (at + 1) & (kin->slot_count - 1);
    }
    return &kin->slots[at];
}

static struct kin kin_of(const struct frame_tally *frame_tally, uint32_t row, uint64_t id)
{
    const struct batch_operations *operations = &frame_tally->batch->operations;

    return (struct kin){
        .id = id,
        .begin_ns = operations->begin_ns[row],
        .end_ns = operations->begin_ns[row] + operations->duration_ns[row],
        .number = frame_tally->numbers[operations->name[row]],
    };
}

static int add_parents(struct frame_tally *frame_tally)
{
    const struct sparse_rows *ids = &frame_tally->batch->operations.id;
    struct frame_kin *kin = &frame_tally->kin;
    int r = reserve(kin, ids->count);

    for (uint32_t i = 0; r == 0 && i < ids->count; i++) {
        const struct kin parent = kin_of(frame_tally, ids->row[i], ids->value[i]);

        r = kin_rows_add_parent(&kin->rows, &parent);
        if (r == 0) {
            *slot_of(kin, parent.id) = (uint32_t)kin->rows.parent_count;
        }
    }
    return r;
}

static int add_children(struct frame_tally *frame_tally)
{
    const struct sparse_rows *parents = &frame_tally->batch->operations.parent;
    struct frame_kin *kin = &frame_tally->kin;
    int r = 0;

    for (uint32_t i = 0; r == 0 && i < parents->count; i++) {
        const struct kin child = kin_of(frame_tally, parents->row[i], parents->value[i]);
        uint32_t slot = *slot_of(kin, child.id);

        if (slot == 0) {
            r = kin_rows_add_child(&kin->rows, &child);
            continue;
        }
        kin->rows.parents[slot - 1].children++;
        r = tally_add_child(frame_tally->tally, &kin->rows.parents[slot - 1], &child);
    }
    return r;
}

int frame_kin_add(struct frame_tally *frame_tally)
{
    const struct batch_operations *operations = &frame_tally->batch->operations;

    if (operations->id.count == 0 && operations->parent.count == 0) {
        return 0;
    }

    int r = add_parents(frame_tally);

    return r < 0 ? r : add_children(frame_tally);
}
