#include "csv_dictionary.h"

#include <errno.h>
#include <string.h>

enum { LEAST_SLOTS = 64 };

/* FNV-1a, 64 bits. */
static uint64_t hash_text(const char *text)
{
    uint64_t hash = 0xcbf29ce484222325ULL;

    for (; *text != '\0'; text++) {
        hash = (hash ^ (uint8_t)*text) * 0x100000001b3ULL;
    }
    return hash ^ hash >> 32;
}

void csv_dictionary_release(struct csv_dictionary *dictionary)
{
    for (size_t i = 0; i < dictionary->count; i++) {
        free(dictionary->texts[i]);
    }
    free((void *)dictionary->texts);
    free(dictionary->slots);
    *dictionary = (struct csv_dictionary){0};
}

/* The slot that holds text, or the free one where it belongs. */
static uint32_t *find_slot(const struct csv_dictionary *dictionary, const char *text)
{
    size_t at = hash_text(text) & (dictionary->slot_count - 1);

    while (dictionary->slots[at] != 0 &&
           strcmp(dictionary->texts[dictionary->slots[at] - 1], text) != 0) {
        at = (at + 1) & (dictionary->slot_count - 1);
    }
    return &dictionary->slots[at];
}

/* Keeps at least half of the slots free, and room for one more text. */
static int make_room(struct csv_dictionary *dictionary)
{
    if (dictionary->count < dictionary->capacity) {
        return 0;
    }

    size_t slot_count = dictionary->slot_count == 0 ? LEAST_SLOTS : dictionary->slot_count * 2;
    char **texts = (char **)realloc((void *)dictionary->texts, slot_count / 2 * sizeof(*texts));

    if (texts == NULL) {
        return -ENOMEM;
    }
    dictionary->texts = texts;

    uint32_t *slots = calloc(slot_count, sizeof(*slots));

    if (slots == NULL) {
        return -ENOMEM;
    }
    free(dictionary->slots);
    dictionary->slots = slots;
    dictionary->slot_count = slot_count;
    dictionary->capacity = slot_count / 2;
    for (size_t i = 0; i < dictionary->count; i++) {
        *find_slot(dictionary, texts[i]) = (uint32_t)i + 1;
    }
    return 0;
}

int csv_dictionary_find(const struct csv_dictionary *dictionary, const char *text,
                        uint32_t *ret_number)
{
    uint32_t found = dictionary->slot_count == 0 ? 0 : *find_slot(dictionary, text);

    if (found == 0) {
        return -ESTALE;
    }
    *ret_number = found - 1;
    return 0;
}

int csv_dictionary_intern(struct csv_dictionary *dictionary, const char *text, uint32_t *ret_number)
{
    int r = make_room(dictionary);

    if (r < 0) {
        return r;
    }

    uint32_t *slot = find_slot(dictionary, text);

    if (*slot == 0) {
        char *copy = dictionary->count == DICTIONARY_MAX_ENTRIES ? NULL : strdup(text);

        if (copy == NULL) {
            return dictionary->count == DICTIONARY_MAX_ENTRIES ? -E2BIG : -ENOMEM;
        }
        dictionary->texts[dictionary->count++] = copy;
        *slot = (uint32_t)dictionary->count;
    }
    *ret_number = *slot - 1;
    return 0;
}
