#include "answer_cache.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKET_COUNT = 1 << 16, MAX_KEY_BYTES = 64, MAX_VALUE_BYTES = 4096 };

/* Of one size, which makes it simple and, as most values are short, makes memory go fast. */
struct entry {
    struct entry *next; /* owned */
    uint64_t version;
    bool has_value;
    char key[MAX_KEY_BYTES];
    char value[MAX_VALUE_BYTES];
};

static struct entry *buckets[BUCKET_COUNT];

static struct entry **bucket_of(const char *key, uint64_t version)
{
    uint64_t hash = 0xcbf29ce484222325 ^ version; /* FNV-1a */

    for (const char *c = key; *c != '\0'; c++) {
        hash = (hash ^ (unsigned char)*c) * 0x100000001b3;
    }
    return &buckets[(hash ^ hash >> 32) % BUCKET_COUNT];
}

bool answer_cache_find(const char *key, uint64_t version, const char **ret_value)
{
    for (struct entry *entry = *bucket_of(key, version); entry != NULL; entry = entry->next) {
        if (entry->version == version && strcmp(entry->key, key) == 0) {
            *ret_value = entry->has_value ? entry->value : NULL;
            return true;
        }
    }
    return false;
}

void answer_cache_add(const char *key, uint64_t version, const char *value)
{
    struct entry **bucket = bucket_of(key, version);
    struct entry *entry;

    if (strlen(key) >= MAX_KEY_BYTES || (value != NULL && strlen(value) >= MAX_VALUE_BYTES)) {
        return;
    }
    entry = malloc(sizeof(*entry));
    if (entry == NULL) {
        abort();
    }
    entry->next = *bucket;
    entry->version = version;
    entry->has_value = value != NULL;
    snprintf(entry->key, sizeof(entry->key), "%s", key);
    snprintf(entry->value, sizeof(entry->value), "%s", value ? value : "");
    *bucket = entry;
}
