/*
 * A process that does what few do, and must not be disturbed by being recorded: exits with 0 if all was as it would have
 * been, else says what was not.
 *
 *     odd_process forks COUNT     forks from a program with threads; children record, fork, exec, or leave at once
 *     odd_process vfork           records in a vforked child
 *     odd_process daemon          becomes a daemon between two records; prints nothing, the daemon writes "done" to argv[2]
 *     odd_process closed          runs without standard streams
 *     odd_process closes          closes all descriptors again and again and writes to a file of its own, argv[2]
 *     odd_process descriptors N   may have N descriptors
 *     odd_process without CALL    where a system call is forbidden: memfd_create, socket, getrusage, tgkill, openat, ...
 *     odd_process secure          tells "recording" or "not recording": for set-user-id copies of this program
 *     odd_process exit HOW        ends as HOW says: return, quick_exit, _exit, pthread_exit, abort, SIGTERM
 */
#include "eddy.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THREADS = 3, FIRST_OWN = 3, MANY_DESCRIPTORS = 1024, WATCHDOG_S = 20 };

static struct eddy_name step = EDDY_NAME("odd.step");
static _Atomic bool is_over;

static void record(int count)
{
    for (int i = 0; i < count; i++) {
        eddy_end(eddy_begin(&step), EDDY_OK);
    }
}

static void rest_ms(long ms)
{
    (void)nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

static int complain(const char *what)
{
    (void)fprintf(stderr, "odd_process: %s: %s\n", what, strerror(errno));
    return 1;
}

/* Records until told to stop; allocates as well, so that forks find the allocator at work. */
static void *keep_recording(void *argument)
{
    (void)argument;
    while (!is_over) {
        void *memory = malloc(1000);

        record(100);
        free(memory);
        rest_ms(1);
    }
    return NULL;
}

static bool start_threads(pthread_t *threads)
{
    for (int i = 0; i < THREADS; i++) {
        if (pthread_create(&threads[i], NULL, keep_recording, NULL) != 0) {
            return false;
        }
    }
    return true;
}

static void end_threads(const pthread_t *threads)
{
    is_over = true;
    for (int i = 0; i < THREADS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
}

/* --- Forks --- */

static bool wait_for(pid_t child)
{
    int status = 0;

    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) == 0;
}

/* What the how-th child does. Returns its exit status. */
static int be_a_child(int how)
{
    (void)alarm(WATCHDOG_S);
    switch (how % 5) {
    case 0:
        record(10);
        exit(0);
    case 1:
        _exit(0);
    case 2:
        (void)execl("/bin/true", "true", (char *)NULL);
        _exit(1);
    case 3: {
        pid_t grandchild = fork();

        if (grandchild == 0) {
            record(10);
            _exit(0);
        }
        record(10);
        _exit(wait_for(grandchild) ? 0 : 1);
    }
    default:
        exit(0); /* never records */
    }
}

static int do_forks(int count)
{
    pthread_t threads[THREADS];
    int failures = 0;

    if (!start_threads(threads)) {
        return complain("threads");
    }
    for (int i = 0; i < count; i++) {
        pid_t child = fork();

        if (child == 0) {
            _exit(be_a_child(i));
        }
        failures += wait_for(child) ? 0 : 1;
    }
    end_threads(threads);
    return failures == 0 ? 0 : complain("a child did not end well");
}

static int do_vfork(void)
{
    struct eddy_stats stats = {.size_bytes = sizeof(stats)};
    uint64_t operation = eddy_begin(&step);
    pid_t child = vfork();

    if (child == 0) {
        eddy_end(operation,
                 EDDY_OK); /* it is the same memory and, as far as we know, the same thread */
        _exit(0);
    }
    if (!wait_for(child)) {
        return complain("vfork");
    }
    record(1);
    return eddy_stats(&stats) == 0 && stats.open == 0 && stats.produced >= 2 ? 0
                                                                             : complain("stats");
}

static int do_daemon(const char *path)
{
    record(10);
    if (daemon(1, 0) < 0) {
        return complain("daemon");
    }
    record(20);

    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

    if (fd != FIRST_OWN || write(fd, "done", 4) != 4) {
        return 1;
    }
    return 0; /* the destructor hands over */
}

/* --- Descriptors --- */

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

static int do_closed(void)
{
    pthread_t threads[THREADS];
    int found = 0;

    for (int fd = 0; fd < FIRST_OWN; fd++) {
        (void)close(fd);
    }
    if (eddy_start() != 0 || !start_threads(threads)) {
        return 1;
    }
    for (int i = 0; i < 20; i++) {
        int fd = open("/dev/null", O_RDONLY);

        found += fd != 0;
        (void)close(fd);
        rest_ms(1);
    }
    end_threads(threads);
    (void)!eddy_shutdown(1000);
    for (int fd = 0; fd < FIRST_OWN; fd++) {
        found += is_open(fd);
    }
    /* The flusher may have had one for the moment of an open() when we looked. */
    return found > 10 ? found : 0;
}

static int do_closes(const char *path)
{
    pthread_t threads[THREADS];
    struct stat status = {0};
    off_t written = 0;

    if (eddy_start() != 0 || !start_threads(threads)) {
        return complain("threads");
    }
    rest_ms(50); /* with a collector: until it is connected */
    for (int i = 0; i < 200; i++) {
        for (int fd = FIRST_OWN; fd < MANY_DESCRIPTORS; fd++) {
            (void)close(fd);
        }

        int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);

        /* Wherever the library had its descriptors, there is now our file. */
        for (int number = FIRST_OWN + 1; number < MANY_DESCRIPTORS; number++) {
            (void)dup2(fd, number);
        }
        written += write(fd, "own", 3);
        record(10);
        if (i % 20 == 0) {
            (void)!eddy_flush(10);
        }
        rest_ms(2);
    }
    end_threads(threads);
    return stat(path, &status) == 0 && status.st_size == written ? 0 : complain("foreign bytes");
}

