#include "descriptor.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
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

struct own_table_case {
    struct descriptor kept;
    bool with_stderr;
    int result;
    unsigned int open_count; /* of the thread, afterwards */
    bool has_kept;
    bool has_stderr;
};

static void *use_own_table(void *argument)
{
    struct own_table_case *one = argument;

    one->result = descriptor_own_table(&one->kept, one->with_stderr);
    for (int fd = 0; fd < 1024; fd++) {
        one->open_count += fcntl(fd, F_GETFD) >= 0;
    }
    one->has_kept = descriptor_is_ours(&one->kept);
    one->has_stderr = fcntl(STDERR_FILENO, F_GETFD) >= 0;
    (void)close(open_null());
    return NULL;
}

static void run_case(struct own_table_case *one)
{
    pthread_t thread;
    int low = open_null();
    int high = fcntl(low, F_DUPFD, 900);

    cr_assert_eq(pthread_create(&thread, NULL, use_own_table, one), 0);
    cr_assert_eq(pthread_join(thread, NULL), 0);
    cr_assert(fcntl(low, F_GETFD) >= 0 && fcntl(high, F_GETFD) >= 0, "the program's are untouched");
    (void)close(low);
    (void)close(high);
}

Test(descriptor, a_thread_with_its_own_table_has_what_it_keeps)
{
    for (int with_stderr = 0; with_stderr <= 1; with_stderr++) {
        struct own_table_case one = {.kept = NO_DESCRIPTOR, .with_stderr = with_stderr};

        cr_assert_eq(descriptor_take(&one.kept, open_null()), 0);
        run_case(&one);
        if (one.result != -ENOSYS && one.result != -EPERM) { /* it is this kernel's business */
            cr_expect_eq(one.result, 0);
            cr_expect(one.has_kept);
            cr_expect_eq(one.has_stderr, with_stderr);
            cr_expect_eq(one.open_count, with_stderr ? 2 : 1);
        }
        cr_expect(descriptor_is_ours(&one.kept), "here it is as well");
        descriptor_release(&one.kept);
    }
}

/* The program took the number before the thread had its own table: then even our copy goes. */
Test(descriptor, what_is_not_ours_any_more_is_not_kept)
{
    struct own_table_case one = {.kept = NO_DESCRIPTOR};
    int pipes[2];

    cr_assert_eq(descriptor_take(&one.kept, open_null()), 0);
    cr_assert_eq(pipe(pipes), 0);
    cr_assert_geq(dup2(pipes[1], one.kept.fd), 0);
    run_case(&one);
    cr_expect_eq(one.kept.fd, one.result == 0 ? -1 : one.kept.fd);
    cr_expect_eq(one.open_count, one.result == 0 ? 0 : one.open_count);
}

Test(descriptor, without_anything_to_keep_all_stays_shared)
{
    struct own_table_case one = {.kept = NO_DESCRIPTOR};

    run_case(&one);
    cr_expect_eq(one.result, -EBADF);
    cr_expect_gt(one.open_count, 4);
}
