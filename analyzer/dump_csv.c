#include "dump_csv.h"

#include "record_names.h"
#include "utf8.h"

#include <string.h>

/* A text and an apostrophe. Executables and names are at most NAME_MAX_BYTES. */
enum { CELL_BYTES = NAME_MAX_BYTES + 2 };

void dump_csv_header(FILE *stream)
{
    (void)fputs("name,start_ns,duration_ns,status,thread,end_thread,executable,pid,session,"
                "id,parent,queue,queue_depth,queue_residence_ns",
                stream);
    for (int state = 0; state < STATE_COUNT; state++) {
        (void)fprintf(stream, ",%s_ns", operation_state_name((enum operation_state)state));
    }
    (void)fputc('\n', stream);
}

void dump_csv_text(FILE *stream, const char *text)
{
    char cell[CELL_BYTES] = "'";
    size_t guard = text[0] != '\0' && strchr("=+-@\t\r", text[0]) != NULL ? 1 : 0;

    (void)utf8_copy(cell + guard, sizeof(cell) - guard, text, strlen(text), NULL);
    if (guard == 0 && strpbrk(cell, ",\"") == NULL) {
        (void)fputs(cell, stream);
        return;
    }
    (void)fputc('"', stream);
    for (const char *at = cell; *at != '\0'; at++) {
        (void)fputs(*at == '"' ? "\"" : "", stream);
        (void)fputc(*at, stream);
    }
    (void)fputc('"', stream);
}

static void put_u64(FILE *stream, uint64_t value)
{
    (void)fprintf(stream, ",%llu", (unsigned long long)value);
}

static void put_text(FILE *stream, const char *text)
{
    (void)fputc(',', stream);
    dump_csv_text(stream, text);
}

static void put_thread(FILE *stream, const struct batch *batch, uint16_t index)
{
    if (index >= batch->thread_count) {
        (void)fputc(',', stream);
    } else if (batch->threads[index].name[0] != '\0') {
        put_text(stream, batch->threads[index].name);
    } else {
        put_u64(stream, batch->threads[index].tid);
    }
}

/* Values of some rows only, read along with the operations. */
struct sparse_cursor {
    const struct sparse_rows *rows;
    uint32_t at;
};

static void put_sparse(FILE *stream, struct sparse_cursor *cursor, uint32_t row)
{
    if (cursor->at < cursor->rows->count && cursor->rows->row[cursor->at] == row) {
        put_u64(stream, cursor->rows->value[cursor->at++]);
    } else {
        (void)fputc(',', stream);
    }
}

static void put_queue(FILE *stream, const struct batch *batch, uint32_t *cursor, uint32_t row)
{
    const struct batch_queued *queued = &batch->queued;

    if (*cursor < queued->count && queued->row[*cursor] == row) {
        put_text(stream, batch->names[queued->queue[*cursor]].text);
        put_u64(stream, queued->depth[*cursor]);
        put_u64(stream, queued->residence_ns[*cursor]);
        (*cursor)++;
    } else {
        (void)fputs(",,,", stream);
    }
}

static void put_session(FILE *stream, const struct packet_id *id)
{
    (void)fputc(',', stream);
    for (size_t i = 0; i < SESSION_ID_BYTES; i++) {
        (void)fprintf(stream, "%02x", id->session[i]);
    }
}

void dump_csv_batch(FILE *stream, const struct source *source, const struct batch *batch)
{
    const struct batch_operations *operations = &batch->operations;
    uint64_t to_realtime_ns = batch->clock.realtime_ns - batch->clock.monotonic_ns;
    struct sparse_cursor id = {&operations->id, 0};
    struct sparse_cursor parent = {&operations->parent, 0};
    struct sparse_cursor states[STATE_COUNT];
    uint32_t queued = 0;

    for (int state = 0; state < STATE_COUNT; state++) {
        states[state] = (struct sparse_cursor){&operations->state_ns[state], 0};
    }
    for (uint32_t row = 0; row < operations->count; row++) {
        dump_csv_text(stream, batch->names[operations->name[row]].text);
        put_u64(stream, operations->begin_ns[row] + to_realtime_ns);
        put_u64(stream, operations->duration_ns[row]);
        put_text(stream, operation_status_name((enum operation_status)operations->status[row]));
        put_thread(stream, batch, operations->begin_thread[row]);
        put_thread(stream, batch, operations->end_thread[row]);
        put_text(stream, source->executable);
        put_u64(stream, source->pid);
        put_session(stream, &batch->id);
        put_sparse(stream, &id, row);
        put_sparse(stream, &parent, row);
        put_queue(stream, batch, &queued, row);
        for (int state = 0; state < STATE_COUNT; state++) {
            put_sparse(stream, &states[state], row);
        }
        (void)fputc('\n', stream);
    }
}
