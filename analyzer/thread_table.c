#include "thread_table.h"

#include "growing_list.h"

#include <errno.h>
#include <string.h>

enum { LEAST_SLOTS = 32 };

void thread_table_release(struct thread_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        free(table->entries[i].name);
    }
    free(table->entries);
    free(table->slots);
    *table = (struct thread_table){0};
}

static size_t hash_of(uint64_t serial)
{
    return (size_t)((serial * 0x9e3779b97f4a7c15ULL) >> 32);
}

/* The slot that holds serial, or the free one where it belongs. */
static uint32_t *find_slot(const struct thread_table *table, uint64_t serial)
{
    size_t at = hash_of(serial) & (table->slot_count - 1);

    while (table->slots[at] != 0 && table->entries[table->slots[at] - 1].serial != serial) {
        at = (at + 1) & (table->slot_count - 1);
    }
    return &table->slots[at];
}

static int make_room(struct thread_table *table)
{
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
        *find_slot(table, table->entries[i].serial) = (uint32_t)i + 1;
    }
    return 0;
}

static int find_or_add(struct thread_table *table, uint64_t serial, struct thread_entry **ret_entry)
{
    uint32_t found = table->slot_count == 0 ? 0 : *find_slot(table, serial);

    if (found == 0) {
        int r = make_room(table);

        if (r < 0) {
            return r;
        }
        table->entries[table->count++] = (struct thread_entry){.serial = serial};
        found = (uint32_t)table->count;
        *find_slot(table, serial) = found;
    }
    *ret_entry = &table->entries[found - 1];
    return 0;
}

/* Of two names of the same batch the greater one in bytes: any rule will do, if it is one. */
static int take_name(struct thread_entry *entry, uint32_t tid, const char *name, uint64_t sequence)
{
    bool is_later = entry->name == NULL || sequence > entry->name_sequence ||
                    (sequence == entry->name_sequence && strcmp(name, entry->name) > 0);

    if (!is_later) {
        return 0;
    }
    if (entry->name == NULL || strcmp(name, entry->name) != 0) {
        char *copy = strdup(name);

        if (copy == NULL) {
            return -ENOMEM;
        }
        free(entry->name);
        entry->name = copy;
    }
    entry->tid = tid;
    entry->name_sequence = sequence;
    return 0;
}

int thread_table_enter(struct thread_table *table, const struct batch_thread *thread,
                       uint64_t sequence, struct thread_entry **ret_entry)
{
    struct thread_entry *entry = NULL;

    table->greatest_serial = max_u64(table->greatest_serial, thread->serial);
    if (thread->serial > THREAD_SERIAL_LIMIT) {
        *ret_entry = NULL;
        return 0;
    }

    int r = find_or_add(table, thread->serial, &entry);

    r = r < 0 ? r : take_name(entry, thread->tid, thread->name, sequence);
    if (r == 0) {
        *ret_entry = entry;
    }
    return r;
}

void thread_entry_use(struct thread_entry *entry, enum thread_usage usage, uint64_t total)
{
    entry->has_usage[usage] = true;
    entry->usage[usage] = max_u64(entry->usage[usage], total);
}

static int merge_entry(struct thread_table *table, const struct thread_entry *source)
{
    struct thread_entry *entry = NULL;
    int r = find_or_add(table, source->serial, &entry);

    r = r < 0 ? r : take_name(entry, source->tid, source->name, source->name_sequence);
    if (r < 0) {
        return r;
    }
    entry->begun += source->begun;
    entry->ended += source->ended;
    for (int usage = 0; usage < USAGE_COUNT; usage++) {
        if (source->has_usage[usage]) {
            thread_entry_use(entry, (enum thread_usage)usage, source->usage[usage]);
        }
    }
    return 0;
}

int thread_table_merge(struct thread_table *table, const struct thread_table *source)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < source->count; i++) {
        r = merge_entry(table, &source->entries[i]);
    }
    table->greatest_serial = max_u64(table->greatest_serial, source->greatest_serial);
    return r;
}

size_t thread_table_memory_bytes(const struct thread_table *table)
{
    /* A name and what the allocator puts around it. */
    return table->capacity * (sizeof(*table->entries) + 32) + table->slot_count * sizeof(uint32_t);
}

uint64_t thread_table_active(const struct thread_table *table)
{
    uint64_t active = 0;

    for (size_t i = 0; i < table->count; i++) {
        active += table->entries[i].begun + table->entries[i].ended > 0;
    }
    return active;
}
