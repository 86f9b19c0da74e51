#include "import_batch.h"

#include "csv_values.h"
#include "utf8.h"

#include <errno.h>
#include <string.h>

enum {
    THREAD_NAME_BYTES = 15 + 1, /* trace.proto allows 15 */
    /* With the columns of a full batch and as many threads as it may have, well below FRAME_MAX_PLAIN_BYTES. */
    NAME_BYTES_PER_BATCH = 3 << 20,
    NAME_OVERHEAD_BYTES = 16,
};

static int map_init(struct index_map *map, size_t count)
{
    map->index = calloc(max_u64(count, 1), sizeof(*map->index));
    map->count = count;
    return map->index == NULL ? -ENOMEM : 0;
}

int import_batch_init(struct import_batch *ret_import, const struct import_facts *facts,
                      struct import_parts *parts)
{
    *ret_import = (struct import_batch){.facts = facts, .parts = parts};
    batch_init(&ret_import->batch);

    int r = map_init(&ret_import->operations, facts->operation_names.count);

    r = r < 0 ? r : map_init(&ret_import->metrics, facts->metric_names.count);
    r = r < 0 ? r : map_init(&ret_import->threads, facts->threads.count);
    return r < 0 ? r
                 : batch_reserve_text_bytes(&ret_import->batch,
                                            facts->threads.count * THREAD_NAME_BYTES + 1);
}

void import_batch_release(struct import_batch *import)
{
    batch_release(&import->batch);
    free(import->operations.index);
    free(import->metrics.index);
    free(import->threads.index);
    *import = (struct import_batch){0};
}

static void map_clear(struct index_map *map)
{
    memset(map->index, 0, map->count * sizeof(*map->index));
}

static void clear(struct import_batch *import)
{
    batch_clear(&import->batch);
    map_clear(&import->operations);
    map_clear(&import->metrics);
    map_clear(&import->threads);
    import->text_bytes = 0;
}

static bool is_full(const struct import_batch *import)
{
    return import->text_bytes >= NAME_BYTES_PER_BATCH;
}

/* Adds a name that the batch has not yet. */
static int add_name(struct import_batch *import, struct batch_name name, uint32_t *index)
{
    struct batch *batch = &import->batch;
    int r = batch_reserve_names(batch, batch->name_count + 1U);

    if (r < 0) {
        return r;
    }
    batch->names[batch->name_count++] = name;
    *index = batch->name_count;
    import->text_bytes += strlen(name.text) + strlen(name.unit) + NAME_OVERHEAD_BYTES;
    return 0;
}

static int map_operation(struct import_batch *import, uint32_t number, uint16_t *ret_index)
{
    uint32_t *index = &import->operations.index[number];
    int r = 0;

    if (*index == 0) {
        struct batch_name name = {.text = import->facts->operation_names.texts[number],
                                  .unit = "",
                                  .kind = NAME_OPERATION};

        r = add_name(import, name, index);
    }
    *ret_index = (uint16_t)(*index - 1);
    return r;
}

static int map_metric(struct import_batch *import, uint32_t number, uint16_t *ret_index)
{
    uint32_t *index = &import->metrics.index[number];
    const struct metric_facts *facts = &import->facts->metrics[number];
    int r = 0;

    if (*index == 0) {
        struct batch_name name = {.text = import->facts->metric_names.texts[number],
                                  .unit = facts->unit,
                                  .kind = NAME_GAUGE,
                                  .value = facts->is_integer ? VALUE_INTEGER : VALUE_DOUBLE};

        r = add_name(import, name, index);
    }
    *ret_index = (uint16_t)(*index - 1);
    return r;
}

/* A thread's text is its name; one that is a number is its id too. */
static int add_thread(struct import_batch *import, uint32_t number, uint32_t *index)
{
    struct batch *batch = &import->batch;
    const char *text = import->facts->threads.texts[number];
    char name[THREAD_NAME_BYTES];
    uint64_t tid = 0;
    int r = batch_reserve_threads(batch, batch->thread_count + 1U);

    if (r < 0) {
        return r;
    }
    if (csv_parse_unsigned(text, UINT32_MAX, &tid) < 0) {
        tid = 0;
    }
    batch->threads[batch->thread_count++] = (struct batch_thread){
        .tid = (uint32_t)tid,
        .name =
            batch_copy_text(batch, name, utf8_copy(name, sizeof(name), text, strlen(text), NULL)),
        .serial = number + 1ULL,
    };
    *index = batch->thread_count;
    return 0;
}

static int map_thread(struct import_batch *import, uint32_t number, uint16_t *ret_index)
{
    uint32_t *index = &import->threads.index[number];
    int r = *index == 0 ? add_thread(import, number, index) : 0;

    *ret_index = (uint16_t)(*index - 1);
    return r;
}

/* Adds one row. */
typedef int fill_function(struct import_batch *import, const struct import_row *row);

static int fill_operation(struct import_batch *import, const struct import_row *row)
{
    struct batch_operations *operations = &import->batch.operations;
    uint32_t at = operations->count;
    int r = batch_reserve_operations(&import->batch, at + 1U);

    r = r < 0 ? r : map_operation(import, row->name, &operations->name[at]);
    r = r < 0 ? r : map_thread(import, row->thread, &operations->begin_thread[at]);
    if (r < 0) {
        return r;
    }
    operations->begin_ns[at] = row->time_ns;
    operations->duration_ns[at] = row->value;
    operations->status[at] = row->status;
    operations->end_thread[at] = operations->begin_thread[at];
    operations->count++;
    return 0;
}

static int fill_sample(struct import_batch *import, const struct import_row *row)
{
    struct batch_samples *samples = &import->batch.samples;
    uint32_t at = samples->count;
    int r = batch_reserve_samples(&import->batch, at + 1U);

    r = r < 0 ? r : map_metric(import, row->name, &samples->metric[at]);
    if (r < 0) {
        return r;
    }
    samples->time_ns[at] = row->time_ns;
    samples->thread[at] = 0;
    samples->value[at] = row->value;
    samples->count++;
    return 0;
}

static int fill_open(struct import_batch *import, const struct import_row *row)
{
    struct batch_open *open = &import->batch.open;
    uint32_t at = open->count;
    int r = batch_reserve_open(&import->batch, at + 1U);

    r = r < 0 ? r : map_operation(import, row->name, &open->name[at]);
    if (r < 0) {
        return r;
    }
    open->begin_ns[at] = row->time_ns;
    open->state[at] = STATE_OTHER;
    open->id[at] = ++import->last_id;
    open->count++;
    return 0;
}

static int write_rows(struct import_batch *import, const struct import_row *rows, size_t count,
                      fill_function *fill, uint64_t as_of_ns)
{
    size_t done = 0;
    int r = 0;

    while (r == 0 && done < count) {
        clear(import);
        import->batch.open.as_of_ns = as_of_ns;
        while (r == 0 && done < count && !is_full(import)) {
            r = fill(import, &rows[done++]);
        }
        r = r < 0 ? r : import_parts_add(import->parts, &import->batch);
    }
    return r;
}

int import_batch_operations(struct import_batch *import, const struct import_row *rows,
                            size_t count)
{
    return write_rows(import, rows, count, fill_operation, 0);
}

int import_batch_samples(struct import_batch *import, const struct import_row *rows, size_t count)
{
    return write_rows(import, rows, count, fill_sample, 0);
}

int import_batch_open(struct import_batch *import, const struct import_row *rows, size_t count,
                      uint64_t as_of_ns)
{
    return write_rows(import, rows, count, fill_open, as_of_ns);
}
