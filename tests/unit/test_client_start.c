/* What a program must not feel of a start: whatever fails or interrupts it, the program runs on. */
#include "eddy.h"

#include "base.h"
#include "proc_file.h"
#include "traced_program.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

/* --- Calls that fail --- */

enum fault { FAULT_NONE, FAULT_MEMFD, FAULT_MMAP, FAULT_THREAD, FAULT_TRUNCATE };

static enum fault fault;
static bool raises_signal;
static _Atomic int allocations_left = -1; /* -1: all succeed */
static _Atomic bool allocation_failed;

static bool allocation_fails(void)
{
    int left = atomic_load(&allocations_left);

    if (left < 0) {
        return false;
    }
    if (left == 0) {
        atomic_store(&allocation_failed, true);
        return true;
    }
    (void)atomic_fetch_sub(&allocations_left, 1);
    return false;
}

int __real_memfd_create(const char *text, unsigned int flags);
int __wrap_memfd_create(const char *text, unsigned int flags);
int __wrap_memfd_create(const char *text, unsigned int flags)
{
    if (raises_signal) {
        (void)raise(SIGUSR1);
    }
    errno = ENOSYS;
    return fault == FAULT_MEMFD ? -1 : __real_memfd_create(text, flags);
}

void *__real_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
    errno = ENOMEM;
    return fault == FAULT_MMAP ? MAP_FAILED
                               : __real_mmap(address, size, protection, flags, fd, offset);
}

int __real_ftruncate(int fd, off_t size);
int __wrap_ftruncate(int fd, off_t size);
int __wrap_ftruncate(int fd, off_t size)
{
    errno = ENOMEM;
    return fault == FAULT_TRUNCATE ? -1 : __real_ftruncate(fd, size);
}

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument)
{
    return fault == FAULT_THREAD ? EAGAIN
                                 : __real_pthread_create(thread, attributes, run, argument);
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_malloc(size_t size)
{
    return allocation_fails() ? NULL : __real_malloc(size);
}

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size)
{
    return allocation_fails() ? NULL : __real_calloc(count, size);
}

void *__real_realloc(void *pointer, size_t size);
void *__wrap_realloc(void *pointer, size_t size);
void *__wrap_realloc(void *pointer, size_t size)
{
    return allocation_fails() ? NULL : __real_realloc(pointer, size);
}

/* --- Start --- */

static int is_off_and_harmless(void)
{
    int r = eddy_start();

    call_everything();

    struct eddy_stats after = stats();

    return r < 0 && eddy_begin(&name) == 0 && eddy_flush(0) == -ENOTCONN && eddy_shutdown(0) == 0 &&
                   after.recording == 0 && after.produced == 0
               ? 0
               : 1;
}

Test(client_start, a_start_that_fails_leaves_recording_off)
{
    for (fault = FAULT_MEMFD; fault <= FAULT_TRUNCATE; fault++) {
        cr_expect_eq(in_child(is_off_and_harmless), 0, "fault %d", fault);
    }
}

static int with_a_file_size_limit(void)
{
    const struct rlimit limit = {4096, 4096};

    return setrlimit(RLIMIT_FSIZE, &limit) == 0 ? is_off_and_harmless() : 2;
}

#if !defined(__SANITIZE_ADDRESS__) /* which itself needs more than there is */
static int with_an_address_space_limit(void)
{
    const struct rlimit limit = {32 * MIB, 32 * MIB};

    return setrlimit(RLIMIT_AS, &limit) == 0 ? is_off_and_harmless() : 2;
}
#endif

/* Without descriptors for anything but the recorder, or even for that. */
static int with_few_descriptors(void)
{
    int result = 0;

    (void)close(STDIN_FILENO);
    (void)close(STDOUT_FILENO);
    for (rlim_t most = 3; most > 0; most--) {
        const struct rlimit limit = {most, most};

        result |= setrlimit(RLIMIT_NOFILE, &limit);
    }
    result |= is_off_and_harmless();
    return result | (fcntl(STDIN_FILENO, F_GETFD) >= 0) | (fcntl(STDOUT_FILENO, F_GETFD) >= 0);
}

Test(client_start, limits_of_the_process_leave_recording_off)
{
    cr_expect_eq(in_child(with_a_file_size_limit), 0);
    cr_expect_eq(in_child(with_few_descriptors), 0);
#if !defined(__SANITIZE_ADDRESS__)
    cr_expect_eq(in_child(with_an_address_space_limit), 0);
#endif
}

