#include "names.h"

#include "utf8.h"

#include <string.h>

#define OTHER_TEXT "(other)"

enum { UNIT_MAX_BYTES = 63 };

/* A name as it is looked for. */
struct wanted_name {
    char text[NAME_MAX_BYTES + 1];
    char unit[UNIT_MAX_BYTES + 1];
    size_t length;
    size_t unit_length;
    enum name_kind kind;
    enum value_type value;
    uint32_t hash;
};

/* FNV-1a (Fowler, Noll, Vo), 32 bits. */
static uint32_t hash_name(const struct wanted_name *wanted)
{
    uint32_t hash = 2166136261U;

    for (size_t i = 0; i < wanted->length; i++) {
        hash = (hash ^ (uint8_t)wanted->text[i]) * 16777619U;
    }
    hash = (hash ^ (uint32_t)wanted->kind) * 16777619U;
    return (hash ^ (uint32_t)wanted->value) * 16777619U;
}

/* Ids 1 .. NAME_KIND_COUNT are "(other)" of each kind, one more that of gauges with double values. */
static uint32_t other_id(enum name_kind kind, enum value_type value)
{
    return value == VALUE_DOUBLE ? NAME_KIND_COUNT + 1U : (uint32_t)kind + 1U;
}

static _Atomic uint32_t *index_cell(struct recorder *recorder, uint32_t hash)
{
    _Atomic uint32_t *index = recorder_at(recorder, recorder->name_index_offset);

    return &index[hash & (RECORDER_NAME_INDEX - 1)];
}

static bool is_same_name(const struct recorder *recorder, uint32_t id,
                         const struct wanted_name *wanted)
{
    const struct name_entry *entry = recorder_name(recorder, id);
    const char *text = recorder_at(recorder, recorder->name_text_offset + entry->text_offset);

    return entry->hash == wanted->hash && entry->kind == (uint8_t)wanted->kind &&
           entry->value == (uint8_t)wanted->value && entry->length == wanted->length &&
           memcmp(text, wanted->text, wanted->length) == 0;
}

/* Reserves room for both texts, each with its NUL. Returns the offset, or 0 if there is none left. */
static uint32_t take_text_room(struct recorder *recorder, const struct wanted_name *wanted)
{
    uint32_t bytes = (uint32_t)(wanted->length + wanted->unit_length + 2);
    uint32_t used = atomic_load_explicit(&recorder->name_text_used, memory_order_relaxed);

    do {
        if (used + bytes > RECORDER_NAME_TEXT_BYTES) {
            return 0;
        }
    } while (!atomic_compare_exchange_weak_explicit(&recorder->name_text_used, &used, used + bytes,
                                                    memory_order_relaxed, memory_order_relaxed));
    return used;
}

static uint32_t take_id(struct recorder *recorder)
{
    uint32_t count = atomic_load_explicit(&recorder->name_count, memory_order_relaxed);

    do {
        if (count + 1 >= RECORDER_MAX_NAMES) {
            return 0;
        }
    } while (!atomic_compare_exchange_weak_explicit(&recorder->name_count, &count, count + 1,
                                                    memory_order_relaxed, memory_order_relaxed));
    return count + 1;
}

/* Writes a complete entry that nobody can find yet. Returns its id, or 0 if the table is full. */
static uint32_t make_entry(struct recorder *recorder, const struct wanted_name *wanted)
{
    uint32_t offset = take_text_room(recorder, wanted);
    uint32_t id = offset == 0 ? 0 : take_id(recorder);

    if (id == 0) {
        return 0;
    }

    char *text = recorder_at(recorder, recorder->name_text_offset + offset);
    struct name_entry *entry = recorder_name(recorder, id);

    memcpy(text, wanted->text, wanted->length + 1);
    memcpy(text + wanted->length + 1, wanted->unit, wanted->unit_length + 1);
    entry->text_offset = offset;
    entry->length = (uint16_t)wanted->length;
    entry->unit_offset = offset + (uint32_t)wanted->length + 1;
    entry->unit_length = (uint16_t)wanted->unit_length;
    entry->kind = (uint8_t)wanted->kind;
    entry->value = (uint8_t)wanted->value;
    entry->hash = wanted->hash;
    return id;
}

static void want_name(struct wanted_name *ret_wanted, const char *text, const char *unit,
                      enum name_kind kind, enum value_type value)
{
    ret_wanted->kind = kind;
    ret_wanted->value = value;
    ret_wanted->length = utf8_copy(ret_wanted->text, sizeof(ret_wanted->text), text,
                                   strnlen(text, NAME_MAX_BYTES + 1), NULL);
    ret_wanted->unit_length = unit == NULL
                                  ? 0
                                  : utf8_copy(ret_wanted->unit, sizeof(ret_wanted->unit), unit,
                                              strnlen(unit, UNIT_MAX_BYTES + 1), NULL);
    ret_wanted->unit[ret_wanted->unit_length] = '\0';
    ret_wanted->hash = hash_name(ret_wanted);
}

