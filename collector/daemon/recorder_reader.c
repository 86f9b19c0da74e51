#include "recorder_reader.h"

#include "batch.h"
#include "utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

enum {
    OUTBOX_MAX_ENTRIES = 8192,
    NS_PER_TICK_MAX = 1000000, /* of a counter of 1 kHz: there is none so slow */
    OTHER_NAMES =
        NAME_KIND_COUNT + 1, /* "(other)" of each kind, and of gauges with double values */
};

static const char other_text[] = "(other)";

/* --- The file --- */

static bool lies_within(uint64_t file_bytes, uint64_t offset, uint64_t count, uint64_t unit)
{
    return offset <= file_bytes && count <= (file_bytes - offset) / unit;
}

int recorder_reader_copy(const struct recorder_reader *reader, uint64_t offset, void *ret_bytes,
                         uint64_t size)
{
    uint64_t done = 0;

    if (!lies_within(reader->header.size_bytes, offset, size, 1)) {
        return -EBADMSG;
    }
    while (done < size) {
        ssize_t got =
            pread(reader->fd, (char *)ret_bytes + done, size - done, (off_t)(offset + done));

        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got <= 0) {
            return got < 0 ? -errno : -EBADMSG;
        }
        done += (uint64_t)got;
    }
    return 0;
}

/* Returns 0 and the size, or -EBADMSG if this is no file that can be read without risk. */
static int check_file(int fd, uint64_t *ret_size)
{
    const int wanted = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL;
    struct stat status;
    struct statfs system;
    int seals = fcntl(fd, F_GET_SEALS);

    if (seals < 0 || (seals & wanted) != wanted || fstat(fd, &status) < 0 ||
        fstatfs(fd, &system) < 0) {
        return -EBADMSG;
    }
    if (!S_ISREG(status.st_mode) || (unsigned long)system.f_type != TMPFS_MAGIC ||
        status.st_size < (off_t)sizeof(struct recorder) ||
        (uint64_t)status.st_size > RECORDER_READER_MAX_BYTES) {
        return -EBADMSG;
    }
    *ret_size = (uint64_t)status.st_size;
    return 0;
}

bool recorder_reader_accepts(int fd)
{
    uint64_t size;

    return check_file(fd, &size) == 0;
}

/* --- The header --- */

static bool areas_are_valid(const struct recorder *header)
{
    uint64_t size = header->size_bytes;

    return header->slot_count >= MAGAZINE_SLOTS && header->slot_count <= RECORDER_MAX_SLOTS &&
           header->staging_entries <= size / ENTRY_BYTES && header->outbox_bytes <= size &&
           lies_within(size, header->names_offset, RECORDER_MAX_NAMES, sizeof(struct name_entry)) &&
           lies_within(size, header->name_text_offset, RECORDER_NAME_TEXT_BYTES, 1) &&
           lies_within(size, header->threads_offset, RECORDER_MAX_THREADS,
                       sizeof(struct thread_entry)) &&
           lies_within(size, header->slots_offset, header->slot_count, sizeof(struct slot)) &&
           lies_within(size, header->staging_offset, header->staging_entries + 1, ENTRY_BYTES) &&
           lies_within(size, header->outbox_offset, header->outbox_bytes, 1) &&
           lies_within(size, header->rings_offset, header->rings_bytes, 1);
}

static int read_header(struct recorder_reader *reader, uint64_t size, const uint8_t *session)
{
    struct recorder *header = &reader->header;

    header->size_bytes = size;
    int r = recorder_reader_copy(reader, 0, header, sizeof(*header));
    uint64_t claimed = header->size_bytes;

    header->size_bytes = size; /* whatever was copied */
    if (r < 0) {
        return r;
    }
    if (header->magic != RECORDER_MAGIC) {
        return -EBADMSG;
    }
    if (header->version != RECORDER_VERSION || header->header_bytes != sizeof(*header)) {
        return -EPROTONOSUPPORT;
    }
    return claimed == size && memcmp(header->session, session, SESSION_ID_BYTES) == 0 &&
                   areas_are_valid(header)
               ? 0
               : -EBADMSG;
}

/* --- Outbox, staging and books --- */

static int read_heads(struct recorder_reader *reader)
{
    const struct recorder *header = &reader->header;
    int r = recorder_reader_copy(reader, header->outbox_offset, &reader->outbox,
                                 sizeof(reader->outbox));

    r = r < 0 ? r
              : recorder_reader_copy(reader, header->staging_offset, &reader->staging,
                                     sizeof(reader->staging));
    if (r < 0) {
        return r;
    }
    return reader->outbox.entry_count <= OUTBOX_MAX_ENTRIES &&
                   lies_within(header->outbox_bytes, sizeof(struct outbox_head),
                               reader->outbox.entry_count, sizeof(struct outbox_entry)) &&
                   reader->staging.used <= header->staging_entries
               ? 0
               : -EBADMSG;
}

int recorder_reader_outbox_entry(const struct recorder_reader *reader, uint32_t index,
                                 struct outbox_entry *ret_entry)
{
    struct outbox_entry entry;
    int r = recorder_reader_copy(
        reader, reader->header.outbox_offset + sizeof(struct outbox_head) + index * sizeof(entry),
        &entry, sizeof(entry));

