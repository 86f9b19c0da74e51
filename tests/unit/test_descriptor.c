#include "descriptor.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>

static int open_null(void)
{
    int fd = open("/dev/null", O_RDWR);

    cr_assert_geq(fd, 0);
    return fd;
}

Test(descriptor, is_taken_over_high_and_closed_on_exec)
{
    struct descriptor descriptor = NO_DESCRIPTOR;
    int fd = open_null();

    cr_assert_eq(descriptor_take(&descriptor, fd), 0);
    cr_assert_geq(descriptor.fd, 100);
    cr_assert_eq(fcntl(descriptor.fd, F_GETFD), FD_CLOEXEC);
    cr_assert_lt(fcntl(fd, F_GETFD), 0);
    cr_assert(descriptor_is_ours(&descriptor));

    int kept = descriptor.fd;

    descriptor_release(&descriptor);
    cr_assert_eq(descriptor.fd, -1);
    cr_assert_lt(fcntl(kept, F_GETFD), 0);
    descriptor_release(&descriptor);
    cr_assert(!descriptor_is_ours(&descriptor));
    cr_assert_eq(descriptor_take(&descriptor, kept), -EBADF, "what is closed cannot be taken");
}

/* The program closed our number and got it for a file of its own. */
Test(descriptor, what_became_somebody_elses_is_left_alone)
{
    struct descriptor descriptor = NO_DESCRIPTOR;
    int pipes[2];

    cr_assert_eq(descriptor_take(&descriptor, open_null()), 0);
    cr_assert_eq(pipe(pipes), 0);

    int number = descriptor.fd;

    cr_assert_eq(dup2(pipes[1], number), number);
    cr_assert(!descriptor_is_ours(&descriptor));
    descriptor_release(&descriptor);
    cr_assert_geq(fcntl(number, F_GETFD), 0, "it is still open");
    cr_assert_eq(descriptor.fd, -1);
}

Test(descriptor, noted_ones_keep_their_number)
{
    struct descriptor descriptor = NO_DESCRIPTOR;
    int fd = open_null();

    cr_assert_eq(descriptor_note(&descriptor, fd), 0);
    cr_assert_eq(descriptor.fd, fd);
    (void)close(fd);
    cr_assert(!descriptor_is_ours(&descriptor));
    cr_assert_eq(descriptor_note(&descriptor, fd), -EBADF);
}

Test(descriptor, low_limits_are_kept_to)
{
    static const rlim_t limits[] = {1024, 300, 65, 64, 40};

    for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
        const struct rlimit limit = {limits[i], 4096};

        cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);

        int moved = descriptor_move_high(open_null());

        cr_assert_gt(moved, STDERR_FILENO, "limit %lu", limits[i]);
        cr_assert_lt((rlim_t)moved, limits[i]);
        (void)close(moved);
    }
}

Test(descriptor, never_takes_the_place_of_a_standard_stream)
{
    const struct rlimit limit = {3, 3};

    (void)close(STDIN_FILENO);
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);

    int fd = open_null();

    cr_assert_eq(fd, STDIN_FILENO);
    cr_assert_eq(descriptor_move_high(fd), -EMFILE);
    cr_assert_lt(fcntl(fd, F_GETFD), 0, "closed");
}
