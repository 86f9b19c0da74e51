#include "batch_names.h"

#include <errno.h>

int batch_names_init(struct batch_names *names, const struct recorder *recorder)
{
    *names = (struct batch_names){
        .recorder = recorder,
        .index_by_id = calloc(RECORDER_MAX_NAMES, sizeof(*names->index_by_id)),
        .ids = malloc(RECORDER_MAX_NAMES * sizeof(*names->ids)),
    };
    if (names->index_by_id == NULL || names->ids == NULL) {
        batch_names_release(names);
        return -ENOMEM;
    }
    return 0;
}

void batch_names_release(struct batch_names *names)
{
    free(names->index_by_id);
    free(names->ids);
    *names = (struct batch_names){0};
}

void batch_names_clear(struct batch_names *names)
{
    for (uint32_t i = 0; i < names->count; i++) {
        names->index_by_id[names->ids[i]] = 0;
    }
    names->count = 0;
}

static bool is_usable(const struct recorder *recorder, uint32_t id, unsigned int kinds)
{
    /* The record that has this id was acquired, and with it the entry, which was complete before. */
    return id != 0 && id < RECORDER_MAX_NAMES &&
           id <= atomic_load_explicit(&recorder->name_count, memory_order_relaxed) &&
           recorder_name(recorder, id)->kind < NAME_KIND_COUNT &&
           (1U << recorder_name(recorder, id)->kind & kinds) != 0;
}

int batch_names_add(struct batch_names *names, struct batch *batch, uint32_t id, unsigned int kinds)
{
    const struct recorder *recorder = names->recorder;

    if (!is_usable(recorder, id, kinds)) {
        /* names_init() entered "(other)" of each kind first. */
        id = (uint32_t)__builtin_ctz(kinds) + 1;
        if (names->index_by_id[id] != 0) {
            return names->index_by_id[id] - 1;
        }
    }

    int r = batch_reserve_names(batch, batch->name_count + 1);

    if (r < 0) {
        return r;
    }

    const struct name_entry *entry = recorder_name(recorder, id);
    uint32_t index = batch->name_count++;

    batch->names[index] = (struct batch_name){
        .text = recorder_at(recorder, recorder->name_text_offset + entry->text_offset),
        .unit = entry->unit_length == 0
                    ? ""
                    : recorder_at(recorder, recorder->name_text_offset + entry->unit_offset),
        .kind = (enum name_kind)entry->kind,
        .value = (enum value_type)entry->value,
        .queue_capacity = atomic_load_explicit(&entry->queue_capacity, memory_order_relaxed),
    };
    names->index_by_id[id] = (uint16_t)(index + 1);
    names->ids[index] = (uint16_t)id;
    names->count = index + 1;
    return (int)index;
}
