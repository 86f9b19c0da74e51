#include "counter_table.h"

#include "growing_list.h"

#include <errno.h>
#include <string.h>

enum { LEAST_SLOTS = 32 };

void counter_table_release(struct counter_table *table)
{
    free(table->entries);
    free(table->slots);
    *table = (struct counter_table){0};
}

void counter_table_clear(struct counter_table *table)
{
    if (table->count > 0) {
        memset(table->slots, 0, table->slot_count * sizeof(*table->slots));
        table->count = 0;
    }
}

/* The slot that holds the key, or the free one where it belongs. */
static uint32_t *find_slot(const struct counter_table *table, uint32_t metric, uint64_t serial)
{
    uint64_t hash = (serial * 0x9e3779b97f4a7c15ULL + metric) * 0xd6e8feb86659fd93ULL;
    size_t at = (size_t)(hash >> 32) & (table->slot_count - 1);

    while (table->slots[at] != 0 && (table->entries[table->slots[at] - 1].metric != metric ||
                                     table->entries[table->slots[at] - 1].serial != serial)) {
        at = (at + 1) & (table->slot_count - 1);
    }
    return &table->slots[at];
}

static int make_room(struct counter_table *table)
{
    if (table->count == COUNTER_TABLE_LIMIT) {
        return -E2BIG;
    }

    int r = growing_list_reserve((void *)&table->entries, &table->capacity, table->count,
                                 sizeof(*table->entries));

    if (r < 0 || 2 * (table->count + 1) <= table->slot_count) {
        return r;
    }

    size_t slot_count = table->slot_count == 0 ? LEAST_SLOTS : table->slot_count * 2;
    uint32_t *slots = calloc(slot_count, sizeof(*slots));

    if (slots == NULL) {
        return -ENOMEM;
    }
    free(table->slots);
    table->slots = slots;
    table->slot_count = slot_count;
    for (size_t i = 0; i < table->count; i++) {
        *find_slot(table, table->entries[i].metric, table->entries[i].serial) = (uint32_t)i + 1;
    }
    return 0;
}

int counter_table_enter(struct counter_table *table, uint32_t metric, uint64_t serial,
                        bool is_delta, struct counter_entry **ret_entry)
{
    uint32_t found = table->slot_count == 0 ? 0 : *find_slot(table, metric, serial);

    if (found == 0) {
        int r = make_room(table);

        if (r < 0) {
            return r;
        }
        table->entries[table->count++] =
            (struct counter_entry){.metric = metric, .serial = serial, .is_delta = is_delta};
        found = (uint32_t)table->count;
        *find_slot(table, metric, serial) = found;
    }
    *ret_entry = &table->entries[found - 1];
    return 0;
}
