#include "trace_scan.h"

#include "content_hash.h"
#include "growing_list.h"
#include "partial_file.h"
#include "source_facts.h"
#include "trace_reader.h"
#include "trace_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

struct trace_scanner {
    struct shared_names *names;
    struct frame_reader *frames; /* owned, as all below */
    struct packet_arena *arena;
    struct trace_reader *reader; /* of the file at hand; NULL before the first one */
};

/* One walk through a file. */
struct scan {
    struct trace_scanner *scanner;
    struct scanned_file *file;
    struct content_hash hash;
    uint32_t session;  /* of the part at hand: index, or UINT32_MAX */
    uint32_t part;     /* its number */
    bool is_ended;     /* an End was the last packet of a part */
    bool is_newer;     /* the part at hand has a version that is not known: nothing of it is used */
    bool is_gap_known; /* damage since the last batch: a gap in the numbers is no news */
    uint64_t last_sequence; /* of the part at hand */
};

int trace_scanner_new(struct trace_scanner **ret_scanner, struct shared_names *names)
{
    struct trace_scanner *scanner = calloc(1, sizeof(*scanner));

    if (scanner == NULL) {
        return -ENOMEM;
    }
    scanner->names = names;

    int r = frame_reader_new(&scanner->frames);

    r = r < 0 ? r : packet_arena_new(&scanner->arena);
    if (r < 0) {
        trace_scanner_free(scanner);
        return r;
    }
    *ret_scanner = scanner;
    return 0;
}

void trace_scanner_free(struct trace_scanner *scanner)
{
    if (scanner != NULL) {
        frame_reader_free(scanner->frames);
        packet_arena_free(scanner->arena);
        trace_reader_free(scanner->reader);
        free(scanner);
    }
}

int offset_list_add(struct offset_list *list, uint64_t offset)
{
    int r = growing_list_reserve(&list->offsets, &list->capacity, list->count, sizeof(offset));

    if (r == 0) {
        list->offsets[list->count++] = offset;
    }
    return r;
}

/* --- Problems --- */

static void take_damage(struct scan *scan, uint64_t offset_bytes, uint64_t size_bytes)
{
    scanned_file_complain(scan->file, INPUT_DAMAGED, offset_bytes, "bytes that are no good frame");
    scan->file->skipped_bytes += size_bytes;
    scan->is_gap_known = true;
}

/* --- Packets --- */

static int take_source(struct scan *scan, struct slice plain, uint64_t offset_bytes)
{
    struct source source;
    int r = packet_read_source(scan->scanner->arena, plain, &source);

    if (r == -EPROTONOSUPPORT) {
        scanned_file_complain(
            scan->file, INPUT_NEWER, offset_bytes,
            "its format version is newer than %d, which this program reads: use a newer one",
            TRACE_FORMAT_VERSION);
        scan->session = UINT32_MAX;
        scan->is_newer = true;
        return 0;
    }
    if (r == 0 && scan->session != UINT32_MAX && !scan->is_ended) {
        scanned_file_complain(scan->file, INPUT_NO_END, offset_bytes,
                              "a part without an End before this place");
    }
    r = r < 0 ? r : scanned_file_session(scan->file, source.id.session, &scan->session);
    if (r < 0) {
        return r;
    }

    struct scanned_session *session = &scan->file->sessions[scan->session];

    scan->part = source.part;
    scan->last_sequence = source.id.sequence;
    scan->is_ended = false;
    scan->is_newer = false;
    scan->is_gap_known = false;
    r = scanned_session_take_clock(session, source.id.sequence, &source.clock);
    return r < 0 || session->source.is_known ? r : source_facts_copy(&session->source, &source);
}

static int take_end(struct scan *scan, struct slice plain)
{
    struct scanned_file *file = scan->file;
    struct end end;
    uint32_t at = 0;
    int r = packet_read_end(scan->scanner->arena, plain, &end);

    scan->is_ended = true;
    if (scan->is_newer) {
        return 0;
    }
    r = r < 0 ? r : scanned_file_session(file, end.id.session, &at);
    if (r < 0) {
        return r;
    }

    struct scanned_end kept = {.session = at,
                               .part = scan->part,
                               .sequence = end.id.sequence,
                               .loss_count = end.loss_count};

    memcpy(kept.losses, end.losses, sizeof(kept.losses));
    r = scanned_file_add_end(file, &kept);
    if (r < 0) {
        return r;
    }
    scanned_session_take_totals(&file->sessions[at], end.id.sequence, &end.totals,
                                end.totals_final);
    return scanned_session_take_clock(&file->sessions[at], end.id.sequence, &end.clock);
}

