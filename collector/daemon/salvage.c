#include "salvage.h"

#include "clocks.h"
#include "wire.h"

#include <errno.h>
#include <string.h>

/* As of frames from the socket. */
#define SEQUENCE_MAX (UINT64_C(1) << 62)
#define GAP_MAX (UINT64_C(1) << 32)

/* --- The begin and the end --- */

static int prepare(struct salvage *salvage)
{
    int r = recorder_reader_open(&salvage->reader, salvage->recorder_fd, salvage->session->id);

    if (r < 0) {
        return r;
    }
    uint64_t newest = salvage->reader.newest_batch;

    if (newest > SEQUENCE_MAX ||
        (newest > salvage->last_sequence && newest - salvage->last_sequence > GAP_MAX)) {
        return -EBADMSG;
    }
    salvage->entries = malloc(SALVAGE_BATCH_ENTRIES * sizeof(*salvage->entries));
    r = salvage->entries == NULL ? -ENOMEM : batch_encoder_new(&salvage->encoder);
    r = r < 0 ? r : salvage_batch_init(&salvage->rows, &salvage->reader);
    return r < 0 ? r : left_operations_find(&salvage->reader, &salvage->open, &salvage->open_count);
}

int salvage_new(struct salvage **ret_salvage, struct client_session *session, int recorder_fd,
                uint64_t last_sequence)
{
    struct salvage *salvage = calloc(1, sizeof(*salvage));

    if (salvage == NULL) {
        (void)close(recorder_fd);
        return -ENOMEM;
    }
    salvage->session = session;
    salvage->recorder_fd = recorder_fd;
    salvage->last_sequence = last_sequence;
    salvage->as_of_ns = clock_monotonic_ns();
    int r = prepare(salvage);
    if (r < 0) {
        salvage_free(salvage);
        return r;
    }
    *ret_salvage = salvage;
    return 0;
}

void salvage_free(struct salvage *salvage)
{
    if (salvage == NULL) {
        return;
    }
    cleanup_close(&salvage->recorder_fd);
    salvage_batch_release(&salvage->rows);
    recorder_reader_release(&salvage->reader);
    batch_encoder_free(salvage->encoder);
    free(salvage->entries);
    free(salvage->open);
    free(salvage);
}

/* Gives the frame its place in the session. */
static void number_job(struct salvage *salvage, struct disk_job *job, uint64_t sequence)
{
    job->session = salvage->session;
    job->sequence = sequence;
    job->gap = sequence - salvage->last_sequence - 1;
    salvage->last_sequence = sequence;
}

/* --- Frames of the outbox --- */

/* Returns 1 and the entry with the least sequence that the session does not have; 0 if there is none. */
static int next_outbox_entry(const struct salvage *salvage, struct outbox_entry *ret_entry)
{
    int found = 0;

    for (uint32_t i = 0; i < salvage->reader.outbox.entry_count; i++) {
        struct outbox_entry entry;
        int r = recorder_reader_outbox_entry(&salvage->reader, i, &entry);

        if (r < 0) {
            return r;
        }
        if (r > 0 && entry.account.sequence > salvage->last_sequence &&
            entry.account.sequence <= salvage->reader.newest_batch &&
            (found == 0 || entry.account.sequence < ret_entry->account.sequence)) {
            *ret_entry = entry;
            found = 1;
        }
    }
    return found;
}

/* As client_protocol.c tests what comes over the socket. */
static bool message_is_valid(const uint8_t *header_bytes, const struct disk_job *job,
                             const struct wire_header *header, struct frame_info *ret_info)
{
    struct slice frame = {job->bytes, job->size};

    return (header->type == WIRE_FRAME || header->type == WIRE_GOODBYE) &&
           header->header_size == WIRE_HEADER_BYTES && header->payload_size == job->size &&
           wire_checksum_is_right(header_bytes, frame) && frame_check(frame, ret_info) == 0 &&
           ret_info->size == job->size;
}

/* Returns 1 and the frame of an entry; 0 if it is none: then it is missing; or a negative errno. */
static int read_frame(struct salvage *salvage, const struct outbox_entry *entry,
                      struct disk_job **ret_job)
{
    uint64_t offset = salvage->reader.header.outbox_offset + entry->offset;
    uint8_t header_bytes[WIRE_HEADER_BYTES];
    struct wire_header header;
    struct frame_info info;