/* With an address space that is too small, what did not fit is lost, and the program goes on. */
static int with_failing_allocations(void)
{
    int r = eddy_start();

    for (int i = 0; i < 100; i++) {
        call_everything();
    }
    if (r == 0) {
        (void)eddy_flush(1);
    }
    (void)eddy_shutdown(1000);

    struct eddy_stats after = stats();
    bool is_balanced = after.produced == after.stored + after.pending + sum_lost(&after);

    if (!is_balanced || (r == 0 && after.produced < 900)) {
        return 1;
    }
    return atomic_load(&allocation_failed) ? 0 : 100;
}

Test(client_start, allocations_that_fail_from_the_nth_on_cost_records_only)
{
    int result = 0;

    for (int n = 0; result == 0 && n < 200; n++) {
        atomic_store(&allocations_left, n);
        result = in_child(with_failing_allocations);
        cr_assert(result == 0 || result == 100, "allocation %d: %d", n, result);
    }
    cr_assert_eq(result, 100, "in the end all that were needed succeeded");
}

static void record_in_handler(int signal)
{
    (void)signal;
    eddy_end(eddy_begin(&name), EDDY_OK);
    eddy_gauge(&metric, 1);
}

static void handle_signals(void)
{
    (void)alarm(20); /* who waits for itself waits forever */
    const struct sigaction action = {.sa_handler = record_in_handler};

    cr_assert_eq(sigaction(SIGUSR1, &action, NULL), 0);
}

/* A handler that records while its thread starts: refused and counted, whoever asked for the start. */
Test(client_start, a_handler_during_eddy_start_is_refused)
{
    handle_signals();
    raises_signal = true;
    cr_assert_eq(eddy_start(), 0);
    raises_signal = false;
    cr_assert_eq(stats().lost[EDDY_LOST_NO_RING], 2);
    cr_assert_neq(eddy_begin(&name), 0);
}

Test(client_start, a_handler_during_the_first_call_is_refused)
{
    handle_signals();
    raises_signal = true;
    cr_assert_neq(eddy_begin(&name), 0);
    cr_assert_eq(stats().lost[EDDY_LOST_NO_RING], 2);
}

static void *start_while_cancelled(void *argument)
{
    int *started = argument;

    (void)pthread_cancel(pthread_self());
    *started = eddy_start();
    pthread_testcancel();
    return NULL;
}

/* A thread that is to end must not end within the start: all others would wait for it. */
Test(client_start, a_cancelled_thread_finishes_the_start)
{
    pthread_t thread;
    void *result = NULL;
    int started = 1;

    (void)alarm(20);
    cr_assert_eq(pthread_create(&thread, NULL, start_while_cancelled, &started), 0);
    cr_assert_eq(pthread_join(thread, &result), 0);
    cr_assert_eq(started, 0);
    cr_assert_eq(result, PTHREAD_CANCELED);
    cr_assert_neq(eddy_begin(&name), 0);
}

/* The scheduling policy of the flusher; -1 if there is none. */
static int policy_of_flusher(void)
{
    DIR *folder = opendir("/proc/self/task");
    const struct dirent *entry;
    int policy = -1;

    while ((entry = readdir(folder)) != NULL) {
        char text[64] = "";

        if (proc_file_read(text, sizeof(text), "task/%s/comm", entry->d_name) > 0 &&
            strcmp(text, "eddy-flusher\n") == 0) {
            policy = sched_getscheduler(atoi(entry->d_name));
        }
    }
    (void)closedir(folder);
    return policy;
}

Test(client_start, the_flusher_of_a_real_time_thread_is_an_ordinary_one)
{
    const struct sched_param least = {.sched_priority = 1};
    int policy = -1;

    if (sched_setscheduler(0, SCHED_FIFO, &least) == 0) { /* else this is not ours to test */
        cr_assert_eq(eddy_start(), 0);
        cr_assert_eq(sched_setscheduler(0, SCHED_OTHER, &(struct sched_param){0}), 0);
        (void)alarm(20);
        while ((policy = policy_of_flusher()) < 0) { /* it gives itself its name */
        }
        cr_assert_eq(policy, SCHED_OTHER);
    }
}
