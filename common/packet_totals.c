#include "packet_totals.h"

#include "proto_cursor.h"

#include <errno.h>

/* Field numbers of trace.proto. */
enum { CLOCK_MONOTONIC_FIELD = 1, CLOCK_REALTIME_FIELD, CLOCK_BOOTTIME_FIELD, CLOCK_BRACKET_FIELD };
enum { COUNTS_OPERATIONS = 1, COUNTS_SAMPLES, COUNTS_MARKS, COUNTS_LONG_RUNS };
enum {
    TOTALS_PRODUCED = 1,
    TOTALS_BATCHED,
    TOTALS_LOST,
    TOTALS_STALE_ENDS,
    TOTALS_NAMES_FOLDED,
    TOTALS_ATTRIBUTES_CUT,
    TOTALS_CLIENT_CPU,
    TOTALS_FRAME_BYTES,
};
enum { LOSS_CAUSE = 1, LOSS_COUNT, LOSS_FIRST, LOSS_LAST, LOSS_QUEUE };

/* --- Writing --- */

static void put_clock_fields(struct proto_sink *sink, const struct clock_reading *clock)
{
    proto_put_uint64(sink, CLOCK_MONOTONIC_FIELD, clock->monotonic_ns);
    proto_put_uint64(sink, CLOCK_REALTIME_FIELD, clock->realtime_ns);
    proto_put_uint64(sink, CLOCK_BOOTTIME_FIELD, clock->boottime_ns);
    proto_put_uint64(sink, CLOCK_BRACKET_FIELD, clock->bracket_ns);
}

void packet_put_clock(struct proto_sink *sink, unsigned int number,
                      const struct clock_reading *clock)
{
    struct proto_sink measure = {0};

    put_clock_fields(&measure, clock);
    proto_put_header(sink, number, measure.size);
    put_clock_fields(sink, clock);
}

static void put_counts_fields(struct proto_sink *sink, const struct record_counts *counts)
{
    proto_put_uint64(sink, COUNTS_OPERATIONS, counts->operations);
    proto_put_uint64(sink, COUNTS_SAMPLES, counts->samples);
    proto_put_uint64(sink, COUNTS_MARKS, counts->marks);
    proto_put_uint64(sink, COUNTS_LONG_RUNS, counts->long_runs);
}

void packet_put_counts(struct proto_sink *sink, unsigned int number,
                       const struct record_counts *counts)
{
    struct proto_sink measure = {0};

    put_counts_fields(&measure, counts);
    proto_put_header(sink, number, measure.size);
    put_counts_fields(sink, counts);
}

/* A LossTotal has the first two fields of a Loss. */
static void put_loss_total_fields(struct proto_sink *sink, unsigned int cause,
                                  const struct record_counts *counts)
{
    proto_put_uint64(sink, LOSS_CAUSE, cause);
    packet_put_counts(sink, LOSS_COUNT, counts);
}

static void put_loss_total(struct proto_sink *sink, unsigned int cause,
                           const struct record_counts *counts)
{
    struct proto_sink measure = {0};

    put_loss_total_fields(&measure, cause, counts);
    proto_put_header(sink, TOTALS_LOST, measure.size);
    put_loss_total_fields(sink, cause, counts);
}

static void put_totals_fields(struct proto_sink *sink, const struct totals *totals)
{
    packet_put_counts(sink, TOTALS_PRODUCED, &totals->produced);
    packet_put_counts(sink, TOTALS_BATCHED, &totals->batched);
    for (unsigned int cause = 0; cause < LOSS_CAUSE_COUNT; cause++) {
        if (!record_counts_are_zero(&totals->lost[cause])) {
            put_loss_total(sink, cause, &totals->lost[cause]);
        }
    }
    proto_put_uint64(sink, TOTALS_STALE_ENDS, totals->stale_ends);
    proto_put_uint64(sink, TOTALS_NAMES_FOLDED, totals->names_folded);
    proto_put_uint64(sink, TOTALS_ATTRIBUTES_CUT, totals->attributes_cut);
    proto_put_uint64(sink, TOTALS_CLIENT_CPU, totals->client_cpu_ns);
    proto_put_uint64(sink, TOTALS_FRAME_BYTES, totals->frame_bytes);
}

void packet_put_totals(struct proto_sink *sink, unsigned int number, const struct totals *totals)
{
    struct proto_sink measure = {0};

    put_totals_fields(&measure, totals);
    proto_put_header(sink, number, measure.size);
    put_totals_fields(sink, totals);
}

static void put_loss_fields(struct proto_sink *sink, const struct loss *loss)
{
    put_loss_total_fields(sink, loss->cause, &loss->count);
    proto_put_uint64(sink, LOSS_FIRST, loss->first_ns);
    proto_put_uint64(sink, LOSS_LAST, loss->last_ns);
    proto_put_optional_text(sink, LOSS_QUEUE, loss->queue);
}

void packet_put_loss(struct proto_sink *sink, unsigned int number, const struct loss *loss)
{
    struct proto_sink measure = {0};

    put_loss_fields(&measure, loss);
    proto_put_header(sink, number, measure.size);
    put_loss_fields(sink, loss);
}

/* --- Reading --- */