static int count_names(struct scan *scan, const struct batch_head *head)
{
    struct shared_names *names = scan->scanner->names;
    int r = 0;

    (void)pthread_mutex_lock(&names->lock);
    r = names->frames++ < names->frame_limit ? 0 : -E2BIG;
    for (uint32_t i = 0; r == 0 && i < head->name_count; i++) {
        r = name_ranks_count(&names->table, &head->names[i]);
    }
    (void)pthread_mutex_unlock(&names->lock);
    return r;
}

/* Counts the batches that are missing before this one in the part at hand. */
static void take_sequence(struct scan *scan, uint32_t session, uint64_t sequence)
{
    if (session != scan->session) {
        return;
    }
    if (sequence > scan->last_sequence + 1 && !scan->is_gap_known) {
        scan->file->missing_batches += sequence - scan->last_sequence - 1;
    }
    scan->is_gap_known = false;
    scan->last_sequence = max_u64(scan->last_sequence, sequence);
}

static int take_head(struct scan *scan, const struct batch_head *head,
                     const struct trace_item *item)
{
    struct scanned_file *file = scan->file;
    const struct record_counts rows = {head->operations, head->samples, head->marks,
                                       head->long_runs};
    struct scanned_frame frame = {
        .offset_bytes = item->offset_bytes,
        .sequence = head->id.sequence,
        .size_bytes = (uint32_t)item->size_bytes,
    };

    if (scan->is_newer) {
        return 0;
    }

    int r = scanned_file_session(file, head->id.session, &frame.session);

    r = r < 0 ? r : scanned_file_add_frame(file, &frame);
    r = r < 0 ? r : count_names(scan, head);
    if (r < 0) {
        return r;
    }

    struct scanned_session *session = &file->sessions[frame.session];

    record_counts_add(&file->rows, &rows);
    take_sequence(scan, frame.session, head->id.sequence);
    scanned_session_take_range(session, head);
    scanned_session_take_totals(session, head->id.sequence, &head->totals, false);
    return scanned_session_take_clock(session, head->id.sequence, &head->clock);
}

/* A frame that is no batch with a head in its first block. */
static int take_whole(struct scan *scan, const struct trace_item *item)
{
    struct trace_scanner *scanner = scan->scanner;
    struct batch_head head;
    struct packet_id id = {0};
    enum packet_kind kind = PACKET_BATCH;
    struct slice frame;
    struct slice plain;
    int r = trace_reader_frame_at(scanner->reader, item->offset_bytes, item->size_bytes, &frame);

    r = r < 0 ? r : frame_decompress(scanner->frames, frame, &plain);
    r = r < 0 ? r : packet_peek(plain, &kind, &id);
    if (r == -EPROTONOSUPPORT) {
        scanned_file_complain(
            scan->file, INPUT_NEWER, item->offset_bytes,
            "a packet needs features (0x%llx) that this program does not know: use a newer one",
            (unsigned long long)id.required_features);
        scan->is_gap_known = true;
        return 0;
    }
    if (r < 0) {
        return r;
    }
    if (kind == PACKET_SOURCE) {
        return take_source(scan, plain, item->offset_bytes);
    }
    if (kind == PACKET_END) {
        return take_end(scan, plain);
    }
    r = packet_read_batch_head(scanner->arena, plain, &head);
    return r < 0 ? r : take_head(scan, &head, item);
}

static int take_frame(struct scan *scan, const struct trace_item *item)
{
    struct trace_scanner *scanner = scan->scanner;
    struct batch_head head;
    struct slice block;
    int r = frame_decompress_first_block(scanner->frames, item->frame, &block);

    r = r < 0 ? r : packet_read_batch_head(scanner->arena, block, &head);
    if (r == -ENOMEM) {
        return r;
    }
    return r < 0 ? take_whole(scan, item) : take_head(scan, &head, item);
}

static int compare_offsets(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;

    return (a > b) - (a < b);
}

void offset_list_sort(struct offset_list *list)
{
    if (list->count > 0) {
        qsort(list->offsets, list->count, sizeof(*list->offsets), compare_offsets);
    }
}

static bool is_known_bad(const struct offset_list *bad, uint64_t offset)
{
    return bad->count > 0 &&
           bsearch(&offset, bad->offsets, bad->count, sizeof(offset), compare_offsets) != NULL;
}

/* Equal for copies: sizes and checksums of all frames, sizes of what lies between. */
static void hash_item(struct content_hash *hash, const struct trace_item *item)
{
    content_hash_add_u64(hash, item->size_bytes);
    if (item->kind == TRACE_FRAME) {
        content_hash_add(hash, item->checksum, sizeof(item->checksum));
    }
}

