/* What the calls of eddy.h promise to a program that is not to be disturbed: whatever fails, it runs on. */
#include "eddy.h"

#include "recorder.h"
#include "thread_ring.h"

#include <criterion/criterion.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

static struct eddy_name name = EDDY_NAME("test.operation");
static struct eddy_name key = EDDY_NAME("test.key");
static struct eddy_name metric = EDDY_METRIC("test.metric", "1");
static struct eddy_queue queue = EDDY_QUEUE("test.queue", 3);

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

/* --- What a program does --- */

static struct eddy_stats stats(void)
{
    struct eddy_stats stats = {.size_bytes = sizeof(stats)};

    cr_assert_eq(eddy_stats(&stats), 0);
    return stats;
}

static uint64_t sum_lost(const struct eddy_stats *stats)
{
    uint64_t lost = 0;

    for (int i = 0; i < 8; i++) {
        lost += stats->lost[i];
    }
    return lost;
}

/* Every call once, as the exported functions. */
static void call_everything(void)
{
    uint64_t operation = eddy_exported_begin(&name);
    uint64_t child = eddy_exported_begin_child(&name, operation);
    uint64_t queued = eddy_exported_begin_queued(&name, &queue);

    eddy_exported_state(operation, EDDY_WAITING_IO);
    eddy_exported_enqueue(child, &queue);
    eddy_exported_set_u64(operation, &key, 1);
    eddy_exported_set_i64(operation, &key, -1);
    eddy_exported_set_f64(operation, &key, 0.5);
    eddy_exported_set_bool(operation, &key, 1);
    eddy_exported_set_text(operation, &key, "text");
    eddy_exported_gauge(&metric, 1);
    eddy_exported_gauge_f64(&metric, 1.5);
    eddy_exported_count(&metric, 1);
    eddy_exported_mark(&name);
    eddy_exported_record(&name, 1, 2, EDDY_OK);
    eddy_exported_end(queued, EDDY_CANCELLED);
    eddy_exported_end(child, EDDY_OK);
    eddy_exported_end(operation, EDDY_ERROR);
    eddy_exported_end(eddy_exported_begin_at(&name, 5), EDDY_OK);
}

