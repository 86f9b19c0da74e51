#include "operation_files.h"

#include "operation_source.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#define FIRST_MONOTONIC_NS (5000 * NS_PER_S)
#define MONOTONIC_TO_REALTIME_NS (1790000000ULL * NS_PER_S)

enum {
    FIRST_PID = 1000,
    FIRST_BATCH_SEQUENCE = 1,
    FILE_STAGGER_NS = 137000, /* the processes did not start at once */
    LARGEST_FRAME_BYTES = 4 << 20,
};

/* What is needed while one file is written. */
struct file {
    struct operation_source operations;
    uint64_t start_ns; /* monotonic, of the source's time 0 */
    struct packet_id id;
    struct trace_writer writer;
    struct end end;
};

int operation_files_open(struct operation_files *ret_files, const char *folder)
{
    *ret_files = (struct operation_files){
        .dir_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC),
        .frame_size = LARGEST_FRAME_BYTES,
    };
    batch_init(&ret_files->batch);
    if (ret_files->dir_fd < 0) {
        return -errno;
    }
    ret_files->frame = malloc(ret_files->frame_size);

    int r = ret_files->frame == NULL ? -ENOMEM : batch_encoder_new(&ret_files->encoder);

    return r < 0 ? r : frame_writer_new(&ret_files->frame_writer);
}

void operation_files_release(struct operation_files *files)
{
    if (files->dir_fd >= 0) {
        (void)close(files->dir_fd);
    }
    batch_encoder_free(files->encoder);
    frame_writer_free(files->frame_writer);
    batch_release(&files->batch);
    free(files->frame);
    *files = (struct operation_files){.dir_fd = -1};
}

static struct clock_reading clock_at(uint64_t monotonic_ns)
{
    return (struct clock_reading){
        .monotonic_ns = monotonic_ns,
        .realtime_ns = monotonic_ns + MONOTONIC_TO_REALTIME_NS,
        .boottime_ns = monotonic_ns,
        .bracket_ns = 100,
    };
}

static int append(struct operation_files *files, struct file *file, size_t size)
{
    return trace_writer_append(&file->writer, (struct slice){files->frame, size});
}

static int write_source(struct operation_files *files, struct file *file, uint32_t number)
{
    const struct source source = {
        .id = file->id,
        .format_version = TRACE_FORMAT_VERSION,
        .kind = SOURCE_PROCESS,
        .pid = FIRST_PID + number,
        .claimed_pid = FIRST_PID + number,
        .executable = "invented",
        .host_name = "bench",
        .boot_id = "",
        .writer = "make_operations " EDDY_PROJECT_VERSION,
        .clock = clock_at(file->start_ns),
        .session_start_ns = file->start_ns,
    };
    size_t size = 0;
    int r =
        packet_write_source(files->frame_writer, &source, files->frame, files->frame_size, &size);

    return r < 0 ? r : append(files, file, size);
}

static int fill_dictionaries(struct batch *batch, const struct operation_source *operations)
{
    int r = batch_reserve_names(batch, SOURCE_NAME_COUNT);

    r = r < 0 ? r : batch_reserve_threads(batch, SOURCE_THREAD_COUNT);
    if (r < 0) {
        return r;
    }
    for (uint32_t i = 0; i < SOURCE_NAME_COUNT; i++) {
        batch->names[i] =
            (struct batch_name){.text = operations->names[i], .unit = "", .kind = NAME_OPERATION};
    }
    batch->name_count = SOURCE_NAME_COUNT;
    for (uint32_t i = 0; i < SOURCE_THREAD_COUNT; i++) {
        batch->threads[i] = (struct batch_thread){.tid = i + 1, .name = "worker", .serial = i + 1};
    }
    batch->thread_count = SOURCE_THREAD_COUNT;
    return 0;
}