    if (entry->size <= WIRE_HEADER_BYTES ||
        entry->size > WIRE_HEADER_BYTES + WIRE_MAX_FRAME_BYTES) {
        return 0;
    }
    AUTO_FREE struct disk_job *job = disk_job_new(JOB_FRAME, entry->size - WIRE_HEADER_BYTES);
    if (job == NULL) {
        return -ENOMEM;
    }
    int r = recorder_reader_copy(&salvage->reader, offset, header_bytes, sizeof(header_bytes));
    r = r < 0 ? r
              : recorder_reader_copy(&salvage->reader, offset + WIRE_HEADER_BYTES, job->bytes,
                                     job->size);
    if (r < 0) {
        return r;
    }
    if (wire_header_read(header_bytes, &header) < 0 || header.sequence != entry->account.sequence ||
        !message_is_valid(header_bytes, job, &header, &info)) {
        return 0;
    }
    job->counts = (struct record_counts){header.counts[0], header.counts[1], header.counts[2],
                                         header.counts[3]};
    job->first_ns = header.first_ns;
    job->last_ns = header.last_ns;
    job->plain_size = info.plain_size;
    job->is_last = header.type == WIRE_GOODBYE;
    salvage->said_goodbye = job->is_last;
    number_job(salvage, job, header.sequence);
    *ret_job = take_pointer(&job);
    return 1;
}

/* A frame that is damaged is a gap, and its records are lost. */
static void skip_frame(struct salvage *salvage, const struct outbox_entry *entry)
{
    record_counts_add(&salvage->broken, &entry->account.rows);
    record_counts_subtract(&salvage->reader.books.batched, &entry->account.rows);
}

/* Returns 1 and the next frame that the session does not have; 0 if there are no more; or a negative errno. */
static int step_outbox(struct salvage *salvage, struct disk_job **ret_job)
{
    struct outbox_entry entry = {0};
    uint64_t before = salvage->last_sequence;
    int r = next_outbox_entry(salvage, &entry);

    while (r > 0) {
        r = read_frame(salvage, &entry, ret_job);
        if (r != 0) {
            break;
        }
        skip_frame(salvage, &entry);
        salvage->last_sequence = entry.account.sequence;
        r = next_outbox_entry(salvage, &entry);
    }
    if (r > 0) {
        (*ret_job)->gap = (*ret_job)->sequence - before - 1;
    }
    return r;
}

/* --- Entries of staging and rings --- */

/* How many of count entries are whole records; those below the end of a chunk in staging are told to its ring. */
static uint32_t whole_records(struct salvage *salvage, const struct record *entries, uint32_t count)
{
    uint32_t at = 0;

    while (at < count) {
        uint32_t size = salvage_record_entries(&entries[at]);

        if (size == 0 || size > count - at) {
            break;
        }
        if (entries[at].kind == ENTRY_CHUNK) {
            struct chunk_entry chunk;

            memcpy(&chunk, &entries[at], sizeof(chunk));
            if (chunk.ring < salvage->reader.ring_count) {
                struct left_ring *ring = &salvage->reader.rings[chunk.ring];

                ring->from = min_u64(max_u64(ring->from, chunk.to), ring->to);
            }
        }
        at += size;
    }
    return at;
}

/*
 * Moves a position behind the whole records that were read. What is left over of the source is cut, unless it goes on.
 *
 * Returns:  the entries taken.
 */
static int64_t take_records(struct salvage *salvage, uint32_t filled, uint64_t *position,
                            uint64_t end, uint32_t read)
{
    uint32_t whole = whole_records(salvage, salvage->entries + filled, read);
    bool goes_on = *position + read < end && read - whole <= MAX_CONTINUATIONS;

    *position = goes_on ? *position + whole : end;
    return whole;
}

/* The same for the next entries of staging. Returns how many; 0 if there are no more; or a negative errno. */
static int64_t fill_from_staging(struct salvage *salvage, uint32_t filled)
{
    const struct recorder_reader *reader = &salvage->reader;
    uint64_t used = reader->staging_counts ? reader->staging.used : 0;
    uint32_t count = (uint32_t)min_u64(used - salvage->staging_at, SALVAGE_BATCH_ENTRIES - filled);
    int r = recorder_reader_copy(reader,
                                 reader->header.staging_offset + sizeof(struct staging) +
                                     salvage->staging_at * ENTRY_BYTES,
                                 salvage->entries + filled, (uint64_t)count * ENTRY_BYTES);

    return r < 0 ? r : take_records(salvage, filled, &salvage->staging_at, used, count);
}

