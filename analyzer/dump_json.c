#include "dump_json.h"

#include "json_text.h"
#include "record_names.h"
#include "text_format.h"

#include <string.h>

static void begin_object(FILE *stream, const char *type, const struct packet_id *id)
{
    (void)fprintf(stream, "{\"type\":\"%s\",\"session\":", type);
    json_put_hex(stream, id->session, SESSION_ID_BYTES);
}

static void end_object(FILE *stream)
{
    (void)fputs("}\n", stream);
}

static void put_key(FILE *stream, const char *key)
{
    (void)fprintf(stream, ",\"%s\":", key);
}

static void put_text_member(FILE *stream, const char *key, const char *text)
{
    put_key(stream, key);
    json_put_text(stream, text);
}

static void put_u64_member(FILE *stream, const char *key, uint64_t value)
{
    put_key(stream, key);
    json_put_u64(stream, value);
}

static void put_u32_member(FILE *stream, const char *key, uint32_t value)
{
    put_key(stream, key);
    (void)fprintf(stream, "%u", value);
}

static void put_bool_member(FILE *stream, const char *key, bool value)
{
    put_key(stream, key);
    (void)fputs(value ? "true" : "false", stream);
}

/* A monotonic time, and what the wall clock said then. */
static void put_time_members(FILE *stream, const char *key, uint64_t monotonic_ns,
                             const struct clock_reading *clock)
{
    char text[TEXT_BYTES];

    (void)fprintf(stream, ",\"%s_ns\":\"%llu\",\"%s\":\"%s\"", key,
                  (unsigned long long)monotonic_ns, key,
                  text_time(text, monotonic_ns + (clock->realtime_ns - clock->monotonic_ns)));
}

static void put_clock_member(FILE *stream, const struct clock_reading *clock)
{
    (void)fprintf(stream,
                  ",\"clock\":{\"monotonic_ns\":\"%llu\",\"realtime_ns\":\"%llu\","
                  "\"boottime_ns\":\"%llu\",\"bracket_ns\":\"%llu\"}",
                  (unsigned long long)clock->monotonic_ns, (unsigned long long)clock->realtime_ns,
                  (unsigned long long)clock->boottime_ns, (unsigned long long)clock->bracket_ns);
}

static void put_counts_member(FILE *stream, const char *key, const struct record_counts *counts)
{
    (void)fprintf(stream,
                  ",\"%s\":{\"operations\":\"%llu\",\"samples\":\"%llu\",\"marks\":\"%llu\","
                  "\"long_runs\":\"%llu\"}",
                  key, (unsigned long long)counts->operations, (unsigned long long)counts->samples,
                  (unsigned long long)counts->marks, (unsigned long long)counts->long_runs);
}

static void put_labels(FILE *stream, const struct source *source)
{
    put_key(stream, "labels");
    (void)fputc('{', stream);
    for (size_t i = 0; i < source->label_count; i++) {
        (void)fputs(i > 0 ? "," : "", stream);
        json_put_text(stream, source->labels[i].key);
        (void)fputc(':', stream);
        json_put_text(stream, source->labels[i].value);
    }
    (void)fputc('}', stream);
}

static void put_arguments(FILE *stream, const struct source *source)
{
    put_key(stream, "command_line");
    (void)fputc('[', stream);
    for (size_t i = 0; i < source->argument_count; i++) {
        (void)fputs(i > 0 ? "," : "", stream);
        json_put_text(stream, source->arguments[i]);
    }
    (void)fputc(']', stream);
}

void dump_json_source(FILE *stream, const struct source *source)
{
    begin_object(stream, "source", &source->id);
    put_text_member(stream, "kind", source_kind_name(source->kind));
    put_u32_member(stream, "part", source->part);
    put_u64_member(stream, "last_sequence", source->id.sequence);
    put_u32_member(stream, "pid", source->pid);
    put_u32_member(stream, "uid", source->uid);
    put_u32_member(stream, "gid", source->gid);
    put_u32_member(stream, "claimed_pid", source->claimed_pid);
    put_text_member(stream, "executable", source->executable);
    put_text_member(stream, "host_name", source->host_name);
    put_text_member(stream, "boot_id", source->boot_id);
    put_text_member(stream, "writer", source->writer);
    put_labels(stream, source);
    put_arguments(stream, source);
    put_time_members(stream, "session_start", source->session_start_ns, &source->clock);
    put_clock_member(stream, &source->clock);
    end_object(stream);
}

/* How far the sparse parts of a batch have been written: their rows ascend, as those of the operations. */
struct sparse_cursor {
    uint32_t id;
    uint32_t parent;
    uint32_t state[STATE_COUNT];
    uint32_t queued;
    uint32_t attribute;
};

/* Whether rows holds a value for row; the cursor then stands behind it. */
static bool take_sparse(const struct sparse_rows *rows, uint32_t *cursor, uint32_t row,
                        uint64_t *ret_value)
{
    if (*cursor >= rows->count || rows->row[*cursor] != row) {
        return false;
    }
    *ret_value = rows->value[(*cursor)++];
    return true;
}