static int read_clock_field(const struct proto_field *field, struct clock_reading *clock)
{
    switch (field->number) {
    case CLOCK_MONOTONIC_FIELD:
        return proto_uint64(field, &clock->monotonic_ns);
    case CLOCK_REALTIME_FIELD:
        return proto_uint64(field, &clock->realtime_ns);
    case CLOCK_BOOTTIME_FIELD:
        return proto_uint64(field, &clock->boottime_ns);
    case CLOCK_BRACKET_FIELD:
        return proto_uint64(field, &clock->bracket_ns);
    default:
        return 0;
    }
}

int packet_read_clock(struct slice bytes, struct clock_reading *ret_clock)
{
    struct proto_field field;
    int r = proto_next(&bytes, &field);

    *ret_clock = (struct clock_reading){0};
    while (r > 0) {
        r = read_clock_field(&field, ret_clock);
        r = r < 0 ? r : proto_next(&bytes, &field);
    }
    return r;
}

static int read_counts_field(const struct proto_field *field, struct record_counts *counts)
{
    switch (field->number) {
    case COUNTS_OPERATIONS:
        return proto_uint64(field, &counts->operations);
    case COUNTS_SAMPLES:
        return proto_uint64(field, &counts->samples);
    case COUNTS_MARKS:
        return proto_uint64(field, &counts->marks);
    case COUNTS_LONG_RUNS:
        return proto_uint64(field, &counts->long_runs);
    default:
        return 0;
    }
}

int packet_read_counts(struct slice bytes, struct record_counts *ret_counts)
{
    struct proto_field field;
    int r = proto_next(&bytes, &field);

    *ret_counts = (struct record_counts){0};
    while (r > 0) {
        r = read_counts_field(&field, ret_counts);
        r = r < 0 ? r : proto_next(&bytes, &field);
    }
    return r;
}

static int read_counts_message(const struct proto_field *field, struct record_counts *ret_counts)
{
    return field->type != PROTO_BYTES ? -EBADMSG : packet_read_counts(field->content, ret_counts);
}

static int read_loss_field(const struct proto_field *field, struct packet_arena *arena,
                           struct loss *loss)
{
    uint64_t cause = 0;
    int r;

    switch (field->number) {
    case LOSS_CAUSE:
        r = proto_uint64(field, &cause);
        loss->cause = cause < LOSS_CAUSE_COUNT ? (enum loss_cause)cause : LOSS_UNKNOWN;
        return r;
    case LOSS_COUNT:
        return read_counts_message(field, &loss->count);
    case LOSS_FIRST:
        return proto_uint64(field, &loss->first_ns);
    case LOSS_LAST:
        return proto_uint64(field, &loss->last_ns);
    case LOSS_QUEUE:
        return field->type != PROTO_BYTES
                   ? -EBADMSG
                   : packet_arena_copy_text(arena, field->content, NAME_MAX_BYTES, &loss->queue);
    default:
        return 0;
    }
}

int packet_read_loss(struct packet_arena *arena, struct slice bytes, struct loss *ret_loss)
{
    struct proto_field field;
    int r = proto_next(&bytes, &field);

    *ret_loss = (struct loss){0};
    while (r > 0) {
        r = read_loss_field(&field, arena, ret_loss);
        r = r < 0 ? r : proto_next(&bytes, &field);
    }
    return r;
}

static int add_loss_total(const struct proto_field *field, struct totals *totals)
{
    struct slice rest = field->content;
    struct proto_field inner;
    struct loss loss = {0};
    int r = field->type != PROTO_BYTES ? -EBADMSG : proto_next(&rest, &inner);

    while (r > 0) {
        r = inner.number <= LOSS_COUNT ? read_loss_field(&inner, NULL, &loss) : 0;
        r = r < 0 ? r : proto_next(&rest, &inner);
    }
    record_counts_add(&totals->lost[loss.cause], &loss.count);
    return r;
}

static int read_totals_field(const struct proto_field *field, struct totals *totals)
{
    switch (field->number) {
    case TOTALS_PRODUCED:
        return read_counts_message(field, &totals->produced);
    case TOTALS_BATCHED:
        return read_counts_message(field, &totals->batched);
    case TOTALS_LOST:
        return add_loss_total(field, totals);
    case TOTALS_STALE_ENDS:
        return proto_uint64(field, &totals->stale_ends);
    case TOTALS_NAMES_FOLDED:
        return proto_uint64(field, &totals->names_folded);
    case TOTALS_ATTRIBUTES_CUT:
        return proto_uint64(field, &totals->attributes_cut);
    case TOTALS_CLIENT_CPU:
        return proto_uint64(field, &totals->client_cpu_ns);
    case TOTALS_FRAME_BYTES:
        return proto_uint64(field, &totals->frame_bytes);
    default:
        return 0;
    }
}

int packet_read_totals(struct slice bytes, struct totals *ret_totals)
{
    struct proto_field field;
    int r = proto_next(&bytes, &field);

    *ret_totals = (struct totals){0};
    while (r > 0) {
        r = read_totals_field(&field, ret_totals);
        r = r < 0 ? r : proto_next(&bytes, &field);
    }
    return r;
}
