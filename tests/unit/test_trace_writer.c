#include "trace_writer.h"

#include "faults.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define NAME "web-1-00010203-000.trace.zst"
#define PARTIAL NAME TRACE_PARTIAL_SUFFIX

enum { MAX_CALLS = 1000 };

static const uint8_t session[16] = {0, 1, 2, 3, 4};
static char folder[] = "/tmp/test_trace_writer.XXXXXX";
static int dir_fd;
static struct trace_writer writer;

static void set_up(void)
{
    cr_assert_not_null(mkdtemp(folder));
    dir_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cr_assert_geq(dir_fd, 0);
}

static void remove_files(void)
{
    DIR *dir = opendir(folder);
    struct dirent *entry;

    while ((entry = readdir(dir)) != NULL) {
        (void)unlinkat(dir_fd, entry->d_name, 0);
    }
    (void)closedir(dir);
}

static void tear_down(void)
{
    remove_files();
    (void)close(dir_fd);
    (void)rmdir(folder);
}

TestSuite(trace_writer, .init = set_up, .fini = tear_down);

/* Bytes that stand for a frame: the writer does not look into it. */
static struct slice frame(uint8_t content, size_t size)
{
    static uint8_t bytes[4][4096];

    cr_assert(content < 4 && size <= sizeof(bytes[0]));
    memset(bytes[content], 'a' + content, size);
    return (struct slice){bytes[content], size};
}

static bool exists(const char *name)
{
    return faccessat(dir_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static size_t read_file(const char *name, uint8_t *ret_bytes, size_t room)
{
    AUTO_CLOSE int fd = openat(dir_fd, name, O_RDONLY | O_CLOEXEC);
    ssize_t size = read(fd, ret_bytes, room);

    cr_assert_geq(size, 0, "%s: %s", name, strerror(errno));
    return (size_t)size;
}

static void check_content(const char *name, const struct slice *frames, size_t count)
{
    static uint8_t bytes[64 << 10];
    size_t size = read_file(name, bytes, sizeof(bytes));
    size_t at = 0;

    for (size_t i = 0; i < count; i++) {
        cr_assert_leq(at + frames[i].size, size);
        cr_assert_arr_eq(bytes + at, frames[i].data, frames[i].size);
        at += frames[i].size;
    }
    cr_assert_eq(at, size, "%zu bytes instead of %zu", size, at);
}

static void make_file(const char *name, const char *content)
{
    AUTO_CLOSE int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    cr_assert_eq(write(fd, content, strlen(content)), (ssize_t)strlen(content));
}

static unsigned int count_descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    unsigned int count = 0;

    while (readdir(dir) != NULL) {
        count++;
    }
    (void)closedir(dir);
    return count;
}

/* --- Names --- */

Test(trace_writer, names_hold_what_the_format_says)
{
    static const struct {
        const char *executable;
        uint32_t pid;
        uint32_t part;
        const char *name;
    } cases[] = {
        {"web", 4711, 0, "web-4711-00010203-000.trace.zst"},
        {"web", UINT32_MAX, 1000, "web-4294967295-00010203-1000.trace.zst"},
        {"", 0, 1, "unknown-0-00010203-001.trace.zst"},
        {"../../etc/passwd", 1, 0, "_._.._etc_passwd-1-00010203-000.trace.zst"},
        {".hidden", 1, 0, "_hidden-1-00010203-000.trace.zst"},
        {"a b\n\xc3\xbc;", 1, 0, "a_b____-1-00010203-000.trace.zst"},
        {"A-z_0.9", 1, 0, "A-z_0.9-1-00010203-000.trace.zst"},
    };
    char name[TRACE_NAME_MAX_BYTES];

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        trace_file_name(name, cases[i].executable, cases[i].pid, session, cases[i].part);
        cr_expect_str_eq(name, cases[i].name);
    }
}

Test(trace_writer, names_of_long_executables_are_cut)
{
    char executable[1000];
    char name[TRACE_NAME_MAX_BYTES];

    memset(executable, 'x', sizeof(executable));
    executable[sizeof(executable) - 1] = '\0';
    trace_file_name(name, executable, UINT32_MAX, session, UINT32_MAX);
    cr_assert_eq(strspn(name, "x"), TRACE_EXECUTABLE_MAX_BYTES);
    cr_assert_str_eq(name + TRACE_EXECUTABLE_MAX_BYTES,
                     "-4294967295-00010203-4294967295.trace.zst");
}

/* --- Opening --- */