/* Runs a check in a child, which has no session yet. Returns its exit status; a signal counts as -1. */
static int in_child(int (*check)(void))
{
    int status = 0;
    pid_t child = fork();

    if (child == 0) {
        (void)alarm(20);
        _exit(check());
    }
    cr_assert(child > 0 && waitpid(child, &status, 0) == child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
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

Test(client_calls, a_start_that_fails_leaves_recording_off)
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

Test(client_calls, limits_of_the_process_leave_recording_off)
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

Test(client_calls, allocations_that_fail_from_the_nth_on_cost_records_only)
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
Test(client_calls, a_handler_during_eddy_start_is_refused)
{
    handle_signals();
    raises_signal = true;
    cr_assert_eq(eddy_start(), 0);
    raises_signal = false;
    cr_assert_eq(stats().lost[EDDY_LOST_NO_RING], 2);
    cr_assert_neq(eddy_begin(&name), 0);
}

Test(client_calls, a_handler_during_the_first_call_is_refused)
{
    handle_signals();
    raises_signal = true;
    cr_assert_neq(eddy_begin(&name), 0);
    cr_assert_eq(stats().lost[EDDY_LOST_NO_RING], 2);
}

/* --- While it runs --- */

static void call_flush(void)
{
    (void)!eddy_flush(5);
}

static void call_start(void)
{
    (void)!eddy_start();
}

static void call_stats(void)
{
    (void)stats();
}

static void call_interns(void)
{
    (void)!eddy_name_intern("run.time.name");
    (void)!eddy_metric_intern("run.time.metric", "By");
    (void)!eddy_queue_intern("run.time.queue", 7);
    (void)!eddy_now_ns();
}

static void call_shutdown(void)
{
    (void)!eddy_shutdown(100);
}

Test(client_calls, errno_is_untouched)
{
    static void (*const calls[])(void) = {
        call_start,   call_everything, call_flush,      call_stats,
        call_interns, call_shutdown,   call_everything, call_flush,
    };

    for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
        errno = EXDEV;
        calls[i]();
        cr_expect_eq(errno, EXDEV, "call %zu", i);
    }
}

Test(client_calls, null_and_nonsense_are_taken)
{
    uint64_t operation = eddy_begin(&name);
    struct eddy_name nameless = EDDY_NAME(NULL);
    struct eddy_stats wrong = {.size_bytes = 8};

    cr_assert_eq(eddy_begin(NULL), 0);
    cr_assert_neq(eddy_begin(&nameless), 0);
    cr_assert_neq(eddy_begin_queued(&name, NULL), 0);
    eddy_state(operation, 6);
    eddy_state(operation, UINT32_MAX);
    eddy_enqueue(operation, NULL);
    eddy_set_u64(operation, NULL, 1);
    eddy_set_text(operation, &key, NULL);
    eddy_set_text(operation, &nameless, "x");
    eddy_gauge(NULL, 1);
    eddy_mark(NULL);
    eddy_record(NULL, 1, 1, 1);
    eddy_end(operation, UINT32_MAX);
    eddy_end(operation, 0);
    eddy_end(UINT64_MAX, 0);
    cr_assert_eq(eddy_stats(NULL), -EINVAL);
    cr_assert_eq(eddy_stats(&wrong), -EINVAL);
    cr_assert_null(eddy_name_intern(NULL));
    cr_assert_eq(stats().stale_ends, 2);
    cr_assert_eq(stats().open, 2);
}

Test(client_calls, run_time_names_of_one_text_are_one)
{
    char text[400];

    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    cr_assert_eq(eddy_name_intern("a"), eddy_name_intern("a"));
    cr_assert_neq(eddy_name_intern("a"), eddy_name_intern("b"));
    cr_assert_neq((void *)eddy_name_intern("a"), (void *)eddy_metric_intern("a", NULL));
    cr_assert_eq(strlen(eddy_name_intern(text)->text), 255);
    cr_assert_eq(eddy_queue_intern("q", 5)->capacity, 5);
    cr_assert_str_eq(eddy_metric_intern("m", "By")->unit, "By");
}

/* How many of this process's descriptors are of a recorder. */
static int count_recorders(void)
{
    DIR *folder = opendir("/proc/self/fd");
    const struct dirent *entry;
    int found = 0;

    while ((entry = readdir(folder)) != NULL) {
        char target[256] = "";

        (void)!readlinkat(dirfd(folder), entry->d_name, target, sizeof(target) - 1);
        found += strstr(target, "memfd:eddy") != NULL;
    }
    (void)closedir(folder);
    return found;
}

static int has_nothing_of_its_parent(void)
{
    struct eddy_stats before = stats();
    int inherited = count_recorders();

    eddy_end(eddy_begin(&name), EDDY_OK);

    struct eddy_stats after = stats();

    return inherited == 0 && before.produced == 0 && after.produced >= 1 &&
                   atomic_load(&thread_ring->finished) == 1 && count_recorders() == 1
               ? 0
               : 1;
}

static int ends_what_its_parent_began(void)
{
    uint64_t operation = eddy_begin(&name);
    int result = 0;

    if (fork() == 0) {
        eddy_end(operation, EDDY_OK); /* of no session */
        eddy_state(operation, EDDY_RUNNING);
        call_everything();
        eddy_end(operation, EDDY_OK); /* stale */
        _exit(stats().stale_ends == 1 && stats().open == 0 ? 0 : 1);
    }
    if (wait(&result) < 0 || result != 0) {
        return 1;
    }
    eddy_end(operation, EDDY_OK);
    return stats().stale_ends == 0 && atomic_load(&thread_ring->finished) == 1 ? 0 : 2;
}

Test(client_calls, a_forked_child_begins_anew)
{
    cr_assert_eq(in_child(ends_what_its_parent_began), 0);
    eddy_end(eddy_begin(&name), EDDY_OK);
    cr_assert_eq(count_recorders(), 1);
    cr_assert_eq(in_child(has_nothing_of_its_parent), 0);
    cr_assert_eq(atomic_load(&thread_ring->finished), 1);
}

/* Attributes fill 256 bytes of an operation; empty texts take room, too. */
Test(client_calls, attributes_beyond_their_room_are_cut)
{
    char text[8];
    uint64_t operation = eddy_begin(&name);
    uint32_t index = (uint32_t)operation & session->slot_mask;

    for (int i = 0; i < 64; i++) {
        (void)sprintf(text, "key%d", i);
        eddy_set_text(operation, eddy_name_intern(text), "");
    }
    cr_assert_eq(session->slots[index].attribute_bytes, ATTRIBUTE_BYTES);
    cr_assert_eq(thread_ring->attributes_cut, 64 - ATTRIBUTE_BYTES / 16);
}