static int64_t fill_from_ring(struct salvage *salvage, struct left_ring *ring, uint32_t filled)
{
    uint32_t count = (uint32_t)min_u64(ring->to - ring->from, SALVAGE_BATCH_ENTRIES - filled);
    int r = recorder_reader_ring_entries(&salvage->reader, ring, ring->from,
                                         salvage->entries + filled, count);

    return r < 0 ? r : take_records(salvage, filled, &ring->from, ring->to, count);
}

static bool has_more_staging(const struct salvage *salvage)
{
    return salvage->reader.staging_counts && salvage->staging_at < salvage->reader.staging.used;
}

/* The ring that is to be read next, or NULL. */
static struct left_ring *next_ring(struct salvage *salvage)
{
    struct recorder_reader *reader = &salvage->reader;

    while (salvage->ring_at < reader->ring_count &&
           reader->rings[salvage->ring_at].from >= reader->rings[salvage->ring_at].to) {
        salvage->ring_at++;
    }
    return salvage->ring_at < reader->ring_count ? &reader->rings[salvage->ring_at] : NULL;
}

/* Fills the entries of a batch. Returns how many, or a negative errno. */
static int64_t fill(struct salvage *salvage)
{
    int64_t filled = 0;

    /* Less than a whole record may find room: the rest comes with the next batch. */
    while (filled < SALVAGE_BATCH_ENTRIES - MAX_CONTINUATIONS) {
        struct left_ring *ring = NULL;
        int64_t got = 0;

        if (has_more_staging(salvage)) {
            got = fill_from_staging(salvage, (uint32_t)filled);
        } else if ((ring = next_ring(salvage)) != NULL) {
            got = fill_from_ring(salvage, ring, (uint32_t)filled);
        } else {
            break;
        }
        if (got < 0) {
            return got;
        }
        filled += got;
    }
    return filled;
}

/* --- Batches --- */

static void add_loss(struct batch *batch, enum loss_cause cause, const struct record_counts *count,
                     uint64_t first_ns, uint64_t last_ns)
{
    if (!record_counts_are_zero(count)) {
        batch->losses[batch->loss_count++] = (struct loss){
            .cause = cause, .count = *count, .first_ns = first_ns, .last_ns = last_ns};
    }
}

/* Losses since the last batch of the client, and those that salvaging made. */
static int tell_losses(const struct salvage *salvage, struct batch *batch)
{
    const struct recorder_reader *reader = &salvage->reader;
    const struct recorder_books *books = &reader->books;
    uint64_t first_ns = min_u64(books->looked_ns, salvage->as_of_ns);
    int r = batch_reserve_losses(batch, LOSS_CAUSE_COUNT);

    for (int cause = 0; r == 0 && cause < LOSS_CLIENT_CAUSE_COUNT; cause++) {
        struct record_counts untold = reader->thread_losses[cause];

        record_counts_subtract(&untold, &books->seen[cause]);
        record_counts_add(&untold, &books->untold[cause]);
        if (cause == LOSS_OUT_OF_RANGE) {
            record_counts_add(&untold, &salvage->refused);
        }
        add_loss(batch, (enum loss_cause)cause, &untold, first_ns, salvage->as_of_ns);
    }
    if (r == 0) {
        add_loss(batch, LOSS_RECORDER_LOST, &salvage->broken, first_ns, salvage->as_of_ns);
    }
    return r;
}

/* What was batched, and what was lost, is all that was produced: what rings held is in one of them now. */
static struct totals make_totals(const struct salvage *salvage)
{
    const struct recorder_reader *reader = &salvage->reader;
    const struct recorder_books *books = &reader->books;
    struct totals totals = {
        .batched = books->batched,
        .stale_ends = reader->stale_ends,
        .attributes_cut = reader->attributes_cut,
        .names_folded = reader->header.names_folded,
        .client_cpu_ns = books->client_cpu_ns,
        .frame_bytes = books->frame_bytes,
    };

