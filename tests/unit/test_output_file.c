#include "output_file.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

static char folder[64];

static void enter_folder(void)
{
    (void)strcpy(folder, "/tmp/eddy-output-XXXXXX");
    cr_assert_not_null(mkdtemp(folder));
    cr_assert_eq(chdir(folder), 0);
}

static void leave_folder(void)
{
    (void)unlink("out");
    cr_assert_eq(chdir("/"), 0);
    cr_assert_eq(rmdir(folder), 0, "files were left");
}

TestSuite(output_file, .init = enter_folder, .fini = leave_folder);

static void write_text(const char *text, bool is_committed)
{
    struct output_file file = {0};

    cr_assert_eq(output_file_check("out"), 0);
    cr_assert_eq(output_file_open(&file, "out"), 0);
    cr_assert_geq(fputs(text, file.stream), 0);
    if (is_committed) {
        cr_assert_eq(output_file_commit(&file), 0);
    }
    output_file_release(&file);
}

static void check_text(const char *expected)
{
    char found[32] = "";
    FILE *file = fopen("out", "r");

    cr_assert_not_null(file);
    (void)fread(found, 1, sizeof(found) - 1, file);
    (void)fclose(file);
    cr_assert_str_eq(found, expected);
}

Test(output_file, appears_when_committed_and_replaces)
{
    struct stat status;

    write_text("one", false);
    cr_assert_eq(access("out", F_OK), -1);
    (void)umask(027);
    write_text("two", true);
    check_text("two");
    cr_assert_eq(stat("out", &status), 0);
    cr_assert_eq(status.st_mode & 0777, 0640);
    write_text("three", false);
    check_text("two");
    write_text("four", true);
    check_text("four");
}

Test(output_file, what_cannot_be_made_is_refused_early)
{
    struct output_file file = {0};

    cr_assert_eq(output_file_check("missing/out"), -ENOENT);
    cr_assert_eq(output_file_check("/"), -EISDIR);
    cr_assert_eq(output_file_check("/dev/null/out"), -ENOTDIR);
    cr_assert_eq(output_file_check(""), -ENOENT);
    cr_assert_eq(output_file_check("-"), 0);
    cr_assert_eq(output_file_open(&file, "missing/out"), -ENOENT);
    output_file_release(&file);
}

Test(output_file, devices_are_written_as_they_are)
{
    struct output_file file = {0};
    struct stat status;

    cr_assert_eq(output_file_open(&file, "/dev/null"), 0);
    cr_assert_eq(output_file_commit(&file), 0);
    cr_assert_eq(output_file_open(&file, "/dev/full"), 0);
    (void)fputs("text", file.stream);
    cr_assert_eq(output_file_commit(&file), -ENOSPC);
    cr_assert_eq(stat("/dev/full", &status), 0);
    cr_assert(S_ISCHR(status.st_mode));
}