static int take_item(struct scan *scan, const struct trace_item *item,
                     const struct offset_list *bad)
{
    int r = -EBADMSG;

    hash_item(&scan->hash, item);
    if (item->kind == TRACE_CUT_OFF) {
        scanned_file_complain(scan->file, INPUT_CUT_OFF, item->offset_bytes,
                              "the file ends within a frame");
        scan->file->skipped_bytes += item->size_bytes;
        return 0;
    }
    if (item->kind == TRACE_DAMAGE) {
        take_damage(scan, item->offset_bytes, item->size_bytes);
        return 0;
    }
    if (!is_known_bad(bad, item->offset_bytes)) {
        r = take_frame(scan, item);
    }
    if (r == -EBADMSG) {
        take_damage(scan, item->offset_bytes, item->size_bytes);
        trace_reader_distrust(scan->scanner->reader);
        return 0;
    }
    scan->file->packets += r == 0;
    return r;
}

static int scan_items(struct scan *scan, const struct offset_list *bad)
{
    struct trace_reader *reader = scan->scanner->reader;
    struct trace_item item;
    int r;

    while ((r = trace_reader_next(reader, &item)) == 1) {
        r = take_item(scan, &item, bad);
        if (r < 0) {
            return r;
        }
    }
    if (r < 0 && r != -ENOMEM) {
        scanned_file_complain(scan->file, INPUT_DAMAGED, trace_reader_offset(reader),
                              "cannot be read: %s", strerror(-r));
        scan->file->error = r;
        return 0;
    }
    return r;
}

static void conclude(struct scan *scan)
{
    struct scanned_file *file = scan->file;

    content_hash_add_u64(&scan->hash, file->size_bytes);
    file->content_hash = scan->hash.high ^ scan->hash.low;
    if (file->packets == 0 && file->state != INPUT_NEWER) {
        scanned_file_complain(file, INPUT_UNUSABLE, 0, "not a trace file");
        file->state = INPUT_UNUSABLE;
        (void)snprintf(file->problem, sizeof(file->problem), "%s",
                       file->error != 0        ? strerror(-file->error)
                       : file->size_bytes == 0 ? "the file is empty"
                                               : "not a trace file: it holds no packet");
        file->problem_offset_bytes = 0;
    } else if (!scan->is_ended) {
        scanned_file_complain(file, INPUT_NO_END, file->size_bytes, "no End");
    }
    if (file->state == INPUT_CUT_OFF && is_partial_file(file->path) &&
        partial_file_has_grown(file->path, file->size_bytes)) {
        file->state = INPUT_NO_END;
        file->skipped_bytes = 0;
    }
}

int trace_file_open(const char *path)
{
    /* Not blocking: a FIFO must be refused, not waited for. */
    const int flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
    size_t length = strlen(path);
    size_t suffix_length = strlen(TRACE_PARTIAL_SUFFIX);
    int fd = open(path, flags);

    if (fd < 0 && errno == ENOENT && length > suffix_length &&
        strcmp(path + length - suffix_length, TRACE_PARTIAL_SUFFIX) == 0) {
        AUTO_FREE char *closed = strndup(path, length - suffix_length);

        fd = closed == NULL ? -1 : open(closed, flags);
    }
    return fd < 0 ? -errno : fd;
}

/* Opens a file in the memory of the one before. */
static int open_file(struct trace_scanner *scanner, const char *path)
{
    int fd = trace_file_open(path);
    int r = fd < 0                    ? fd
            : scanner->reader == NULL ? trace_reader_new(&scanner->reader, fd)
                                      : trace_reader_reopen(scanner->reader, fd);

    if (r == 0) {
        trace_reader_skim(scanner->reader);
    }
    return r;
}

int trace_scan(struct trace_scanner *scanner, const char *path, const struct offset_list *bad,
               struct scanned_file *ret_file)
{
    struct scan scan = {
        .scanner = scanner,
        .file = ret_file,
        .hash = content_hash_start(),
        .session = UINT32_MAX,
    };
    int r = open_file(scanner, path);

    *ret_file = (struct scanned_file){.path = path, .state = INPUT_WHOLE};
    if (r == -ENOMEM) {
        return r;
    }
    if (r < 0) {
        ret_file->error = r;
    } else {
        ret_file->size_bytes = trace_reader_size(scanner->reader);
        r = scan_items(&scan, bad);
        if (r < 0) {
            return r;
        }
    }
    conclude(&scan);
    return 0;
}