    record_counts_add(&totals.batched, &salvage->salvaged);
    totals.produced = totals.batched;
    for (int cause = 0; cause < LOSS_CLIENT_CAUSE_COUNT; cause++) {
        totals.lost[cause] = reader->thread_losses[cause];
        record_counts_subtract(&totals.lost[cause], &books->seen[cause]);
        record_counts_add(&totals.lost[cause], &books->lost[cause]);
    }
    record_counts_add(&totals.lost[LOSS_OUT_OF_RANGE], &salvage->refused);
    totals.lost[LOSS_RECORDER_LOST] = salvage->broken;
    for (int cause = 0; cause < LOSS_CAUSE_COUNT; cause++) {
        record_counts_add(&totals.produced, &totals.lost[cause]);
    }
    return totals;
}

static void fill_head(const struct salvage *salvage, struct batch *batch)
{
    const struct recorder_books *books = &salvage->reader.books;
    bool ticks_are_ns = books->anchor_ticks == books->anchor_ns;

    memcpy(batch->id.session, salvage->session->id, SESSION_ID_BYTES);
    batch->id.sequence = max_u64(salvage->last_sequence, salvage->reader.newest_batch) + 1;
    batch->id.required_features = 0;
    batch->clock = clock_read_all();
    batch->totals = make_totals(salvage);
    batch->sample_period_ns = 0;
    batch->salvaged = true;
    batch->anchor_ticks = ticks_are_ns ? 0 : books->anchor_ticks;
    batch->anchor_ns = ticks_are_ns ? 0 : books->anchor_ns;
    batch->ns_per_tick = ticks_are_ns ? 0.0 : books->ns_per_tick;
}

static int encode(struct salvage *salvage, struct disk_job **ret_job)
{
    struct batch *batch = &salvage->rows.batch;
    AUTO_FREE struct disk_job *job = disk_job_new(JOB_FRAME, batch_encode_bound(batch));
    struct frame_info info;
    size_t size = 0;

    if (job == NULL) {
        return -ENOMEM;
    }
    int r = batch_encode(salvage->encoder, batch, job->bytes, job->size, &size);
    r = r < 0 ? r : frame_check((struct slice){job->bytes, size}, &info);
    if (r < 0) {
        return r;
    }
    job->size = size;
    job->counts = (struct record_counts){batch->operations.count, batch->samples.count,
                                         batch->marks.count, batch->long_runs.count};
    job->first_ns = batch->min_begin_ns;
    job->last_ns = batch->max_end_ns;
    job->plain_size = info.plain_size;
    *ret_job = take_pointer(&job);
    return 0;
}

/* Makes a batch of entries, and of all that is left to say if it is the last one. */
static int make_batch(struct salvage *salvage, uint32_t count, bool is_last,
                      struct disk_job **ret_job)
{
    struct batch *batch = &salvage->rows.batch;
    const struct record_counts before = salvage->salvaged;
    const struct record_counts refused_before = salvage->refused;
    int r = salvage_batch_build(&salvage->rows, salvage->entries, count, salvage->open,
                                is_last ? salvage->open_count : 0, salvage->as_of_ns);

    salvage->refused.operations += salvage->rows.refused_operations;
    record_counts_add(&salvage->salvaged,
                      &(struct record_counts){batch->operations.count, batch->samples.count,
                                              batch->marks.count, batch->long_runs.count});
    fill_head(salvage, batch);
    r = r < 0 || !is_last ? r : tell_losses(salvage, batch);
    r = r < 0 ? r : encode(salvage, ret_job);
    if (r < 0) {
        salvage->salvaged = before;
        salvage->refused = refused_before;
    }
    return r;
}

/* Entries that make no batch that the format holds are lost; what else there is to say is said without them. */
static int step_rows(struct salvage *salvage, struct disk_job **ret_job)
{
    int64_t count = fill(salvage);

    if (count < 0) {
        return (int)count;
    }
    salvage->is_over = !has_more_staging(salvage) && next_ring(salvage) == NULL;
    int r = make_batch(salvage, (uint32_t)count, salvage->is_over, ret_job);
    if (r < 0 && count > 0) {
        const struct record_counts lost = salvage_count(salvage->entries, (uint32_t)count);

        record_counts_add(&salvage->broken, &lost);
        r = make_batch(salvage, 0, salvage->is_over, ret_job);
    }
    if (r < 0) {
        return r;
    }
    number_job(salvage, *ret_job, salvage->rows.batch.id.sequence);
    return 1;
}

int salvage_step(struct salvage *salvage, struct disk_job **ret_job)
{
    if (salvage->said_goodbye || salvage->is_over) {
        return 0;
    }
    int r = step_outbox(salvage, ret_job);
    return r != 0 ? r : step_rows(salvage, ret_job);
}
