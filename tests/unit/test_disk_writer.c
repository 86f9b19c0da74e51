/*
 * The writer thread with every system call failing once: whatever happens, each record is stored or counted as lost, and
 * each file can be read to its end.
 */
#include "disk_writer.h"

#include "faults.h"
#include "trace_bytes.h"
#include "trace_reader.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum { SESSIONS = 3, FRAMES = 6, OPERATIONS_PER_FRAME = 5, JOBS_MAX = 64, MAX_CALLS = 400 };

/* In memory if possible: hundreds of runs, each of which syncs. */
static char folder_path[64] = "/dev/shm/test_disk_writer.XXXXXX";
static char error[FOLDER_ERROR_MAX_BYTES];

/* One run from open to stop. */
struct run {
    struct collector_config config;
    struct output_folder folder;
    struct disk_channel channel;
    struct disk_writer writer;
    struct session_table table;
    struct client_session *sessions[SESSIONS];
    struct disk_job *jobs[JOBS_MAX]; /* made before faults are armed */
    size_t job_count;
    uint64_t pushed_operations;
    uint64_t released_bytes;
    uint64_t job_bytes;
    uint64_t tickets;
    struct disk_counters counters;
};

static struct run run;

static void set_up(void)
{
    if (mkdtemp(folder_path) == NULL) {
        (void)snprintf(folder_path, sizeof(folder_path), "/tmp/test_disk_writer.XXXXXX");
        cr_assert_not_null(mkdtemp(folder_path));
    }
}

static void tear_down(void)
{
    char command[128];

    (void)snprintf(command, sizeof(command), "rm -rf '%s'", folder_path);
    cr_assert_eq(system(command), 0);
}

TestSuite(disk_writer, .init = set_up, .fini = tear_down, .timeout = 250);

static void make_session(size_t index)
{
    struct hello hello = {.pid = 1, .executable = "test", .next_sequence = 1};
    uint8_t packed[256];
    size_t size = 0;

    memset(hello.session, 'a' + (int)index, sizeof(hello.session));
    cr_assert_eq(packet_pack_hello(&hello, packed, sizeof(packed), &size), 0);
    cr_assert_eq(session_table_add(&run.table, &hello, (struct slice){packed, size},
                                   (struct peer_identity){.pid = 1}, SOURCE_PROCESS,
                                   &run.sessions[index]),
                 0);
}

static struct disk_job *add_job(enum disk_job_kind kind, size_t session, size_t size)
{
    struct disk_job *job = disk_job_new(kind, size);

    cr_assert_not_null(job);
    if (session < SESSIONS) {
        job->session = run.sessions[session];
        job->session->jobs_pushed++;
    }
    run.jobs[run.job_count++] = job;
    return job;
}

static void add_frame(size_t session, const struct trace_bytes *bytes, size_t index, bool is_last)
{
    struct disk_job *job = add_job(JOB_FRAME, session, bytes->sizes[index]);

    memcpy(job->bytes, bytes->data + bytes->offsets[index], job->size);
    job->sequence = index + 1;
    job->counts.operations = OPERATIONS_PER_FRAME;
    job->plain_size = 1000;
    job->is_last = is_last;
    run.pushed_operations += OPERATIONS_PER_FRAME;
    run.job_bytes += disk_job_cost(job);
}

static void add_end(size_t session)
{
    add_job(JOB_END_PART, session, 0)->reason = END_CONNECTION_LOST;
}

/* Session 0 ends with a goodbye, 1 loses its connection and comes back, 2 is there until the end. */
static void make_jobs(void)
{
    static struct trace_bytes bytes[SESSIONS];

    for (size_t s = 0; s < SESSIONS; s++) {
        bytes[s] = (struct trace_bytes){.session = (char)('a' + s)};
        for (size_t f = 0; f < FRAMES; f++) {
            trace_bytes_add_batch(&bytes[s], OPERATIONS_PER_FRAME);
        }
    }
    for (size_t f = 0; f < FRAMES; f++) {
        for (size_t s = 0; s < SESSIONS; s++) {
            add_frame(s, &bytes[s], f, s == 0 && f == FRAMES - 1);
        }
        if (f == 1) {
            add_end(1);
        }
        if (f == 3) {
            add_job(JOB_ROTATE, SESSIONS, 0)->ticket = 17;
        }
    }
    add_end(1);
    add_end(2);
    add_job(JOB_STOP, SESSIONS, 0)->reason = END_COLLECTOR_STOPPED;
}

