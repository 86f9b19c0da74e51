#include "faults.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static struct fault armed;
static bool is_armed;
static unsigned int calls;
static uint64_t bytes_moved;

void faults_arm(const struct fault *fault)
{
    armed = *fault;
    calls = 0;
    bytes_moved = 0;
    is_armed = true;
}

uint64_t faults_bytes_moved(void)
{
    return bytes_moved;
}

bool faults_disarm(void)
{
    is_armed = false;
    return calls >= armed.nth;
}

/* Whether this call is one that the test wants to fail. */
static bool is_hit(const char *function)
{
    if (!is_armed || (armed.function != NULL && strcmp(armed.function, function) != 0)) {
        return false;
    }
    calls++;
    return armed.extent == FAULT_ONCE ? calls == armed.nth : calls >= armed.nth;
}

static bool fails(const char *function)
{
    if (!is_hit(function) || armed.error == 0) {
        return false;
    }
    errno = armed.error;
    return true;
}

/* The real function is there only in programs that wrap it. */
#define WRAPPED(type, name, parameters, arguments, failure)                                        \
    type __real_##name parameters __attribute__((weak));                                           \
    type __wrap_##name parameters;                                                                 \
    type __wrap_##name parameters                                                                  \
    {                                                                                              \
        return fails(#name) ? failure : __real_##name arguments;                                   \
    }

WRAPPED(void *, malloc, (size_t size), (size), NULL)
WRAPPED(void *, calloc, (size_t count, size_t size), (count, size), NULL)
WRAPPED(void *, realloc, (void *pointer, size_t size), (pointer, size), NULL)
WRAPPED(int, fstat, (int fd, struct stat *status), (fd, status), -1)
WRAPPED(int, fstatat, (int dir_fd, const char *path, struct stat *status, int flags),
        (dir_fd, path, status, flags), -1)
WRAPPED(int, fstatvfs, (int fd, struct statvfs *status), (fd, status), -1)
WRAPPED(int, listen, (int fd, int backlog), (fd, backlog), -1)
WRAPPED(int, ftruncate, (int fd, off_t size), (fd, size), -1)
WRAPPED(int, fsync, (int fd), (fd), -1)
WRAPPED(int, fdatasync, (int fd), (fd), -1)
WRAPPED(int, renameat2,
        (int old_fd, const char *old_path, int new_fd, const char *new_path, unsigned int flags),
        (old_fd, old_path, new_fd, new_path, flags), -1)
WRAPPED(int, linkat,
        (int old_fd, const char *old_path, int new_fd, const char *new_path, int flags),
        (old_fd, old_path, new_fd, new_path, flags), -1)
WRAPPED(int, unlinkat, (int dir_fd, const char *path, int flags), (dir_fd, path, flags), -1)
WRAPPED(off_t, lseek, (int fd, off_t offset, int whence), (fd, offset, whence), -1)

static ssize_t count_moved(ssize_t moved)
{
    bytes_moved += moved > 0 ? (uint64_t)moved : 0;
    return moved;
}

/* These may also do a part of their work only. */
#define WRAPPED_MOVE(name, pointer)                                                                \
    ssize_t __real_##name(int fd, pointer bytes, size_t size, off_t offset) __attribute__((weak)); \
    ssize_t __wrap_##name(int fd, pointer bytes, size_t size, off_t offset);                       \
    ssize_t __wrap_##name(int fd, pointer bytes, size_t size, off_t offset)                        \
    {                                                                                              \
        bool hit = is_hit(#name);                                                                  \
                                                                                                   \
        if (hit && armed.error != 0) {                                                             \
            errno = armed.error;                                                                   \
            return -1;                                                                             \
        }                                                                                          \
        return count_moved(__real_##name(fd, bytes, hit ? (size + 1) / 2 : size, offset));         \
    }

WRAPPED_MOVE(pread, void *)
WRAPPED_MOVE(pwrite, const void *)

int __real_openat(int dir_fd, const char *path, int flags, ...) __attribute__((weak));
int __wrap_openat(int dir_fd, const char *path, int flags, ...);

int __wrap_openat(int dir_fd, const char *path, int flags, ...)
{
    va_list arguments;
    unsigned int mode;

    if (fails("openat")) {
        return -1;
    }
    if ((flags & O_CREAT) == 0) {
        return __real_openat(dir_fd, path, flags);
    }
    va_start(arguments, flags);
    mode = va_arg(arguments, unsigned int);
    va_end(arguments);
    return __real_openat(dir_fd, path, flags, mode);
}
