/*
 * The calls that set attributes: into the attribute area of the operation's slot, from where the end copies them behind
 * the record. The newest value of a key counts.
 */
#include "batch.h"
#include "calls.h"
#include "eddy.h"
#include "name_id.h"
#include "thread_ring.h"
#include "utf8.h"

#include <string.h>

enum { WORD_BYTES = 8 };

static uint32_t attribute_key(struct eddy_name *key)
{
    uint32_t tag = name_tag(NAME_ATTRIBUTE, VALUE_INTEGER);
    uint32_t id = name_id_cached(key, tag);

    if (UNLIKELY(id == 0)) {
        id = names_intern_attribute(session->recorder, &session_settings, key->text);
        name_id_cache(key, tag, id);
    }
    return id;
}

static uint16_t payload_bytes(const struct attribute_entry *entry)
{
    bool is_text = entry->type == ATTRIBUTE_TEXT || entry->type == ATTRIBUTE_TEXT_CUT;

    return (uint16_t)(is_text && entry->length > 0
                          ? (entry->length + WORD_BYTES - 1) / WORD_BYTES * WORD_BYTES
                          : WORD_BYTES);
}

/* Marks an earlier value of the key as replaced. */
static void forget_key(uint8_t *area, uint16_t used, uint32_t key)
{
    for (uint16_t at = 0; at + sizeof(struct attribute_entry) <= used;) {
        struct attribute_entry entry;

        memcpy(&entry, area + at, sizeof(entry));
        if (entry.key == key) {
            entry.key = 0;
            memcpy(area + at, &entry, sizeof(entry));
        }
        at = (uint16_t)(at + sizeof(entry) + payload_bytes(&entry));
    }
}

static void count_cut(void)
{
    struct ring *ring = thread_ring;

    if (ring != NULL &&
        ring->epoch == atomic_load_explicit(&session->epoch, memory_order_relaxed)) {
        (void)atomic_fetch_add_explicit(&ring->attributes_cut, 1, memory_order_relaxed);
    }
}

static void set_attribute(uint64_t operation, struct eddy_name *key, enum attribute_type type,
                          const void *payload, size_t length)
{
    struct slot *slot = calls_open_slot(operation);

    if (slot == NULL || key == NULL) {
        return;
    }

    struct attribute_entry entry = {
        .key = attribute_key(key), .type = (uint8_t)type, .length = (uint8_t)length};
    uint8_t *area =
        session->attributes + (size_t)(operation & session->slot_mask) * ATTRIBUTE_BYTES;
    size_t bytes = sizeof(entry) + payload_bytes(&entry);

    if (entry.key == NAME_ID_DENIED) {
        return;
    }
    forget_key(area, slot->attribute_bytes, entry.key);
    if (slot->attribute_bytes + bytes > ATTRIBUTE_BYTES) {
        count_cut();
        return;
    }

    uint8_t *end = area + slot->attribute_bytes;

    memcpy(end, &entry, sizeof(entry));
    memset(end + sizeof(entry), 0, bytes - sizeof(entry));
    memcpy(end + sizeof(entry), payload, length);
    slot->attribute_bytes = (uint16_t)(slot->attribute_bytes + bytes);
}

void eddy_exported_set_u64(uint64_t operation, struct eddy_name *key, uint64_t value)
{
    set_attribute(operation, key, ATTRIBUTE_U64, &value, sizeof(value));
}

void eddy_exported_set_i64(uint64_t operation, struct eddy_name *key, int64_t value)
{
    set_attribute(operation, key, ATTRIBUTE_I64, &value, sizeof(value));
}

void eddy_exported_set_f64(uint64_t operation, struct eddy_name *key, double value)
{
    set_attribute(operation, key, ATTRIBUTE_F64, &value, sizeof(value));
}

void eddy_exported_set_bool(uint64_t operation, struct eddy_name *key, uint32_t value)
{
    uint64_t word = value != 0;

    set_attribute(operation, key, ATTRIBUTE_BOOL, &word, sizeof(word));
}

void eddy_exported_set_text(uint64_t operation, struct eddy_name *key, const char *value)
{
    char copy[TEXT_MAX_BYTES + 1];
    bool is_cut = false;

    if (value == NULL) {
        return;
    }

    size_t length =
        utf8_copy(copy, sizeof(copy), value, strnlen(value, TEXT_MAX_BYTES + 1), &is_cut);

    if (is_cut) {
        count_cut();
    }
    set_attribute(operation, key, is_cut ? ATTRIBUTE_TEXT_CUT : ATTRIBUTE_TEXT, copy, length);
}