static void collect(void)
{
    struct disk_reports reports;

    disk_channel_collect(&run.channel, &reports);
    run.released_bytes += reports.released_bytes;
    run.tickets += reports.ticket_count;
    run.counters = reports.counters;
}

static void start(void)
{
    run = (struct run){0};
    config_init(&run.config);
    run.config.folder = (struct folder_limits){0};
    /* Every few jobs are made durable, and parts are full after a few frames. */
    run.config.part.sync_bytes = 2000;
    run.config.part.rotate_plain_bytes = (256 << 10) + 3500;
    cr_assert_eq(output_folder_open(&run.folder, folder_path, false, false, error), 0, "%s", error);
    cr_assert_eq(disk_channel_open(&run.channel), 0);
    for (size_t s = 0; s < SESSIONS; s++) {
        make_session(s);
    }
    make_jobs();
}

static void work(void)
{
    /* One descriptor for three parts: they are suspended and resumed all the time. */
    const struct descriptor_plan descriptors = {.open_parts = 1, .finished_parts = 2};

    cr_assert_eq(
        disk_writer_start(&run.writer, &run.channel, &run.folder, &run.config, &descriptors), 0);
    for (size_t i = 0; i < run.job_count; i++) {
        disk_channel_push(&run.channel, run.jobs[i]);
    }
    disk_writer_join(&run.writer);
    collect();
}

static void finish(void)
{
    disk_channel_release(&run.channel);
    output_folder_release(&run.folder);
    session_table_release(&run.table);
}

/* --- What the files say --- */

struct found {
    uint64_t files;
    uint64_t ends;
    uint64_t operations;
    uint64_t told_lost;
};

static void read_frame(struct found *found, struct frame_reader *frames, struct packet_arena *arena,
                       struct slice frame)
{
    struct batch_head head;
    enum packet_kind kind;
    struct packet_id id;
    struct slice plain;
    struct end end;

    cr_assert_eq(frame_decompress(frames, frame, &plain), 0);
    cr_assert_eq(packet_peek(plain, &kind, &id), 0);
    if (kind == PACKET_BATCH) {
        cr_assert_eq(packet_read_batch_head(arena, plain, &head), 0);
        found->operations += head.operations;
    } else if (kind == PACKET_END) {
        cr_assert_eq(packet_read_end(arena, plain, &end), 0);
        found->ends++;
        for (uint32_t i = 0; i < end.loss_count; i++) {
            found->told_lost += end.losses[i].count.operations;
        }
    }
}

static void read_file(struct found *found, struct frame_reader *frames, struct packet_arena *arena,
                      const char *name)
{
    struct trace_reader *reader = NULL;
    struct trace_item item;
    int r;

    cr_assert_eq(trace_reader_new(&reader, openat(run.folder.fd, name, O_RDONLY | O_CLOEXEC)), 0);
    found->files++;
    while ((r = trace_reader_next(reader, &item)) == 1) {
        cr_assert_eq(item.kind, TRACE_FRAME, "%s: damage at %llu", name,
                     (unsigned long long)item.offset_bytes);
        read_frame(found, frames, arena, item.frame);
    }
    cr_assert_eq(r, 0);
    trace_reader_free(reader);
}

static struct found read_files(bool remove)
{
    static struct frame_reader *frames;
    static struct packet_arena *arena;
    struct found found = {0};
    DIR *listing = opendir(folder_path);
    struct dirent *entry;

    if (frames == NULL) {
        cr_assert_eq(frame_reader_new(&frames), 0);
        cr_assert_eq(packet_arena_new(&arena), 0);
    }
    while ((entry = readdir(listing)) != NULL) {
        if (entry->d_name[0] != '.') {
            read_file(&found, frames, arena, entry->d_name);
        }
        if (remove && entry->d_name[0] != '.') {
            cr_assert_eq(unlinkat(run.folder.fd, entry->d_name, 0), 0);
        }
    }
    (void)closedir(listing);
    return found;
}