Test(trace_writer, new_files_are_partial_and_private)
{
    struct stat status;

    (void)umask(0);
    cr_assert_eq(trace_writer_open(&writer, dir_fd, NAME), 0);
    cr_assert(exists(PARTIAL) && !exists(NAME));
    cr_assert_eq(fstat(writer.fd, &status), 0);
    cr_assert_eq(status.st_mode & 07777, 0640);
    cr_assert_eq(fcntl(writer.fd, F_GETFD), FD_CLOEXEC);
    trace_writer_release(&writer);
}

Test(trace_writer, refuses_names_that_are_taken)
{
    make_file(NAME, "old");
    cr_assert_eq(trace_writer_open(&writer, dir_fd, NAME), -EEXIST);
    cr_assert_eq(unlinkat(dir_fd, NAME, 0), 0);
    make_file(PARTIAL, "old");
    cr_assert_eq(trace_writer_open(&writer, dir_fd, NAME), -EEXIST);
    check_content(PARTIAL, &(struct slice){(const uint8_t *)"old", 3}, 1);
}

Test(trace_writer, follows_no_symbolic_link)
{
    cr_assert_eq(symlinkat("elsewhere", dir_fd, PARTIAL), 0);
    cr_assert_eq(trace_writer_open(&writer, dir_fd, NAME), -EEXIST);
    cr_assert(!exists("elsewhere"));
}

Test(trace_writer, refuses_what_is_no_file_name)
{
    char long_name[TRACE_NAME_MAX_BYTES + 1];

    memset(long_name, 'x', sizeof(long_name));
    long_name[TRACE_NAME_MAX_BYTES] = '\0';
    cr_expect_eq(trace_writer_open(&writer, dir_fd, ""), -EINVAL);
    cr_expect_eq(trace_writer_open(&writer, dir_fd, "a/b"), -EINVAL);
    cr_expect_eq(trace_writer_open(&writer, dir_fd, "/tmp/a"), -EINVAL);
    cr_expect_eq(trace_writer_open(&writer, dir_fd, long_name), -ENAMETOOLONG);
    long_name[TRACE_NAME_MAX_BYTES - 1] = '\0';
    cr_expect_eq(trace_writer_open(&writer, dir_fd, long_name), 0);
    trace_writer_release(&writer);
}

/* --- Writing --- */

Test(trace_writer, closed_files_hold_the_frames_under_their_final_name)
{
    const struct slice frames[] = {frame(0, 1), frame(1, 4096), frame(2, 100)};

    cr_assert_eq(trace_writer_open(&writer, dir_fd, NAME), 0);
    for (size_t i = 0; i < ARRAY_SIZE(frames); i++) {
        cr_assert_eq(trace_writer_append(&writer, frames[i]), 0);
    }
    cr_assert_eq(writer.size_bytes, 4197);
    cr_assert_eq(trace_writer_close(&writer), 0);
    cr_assert(!exists(PARTIAL));
    check_content(NAME, frames, ARRAY_SIZE(frames));
    cr_assert_eq(writer.fd, -1);
}

Test(trace_writer, released_files_stay_partial)
{
    struct slice only = frame(0, 10);

    cr_assert_eq(trace_writer_open(&writer, dir_fd, NAME), 0);
    cr_assert_eq(trace_writer_append(&writer, only), 0);
    trace_writer_release(&writer);
    trace_writer_release(&writer);
    check_content(PARTIAL, &only, 1);
    cr_assert(!exists(NAME));
}

Test(trace_writer, closing_replaces_no_file)
{
    cr_assert_eq(trace_writer_open(&writer, dir_fd, NAME), 0);
    make_file(NAME, "other");
    cr_assert_eq(trace_writer_close(&writer), -EEXIST);
    check_content(NAME, &(struct slice){(const uint8_t *)"other", 5}, 1);
    cr_assert(exists(PARTIAL));
}

Test(trace_writer, closes_where_renaming_without_replacing_is_unknown)
{
    static const int errors[] = {EINVAL, ENOSYS};
    struct slice only = frame(1, 10);

    for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
        remove_files();
        cr_assert_eq(trace_writer_open(&writer, dir_fd, NAME), 0);
        cr_assert_eq(trace_writer_append(&writer, only), 0);
        faults_arm(&(struct fault){"renameat2", 1, errors[i], FAULT_FROM_HERE});
        cr_expect_eq(trace_writer_close(&writer), 0);
        cr_expect(faults_disarm());
        check_content(NAME, &only, 1);
        cr_expect(!exists(PARTIAL));

        cr_assert_eq(unlinkat(dir_fd, NAME, 0), 0);
        cr_assert_eq(trace_writer_open(&writer, dir_fd, NAME), 0);
        make_file(NAME, "other");
        faults_arm(&(struct fault){"renameat2", 1, errors[i], FAULT_FROM_HERE});
        cr_expect_eq(trace_writer_close(&writer), -EEXIST);
        (void)faults_disarm();
    }
}

