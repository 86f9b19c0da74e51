#include "name_ranks.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

enum {
    LEAST_SLOTS = 256,
    TEXT_BLOCK_BYTES = 64 << 10,
};

struct text_block {
    struct text_block *next; /* owned */
    size_t used;
    char bytes[TEXT_BLOCK_BYTES];
};

/* A name as it is looked for. */
struct name_key {
    enum name_kind kind;
    const char *text;
    const char *unit;
    uint64_t hash;
};

static void release_texts(struct text_block *block)
{
    while (block != NULL) {
        struct text_block *next = block->next;

        free(block);
        block = next;
    }
}

void name_ranks_release(struct name_ranks *table)
{
    for (int group = 0; group < GROUP_COUNT; group++) {
        free(table->groups[group].entries);
    }
    release_texts(table->texts);
    free(table->entries);
    free(table->slots);
    *table = (struct name_ranks){.memory_limit_bytes = table->memory_limit_bytes};
}

enum name_group name_group_of(enum name_kind kind)
{
    switch (kind) {
    case NAME_OPERATION:
        return GROUP_OPERATION;
    case NAME_MARK:
        return GROUP_MARK;
    case NAME_QUEUE:
        return GROUP_QUEUE;
    case NAME_ATTRIBUTE:
        return GROUP_ATTRIBUTE;
    default:
        return GROUP_METRIC;
    }
}

/* FNV-1a, 64 bits. */
static uint64_t hash_text(uint64_t hash, const char *text)
{
    for (; *text != '\0'; text++) {
        hash = (hash ^ (uint8_t)*text) * 0x100000001b3ULL;
    }
    return hash;
}

static struct name_key make_key(enum name_kind kind, const char *text, const char *unit)
{
    bool is_metric = name_group_of(kind) == GROUP_METRIC;
    struct name_key key = {.kind = kind, .text = text, .unit = is_metric ? unit : ""};

    key.hash = hash_text(0xcbf29ce484222325ULL + (uint64_t)kind, key.text);
    key.hash = hash_text(key.hash * 31, key.unit);
    key.hash ^= key.hash >> 32;
    return key;
}

static bool is_entry(const struct name_entry *entry, const struct name_key *key)
{
    return entry->hash == key->hash && entry->kind == key->kind &&
           strcmp(entry->text, key->text) == 0 && strcmp(entry->unit, key->unit) == 0;
}

/* The slot that holds key, or the free one where it belongs. */
static uint32_t *find_slot(const struct name_ranks *table, const struct name_key *key)
{
    size_t at = key->hash & (table->slot_count - 1);

    while (table->slots[at] != 0 && !is_entry(&table->entries[table->slots[at] - 1], key)) {
        at = (at + 1) & (table->slot_count - 1);
    }
    return &table->slots[at];
}

static void fill_slots(struct name_ranks *table)
{
    for (size_t i = 0; i < table->count; i++) {
        size_t at = table->entries[i].hash & (table->slot_count - 1);

        while (table->slots[at] != 0) {
            at = (at + 1) & (table->slot_count - 1);
        }
        table->slots[at] = (uint32_t)i + 1;
    }
}

static int take_memory(struct name_ranks *table, size_t size)
{
    if (table->memory_bytes + size > table->memory_limit_bytes) {
        return -E2BIG;
    }
    table->memory_bytes += size;
    return 0;
}

/* Keeps at least half of the slots free, and room for one more entry. */
static int make_room(struct name_ranks *table)
{
    if (table->count < table->capacity) {
        return 0;
    }

    size_t slot_count = table->slot_count == 0 ? LEAST_SLOTS : table->slot_count * 2;
    size_t capacity = slot_count / 2;
    int r = take_memory(table, (slot_count - table->slot_count) * sizeof(*table->slots) +
                                   (capacity - table->capacity) * sizeof(*table->entries));

    if (r < 0) {
        return r;
    }

    struct name_entry *entries = realloc(table->entries, capacity * sizeof(*entries));

    if (entries == NULL) {
        return -ENOMEM;
    }
    table->entries = entries;

    uint32_t *slots = calloc(slot_count, sizeof(*slots));

    if (slots == NULL) {
        return -ENOMEM;
    }
    free(table->slots);
    table->slots = slots;
    table->slot_count = slot_count;
    table->capacity = capacity;
    fill_slots(table);
    return 0;
}

static int copy_text(struct name_ranks *table, const char *text, const char **ret_copy)
{
    size_t size = strlen(text) + 1;
    struct text_block *block = table->texts;

    if (size == 1) {
        *ret_copy = "";
        return 0;
    }
    if (block == NULL || sizeof(block->bytes) - block->used < size) {
        int r = take_memory(table, sizeof(*block));

        if (r < 0) {
            return r;
        }
        block = malloc(sizeof(*block));
        if (block == NULL) {
            return -ENOMEM;
        }
        block->next = table->texts;
        block->used = 0;
        table->texts = block;
    }
    *ret_copy = memcpy(block->bytes + block->used, text, size);
    block->used += size;
    return 0;
}