static int do_descriptors(rlim_t count)
{
    const struct rlimit limit = {count, count};

    if (setrlimit(RLIMIT_NOFILE, &limit) < 0) {
        return complain("setrlimit");
    }
    record(100);
    rest_ms(150);
    record(100);
    (void)!eddy_flush(50);
    return is_open(0) && is_open(1) && is_open(2) ? 0 : complain("standard streams");
}

/* --- System calls that are forbidden --- */

static const struct {
    const char *name;
    unsigned int number;
} calls[] = {
    {"memfd_create", SYS_memfd_create},
    {"ftruncate", SYS_ftruncate},
    {"fcntl", SYS_fcntl},
    {"socket", SYS_socket},
    {"connect", SYS_connect},
    {"getrusage", SYS_getrusage},
    {"tgkill", SYS_tgkill},
    {"openat", SYS_openat},
    {"getrandom", SYS_getrandom},
    {"madvise", SYS_madvise},
    {"prctl", SYS_prctl},
    {"sched_getaffinity", SYS_sched_getaffinity},
    {"close_range", SYS_close_range},
};

static bool forbid(unsigned int number)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

static int do_without(const char *name)
{
    pthread_t threads[THREADS];
    struct eddy_stats stats = {.size_bytes = sizeof(stats)};
    size_t i = 0;

    while (i < sizeof(calls) / sizeof(calls[0]) && strcmp(calls[i].name, name) != 0) {
        i++;
    }
    if (i == sizeof(calls) / sizeof(calls[0]) || !forbid(calls[i].number)) {
        return complain(name);
    }
    record(100);
    if (!start_threads(threads)) {
        return complain("threads");
    }
    rest_ms(100);
    end_threads(threads);
    record(100);
    (void)!eddy_flush(20);
    (void)!eddy_shutdown(1000);
    return eddy_stats(&stats) == 0 ? 0 : complain("eddy_stats");
}

static int do_secure(void)
{
    struct eddy_stats stats = {.size_bytes = sizeof(stats)};

    record(1);
    (void)!eddy_stats(&stats);
    (void)puts(stats.recording != 0 ? "recording" : "not recording");
    return 0;
}

/* --- Ends --- */

static int do_exit(const char *how)
{
    pthread_t threads[THREADS];

    if (!start_threads(threads)) {
        return complain("threads");
    }
    rest_ms(50);
    if (strcmp(how, "quick_exit") == 0) {
        quick_exit(0);
    } else if (strcmp(how, "_exit") == 0) {
        _exit(0);
    } else if (strcmp(how, "abort") == 0) {
        abort();
    } else if (strcmp(how, "SIGTERM") == 0) {
        (void)raise(SIGTERM);
    } else if (strcmp(how, "pthread_exit") == 0) {
        is_over = true;
        pthread_exit(NULL);
    }
    return 0; /* with threads that go on recording */
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    const char *argument = argc > 2 ? argv[2] : "";

    if (strcmp(what, "forks") == 0) {
        return do_forks(atoi(argument));
    }
    if (strcmp(what, "vfork") == 0) {
        return do_vfork();
    }
    if (strcmp(what, "daemon") == 0) {
        return do_daemon(argument);
    }
    if (strcmp(what, "closed") == 0) {
        return do_closed();
    }
    if (strcmp(what, "closes") == 0) {
        return do_closes(argument);
    }
    if (strcmp(what, "descriptors") == 0) {
        return do_descriptors(strtoul(argument, NULL, 10));
    }
    if (strcmp(what, "without") == 0) {
        return do_without(argument);
    }
    if (strcmp(what, "secure") == 0) {
        return do_secure();
    }
    return strcmp(what, "exit") == 0 ? do_exit(argument) : 2;
}
