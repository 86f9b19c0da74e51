#include "part.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

enum {
    /* A greeting of WIRE_MAX_HELLO_BYTES and some room; an End is far smaller. */
    SCRATCH_BYTES = 256 << 10,
    PART_NUMBER_MAX = 1000000,
};

static const char writer_name[] = "eddy-collector " EDDY_PROJECT_VERSION;

static void read_boot_id(char *ret_text, size_t size)
{
    AUTO_CLOSE int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, ret_text, size - 1);

    ret_text[got > 0 ? got : 0] = '\0';
    ret_text[strcspn(ret_text, "\n")] = '\0';
}

int part_maker_open(struct part_maker *ret_maker, int folder_fd)
{
    struct part_maker maker = {.folder_fd = folder_fd, .scratch = malloc(SCRATCH_BYTES)};

    int r = maker.scratch == NULL ? -ENOMEM : frame_writer_new(&maker.frames);
    if (r == 0) {
        r = totals_reader_open(&maker.totals);
    }
    if (r < 0) {
        part_maker_release(&maker);
        return r;
    }
    if (gethostname(maker.host_name, sizeof(maker.host_name) - 1) < 0) {
        maker.host_name[0] = '\0';
    }
    read_boot_id(maker.boot_id, sizeof(maker.boot_id));
    (void)snprintf(maker.machine_name, sizeof(maker.machine_name), "system-%.8s", maker.boot_id);
    *ret_maker = maker;
    return 0;
}

void part_maker_release(struct part_maker *maker)
{
    frame_writer_free(maker->frames);
    totals_reader_release(&maker->totals);
    free(maker->scratch);
    *maker = (struct part_maker){.folder_fd = -1};
}

static void fill_source(struct source *ret_source, const struct part_maker *maker,
                        const struct client_session *session, const struct hello *hello,
                        uint32_t number)
{
    *ret_source = (struct source){
        .id.sequence = session->first_sequence - 1,
        .format_version = TRACE_FORMAT_VERSION,
        .kind = session->kind,
        .part = number,
        .pid = session->peer.pid,
        .uid = session->peer.uid,
        .gid = session->peer.gid,
        .claimed_pid = hello->pid,
        .executable = hello->executable,
        .host_name = maker->host_name,
        .boot_id = maker->boot_id,
        .writer = writer_name,
        .clock = clock_read_all(),
        .session_start_ns = hello->session_start_ns,
        .label_count = hello->label_count,
        .argument_count = hello->argument_count,
    };
    memcpy(ret_source->id.session, session->id, SESSION_ID_BYTES);
    memcpy(ret_source->labels, hello->labels, sizeof(hello->labels));
    memcpy(ret_source->arguments, hello->arguments, sizeof(hello->arguments));
}

static int create_file(struct trace_writer *ret_writer, const struct part_maker *maker,
                       struct client_session *session, const char *executable, uint32_t *ret_number)
{
    char name[TRACE_NAME_MAX_BYTES];

    for (uint32_t number = session->output.next_part; number < PART_NUMBER_MAX; number++) {
        trace_file_name(name, executable, session->peer.pid, session->id, number);
        int r = trace_writer_open(ret_writer, maker->folder_fd, name);
        if (r != -EEXIST) {
            *ret_number = number;
            return r;
        }
    }
    return -EMFILE;
}

static void discard_file(struct trace_writer *writer)
{
    char name[TRACE_NAME_MAX_BYTES + sizeof(TRACE_PARTIAL_SUFFIX)];

    (void)snprintf(name, sizeof(name), "%s" TRACE_PARTIAL_SUFFIX, writer->name);
    int folder_fd = writer->dir_fd;
    trace_writer_release(writer);
    (void)unlinkat(folder_fd, name, 0);
}

static int write_source(struct part *part, struct part_maker *maker, const struct hello *hello,
                        uint32_t number)
{
    struct client_session *session = part->session;
    struct source source;
    size_t size = 0;

    fill_source(&source, maker, session, hello, number);
    source.id.sequence = max_u64(session->output.last_sequence, source.id.sequence);
    int r = packet_write_source(maker->frames, &source, maker->scratch, SCRATCH_BYTES, &size);
    return r < 0 ? r : trace_writer_append(&part->writer, (struct slice){maker->scratch, size});
}