    if (r < 0) {
        return r;
    }
    if (entry.state != OUTBOX_HELD || entry.account.sequence == reader->books.dropped ||
        !lies_within(reader->header.outbox_bytes, entry.offset, entry.size, 1)) {
        return 0;
    }
    *ret_entry = entry;
    return 1;
}

static int find_newest_batch(struct recorder_reader *reader)
{
    reader->newest_batch = reader->outbox.batch;
    for (uint32_t i = 0; i < reader->outbox.entry_count; i++) {
        struct outbox_entry entry;
        int r = recorder_reader_outbox_entry(reader, i, &entry);

        if (r < 0) {
            return r;
        }
        if (r > 0) {
            reader->newest_batch = max_u64(reader->newest_batch, entry.account.sequence);
        }
    }
    return 0;
}

/* The flusher got no further than to the batch before that of the books. */
static void take_back(struct recorder_books *books)
{
    record_counts_subtract(&books->batched, &books->rows);
    for (int cause = 0; cause < LOSS_CLIENT_CAUSE_COUNT; cause++) {
        record_counts_add(&books->untold[cause], &books->told[cause]);
    }
    books->lost[LOSS_OUT_OF_RANGE].operations -= books->refused;
    books->untold[LOSS_OUT_OF_RANGE].operations -= books->refused;
}

static int read_books(struct recorder_reader *reader)
{
    reader->books = reader->header.books[reader->header.books_turn & 1U];
    int r = find_newest_batch(reader);

    if (!(reader->books.ns_per_tick > 0 && reader->books.ns_per_tick < NS_PER_TICK_MAX)) {
        return -EBADMSG;
    }
    if (r == 0 && reader->books.batch > reader->newest_batch) {
        take_back(&reader->books);
    }
    reader->staging_counts = reader->staging.batch > reader->newest_batch;
    return r;
}

/* --- Rings --- */

static void add_losses(struct recorder_reader *reader, const struct ring *ring)
{
    for (int cause = 0; cause < LOSS_CLIENT_CAUSE_COUNT; cause++) {
        const struct record_counts counts = {ring->lost_operations[cause],
                                             ring->lost_samples[cause], ring->lost_marks[cause],
                                             ring->lost_long_runs[cause]};

        record_counts_add(&reader->thread_losses[cause], &counts);
    }
    reader->stale_ends += ring->stale_ends;
    reader->attributes_cut += ring->attributes_cut;
}

static bool ring_is_valid(const struct recorder *header, uint64_t offset, const struct ring *ring)
{
    return (ring->mask & (ring->mask + 1)) == 0 && ring->mask < header->size_bytes / ENTRY_BYTES &&
           lies_within(header->size_bytes, offset + RING_ENTRIES_OFFSET, ring->mask + 1,
                       ENTRY_BYTES) &&
           ring->consumed <= ring->published && ring->published - ring->consumed <= ring->mask + 1;
}

/* Returns 0 or a negative errno. A ring that is none stays empty, as one that is not ready. */
static int read_ring(struct recorder_reader *reader, uint32_t index)
{
    const struct recorder *header = &reader->header;
    uint64_t offset = header->ring_offsets[index];
    struct ring ring;

    if (offset < header->rings_offset ||
        !lies_within(header->size_bytes, offset, RING_ENTRIES_OFFSET, 1)) {
        return 0;
    }
    int r = recorder_reader_copy(reader, offset, &ring, sizeof(ring));
    if (r == 0 && ring_is_valid(header, offset, &ring) &&
        reader->ring_entries + ring.mask < header->rings_bytes / ENTRY_BYTES) {
        reader->ring_entries += ring.mask + 1;
        reader->rings[index] = (struct left_ring){
            .entries_offset = offset + RING_ENTRIES_OFFSET,
            .mask = ring.mask,
            .from = ring.consumed,
            .to = ring.published,
            .serial = ring.serial,
            .tid = ring.tid,
        };
        add_losses(reader, &ring);
    }
    return r;
}

static int read_rings(struct recorder_reader *reader)
{
    const _Atomic uint64_t *without = reader->header.lost_without_ring;
    const struct record_counts no_ring = {without[0], without[1], without[2], without[3]};
    int r = 0;

    reader->ring_count = (uint32_t)min_u64(reader->header.ring_count, RECORDER_MAX_RINGS);
    reader->rings = calloc(reader->ring_count + (size_t)1, sizeof(*reader->rings));
    if (reader->rings == NULL) {
        return -ENOMEM;
    }
    record_counts_add(&reader->thread_losses[LOSS_NO_RING], &no_ring);
    for (uint32_t i = 0; r == 0 && i < reader->ring_count; i++) {
        r = read_ring(reader, i);
    }
    return r;
}

