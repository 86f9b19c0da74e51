#include "import_rows.h"

#include "import_batch.h"

#include <errno.h>
#include <string.h>

enum { CHUNK_ROWS = BATCH_MAX_OPERATIONS };

_Static_assert(BATCH_MAX_OPERATIONS == BATCH_MAX_SAMPLES && BATCH_MAX_OPERATIONS == BATCH_MAX_OPEN,
               "a chunk fills a batch of any kind");

struct chunk {
    size_t count;
    struct import_row rows[CHUNK_ROWS];
};

struct pass {
    const struct import_facts *facts; /* borrowed */
    struct import_batch batches;
    struct content_hash hash;
    struct chunk *finished; /* owned, as all below; samples too */
    struct chunk *unfinished;
    struct csv_table *table;
};

static int compare_u64(uint64_t a, uint64_t b)
{
    return (a > b) - (a < b);
}

/* By time; then by all the rest, so that the order of equal rows does not depend on the sort. */
static int compare_rows(const void *left, const void *right)
{
    const struct import_row *a = left;
    const struct import_row *b = right;
    int order = compare_u64(a->time_ns, b->time_ns);

    order = order != 0 ? order : compare_u64(a->value, b->value);
    order = order != 0 ? order : compare_u64(a->name, b->name);
    order = order != 0 ? order : compare_u64(a->thread, b->thread);
    return order != 0 ? order : compare_u64(a->status, b->status);
}

static uint64_t last_seen_ns(const struct import_row *row)
{
    return row->time_ns + row->value;
}

static int compare_by_last_seen(const void *left, const void *right)
{
    int order = compare_u64(last_seen_ns(left), last_seen_ns(right));

    return order != 0 ? order : compare_rows(left, right);
}

static int flush_finished(struct pass *pass)
{
    struct chunk *chunk = pass->finished;

    qsort(chunk->rows, chunk->count, sizeof(chunk->rows[0]), compare_rows);

    int r = import_batch_operations(&pass->batches, chunk->rows, chunk->count);

    chunk->count = 0;
    return r;
}

static int flush_samples(struct pass *pass)
{
    struct chunk *chunk = pass->finished;

    qsort(chunk->rows, chunk->count, sizeof(chunk->rows[0]), compare_rows);

    int r = import_batch_samples(&pass->batches, chunk->rows, chunk->count);

    chunk->count = 0;
    return r;
}

/* A batch has one time at which its open operations were seen: rows of the same time go together. */
static int flush_unfinished(struct pass *pass)
{
    struct chunk *chunk = pass->unfinished;
    size_t from = 0;
    int r = 0;

    qsort(chunk->rows, chunk->count, sizeof(chunk->rows[0]), compare_by_last_seen);
    while (r == 0 && from < chunk->count) {
        uint64_t as_of_ns = last_seen_ns(&chunk->rows[from]);
        size_t to = from;

        while (to < chunk->count && last_seen_ns(&chunk->rows[to]) == as_of_ns) {
            to++;
        }
        r = import_batch_open(&pass->batches, &chunk->rows[from], to - from, as_of_ns);
        from = to;
    }
    chunk->count = 0;
    return r;
}

static int add_operation(struct pass *pass, const struct csv_operation *operation)
{
    struct chunk *chunk = operation->is_unfinished ? pass->unfinished : pass->finished;
    uint32_t name = 0;
    uint32_t thread = 0;
    int r = csv_dictionary_find(&pass->facts->operation_names, operation->name, &name);

    r = r < 0 ? r : csv_dictionary_find(&pass->facts->threads, operation->thread, &thread);
    if (r < 0) {
        return r;
    }
    chunk->rows[chunk->count++] = (struct import_row){
        .time_ns = operation->begin_ns,
        .value = operation->duration_ns,
        .name = name,
        .thread = (uint16_t)thread,
        .status = (uint8_t)operation->status,
    };
    if (chunk->count < CHUNK_ROWS) {
        return 0;
    }
    return operation->is_unfinished ? flush_unfinished(pass) : flush_finished(pass);
}

static int write_operations(struct pass *pass, int fd)
{
    struct csv_operation operation;
    int r = csv_operations_init(pass->table, fd);

    while (r >= 0 && (r = csv_operations_next(pass->table, &operation)) == 1) {
        import_hash_operation(&pass->hash, &operation);
        r = add_operation(pass, &operation);
    }
    r = r < 0 ? r : flush_finished(pass);
    return r < 0 ? r : flush_unfinished(pass);
}

static int add_sample(struct pass *pass, const struct csv_sample *sample)
{
    struct chunk *chunk = pass->finished;
    uint32_t name = 0;
    int r = csv_dictionary_find(&pass->facts->metric_names, sample->name, &name);

    if (r < 0) {
        return r;
    }

    struct import_row *row = &chunk->rows[chunk->count++];

    *row = (struct import_row){.time_ns = sample->time_ns, .name = name};
    if (pass->facts->metrics[name].is_integer) {
        row->value = (uint64_t)sample->integer;
    } else {
        memcpy(&row->value, &sample->real, sizeof(row->value));
    }
    return chunk->count < CHUNK_ROWS ? 0 : flush_samples(pass);
}

static int write_samples(struct pass *pass, int fd)
{
    struct csv_sample sample;
    int r = csv_samples_init(pass->table, fd);

    while (r >= 0 && (r = csv_samples_next(pass->table, &sample)) == 1) {
        import_hash_sample(&pass->hash, &sample);
        r = add_sample(pass, &sample);
    }
    return r < 0 ? r : flush_samples(pass);
}

static int pass_init(struct pass *ret_pass, const struct import_source *source,
                     const struct import_facts *facts, struct import_parts *parts)
{
    *ret_pass = (struct pass){
        .facts = facts,
        .hash = content_hash_start(),
        .finished = malloc(sizeof(*ret_pass->finished)),
        .unfinished = malloc(sizeof(*ret_pass->unfinished)),
        .table = malloc(sizeof(*ret_pass->table)),
    };
    content_hash_add_text(&ret_pass->hash, source->process);
    if (ret_pass->finished == NULL || ret_pass->unfinished == NULL || ret_pass->table == NULL) {
        return -ENOMEM;
    }
    ret_pass->finished->count = 0;
    ret_pass->unfinished->count = 0;
    return import_batch_init(&ret_pass->batches, facts, parts);
}

static void pass_release(struct pass *pass)
{
    import_batch_release(&pass->batches);
    free(pass->finished);
    free(pass->unfinished);
    free(pass->table);
}

typedef int write_function(struct pass *pass, int fd);

static int write_file(struct pass *pass, const char *path, write_function *write_rows)
{
    AUTO_CLOSE int fd = path == NULL ? -1 : import_open(path);

    if (path == NULL) {
        return 0;
    }
    return fd < 0 ? fd : write_rows(pass, fd);
}

int import_rows(const struct import_source *source, const struct import_facts *facts,
                struct import_parts *parts)
{
    struct pass pass;
    int r = pass_init(&pass, source, facts, parts);

    r = r < 0 ? r : write_file(&pass, source->operations_path, write_operations);
    r = r < 0 ? r : write_file(&pass, source->samples_path, write_samples);
    if (r == 0 && (pass.hash.high != facts->hash.high || pass.hash.low != facts->hash.low)) {
        r = -ESTALE;
    }
    pass_release(&pass);
    return r;
}
