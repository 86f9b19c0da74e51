#include "trace_check.h"

#include "batch_decode.h"
#include "partial_file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The part of the walk that began with the last Source. */
struct part {
    bool is_begun;
    bool is_ended;
    bool is_damaged; /* its counts cannot be compared */
    uint64_t offset_bytes;
    uint64_t last_sequence;
    uint64_t batches;
    uint64_t sequence_gaps;
    struct record_counts rows;
};

struct checker {
    struct trace_check *check;
    struct batch_decoder *decoder; /* owned */
    struct batch batch;
    struct part part;
    uint64_t packets;
};

/* Only the first problem is told; the gravest verdict counts. */
PRINTF_LIKE(4, 5)
static void complain(struct trace_check *check, enum check_verdict verdict, uint64_t offset_bytes,
                     const char *format, ...)
{
    va_list arguments;

    if (check->problem[0] == '\0') {
        check->problem_offset_bytes = offset_bytes;
        va_start(arguments, format);
        (void)vsnprintf(check->problem, sizeof(check->problem), format, arguments);
        va_end(arguments);
    }
    if (check->verdict < verdict) {
        check->verdict = verdict;
    }
}

static void take_damage(struct checker *checker, const struct walk_item *item, const char *what)
{
    complain(checker->check, CHECK_DAMAGED, item->offset_bytes, "%s", what);
    checker->check->damaged_places++;
    checker->check->skipped_bytes += item->size_bytes;
    checker->part.is_damaged = true;
}

static void check_sequence(struct checker *checker, const struct walk_item *item)
{
    struct part *part = &checker->part;
    uint64_t sequence = item->id.sequence;

    if (!part->is_begun || part->is_ended) {
        complain(checker->check, CHECK_INCONSISTENT, item->offset_bytes,
                 part->is_ended ? "a batch behind the End" : "a batch without a Source before it");
    } else if (sequence <= part->last_sequence) {
        complain(checker->check, CHECK_INCONSISTENT, item->offset_bytes,
                 "batch %llu stands behind batch %llu", (unsigned long long)sequence,
                 (unsigned long long)part->last_sequence);
    } else {
        part->sequence_gaps += sequence - part->last_sequence - 1;
        checker->check->missing_batches +=
            part->is_damaged ? 0 : sequence - part->last_sequence - 1;
    }
    part->last_sequence = max_u64(part->last_sequence, sequence);
}

static int take_batch(struct checker *checker, struct packet_walk *walk,
                      const struct walk_item *item)
{
    struct batch *batch = &checker->batch;
    int r = batch_decode(checker->decoder, item->plain, batch);

    if (r == -EBADMSG) {
        take_damage(checker, item, "a batch whose columns do not fit together");
        packet_walk_distrust(walk);
        return 0;
    }
    if (r < 0) {
        return r;
    }

    struct record_counts rows = {batch->operations.count, batch->samples.count, batch->marks.count,
                                 batch->long_runs.count};

    check_sequence(checker, item);
    record_counts_add(&checker->part.rows, &rows);
    record_counts_add(&checker->check->rows, &rows);
    checker->check->open_operations += batch->open.count;
    checker->check->batches++;
    checker->part.batches++;
    return 0;
}

static int take_source(struct checker *checker, struct packet_walk *walk,
                       const struct walk_item *item)
{
    struct source source;
    int r = packet_read_source(batch_decoder_arena(checker->decoder), item->plain, &source);

    if (r == -EPROTONOSUPPORT) {
        complain(checker->check, CHECK_NEWER, item->offset_bytes,
                 "its format version is newer than %d, which this program reads",
                 TRACE_FORMAT_VERSION);
        return 0;
    }
    if (r == -EBADMSG) {
        take_damage(checker, item, "a Source that is not what the format says");
        packet_walk_distrust(walk);
        return 0;
    }
    if (r == 0) {
        if (checker->part.is_begun && !checker->part.is_ended) {
            complain(checker->check, CHECK_OPEN, item->offset_bytes,
                     "a part without an End before this place");
        }
        checker->part = (struct part){
            .is_begun = true,
            .offset_bytes = item->offset_bytes,
            .last_sequence = source.id.sequence,
        };
    }
    return r;
}

static bool counts_are_equal(const struct record_counts *a, const struct record_counts *b)
{
    return a->operations == b->operations && a->samples == b->samples && a->marks == b->marks &&
           a->long_runs == b->long_runs;
}

static bool totals_balance(const struct totals *totals)
{
    struct record_counts kept_or_lost = totals_lost(totals);

    record_counts_add(&kept_or_lost, &totals->batched);
    return counts_are_equal(&totals->produced, &kept_or_lost);
}

