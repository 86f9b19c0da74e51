#include "output_folder.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static char base[] = "/tmp/test_output_folder.XXXXXX";
static char path[512];
static char error[FOLDER_ERROR_MAX_BYTES];

static void set_up(void)
{
    cr_assert_not_null(mkdtemp(base));
    (void)snprintf(path, sizeof(path), "%s/traces", base);
    cr_assert_eq(mkdir(path, 0750), 0);
}

static void tear_down(void)
{
    char command[600];

    (void)snprintf(command, sizeof(command), "rm -rf '%s'", base);
    cr_assert_eq(system(command), 0);
}

TestSuite(output_folder, .init = set_up, .fini = tear_down);

static struct output_folder open_alone(void)
{
    struct output_folder folder;

    cr_assert_eq(output_folder_open(&folder, path, false, false, error), 0, "%s", error);
    return folder;
}

static void make_file(const struct output_folder *folder, const char *name, size_t size,
                      time_t modified_s)
{
    const struct timespec times[2] = {{.tv_sec = modified_s}, {.tv_sec = modified_s}};
    AUTO_CLOSE int fd = openat(folder->fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);

    cr_assert_geq(fd, 0);
    cr_assert_eq(ftruncate(fd, (off_t)size), 0);
    cr_assert_eq(futimens(fd, times), 0);
}

