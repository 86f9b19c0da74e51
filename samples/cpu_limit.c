#define _GNU_SOURCE
#include "cpu_limit.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_PATH_BYTES = 128, LOWER_PRIORITY = 12 };

struct limit {
    const char *root;
    const char *file;
    const char *value;
    const char *words;
};

static const struct limit limits[] = {
    {"/sys/fs/cgroup", "cpu.max", "10000 100000", "10 ms of CPU time every 100 ms (cpu.max)"},
    {"/sys/fs/cgroup/cpu", "cpu.cfs_quota_us", "10000",
     "10 ms of CPU time every 100 ms (cpu.cfs_quota_us)"},
};

static bool write_text(const char *folder, const char *file, const char *text)
{
    char path[MAX_PATH_BYTES + 32];

    snprintf(path, sizeof(path), "%s/%s", folder, file);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    bool is_written = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
    close(fd);
    return is_written;
}

/* A process outside the group waits for the end of the pipe, that is of this one, and removes the group. */
static bool remove_at_the_end(const char *folder)
{
    int ends[2];
    char byte;

    if (pipe2(ends, O_CLOEXEC) < 0) {
        return false;
    }
    pid_t child = fork();
    if (child == 0) {
        signal(SIGINT, SIG_IGN);
        close(ends[1]);
        while (read(ends[0], &byte, 1) < 0 && errno == EINTR) {
        }
        for (int i = 0; i < 1000 && rmdir(folder) < 0 && errno == EBUSY; i++) {
            usleep(1000); /* the last thread is on its way out */
        }
        _exit(0);
    }
    close(ends[0]); /* the other end stays open until this process ends */
    return child > 0;
}

static bool enter_group(const struct limit *limit)
{
    char folder[MAX_PATH_BYTES];
    char pid[16];

    snprintf(folder, sizeof(folder), "%s/eddy-sample-%d", limit->root, (int)getpid());
    snprintf(pid, sizeof(pid), "%d", (int)getpid());
    if (mkdir(folder, 0755) < 0) {
        return false;
    }
    if (!write_text(folder, limit->file, limit->value) || !remove_at_the_end(folder) ||
        !write_text(folder, "cgroup.procs", pid)) {
        rmdir(folder);
        return false;
    }
    return true;
}

/* The neighbour computes until this process ends. A signal would be lost if it had ended before prctl(). */
static void compute_without_end(pid_t parent)
{
    volatile unsigned long number = 0;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (getppid() == parent) {
        for (int i = 0; i < 1000000; i++) {
            number = number * 6364136223846793005UL + 1;
        }
    }
    _exit(0);
}

static bool take_a_neighbour(void)
{
    cpu_set_t one_cpu;
    pid_t parent = getpid();
    int cpu = sched_getcpu();

    CPU_ZERO(&one_cpu);
    CPU_SET((size_t)(cpu < 0 ? 0 : cpu), &one_cpu);
    if (sched_setaffinity(0, sizeof(one_cpu), &one_cpu) < 0) {
        return false;
    }
    pid_t neighbour = fork();
    if (neighbour == 0) {
        compute_without_end(parent);
    }
    return neighbour > 0 && setpriority(PRIO_PROCESS, 0, LOWER_PRIORITY) == 0;
}

const char *limit_own_cpu(void)
{
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        if (enter_group(&limits[i])) {
            return limits[i].words;
        }
    }
    return take_a_neighbour() ? "one CPU beside a busy neighbour that goes first" : NULL;
}