int part_open(struct part **ret_part, struct part_maker *maker, struct client_session *session)
{
    AUTO_FREE struct part *part = calloc(1, sizeof(*part));
    struct slice packed = {session->hello, session->hello_size};
    struct hello hello;
    uint32_t number = 0;

    if (part == NULL) {
        return -ENOMEM;
    }
    int r = packet_unpack_hello(maker->totals.arena, packed, &hello);
    if (r < 0) {
        return r;
    }
    const char *executable =
        session->kind == SOURCE_MACHINE ? maker->machine_name : hello.executable;
    r = create_file(&part->writer, maker, session, executable, &number);
    if (r < 0) {
        return r;
    }
    part->session = session;
    r = write_source(part, maker, &hello, number);
    if (r < 0) {
        discard_file(&part->writer);
        return r;
    }
    session->output.next_part = number + 1;
    memcpy(session->output.last_name, part->writer.name, sizeof(session->output.last_name));
    part->opened_ns = clock_monotonic_ns();
    part->plain_bytes = SCRATCH_BYTES;
    part->last_sequence = max_u64(session->output.last_sequence, session->first_sequence - 1);
    *ret_part = take_pointer(&part);
    return 0;
}

int part_append(struct part *part, const struct disk_job *job)
{
    uint64_t offset_bytes = part->writer.size_bytes;

    int r = trace_writer_append(&part->writer, (struct slice){job->bytes, job->size});
    if (r < 0) {
        return r;
    }
    part->last_offset_bytes = offset_bytes;
    part->last_size = job->size;
    part->last_sequence = job->sequence;
    part->session->output.last_sequence = job->sequence;
    part->plain_bytes += job->plain_size;
    part->batches++;
    part->unsynced_frames++;
    record_counts_add(&part->stored, &job->counts);
    return 0;
}

bool part_is_full(const struct part *part, const struct part_limits *limits, uint64_t now_ns)
{
    return part->writer.size_bytes >= limits->rotate_bytes ||
           part->plain_bytes >= limits->rotate_plain_bytes ||
           now_ns - part->opened_ns >= limits->rotate_age_ns;
}

static void refresh_totals(struct part *part, struct part_maker *maker)
{
    struct session_output *output = &part->session->output;
    struct packet_id id = {.sequence = part->last_sequence};
    struct totals totals;

    if (output->totals_sequence >= part->last_sequence || part->batches == 0) {
        return;
    }
    /* If the client's last batch cannot be read, the totals before it stand. */
    memcpy(id.session, part->session->id, SESSION_ID_BYTES);
    if (totals_read_back(&maker->totals, &part->writer, part->last_offset_bytes, part->last_size,
                         &id, &totals) == 0) {
        output->totals = totals;
        output->totals_sequence = part->last_sequence;
    }
}

static void fill_end(struct end *ret_end, const struct part *part, enum end_reason reason)
{
    const struct session_output *output = &part->session->output;

    *ret_end = (struct end){
        .id.sequence = part->last_sequence,
        .totals = output->totals,
        .totals_final = output->totals_final,
        .stored = part->stored,
        .batches = part->batches,
        .frame_bytes = part->writer.size_bytes,
        .sequence_gaps = output->gaps,
        .loss_count = output->loss_count,
        .reason = reason,
        .clock = clock_read_all(),
    };
    memcpy(ret_end->id.session, part->session->id, SESSION_ID_BYTES);
    memcpy(ret_end->losses, output->losses, output->loss_count * sizeof(output->losses[0]));
}

int part_append_end(struct part *part, struct part_maker *maker, enum end_reason reason)
{
    struct session_output *output = &part->session->output;
    struct end end;
    size_t size = 0;

    refresh_totals(part, maker);
    fill_end(&end, part, reason);
    int r = packet_write_end(maker->frames, &end, maker->scratch, SCRATCH_BYTES, &size);
    if (r == 0) {
        r = trace_writer_append(&part->writer, (struct slice){maker->scratch, size});
    }
    if (r == 0) {
        output->loss_count = 0;
        output->gaps = 0;
    }
    return r;
}

int part_close(struct part *part)
{
    int r = trace_writer_close_unlisted(&part->writer);

    free(part);
    return r;
}

void part_abandon(struct part *part)
{
    trace_writer_release(&part->writer);
    free(part);
}