static void check_sessions(void)
{
    for (size_t s = 0; s < SESSIONS; s++) {
        const struct session_progress *known = &run.sessions[s]->known;

        cr_expect_eq(known->jobs_done, run.sessions[s]->jobs_pushed);
        cr_expect_eq(known->holds, run.sessions[s]->output.is_untold);
        cr_expect_eq(known->written, FRAMES);
        cr_expect_leq(known->durable, known->written);
        cr_expect_eq(known->stored.operations + known->lost.operations,
                     FRAMES * OPERATIONS_PER_FRAME);
    }
}

/* Returns what the files say, which are removed. */
static struct found check_books(void)
{
    const struct disk_counters *counters = &run.counters;
    uint64_t lost = 0;

    for (size_t i = 0; i < LOSS_CAUSE_COUNT; i++) {
        lost += counters->lost[i].operations;
    }
    struct found found = read_files(true);
    cr_expect_eq(counters->stored.operations + lost, run.pushed_operations);
    cr_expect_eq(found.operations, counters->stored.operations);
    if (counters->parts_opened > 0 && counters->ends_missing == 0 && counters->sync_errors == 0) {
        cr_expect_eq(found.told_lost, lost);
        cr_expect_eq(found.ends, counters->parts_closed);
    }
    cr_expect_eq(counters->open_parts, 0);
    cr_expect_eq(run.released_bytes, run.job_bytes);
    cr_expect_eq(run.tickets, 1);
    check_sessions();
    return found;
}

Test(disk_writer, stores_everything_if_nothing_fails)
{
    start();
    work();
    cr_expect_eq(run.counters.stored.operations, SESSIONS * FRAMES * OPERATIONS_PER_FRAME);
    cr_expect_eq(run.counters.parts_closed, run.counters.parts_opened);
    cr_expect_gt(run.counters.parts_closed, 2 * SESSIONS);
    for (size_t s = 0; s < SESSIONS; s++) {
        cr_expect_eq(run.sessions[s]->known.durable, FRAMES);
    }
    struct found found = check_books();
    cr_expect_eq(found.files, run.counters.parts_closed);
    cr_expect_eq(found.ends, found.files);
    finish();
}

static void fail_every_call(const char *function, int failure)
{
    for (unsigned int nth = 1; nth < MAX_CALLS; nth++) {
        start();
        faults_arm(&(struct fault){.function = function, .nth = nth, .error = failure});
        work();
        bool was_reached = faults_disarm();
        (void)check_books();
        finish();
        if (!was_reached) {
            cr_expect_gt(nth, 1, "%s is never called", function);
            return;
        }
    }
    cr_assert_fail("%s is called without end", function);
}

Test(disk_writer, survives_writes_that_fail)
{
    fail_every_call("pwrite", ENOSPC);
    fail_every_call("pwrite", EIO);
    fail_every_call("pwrite", 0);
}

Test(disk_writer, survives_syncs_that_fail)
{
    fail_every_call("fdatasync", EIO);
    fail_every_call("fsync", EIO);
}

Test(disk_writer, survives_files_that_cannot_be_made_or_named)
{
    fail_every_call("openat", EMFILE);
    fail_every_call("renameat2", EIO);
    fail_every_call("fstatat", EIO);
}

/* --- Old files --- */

static const char old_name[] = "old-1-00000000-000.trace.zst";

