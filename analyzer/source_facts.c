#include "source_facts.h"

#include <errno.h>
#include <string.h>

int source_facts_copy(struct source_facts *ret_facts, const struct source *source)
{
    bool is_whole = true;

    *ret_facts = (struct source_facts){
        .is_known = true,
        .kind = source->kind,
        .part = source->part,
        .pid = source->pid,
        .claimed_pid = source->claimed_pid,
        .executable = strdup(source->executable),
        .host_name = strdup(source->host_name),
        .boot_id = strdup(source->boot_id),
        .label_count = source->label_count,
    };
    for (size_t i = 0; i < source->label_count; i++) {
        ret_facts->label_keys[i] = strdup(source->labels[i].key);
        ret_facts->label_values[i] = strdup(source->labels[i].value);
        is_whole &= ret_facts->label_keys[i] != NULL && ret_facts->label_values[i] != NULL;
    }
    return is_whole && ret_facts->executable != NULL && ret_facts->host_name != NULL &&
                   ret_facts->boot_id != NULL
               ? 0
               : -ENOMEM;
}

void source_facts_release(struct source_facts *facts)
{
    free(facts->executable);
    free(facts->host_name);
    free(facts->boot_id);
    for (size_t i = 0; i < facts->label_count; i++) {
        free(facts->label_keys[i]);
        free(facts->label_values[i]);
    }
    *facts = (struct source_facts){0};
}
