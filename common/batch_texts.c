#include "batch_texts.h"

#include <errno.h>
#include <string.h>

enum { LEAST_BUCKETS = 64 };

void batch_texts_release(struct batch_texts *texts)
{
    free(texts->buckets);
    *texts = (struct batch_texts){0};
}

static int reserve_buckets(struct batch_texts *texts, size_t count)
{
    uint32_t wanted = LEAST_BUCKETS;

    while (wanted < 2 * count) {
        wanted *= 2;
    }
    if (wanted > texts->bucket_capacity) {
        batch_texts_release(texts);
        texts->buckets = malloc(wanted * sizeof(*texts->buckets));
        if (texts->buckets == NULL) {
            return -ENOMEM;
        }
        texts->bucket_capacity = wanted;
    }
    texts->bucket_mask = wanted - 1;
    memset(texts->buckets, 0, wanted * sizeof(*texts->buckets));
    return 0;
}

int batch_texts_begin(struct batch_texts *texts, struct batch *batch, size_t count, size_t bytes)
{
    int r = batch_reserve_texts(batch, count);

    r = r < 0 ? r : batch_reserve_text_bytes(batch, bytes);
    return r < 0 ? r : reserve_buckets(texts, count);
}

/* Multiply and fold, eight bytes a step; equal texts are found by comparing. */
static uint32_t hash_text(const char *text, size_t length)
{
    uint64_t hash = length;

    for (size_t at = 0; at < length; at += sizeof(uint64_t)) {
        uint64_t word = 0;

        memcpy(&word, text + at, min_u64(sizeof(word), length - at));
        hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 32;
    }
    return (uint32_t)hash;
}

static bool is_text(const struct batch *batch, uint32_t index, const char *text, size_t length)
{
    const char *known = batch->attributes.texts[index];

    /* Stops at the end of the known text, which may be the shorter one. */
    return strncmp(known, text, length) == 0 && known[length] == '\0';
}

int batch_texts_index(struct batch_texts *texts, struct batch *batch, const char *text,
                      size_t length)
{
    struct batch_attributes *attributes = &batch->attributes;
    uint32_t at = hash_text(text, length) & texts->bucket_mask;

    while (texts->buckets[at] != 0) {
        if (is_text(batch, texts->buckets[at] - 1, text, length)) {
            return (int)texts->buckets[at] - 1;
        }
        at = (at + 1) & texts->bucket_mask;
    }

    const char *copy = attributes->text_count == attributes->text_capacity ||
                               attributes->text_count > texts->bucket_mask / 2
                           ? NULL
                           : batch_copy_text(batch, text, length);

    if (copy == NULL) {
        return -ENOMEM;
    }
    attributes->texts[attributes->text_count++] = copy;
    texts->buckets[at] = attributes->text_count;
    return (int)attributes->text_count - 1;
}