static void make_old_file(void)
{
    AUTO_CLOSE int fd = openat(run.folder.fd, old_name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    const struct timespec times[] = {{.tv_sec = 1}, {.tv_sec = 1}};

    cr_assert_geq(fd, 0);
    cr_assert_eq(futimens(fd, times), 0);
}

static bool old_file_is_there(void)
{
    return faccessat(run.folder.fd, old_name, F_OK, 0) == 0;
}

Test(disk_writer, deletes_nothing_for_free_space_that_it_cannot_learn)
{
    start();
    run.config.folder = (struct folder_limits){.keep_free_bytes = 1, .may_delete = true};
    make_old_file();
    faults_arm(
        &(struct fault){.function = "fstatvfs", .nth = 1, .error = EIO, .extent = FAULT_FROM_HERE});
    work();
    cr_expect(faults_disarm());
    cr_expect(old_file_is_there());
    cr_expect_eq(run.counters.stored.operations, run.pushed_operations);
    finish();
}

Test(disk_writer, old_files_make_room_on_a_full_disk_and_in_a_full_quota)
{
    static const int errors[] = {ENOSPC, EDQUOT};

    for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
        start();
        run.config.folder = (struct folder_limits){.may_delete = true};
        make_old_file();
        faults_arm(&(struct fault){.function = "pwrite", .nth = 5, .error = errors[i]});
        work();
        cr_expect(faults_disarm());
        cr_expect_not(old_file_is_there(), "%s", strerror(errors[i]));
        cr_expect_eq(run.counters.stored.operations, run.pushed_operations, "%s",
                     strerror(errors[i]));
        (void)check_books();
        finish();
    }
}

Test(disk_writer, loses_and_counts_everything_on_a_disk_that_never_writes)
{
    start();
    faults_arm(&(struct fault){
        .function = "pwrite", .nth = 1, .error = ENOSPC, .extent = FAULT_FROM_HERE});
    work();
    (void)faults_disarm();
    cr_expect_eq(run.counters.stored.operations, 0);
    cr_expect_eq(run.counters.lost[LOSS_WRITE_FAILED].operations, run.pushed_operations);
    cr_expect_eq(read_files(false).files, 0);
    (void)check_books();
    finish();
}

/* --- Reports --- */

static bool all_jobs_are_done(void)
{
    bool is_done = true;

    for (size_t s = 0; s < SESSIONS; s++) {
        is_done = is_done && run.sessions[s]->known.jobs_done == run.sessions[s]->jobs_pushed;
    }
    return is_done;
}

static void wait_for_reports(void)
{
    struct pollfd ready = {.fd = run.channel.event_fd, .events = POLLIN};

    cr_assert_geq(poll(&ready, 1, -1), 0);
    collect();
}

static void wait_until_jobs_are_done(void)
{
    while (!all_jobs_are_done()) {
        wait_for_reports();
    }
}

static void start_thread(void)
{
    const struct descriptor_plan descriptors = {.open_parts = 4, .finished_parts = 2};

    cr_assert_eq(
        disk_writer_start(&run.writer, &run.channel, &run.folder, &run.config, &descriptors), 0);
}

static void push(size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        disk_channel_push(&run.channel, run.jobs[i]);
    }
}

static size_t index_of_rotation(void)
{
    size_t index = 0;

    while (run.jobs[index]->kind != JOB_ROTATE) {
        index++;
    }
    return index;
}

Test(disk_writer, a_rotation_is_reported_with_all_that_it_did)
{
    start();
    size_t rotation = index_of_rotation();
    start_thread();
    push(0, rotation + 1);
    while (run.tickets == 0) {
        wait_for_reports();
    }
    cr_expect_eq(run.counters.open_parts, 0);
    cr_expect_eq(run.counters.parts_closed, run.counters.parts_opened);
    cr_expect_eq(run.counters.stored.operations, 4 * SESSIONS * OPERATIONS_PER_FRAME);
    push(rotation + 1, run.job_count);
    disk_writer_join(&run.writer);
    collect();
    (void)check_books();
    finish();
}

/* --- Losses that no file can tell of at first --- */

Test(disk_writer, tells_of_losses_as_soon_as_there_is_room_for_it)
{
    start();
    start_thread();
    faults_arm(&(struct fault){
        .function = "pwrite", .nth = 1, .error = ENOSPC, .extent = FAULT_FROM_HERE});
    push(0, run.job_count - 1);
    wait_until_jobs_are_done();
    (void)faults_disarm();
    push(run.job_count - 1, run.job_count);
    disk_writer_join(&run.writer);
    collect();
    struct found found = check_books();
    cr_expect_eq(found.told_lost, run.pushed_operations);
    cr_expect_eq(found.ends, SESSIONS);
    finish();
}