static uint32_t find_or_make(struct recorder *recorder, const struct wanted_name *wanted)
{
    uint32_t made = 0;

    for (uint32_t probe = 0; probe < RECORDER_NAME_INDEX; probe++) {
        _Atomic uint32_t *cell = index_cell(recorder, wanted->hash + probe);
        /* Pairs with the release below. */
        uint32_t id = atomic_load_explicit(cell, memory_order_acquire);

        if (id == 0) {
            made = made != 0 ? made : make_entry(recorder, wanted);
            if (made == 0) {
                return 0;
            }
            if (atomic_compare_exchange_strong_explicit(cell, &id, made, memory_order_acq_rel,
                                                        memory_order_acquire)) {
                return made;
            }
            /* Another thread was faster: id is what it entered here, perhaps the same name. */
        }
        if (is_same_name(recorder, id, wanted)) {
            return id;
        }
    }
    return 0;
}

void names_init(struct recorder *recorder)
{
    struct wanted_name wanted;

    /* Offset 0 of the texts is "", so that no text has it. */
    atomic_store_explicit(&recorder->name_text_used, 1, memory_order_relaxed);
    for (uint32_t kind = 0; kind < NAME_KIND_COUNT; kind++) {
        want_name(&wanted, OTHER_TEXT, NULL, (enum name_kind)kind, VALUE_INTEGER);
        (void)find_or_make(recorder, &wanted);
    }
    want_name(&wanted, OTHER_TEXT, NULL, NAME_GAUGE, VALUE_DOUBLE);
    (void)find_or_make(recorder, &wanted);
}

uint32_t names_intern(struct recorder *recorder, const char *text, const char *unit,
                      enum name_kind kind, enum value_type value)
{
    struct wanted_name wanted;

    want_name(&wanted, text == NULL ? "" : text, unit, kind, value);

    uint32_t id = find_or_make(recorder, &wanted);

    if (id == 0) {
        (void)atomic_fetch_add_explicit(&recorder->names_folded, 1, memory_order_relaxed);
        return other_id(kind, value);
    }
    return id;
}

uint32_t names_intern_attribute(struct recorder *recorder, const struct settings *settings,
                                const char *text)
{
    if (text == NULL ||
        !settings_allow_attribute(settings, text, strnlen(text, NAME_MAX_BYTES + 1))) {
        return NAME_ID_DENIED;
    }
    return names_intern(recorder, text, NULL, NAME_ATTRIBUTE, VALUE_INTEGER);
}

/* Gives the name with that id the queue that was taken for it. Returns the name's queue, which may be another's. */
static uint32_t assign_queue(struct recorder *recorder, uint32_t id, uint32_t queue,
                             uint64_t capacity)
{
    struct name_entry *entry = recorder_name(recorder, id);
    uint32_t known = 0;

    if (!atomic_compare_exchange_strong_explicit(&entry->queue, &known, queue, memory_order_acq_rel,
                                                 memory_order_acquire)) {
        return known; /* Another thread was faster; the entry taken here stays unused. */
    }
    atomic_store_explicit(&entry->queue_capacity, capacity, memory_order_relaxed);
    /* Pairs with the acquire of the flusher, which looks for queues to sample. */
    atomic_store_explicit(&recorder_queue(recorder, queue - 1)->name, id, memory_order_release);
    return queue;
}

/* The queue of those that found no room: the last one, which is kept for it. */
static uint32_t other_queue(struct recorder *recorder)
{
    (void)atomic_fetch_add_explicit(&recorder->names_folded, 1, memory_order_relaxed);
    atomic_store_explicit(&recorder->queue_count, RECORDER_MAX_QUEUES, memory_order_relaxed);
    return assign_queue(recorder, other_id(NAME_QUEUE, VALUE_INTEGER), RECORDER_MAX_QUEUES, 0);
}

/* Takes a queue that nobody has. Returns its index + 1, or 0 if there is none but the last. */
static uint32_t take_queue(struct recorder *recorder)
{
    uint32_t count = atomic_load_explicit(&recorder->queue_count, memory_order_relaxed);

    do {
        if (count + 1 >= RECORDER_MAX_QUEUES) {
            return 0;
        }
    } while (!atomic_compare_exchange_weak_explicit(&recorder->queue_count, &count, count + 1,
                                                    memory_order_relaxed, memory_order_relaxed));
    return count + 1;
}

uint32_t names_intern_queue(struct recorder *recorder, const char *text, uint64_t capacity)
{
    uint32_t id = names_intern(recorder, text, "{operation}", NAME_QUEUE, VALUE_INTEGER);
    uint32_t known =
        atomic_load_explicit(&recorder_name(recorder, id)->queue, memory_order_acquire);

    if (known != 0) {
        return known;
    }

    uint32_t taken = id == other_id(NAME_QUEUE, VALUE_INTEGER) ? 0 : take_queue(recorder);

    return taken == 0 ? other_queue(recorder) : assign_queue(recorder, id, taken, capacity);
}
