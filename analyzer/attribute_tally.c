#include "attribute_tally.h"

#include "growing_list.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

void attribute_tally_release(struct attribute_tally *tally)
{
    for (size_t i = 0; i < tally->key_count; i++) {
        for (size_t k = 0; k < tally->keys[i].value_count; k++) {
            free(tally->keys[i].values[k].text);
        }
        free(tally->keys[i].values);
    }
    free(tally->keys);
    *tally = (struct attribute_tally){0};
}

/* FNV-1a, 64 bits, mixed: its high bits decide what is kept. */
static uint64_t hash_text(const char *text)
{
    uint64_t hash = 0xcbf29ce484222325ULL;

    for (; *text != '\0'; text++) {
        hash = (hash ^ (uint8_t)*text) * 0x100000001b3ULL;
    }
    hash = (hash ^ hash >> 32) * 0x9e3779b97f4a7c15ULL;
    return hash ^ hash >> 29;
}

static int make_key(struct attribute_tally *tally, uint32_t key, struct attribute_values **ret_key)
{
    size_t at = 0;

    while (at < tally->key_count && tally->keys[at].key < key) {
        at++;
    }
    if (at == tally->key_count || tally->keys[at].key != key) {
        int r = growing_list_reserve((void *)&tally->keys, &tally->key_capacity, tally->key_count,
                                     sizeof(*tally->keys));

        if (r < 0) {
            return r;
        }
        memmove(&tally->keys[at + 1], &tally->keys[at],
                (tally->key_count - at) * sizeof(*tally->keys));
        tally->keys[at] = (struct attribute_values){.key = key};
        tally->key_count++;
    }
    *ret_key = &tally->keys[at];
    return 0;
}

/* Below 0 if (hash, text) stands before the value. */
static int compare_to(const struct attribute_value *value, uint64_t hash, const char *text)
{
    return hash != value->hash ? (hash < value->hash ? -1 : 1) : strcmp(text, value->text);
}

static size_t find_value(const struct attribute_values *values, uint64_t hash, const char *text)
{
    size_t low = 0;
    size_t high = values->value_count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (compare_to(&values->values[middle], hash, text) > 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static int insert(struct attribute_values *values, size_t at, uint64_t hash, const char *text)
{
    AUTO_FREE char *copy = strdup(text);
    int r = copy == NULL ? -ENOMEM
                         : growing_list_reserve((void *)&values->values, &values->value_capacity,
                                                values->value_count, sizeof(*values->values));

    if (r < 0) {
        return r;
    }
    memmove(&values->values[at + 1], &values->values[at],
            (values->value_count - at) * sizeof(*values->values));
    values->values[at] = (struct attribute_value){.hash = hash, .text = take_pointer(&copy)};
    values->value_count++;
    if (values->value_count > ATTRIBUTE_VALUE_LIMIT) {
        free(values->values[--values->value_count].text);
    }
    return 0;
}

static int add_value(struct attribute_values *values, const char *text, uint64_t count)
{
    uint64_t hash = hash_text(text);
    size_t at = values->values == NULL ? 0 : find_value(values, hash, text);
    int r = 0;

    if (at == ATTRIBUTE_VALUE_LIMIT) {
        return 0;
    }
    if (values->values == NULL || at == values->value_count ||
        compare_to(&values->values[at], hash, text) != 0) {
        r = insert(values, at, hash, text);
    }
    if (r == 0) {
        values->values[at].count += count;
    }
    return r;
}

int attribute_tally_add(struct attribute_tally *tally, uint32_t key, const char *text,
                        uint64_t count)
{
    struct attribute_values *values = NULL;
    int r = make_key(tally, key, &values);

    if (r < 0) {
        return r;
    }
    values->count += count;
    return add_value(values, text, count);
}

int attribute_tally_add_number(struct attribute_tally *tally, uint32_t key, double number)
{
    struct attribute_values *values = NULL;
    int r = make_key(tally, key, &values);

    if (r == 0) {
        number_range_add(&values->numbers, number);
    }
    return r;
}

int attribute_tally_merge(struct attribute_tally *tally, const struct attribute_tally *source)
{
    for (size_t i = 0; i < source->key_count; i++) {
        const struct attribute_values *from = &source->keys[i];
        struct attribute_values *to = NULL;
        int r = make_key(tally, from->key, &to);

        if (r == 0) {
            to->count += from->count;
            number_range_merge(&to->numbers, &from->numbers);
        }
        for (size_t k = 0; r == 0 && k < from->value_count; k++) {
            r = add_value(to, from->values[k].text, from->values[k].count);
        }
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

size_t attribute_tally_memory_bytes(const struct attribute_tally *tally)
{
    size_t bytes = tally->key_capacity * sizeof(*tally->keys);

    for (size_t i = 0; i < tally->key_count; i++) {
        /* A text and what the allocator puts around it. */
        bytes += tally->keys[i].value_capacity * (sizeof(*tally->keys[i].values) + 32);
    }
    return bytes;
}

static int compare_counts(const void *left, const void *right)
{
    const struct report_attribute_value *a = left;
    const struct report_attribute_value *b = right;

    return a->slice.count != b->slice.count ? (a->slice.count > b->slice.count ? -1 : 1)
                                            : strcmp(a->text, b->text);
}

/* Durations are found later. */
static struct report_slice slice_of(uint64_t count)
{
    return (struct report_slice){
        .count = count, .p50_ns = NAN, .p95_ns = NAN, .p99_ns = NAN, .max_ns = NAN};
}

static void describe_bins(const struct attribute_values *values,
                          struct report_attribute *ret_attribute)
{
    ret_attribute->numbers = values->numbers;
    ret_attribute->bins = attribute_bins_make(&values->numbers);
    for (size_t i = 0; i < ret_attribute->bins.count; i++) {
        ret_attribute->slices[i] = slice_of(0);
    }
}

static void cut_values(struct report_attribute *attribute)
{
    while (attribute->value_count > ATTRIBUTE_LISTED_VALUES) {
        free(attribute->values[--attribute->value_count].text);
        attribute->other_values++;
    }
    for (size_t i = 0; i < attribute->value_count; i++) {
        attribute->other.count -= attribute->values[i].slice.count;
    }
}

int attribute_values_describe(const struct attribute_values *values,
                              struct report_attribute *ret_attribute)
{
    struct report_attribute_value *list = calloc(values->value_count + 1, sizeof(*list));
    int r = list == NULL ? -ENOMEM : 0;

    ret_attribute->values = list;
    ret_attribute->count = values->count;
    ret_attribute->reason = REASON_MEMORY_LIMIT;
    ret_attribute->other = slice_of(values->count);
    ret_attribute->is_sample = values->value_count >= ATTRIBUTE_VALUE_LIMIT;
    for (size_t i = 0; r == 0 && i < values->value_count; i++) {
        list[i].text = strdup(values->values[i].text);
        list[i].slice = slice_of(values->values[i].count);
        ret_attribute->value_count++;
        r = list[i].text == NULL ? -ENOMEM : 0;
    }
    if (r < 0) {
        return r;
    }
    qsort(list, ret_attribute->value_count, sizeof(*list), compare_counts);
    cut_values(ret_attribute);
    describe_bins(values, ret_attribute);
    return 0;
}