static void put_thread_member(FILE *stream, const char *key, const struct batch *batch,
                              uint16_t index)
{
    static const struct batch_thread unknown = {.name = ""};
    const struct batch_thread *thread =
        index < batch->thread_count ? &batch->threads[index] : &unknown;

    put_key(stream, key);
    (void)fprintf(stream, "{\"tid\":%u,\"name\":", thread->tid);
    json_put_text(stream, thread->name);
    (void)fprintf(stream, ",\"serial\":\"%llu\"}", (unsigned long long)thread->serial);
}

static void put_states(FILE *stream, const struct batch *batch, uint32_t row,
                       struct sparse_cursor *cursor)
{
    const char *separator = ",\"states\":{";

    for (int state = 0; state < STATE_COUNT; state++) {
        uint64_t time_ns;

        if (take_sparse(&batch->operations.state_ns[state], &cursor->state[state], row, &time_ns)) {
            (void)fprintf(stream, "%s\"%s_ns\":\"%llu\"", separator,
                          operation_state_name((enum operation_state)state),
                          (unsigned long long)time_ns);
            separator = ",";
        }
    }
    (void)fputs(separator[1] == '\0' ? "}" : "", stream);
}

static void put_queue(FILE *stream, const struct batch *batch, uint32_t row,
                      struct sparse_cursor *cursor)
{
    const struct batch_queued *queued = &batch->queued;
    uint32_t at = cursor->queued;

    if (at < queued->count && queued->row[at] == row) {
        cursor->queued++;
        put_key(stream, "queue");
        (void)fputs("{\"name\":", stream);
        json_put_text(stream, batch->names[queued->queue[at]].text);
        (void)fprintf(stream, ",\"depth\":\"%llu\",\"residence_ns\":\"%llu\"}",
                      (unsigned long long)queued->depth[at],
                      (unsigned long long)queued->residence_ns[at]);
    }
}

static void put_attribute_value(FILE *stream, const struct batch_attributes *attributes,
                                uint32_t at)
{
    uint64_t value = attributes->value[at];
    double real;

    switch ((enum attribute_type)attributes->type[at]) {
    case ATTRIBUTE_U64:
        if (value <= INT64_MAX) {
            json_put_integer(stream, (int64_t)value);
        } else {
            json_put_u64(stream, value);
        }
        break;
    case ATTRIBUTE_I64:
        json_put_integer(stream, (int64_t)value);
        break;
    case ATTRIBUTE_F64:
        memcpy(&real, &value, sizeof(real));
        json_put_real(stream, real);
        break;
    case ATTRIBUTE_BOOL:
        (void)fputs(value != 0 ? "true" : "false", stream);
        break;
    case ATTRIBUTE_TEXT:
    case ATTRIBUTE_TEXT_CUT:
        json_put_text(stream, attributes->texts[value]);
        break;
    case ATTRIBUTE_TYPE_COUNT:
        break;
    }
}

static void put_attributes(FILE *stream, const struct batch *batch, uint32_t row,
                           struct sparse_cursor *cursor)
{
    const struct batch_attributes *attributes = &batch->attributes;
    const char *separator = ",\"attributes\":[";

    for (; cursor->attribute < attributes->count && attributes->row[cursor->attribute] == row;
         cursor->attribute++) {
        uint32_t at = cursor->attribute;

        (void)fprintf(stream, "%s{\"key\":", separator);
        json_put_text(stream, batch->names[attributes->key[at]].text);
        put_key(stream, "value");
        put_attribute_value(stream, attributes, at);
        if (attributes->type[at] == ATTRIBUTE_TEXT_CUT) {
            put_bool_member(stream, "is_cut", true);
        }
        (void)fputc('}', stream);
        separator = ",";
    }
    (void)fputs(separator[1] == '\0' ? "]" : "", stream);
}

static void put_operation(FILE *stream, const struct batch *batch, uint32_t row,
                          struct sparse_cursor *cursor)
{
    const struct batch_operations *operations = &batch->operations;
    uint64_t id;

    begin_object(stream, "operation", &batch->id);
    put_text_member(stream, "name", batch->names[operations->name[row]].text);
    put_time_members(stream, "begin", operations->begin_ns[row], &batch->clock);
    put_u64_member(stream, "duration_ns", operations->duration_ns[row]);
    put_text_member(stream, "status",
                    operation_status_name((enum operation_status)operations->status[row]));
    put_thread_member(stream, "begin_thread", batch, operations->begin_thread[row]);
    if (operations->end_thread[row] != operations->begin_thread[row]) {
        put_thread_member(stream, "end_thread", batch, operations->end_thread[row]);
    }
    if (take_sparse(&operations->id, &cursor->id, row, &id)) {
        put_u64_member(stream, "id", id);
    }
    if (take_sparse(&operations->parent, &cursor->parent, row, &id)) {
        put_u64_member(stream, "parent", id);
    }
    put_states(stream, batch, row, cursor);
    put_queue(stream, batch, row, cursor);
    put_attributes(stream, batch, row, cursor);
    end_object(stream);
}