static bool exists(const struct output_folder *folder, const char *name)
{
    return faccessat(folder->fd, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

Test(output_folder, belongs_to_one_daemon)
{
    struct output_folder first = open_alone();
    struct output_folder second;

    cr_expect_eq(output_folder_open(&second, path, false, false, error), -EWOULDBLOCK);
    cr_expect_not_null(strstr(error, "another collector writes to it"), "%s", error);
    output_folder_release(&first);
    output_folder_release(&first);
    second = open_alone();
    output_folder_release(&second);
}

Test(output_folder, recordings_share_it_and_keep_a_daemon_out)
{
    struct output_folder first;
    struct output_folder second;
    struct output_folder daemon;

    cr_assert_eq(output_folder_open(&first, path, true, true, error), 0, "%s", error);
    cr_assert_eq(output_folder_open(&second, path, true, true, error), 0, "%s", error);
    cr_expect_eq(output_folder_open(&daemon, path, false, false, error), -EWOULDBLOCK);
    output_folder_release(&first);
    output_folder_release(&second);
}

Test(output_folder, is_created_only_if_asked_for)
{
    struct output_folder folder;

    (void)snprintf(path, sizeof(path), "%s/a/b//c", base);
    cr_expect_eq(output_folder_open(&folder, path, true, false, error), -ENOENT);
    cr_assert_eq(output_folder_open(&folder, path, true, true, error), 0, "%s", error);
    output_folder_release(&folder);
    (void)snprintf(path, sizeof(path), "%s/file", base);
    (void)close(open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    cr_expect_eq(output_folder_open(&folder, path, true, false, error), -ENOTDIR);
    cr_expect_lt(output_folder_open(&folder, path, true, true, error), 0);
}

Test(output_folder, what_a_killed_collector_left_gets_its_name)
{
    struct output_folder folder = open_alone();
    uint64_t adopted = 0;
    uint64_t left = 0;

    make_file(&folder, "a-1-00000000-000.trace.zst.partial", 10, 1);
    make_file(&folder, "b-1-00000000-000.trace.zst.partial", 10, 1);
    make_file(&folder, "b-1-00000000-000.trace.zst", 20, 1); /* its place is taken */
    make_file(&folder, "notes.partial", 10, 1);
    cr_assert_eq(symlinkat("/etc/passwd", folder.fd, "c-1-00000000-000.trace.zst.partial"), 0);
    cr_assert_eq(output_folder_adopt(&folder, &adopted, &left), 0);
    cr_expect_eq(adopted, 1);
    cr_expect_eq(left, 2);
    cr_expect(exists(&folder, "a-1-00000000-000.trace.zst"));
    cr_expect(exists(&folder, "b-1-00000000-000.trace.zst.partial"));
    cr_expect(exists(&folder, "c-1-00000000-000.trace.zst.partial"));
    cr_expect(exists(&folder, "notes.partial"));
    cr_expect(folder.needs_sync);
    cr_expect_eq(output_folder_sync(&folder), 0);
    cr_expect_not(folder.needs_sync);
    output_folder_release(&folder);
}

Test(output_folder, the_first_recording_adopts_and_those_that_join_do_not)
{
    struct output_folder alone = open_alone();
    struct output_folder first;
    struct output_folder second;

    make_file(&alone, "a-1-00000000-000.trace.zst.partial", 10, 1);
    output_folder_release(&alone);
    cr_assert_eq(output_folder_open(&first, path, true, false, error), 0, "%s", error);
    cr_expect(exists(&first, "a-1-00000000-000.trace.zst"));
    make_file(&first, "b-1-00000000-000.trace.zst.partial", 10, 1);
    cr_assert_eq(output_folder_open(&second, path, true, false, error), 0, "%s", error);
    cr_expect(exists(&first, "b-1-00000000-000.trace.zst.partial"));
    output_folder_release(&first);
    output_folder_release(&second);
}

Test(output_folder, a_scan_finds_closed_parts_the_oldest_first)
{
    static struct folder_scan scan;
    const char *open_names[] = {"open-1-00000000-000.trace.zst"};
    struct output_folder folder = open_alone();

    make_file(&folder, "young-1-00000000-000.trace.zst", 1, 300);
    make_file(&folder, "old-1-00000000-000.trace.zst", 2, 100);
    make_file(&folder, "same-1-00000000-001.trace.zst", 4, 200);
    make_file(&folder, "same-1-00000000-000.trace.zst", 8, 200);
    make_file(&folder, "open-1-00000000-000.trace.zst.partial", 16, 50);
    make_file(&folder, "left-1-00000000-000.trace.zst.partial", 32, 150);
    make_file(&folder, "notes.txt", 64, 1);
    cr_assert_eq(symlinkat("notes.txt", folder.fd, "link-1-00000000-000.trace.zst"), 0);
    cr_assert_eq(output_folder_scan(&folder, open_names, 1, &scan), 0);
    cr_expect_eq(scan.closed_parts, 5);
    cr_expect_eq(scan.closed_bytes, 1 + 2 + 4 + 8 + 32);
    cr_expect_eq(folder.closed_bytes, scan.closed_bytes);
    cr_assert_eq(scan.oldest_count, 5);
    cr_expect_str_eq(scan.oldest[0].name, "old-1-00000000-000.trace.zst");
    cr_expect_str_eq(scan.oldest[1].name, "left-1-00000000-000.trace.zst.partial");
    cr_expect_str_eq(scan.oldest[2].name, "same-1-00000000-000.trace.zst");
    cr_expect_str_eq(scan.oldest[3].name, "same-1-00000000-001.trace.zst");
    cr_expect_str_eq(scan.oldest[4].name, "young-1-00000000-000.trace.zst");
    output_folder_release(&folder);
}

Test(output_folder, a_scan_of_many_parts_keeps_the_oldest)
{
    static struct folder_scan scan;
    struct output_folder folder = open_alone();
    char name[64];

    for (int i = 0; i < FOLDER_OLDEST_MAX + 50; i++) {
        (void)snprintf(name, sizeof(name), "p-%d-00000000-000.trace.zst", (i * 7919) % 100000);
        make_file(&folder, name, 1, 1000 + (i * 101) % (FOLDER_OLDEST_MAX + 50));
    }
    cr_assert_eq(output_folder_scan(&folder, NULL, 0, &scan), 0);
    cr_expect_eq(scan.closed_parts, FOLDER_OLDEST_MAX + 50);
    cr_assert_eq(scan.oldest_count, FOLDER_OLDEST_MAX);
    for (size_t i = 0; i < FOLDER_OLDEST_MAX; i++) {
        cr_expect_eq(scan.oldest[i].modified_ns, (1000 + i) * NS_PER_S);
    }
    output_folder_release(&folder);
}

Test(output_folder, only_regular_files_are_deleted)
{
    struct output_folder folder = open_alone();
    struct closed_part part = {.size_bytes = 10, .name = "a-1-00000000-000.trace.zst"};

    folder.closed_bytes = 5;
    cr_expect_eq(output_folder_delete(&folder, &part), -ENOENT);
    cr_assert_eq(symlinkat("/etc/passwd", folder.fd, part.name), 0);
    cr_expect_eq(output_folder_delete(&folder, &part), -ENOENT);
    cr_expect(exists(&folder, part.name));
    cr_assert_eq(unlinkat(folder.fd, part.name, 0), 0);
    make_file(&folder, part.name, 10, 1);
    cr_expect_eq(output_folder_delete(&folder, &part), 0);
    cr_expect_not(exists(&folder, part.name));
    cr_expect_eq(folder.closed_bytes, 0);
    output_folder_release(&folder);
}

Test(output_folder, knows_how_much_is_free)
{
    struct output_folder folder = open_alone();
    uint64_t bytes = 0;

    cr_expect_eq(output_folder_free_bytes(&folder, &bytes), 0);
    cr_expect_gt(bytes, 0);
    cr_expect_eq(output_folder_sync_files(&folder), 0);
    output_folder_release(&folder);
}