static int fill_batch(struct batch *batch, struct file *file, uint32_t count)
{
    struct batch_operations *rows = &batch->operations;

    batch_clear(batch);

    int r = fill_dictionaries(batch, &file->operations);

    r = r < 0 ? r : batch_reserve_operations(batch, count);
    if (r < 0) {
        return r;
    }
    for (uint32_t i = 0; i < count; i++) {
        struct operation operation = operation_source_next(&file->operations);

        rows->begin_ns[i] = file->start_ns + operation.begin_ns;
        rows->duration_ns[i] = operation.duration_ns;
        rows->name[i] = operation.name;
        rows->status[i] = operation.status;
        rows->begin_thread[i] = operation.thread;
        rows->end_thread[i] = operation.thread;
    }
    rows->count = count;
    return 0;
}

static int write_batch(struct operation_files *files, struct file *file, uint32_t count)
{
    struct batch *batch = &files->batch;
    size_t size = 0;
    int r = fill_batch(batch, file, count);

    if (r < 0) {
        return r;
    }
    file->end.totals.produced.operations += count;
    file->end.totals.batched.operations += count;
    batch->id = file->id;
    batch->clock = clock_at(file->start_ns + file->operations.now_ns);
    batch->totals = file->end.totals;
    r = batch_encode(files->encoder, batch, files->frame, files->frame_size, &size);
    r = r < 0 ? r : append(files, file, size);
    if (r == 0) {
        file->end.totals.frame_bytes += size;
        file->end.batches++;
        file->id.sequence++;
    }
    return r;
}

static int write_batches(struct operation_files *files, struct file *file, uint64_t count)
{
    int r = 0;

    for (uint64_t done = 0; r == 0 && done < count; done += BATCH_MAX_OPERATIONS) {
        r = write_batch(files, file, (uint32_t)min_u64(count - done, BATCH_MAX_OPERATIONS));
    }
    return r;
}

static int write_end(struct operation_files *files, struct file *file)
{
    size_t size = 0;

    file->end.id = file->id;
    file->end.id.sequence = file->id.sequence - 1;
    file->end.totals_final = true;
    file->end.stored = file->end.totals.batched;
    file->end.frame_bytes = file->writer.size_bytes;
    file->end.reason = END_SESSION_ENDED;
    file->end.clock = clock_at(file->start_ns + file->operations.now_ns);

    int r =
        packet_write_end(files->frame_writer, &file->end, files->frame, files->frame_size, &size);

    return r < 0 ? r : append(files, file, size);
}

static int write_content(struct operation_files *files, struct file *file, uint32_t number,
                         uint64_t operation_count)
{
    int r = write_source(files, file, number);

    file->id.sequence = FIRST_BATCH_SEQUENCE;
    r = r < 0 ? r : write_batches(files, file, operation_count);
    return r < 0 ? r : write_end(files, file);
}

int operation_files_write(struct operation_files *files, uint32_t number, uint64_t operation_count,
                          uint64_t *ret_bytes)
{
    struct file file = {.start_ns = FIRST_MONOTONIC_NS + (uint64_t)number * FILE_STAGGER_NS};
    char name[TRACE_NAME_MAX_BYTES];

    operation_source_init(&file.operations, number);
    /* Sessions are random elsewhere; here the number, spread over all bytes, is enough to tell them apart. */
    for (size_t i = 0; i < SESSION_ID_BYTES; i++) {
        file.id.session[i] =
            (uint8_t)(((number + 1ULL) * 0x9e3779b97f4a7c15ULL >> (i % 8 * 8)) + i);
    }
    trace_file_name(name, "invented", FIRST_PID + number, file.id.session, 0);

    int r = trace_writer_open(&file.writer, files->dir_fd, name);

    if (r < 0) {
        return r;
    }
    r = write_content(files, &file, number, operation_count);
    *ret_bytes = file.writer.size_bytes;
    if (r < 0) {
        trace_writer_release(&file.writer);
        return r;
    }
    return trace_writer_close(&file.writer);
}