int recorder_reader_ring_entries(const struct recorder_reader *reader, const struct left_ring *ring,
                                 uint64_t position, struct record *ret_entries, uint64_t count)
{
    uint64_t first = position & ring->mask;
    uint64_t straight = min_u64(count, ring->mask + 1 - first);
    int r = recorder_reader_copy(reader, ring->entries_offset + first * ENTRY_BYTES, ret_entries,
                                 straight * ENTRY_BYTES);

    return r < 0 || count - straight > ring->mask
               ? r
               : recorder_reader_copy(reader, ring->entries_offset, ret_entries + straight,
                                      (count - straight) * ENTRY_BYTES);
}

/* --- Threads and names --- */

static int read_threads(struct recorder_reader *reader)
{
    size_t bytes = RECORDER_MAX_THREADS * sizeof(*reader->threads);

    reader->threads = malloc(bytes);
    return reader->threads == NULL ? -ENOMEM
                                   : recorder_reader_copy(reader, reader->header.threads_offset,
                                                          reader->threads, bytes);
}

uint32_t recorder_reader_tid(const struct recorder_reader *reader, uint32_t serial)
{
    uint64_t entry = reader->threads[serial % RECORDER_MAX_THREADS].serial_and_tid;

    if (entry >> 32 == serial) {
        return (uint32_t)entry;
    }
    for (uint32_t i = 0; i < reader->ring_count; i++) {
        if (reader->rings[i].serial == serial) {
            return reader->rings[i].tid;
        }
    }
    return 0;
}

static bool text_is_valid(const char *texts, uint32_t offset, uint32_t length, uint32_t limit)
{
    return length <= limit &&
           lies_within(RECORDER_NAME_TEXT_BYTES, offset, length + UINT64_C(1), 1) &&
           texts[offset + length] == '\0' && utf8_is_valid(texts + offset, length);
}

/* A name that is not whole becomes one of no kind: whoever looks for it gets "(other)". */
static void check_names(struct recorder *names)
{
    char *texts = recorder_at(names, names->name_text_offset);

    for (uint32_t id = 1; id <= names->name_count; id++) {
        struct name_entry *entry = recorder_name(names, id);

        if (!text_is_valid(texts, entry->text_offset, entry->length, NAME_MAX_BYTES) ||
            (entry->unit_length > 0 &&
             !text_is_valid(texts, entry->unit_offset, entry->unit_length, NAME_UNIT_MAX_BYTES)) ||
            entry->value >= VALUE_TYPE_COUNT) {
            entry->kind = NAME_KIND_COUNT;
        }
    }
    /* Room for these was left behind the texts. */
    memcpy(texts + RECORDER_NAME_TEXT_BYTES, other_text, sizeof(other_text));
    for (uint32_t id = 1; id <= OTHER_NAMES; id++) {
        *recorder_name(names, id) = (struct name_entry){
            .text_offset = RECORDER_NAME_TEXT_BYTES,
            .length = sizeof(other_text) - 1,
            .kind = id == OTHER_NAMES ? NAME_GAUGE : (uint8_t)(id - 1),
            .value = id == OTHER_NAMES ? VALUE_DOUBLE : VALUE_INTEGER,
        };
    }
}

static int read_names(struct recorder_reader *reader)
{
    const size_t table_bytes = RECORDER_MAX_NAMES * sizeof(struct name_entry);
    struct recorder *names =
        calloc(1, sizeof(*names) + table_bytes + RECORDER_NAME_TEXT_BYTES + sizeof(other_text));

    reader->names = names;
    if (names == NULL) {
        return -ENOMEM;
    }
    names->names_offset = sizeof(*names);
    names->name_text_offset = sizeof(*names) + table_bytes;
    names->name_count = (uint32_t)min_u64(reader->header.name_count, RECORDER_MAX_NAMES - 1);
    names->name_count = (uint32_t)max_u64(names->name_count, OTHER_NAMES);
    size_t used = min_u64(reader->header.name_text_used, RECORDER_NAME_TEXT_BYTES);
    int r = recorder_reader_copy(reader, reader->header.names_offset, recorder_name(names, 0),
                                 (names->name_count + UINT64_C(1)) * sizeof(struct name_entry));

    r = r < 0 ? r
              : recorder_reader_copy(reader, reader->header.name_text_offset,
                                     recorder_at(names, names->name_text_offset), used);
    if (r == 0) {
        check_names(names);
    }
    return r;
}

/* --- The whole --- */

int recorder_reader_open(struct recorder_reader *ret_reader, int fd, const uint8_t *session)
{
    struct recorder_reader reader = {.fd = fd};
    uint64_t size = 0;
    int r = check_file(fd, &size);

    r = r < 0 ? r : read_header(&reader, size, session);
    r = r < 0 ? r : read_heads(&reader);
    r = r < 0 ? r : read_books(&reader);
    r = r < 0 ? r : read_rings(&reader);
    r = r < 0 ? r : read_threads(&reader);
    r = r < 0 ? r : read_names(&reader);
    if (r < 0) {
        recorder_reader_release(&reader);
        return r;
    }
    *ret_reader = reader;
    return 0;
}

void recorder_reader_release(struct recorder_reader *reader)
{
    free(reader->rings);
    free(reader->threads);
    free(reader->names);
    *reader = (struct recorder_reader){.fd = -1};
}