/* --- Suspending --- */

Test(trace_writer, goes_on_after_it_was_suspended)
{
    const struct slice frames[] = {frame(0, 10), frame(1, 20)};

    cr_assert_eq(trace_writer_open(&writer, dir_fd, NAME), 0);
    cr_assert_eq(trace_writer_append(&writer, frames[0]), 0);
    trace_writer_suspend(&writer);
    cr_assert_eq(writer.fd, -1);
    cr_assert_eq(trace_writer_resume(&writer), 0);
    cr_assert_eq(trace_writer_resume(&writer), 0);
    cr_assert_eq(trace_writer_append(&writer, frames[1]), 0);
    trace_writer_suspend(&writer);
    trace_writer_suspend(&writer);
    cr_assert_eq(trace_writer_close(&writer), 0);
    check_content(NAME, frames, 2);
}

static void be_gone(void)
{
}

static void be_another_file(void)
{
    make_file(PARTIAL, "aaaaaaaaaa");
}

static void be_a_folder(void)
{
    cr_assert_eq(mkdirat(dir_fd, PARTIAL, 0700), 0);
}

static void be_a_fifo(void)
{
    cr_assert_eq(mkfifoat(dir_fd, PARTIAL, 0600), 0);
}

static void be_a_link(void)
{
    make_file("elsewhere", "aaaaaaaaaa");
    cr_assert_eq(symlinkat("elsewhere", dir_fd, PARTIAL), 0);
}

Test(trace_writer, does_not_go_on_in_another_file)
{
    static void (*const replacements[])(void) = {be_gone, be_another_file, be_a_folder, be_a_fifo,
                                                 be_a_link};

    for (size_t i = 0; i < ARRAY_SIZE(replacements); i++) {
        cr_assert_eq(trace_writer_open(&writer, dir_fd, NAME), 0);
        cr_assert_eq(trace_writer_append(&writer, frame(0, 10)), 0);
        trace_writer_suspend(&writer);
        /* A second name keeps the inode from being used again. */
        cr_assert_eq(linkat(dir_fd, PARTIAL, dir_fd, "kept", 0), 0);
        cr_assert_eq(unlinkat(dir_fd, PARTIAL, 0), 0);
        replacements[i]();
        cr_expect_lt(trace_writer_resume(&writer), 0, "replacement %zu", i);
        cr_expect_lt(trace_writer_close(&writer), 0, "replacement %zu", i);
        cr_expect(!exists(NAME));
        (void)unlinkat(dir_fd, PARTIAL, i == 2 ? AT_REMOVEDIR : 0);
        remove_files();
    }
}

Test(trace_writer, does_not_go_on_in_a_file_that_somebody_wrote_to)
{
    static const off_t sizes[] = {9, 11};

    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        cr_assert_eq(trace_writer_open(&writer, dir_fd, NAME), 0);
        cr_assert_eq(trace_writer_append(&writer, frame(0, 10)), 0);
        cr_assert_eq(ftruncate(writer.fd, sizes[i]), 0);
        trace_writer_suspend(&writer);
        cr_expect_eq(trace_writer_resume(&writer), -ESTALE);
        trace_writer_release(&writer);
        remove_files();
    }
}

/* --- Failures --- */

Test(trace_writer, failed_appends_leave_whole_frames_and_can_be_repeated)
{
    const struct slice frames[] = {frame(0, 100), frame(1, 200)};

    cr_assert_eq(trace_writer_open(&writer, dir_fd, NAME), 0);
    cr_assert_eq(trace_writer_append(&writer, frames[0]), 0);
    faults_arm(&(struct fault){"pwrite", 1, ENOSPC, FAULT_ONCE});
    cr_assert_eq(trace_writer_append(&writer, frames[1]), -ENOSPC);
    (void)faults_disarm();
    check_content(PARTIAL, frames, 1);
    cr_assert_eq(trace_writer_append(&writer, frames[1]), 0);
    cr_assert_eq(trace_writer_close(&writer), 0);
    check_content(NAME, frames, 2);
}

Test(trace_writer, goes_on_after_short_and_interrupted_writes)
{
    static const int errors[] = {0, EINTR};
    const struct slice frames[] = {frame(0, 100), frame(1, 201)};

    for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
        remove_files();
        cr_assert_eq(trace_writer_open(&writer, dir_fd, NAME), 0);
        faults_arm(&(struct fault){"pwrite", 1, errors[i], FAULT_ONCE});
        cr_expect_eq(trace_writer_append(&writer, frames[0]), 0);
        cr_expect_eq(trace_writer_append(&writer, frames[1]), 0);
        cr_expect(faults_disarm());
        cr_assert_eq(trace_writer_close(&writer), 0);
        check_content(NAME, frames, 2);
    }
}