/* What an End says of its part must be what was read. */
static const char *contradiction(const struct part *part, const struct end *end,
                                 uint64_t offset_bytes)
{
    if (!part->is_begun) {
        return "an End without a Source before it";
    }
    if (end->id.sequence != part->last_sequence) {
        return "the End names another last batch";
    }
    if (end->batches != part->batches) {
        return "the End counts other batches than there are";
    }
    if (!counts_are_equal(&end->stored, &part->rows)) {
        return "the End counts other records than there are";
    }
    if (end->sequence_gaps != part->sequence_gaps) {
        return "the End counts other gaps between batches than there are";
    }
    if (end->frame_bytes != offset_bytes - part->offset_bytes) {
        return "the End counts other bytes than there are";
    }
    return NULL;
}

static int take_end(struct checker *checker, struct packet_walk *walk, const struct walk_item *item)
{
    struct end end;
    int r = packet_read_end(batch_decoder_arena(checker->decoder), item->plain, &end);

    if (r == -EBADMSG) {
        take_damage(checker, item, "an End that is not what the format says");
        packet_walk_distrust(walk);
        return 0;
    }
    if (r < 0) {
        return r;
    }

    const char *problem = contradiction(&checker->part, &end, item->offset_bytes);

    if (problem != NULL && !checker->part.is_damaged) {
        complain(checker->check, CHECK_INCONSISTENT, item->offset_bytes, "%s", problem);
    }
    if (end.totals_final && !totals_balance(&end.totals)) {
        complain(checker->check, CHECK_INCONSISTENT, item->offset_bytes,
                 "the End's totals do not add up: produced is not stored plus lost");
    }
    checker->part.is_ended = true;
    return 0;
}

static int take_packet(struct checker *checker, struct packet_walk *walk,
                       const struct walk_item *item)
{
    checker->packets++;
    switch (item->packet) {
    case PACKET_SOURCE:
        return take_source(checker, walk, item);
    case PACKET_BATCH:
        return take_batch(checker, walk, item);
    case PACKET_END:
        return take_end(checker, walk, item);
    }
    return 0;
}

static int take_item(struct checker *checker, struct packet_walk *walk,
                     const struct walk_item *item)
{
    switch (item->kind) {
    case WALK_PACKET:
        return take_packet(checker, walk, item);
    case WALK_NEWER:
        complain(
            checker->check, CHECK_NEWER, item->offset_bytes,
            "a packet needs features (0x%llx) that this program does not know; use a newer one",
            (unsigned long long)item->id.required_features);
        checker->part.is_damaged = true;
        return 0;
    case WALK_CUT_OFF:
        complain(checker->check, CHECK_CUT_OFF, item->offset_bytes, "the file ends within a frame");
        checker->check->skipped_bytes += item->size_bytes;
        return 0;
    case WALK_DAMAGE:
        take_damage(checker, item, "bytes that are no good frame");
        return 0;
    }
    return 0;
}

static void conclude(struct checker *checker, bool is_partial)
{
    struct trace_check *check = checker->check;

    if (checker->packets == 0 && check->verdict != CHECK_NEWER &&
        !(is_partial && check->file_bytes == 0)) {
        check->verdict = CHECK_NO_TRACE;
        return;
    }
    if (!checker->part.is_ended) {
        complain(check, CHECK_OPEN, check->file_bytes, "no End");
    }
}

static int walk_file(struct checker *checker, struct packet_walk *walk)
{
    struct walk_item item;
    int r;

    while ((r = packet_walk_next(walk, &item)) == 1) {
        r = take_item(checker, walk, &item);
        if (r < 0) {
            return r;
        }
    }
    return r;
}

static int check_once(struct checker *checker, const char *path)
{
    struct packet_walk walk;
    int r = packet_walk_open(&walk, path);

    *checker->check = (struct trace_check){.verdict = CHECK_GOOD};
    checker->part = (struct part){0};
    checker->packets = 0;
    r = r < 0 ? r : walk_file(checker, &walk);
    if (r == 0) {
        checker->check->file_bytes = trace_reader_size(walk.reader);
        conclude(checker, is_partial_file(path));
    } else if (r != -ENOMEM) {
        checker->check->verdict = CHECK_UNREADABLE;
        checker->check->error = r;
        r = 0;
    }
    packet_walk_release(&walk);
    return r;
}

int trace_check_file(const char *path, struct trace_check *ret_check)
{
    struct checker checker = {.check = ret_check};
    int r = batch_decoder_new(&checker.decoder);

    batch_init(&checker.batch);
    r = r < 0 ? r : check_once(&checker, path);
    if (r == 0 && ret_check->verdict == CHECK_CUT_OFF && is_partial_file(path) &&
        partial_file_has_grown(path, ret_check->file_bytes)) {
        ret_check->verdict = CHECK_OPEN;
        ret_check->skipped_bytes = 0;
    }
    batch_release(&checker.batch);
    batch_decoder_free(checker.decoder);
    return r;
}