static void put_sample(FILE *stream, const struct batch *batch, uint32_t row)
{
    const struct batch_samples *samples = &batch->samples;
    const struct batch_name *metric = &batch->names[samples->metric[row]];

    begin_object(stream, "sample", &batch->id);
    put_text_member(stream, "name", metric->text);
    put_text_member(stream, "kind", name_kind_name(metric->kind));
    put_text_member(stream, "unit", metric->unit);
    put_time_members(stream, "time", samples->time_ns[row], &batch->clock);
    put_key(stream, "value");
    if (metric->value == VALUE_DOUBLE) {
        double real;

        memcpy(&real, &samples->value[row], sizeof(real));
        json_put_real(stream, real);
    } else {
        json_put_integer(stream, (int64_t)samples->value[row]);
    }
    if (samples->thread[row] > 0) {
        put_thread_member(stream, "thread", batch, (uint16_t)(samples->thread[row] - 1));
    }
    end_object(stream);
}

static void put_mark(FILE *stream, const struct batch *batch, uint32_t row)
{
    begin_object(stream, "mark", &batch->id);
    put_text_member(stream, "name", batch->names[batch->marks.name[row]].text);
    put_time_members(stream, "time", batch->marks.time_ns[row], &batch->clock);
    put_thread_member(stream, "thread", batch, batch->marks.thread[row]);
    end_object(stream);
}

static void put_open(FILE *stream, const struct batch *batch, uint32_t row)
{
    const struct batch_open *open = &batch->open;

    begin_object(stream, "open", &batch->id);
    put_text_member(stream, "name", batch->names[open->name[row]].text);
    put_u64_member(stream, "id", open->id[row]);
    put_time_members(stream, "begin", open->begin_ns[row], &batch->clock);
    put_time_members(stream, "as_of", open->as_of_ns, &batch->clock);
    put_text_member(stream, "state", operation_state_name((enum operation_state)open->state[row]));
    end_object(stream);
}

static void put_long_run(FILE *stream, const struct batch *batch, uint32_t row)
{
    const struct batch_long_runs *runs = &batch->long_runs;

    begin_object(stream, "long_run", &batch->id);
    put_text_member(stream, "name", batch->names[runs->name[row]].text);
    put_u64_member(stream, "id", runs->id[row]);
    put_time_members(stream, "begin", runs->begin_ns[row], &batch->clock);
    put_u64_member(stream, "length_ns", runs->length_ns[row]);
    put_thread_member(stream, "thread", batch, runs->thread[row]);
    end_object(stream);
}

static void put_loss(FILE *stream, const struct packet_id *id, const struct loss *loss,
                     const struct clock_reading *clock, const char *lost_by)
{
    begin_object(stream, "loss", id);
    put_text_member(stream, "lost_by", lost_by);
    put_text_member(stream, "cause", loss_cause_name(loss->cause));
    put_counts_member(stream, "count", &loss->count);
    put_time_members(stream, "first", loss->first_ns, clock);
    put_time_members(stream, "last", loss->last_ns, clock);
    if (loss->queue != NULL && loss->queue[0] != '\0') {
        put_text_member(stream, "queue", loss->queue);
    }
    end_object(stream);
}

void dump_json_batch(FILE *stream, const struct batch *batch)
{
    struct sparse_cursor cursor = {0};

    for (uint32_t row = 0; row < batch->operations.count; row++) {
        put_operation(stream, batch, row, &cursor);
    }
    for (uint32_t row = 0; row < batch->samples.count; row++) {
        put_sample(stream, batch, row);
    }
    for (uint32_t row = 0; row < batch->marks.count; row++) {
        put_mark(stream, batch, row);
    }
    for (uint32_t row = 0; row < batch->open.count; row++) {
        put_open(stream, batch, row);
    }
    for (uint32_t row = 0; row < batch->long_runs.count; row++) {
        put_long_run(stream, batch, row);
    }
    for (uint32_t i = 0; i < batch->loss_count; i++) {
        put_loss(stream, &batch->id, &batch->losses[i], &batch->clock, "program");
    }
}

void dump_json_end(FILE *stream, const struct end *end)
{
    struct record_counts lost = totals_lost(&end->totals);

    for (uint32_t i = 0; i < end->loss_count; i++) {
        put_loss(stream, &end->id, &end->losses[i], &end->clock, "collector");
    }
    begin_object(stream, "end", &end->id);
    put_text_member(stream, "reason", end_reason_name(end->reason));
    put_u64_member(stream, "last_sequence", end->id.sequence);
    put_u64_member(stream, "batches", end->batches);
    put_u64_member(stream, "sequence_gaps", end->sequence_gaps);
    put_u64_member(stream, "frame_bytes", end->frame_bytes);
    put_counts_member(stream, "stored", &end->stored);
    put_counts_member(stream, "produced_in_session", &end->totals.produced);
    put_counts_member(stream, "lost_in_session", &lost);
    put_bool_member(stream, "totals_final", end->totals_final);
    put_clock_member(stream, &end->clock);
    end_object(stream);
}