/* A torn tail that cannot be cut off at once is cut off before anything else happens to the file. */
Test(trace_writer, torn_tails_are_cut_off_later)
{
    const struct slice frames[] = {frame(0, 100), frame(1, 200), frame(2, 50)};

    cr_assert_eq(trace_writer_open(&writer, dir_fd, NAME), 0);
    cr_assert_eq(trace_writer_append(&writer, frames[0]), 0);
    /* Half of the frame, then nothing: neither the rest nor the truncation. */
    cr_assert_eq(pwrite(writer.fd, frames[1].data, 77, 100), 77);
    faults_arm(&(struct fault){NULL, 1, EIO, FAULT_FROM_HERE});
    cr_assert_eq(trace_writer_append(&writer, frames[1]), -EIO);
    cr_assert_eq(trace_writer_append(&writer, frames[1]), -EIO);
    (void)faults_disarm();
    trace_writer_suspend(&writer);
    cr_assert_eq(trace_writer_resume(&writer), 0);
    cr_assert_eq(trace_writer_append(&writer, frames[2]), 0);
    check_content(PARTIAL, (const struct slice[]){frames[0], frames[2]}, 2);
    cr_assert_eq(trace_writer_close(&writer), 0);
}

Test(trace_writer, torn_tails_are_cut_off_before_closing)
{
    struct slice first = frame(0, 100);

    cr_assert_eq(trace_writer_open(&writer, dir_fd, NAME), 0);
    cr_assert_eq(trace_writer_append(&writer, first), 0);
    cr_assert_eq(pwrite(writer.fd, first.data, 77, 100), 77);
    faults_arm(&(struct fault){NULL, 1, EIO, FAULT_FROM_HERE});
    cr_assert_eq(trace_writer_append(&writer, first), -EIO);
    (void)faults_disarm();
    cr_assert_eq(trace_writer_close(&writer), 0);
    check_content(NAME, &first, 1);
}

/* What a part goes through, each step repeated once if it fails. Returns the frames that were appended. */
static size_t live(const struct slice frames[3])
{
    size_t appended = 0;

    if (trace_writer_open(&writer, dir_fd, NAME) < 0) {
        writer = (struct trace_writer){.fd = -1};
        return 0;
    }
    for (size_t i = 0; i < 3; i++) {
        if (trace_writer_resume(&writer) < 0 && trace_writer_resume(&writer) < 0) {
            break;
        }
        if (trace_writer_append(&writer, frames[i]) < 0 &&
            trace_writer_append(&writer, frames[i]) < 0) {
            break;
        }
        appended++;
        (void)!trace_writer_sync(&writer);
        trace_writer_suspend(&writer);
    }
    (void)!trace_writer_close(&writer);
    return appended;
}

/* Lives once with the n-th call failing. Returns whether there was such a call. */
static bool live_with_fault(const struct slice frames[3], const struct fault *fault)
{
    unsigned int descriptors = count_descriptors();
    bool is_reached;
    size_t appended;

    remove_files();
    faults_arm(fault);
    appended = live(frames);
    is_reached = faults_disarm();
    cr_assert_eq(count_descriptors(), descriptors, "call %u leaks", fault->nth);
    cr_assert_eq(writer.fd, -1);
    if (exists(NAME)) {
        check_content(NAME, frames, appended);
        return is_reached;
    }
    if (exists(PARTIAL)) {
        check_content(PARTIAL, frames, appended);
        return is_reached;
    }
    cr_assert_eq(appended, 0, "call %u lost the file", fault->nth);
    return is_reached;
}

Test(trace_writer, no_failing_call_loses_a_frame_or_a_descriptor)
{
    static const int errors[] = {EIO, ENOSPC, EINTR, EINVAL};
    static const enum fault_extent extents[] = {FAULT_ONCE, FAULT_FROM_HERE};
    const struct slice frames[3] = {frame(0, 100), frame(1, 200), frame(2, 50)};

    for (size_t i = 0; i < ARRAY_SIZE(errors) * ARRAY_SIZE(extents); i++) {
        struct fault fault = {.nth = 1, .error = errors[i / 2], .extent = extents[i % 2]};

        if (fault.error == EINTR && fault.extent == FAULT_FROM_HERE) {
            continue; /* interrupted forever */
        }
        while (live_with_fault(frames, &fault)) {
            fault.nth++;
            cr_assert_lt(fault.nth, MAX_CALLS);
        }
        cr_expect_gt(fault.nth, 15, "only %u calls", fault.nth);
    }
}
