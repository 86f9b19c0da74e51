#include "listener.h"

#include "faults.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static char folder[] = "/tmp/test_listener.XXXXXX";
static char path[64];
static char error[LISTENER_ERROR_MAX_BYTES];

static void set_up(void)
{
    cr_assert_not_null(mkdtemp(folder));
    (void)snprintf(path, sizeof(path), "%s/eddy.sock", folder);
}

static void tear_down(void)
{
    (void)unlink(path);
    (void)rmdir(folder);
}

TestSuite(listener, .init = set_up, .fini = tear_down);

Test(listener, has_a_socket_of_its_mode_until_it_is_released)
{
    struct listener listener = {0};
    struct stat status;

    cr_assert_eq(listener_open(&listener, path, "", 0640, error), 0, "%s", error);
    cr_assert_eq(lstat(path, &status), 0);
    cr_expect(S_ISSOCK(status.st_mode));
    cr_expect_eq(status.st_mode & 0777, 0640);
    listener_release(&listener);
    cr_expect_neq(access(path, F_OK), 0);
}

Test(listener, leaves_nothing_behind_when_it_cannot_listen)
{
    struct listener listener = {0};

    faults_arm(&(struct fault){.function = "listen", .nth = 1, .error = EADDRINUSE});
    cr_expect_eq(listener_open(&listener, path, "", 0640, error), -EADDRINUSE);
    cr_expect(faults_disarm());
    cr_expect_not_null(strstr(error, "Address already in use"));
    cr_expect_neq(access(path, F_OK), 0);
    cr_expect_eq(listener.count, 0);
}

Test(listener, leaves_nothing_behind_without_the_group)
{
    struct listener listener = {0};

    cr_expect_eq(listener_open(&listener, path, "no such group", 0640, error), -ENOENT);
    cr_expect_neq(access(path, F_OK), 0);
}