static int add_entry(struct name_ranks *table, const struct name_key *key)
{
    struct name_entry entry = {.kind = key->kind, .hash = key->hash};
    int r = make_room(table);

    r = r < 0 ? r : copy_text(table, key->text, &entry.text);
    r = r < 0 ? r : copy_text(table, key->unit, &entry.unit);
    if (r < 0) {
        return r;
    }
    table->entries[table->count++] = entry;
    *find_slot(table, key) = (uint32_t)table->count;
    return 0;
}

static enum operation_role role_of(const struct batch_name *name)
{
    return name->kind != NAME_OPERATION               ? ROLE_ORDINARY
           : strcmp(name->unit, UNIT_ITERATION) == 0  ? ROLE_LOOP_ROUND
           : strcmp(name->unit, UNIT_COLLECTION) == 0 ? ROLE_COLLECTION
                                                      : ROLE_ORDINARY;
}

int name_ranks_count(struct name_ranks *table, const struct batch_name *name)
{
    struct name_key key = make_key(name->kind, name->text, name->unit);
    uint32_t found = table->slot_count == 0 ? 0 : *find_slot(table, &key);

    if (found == 0) {
        int r = add_entry(table, &key);

        if (r < 0) {
            return r;
        }
        found = (uint32_t)table->count;
    }

    struct name_entry *entry = &table->entries[found - 1];
    enum operation_role role = role_of(name);

    entry->rows += name->rows;
    entry->role = role > entry->role ? role : entry->role; /* the same in any order */
    return 0;
}

/* --- Ranks and numbers --- */

static bool is_other(const struct name_entry *entry)
{
    return strcmp(entry->text, OTHER_NAME) == 0;
}

static int compare_entries(const void *left, const void *right, void *context)
{
    const struct name_ranks *table = context;
    const struct name_entry *a = &table->entries[*(const uint32_t *)left];
    const struct name_entry *b = &table->entries[*(const uint32_t *)right];

    if (is_other(a) != is_other(b)) {
        return is_other(a) ? 1 : -1;
    }
    if (a->rows != b->rows) {
        return a->rows > b->rows ? -1 : 1;
    }

    int order = strcmp(a->text, b->text);

    order = order != 0 ? order : strcmp(a->unit, b->unit);
    return order != 0 ? order : (int)a->kind - (int)b->kind;
}

static int rank_group(struct name_ranks *table, enum name_group group)
{
    struct ranked_names *names = &table->groups[group];
    size_t count = 0;

    for (size_t i = 0; i < table->count; i++) {
        count += name_group_of(table->entries[i].kind) == group;
    }
    free(names->entries);
    *names = (struct ranked_names){.entries = calloc(count + 1, sizeof(*names->entries))};
    if (names->entries == NULL) {
        return -ENOMEM;
    }
    for (size_t i = 0; i < table->count; i++) {
        if (name_group_of(table->entries[i].kind) == group) {
            names->entries[names->count++] = (uint32_t)i;
        }
    }
    qsort_r(names->entries, names->count, sizeof(*names->entries), compare_entries, table);
    return 0;
}

int name_ranks_rank(struct name_ranks *table)
{
    int r = 0;

    for (int group = 0; r == 0 && group < GROUP_COUNT; group++) {
        r = rank_group(table, (enum name_group)group);
    }
    return r;
}

static size_t count_proper(const struct name_ranks *table, const struct ranked_names *names)
{
    size_t count = names->count;

    while (count > 0 && is_other(&table->entries[names->entries[count - 1]])) {
        count--;
    }
    return count;
}

void name_ranks_keep(struct name_ranks *table, enum name_group group, size_t count)
{
    struct ranked_names *names = &table->groups[group];

    names->kept = min_u64(count, count_proper(table, names));
    for (size_t i = 0; i < names->count; i++) {
        table->entries[names->entries[i]].number = (uint32_t)min_u64(i, names->kept);
    }
}

uint32_t name_ranks_find(const struct name_ranks *table, enum name_kind kind, const char *text,
                         const char *unit)
{
    struct name_key key = make_key(kind, text, unit);
    uint32_t found = table->slot_count == 0 ? 0 : *find_slot(table, &key);

    return found != 0 ? table->entries[found - 1].number
                      : (uint32_t)table->groups[name_group_of(kind)].kept;
}

const struct name_entry *name_ranks_entry(const struct name_ranks *table, enum name_group group,
                                          size_t number)
{
    return &table->entries[table->groups[group].entries[number]];
}

uint64_t name_ranks_folded(const struct name_ranks *table, enum name_group group)
{
    const struct ranked_names *names = &table->groups[group];

    return count_proper(table, names) - names->kept;
}
