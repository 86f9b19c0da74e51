#include "listener.h"

#include "clocks.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

enum {
    FIRST_PASSED_FD = 3, /* sd_listen_fds(3) */
    GROUP_BUFFER_BYTES = 64 << 10,
    LOCK_ATTEMPTS = 50,
    LOCK_PAUSE_MS = 20,
};

PRINTF_LIKE(3, 4) static int fail(char *ret_error, int error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(ret_error, LISTENER_ERROR_MAX_BYTES, format, arguments);
    va_end(arguments);
    return error;
}

static int make_address(struct sockaddr_un *ret_address, const char *path, char *ret_error)
{
    size_t length = strlen(path);

    *ret_address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (length == 0) {
        return fail(ret_error, -EINVAL,
                    "the socket path is empty; give one with --socket or EDDY_SOCKET");
    }
    if (length >= sizeof(ret_address->sun_path)) {
        return fail(ret_error, -ENAMETOOLONG,
                    "socket path '%.150s...' is too long: %zu bytes, at most %zu are possible; "
                    "choose a shorter one",
                    path, length, sizeof(ret_address->sun_path) - 1);
    }
    memcpy(ret_address->sun_path, path, length);
    return 0;
}

/* Two collectors that start together must not both find the same stale socket: the folder is locked meanwhile. */
static int lock_folder_of(const char *path)
{
    char folder[sizeof(((struct sockaddr_un *)NULL)->sun_path)];
    const char *slash = strrchr(path, '/');

    (void)snprintf(folder, sizeof(folder), "%.*s",
                   slash == NULL ? 1 : (int)max_u64(1, (uint64_t)(slash - path)),
                   slash == NULL ? "." : path);
    AUTO_CLOSE int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; fd >= 0 && i < LOCK_ATTEMPTS; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0) {
            return take_fd(&fd);
        }
        (void)nanosleep(&(struct timespec){.tv_nsec = LOCK_PAUSE_MS * (long)NS_PER_MS}, NULL);
    }
    return -1;
}

static int test_in_use(const struct sockaddr_un *address)
{
    AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0) {
        return -errno;
    }
    /* A full backlog (EAGAIN) also says that somebody listens. */
    if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) == 0 || errno == EAGAIN) {
        return 1;
    }
    return errno == ECONNREFUSED ? 0 : -errno;
}

static int remove_stale_socket(const struct sockaddr_un *address, char *ret_error)
{
    const char *path = address->sun_path;
    struct stat status;

    if (lstat(path, &status) < 0) {
        return errno == ENOENT ? 0
                               : fail(ret_error, -errno, "cannot look at socket path '%s': %s",
                                      path, strerror(errno));
    }
    if (!S_ISSOCK(status.st_mode)) {
        return fail(
            ret_error, -ENOTSOCK,
            "'%s' exists and is not a socket; it is left alone: choose another path with --socket",
            path);
    }
    int in_use = test_in_use(address);
    if (in_use == 1) {
        return fail(ret_error, -EADDRINUSE, "another collector listens on '%s' already", path);
    }
    if (in_use < 0) {
        return fail(ret_error, in_use, "cannot tell whether '%s' is in use: %s", path,
                    strerror(-in_use));
    }
    if (unlink(path) < 0 && errno != ENOENT) {
        return fail(ret_error, -errno, "cannot replace the stale socket '%s': %s", path,
                    strerror(errno));
    }
    return 0;
}

static int find_group(const char *name, gid_t *ret_group)
{
    AUTO_FREE char *buffer = malloc(GROUP_BUFFER_BYTES);
    struct group entry;
    struct group *found = NULL;

    if (buffer == NULL) {
        return -ENOMEM;
    }
    int error = getgrnam_r(name, &entry, buffer, GROUP_BUFFER_BYTES, &found);
    if (error != 0) {
        return -error;
    }
    if (found == NULL) {
        return -ENOENT;
    }
    *ret_group = entry.gr_gid;
    return 0;
}

static int set_owner_and_mode(const char *path, const char *group, uint32_t mode, char *ret_error)
{
    gid_t group_id = (gid_t)-1;

    if (group[0] != '\0') {
        int r = find_group(group, &group_id);
        if (r < 0) {
            return fail(ret_error, r, "group '%s' of the socket does not exist", group);
        }
        if (lchown(path, (uid_t)-1, group_id) < 0) {
            return fail(ret_error, -errno, "cannot give socket '%s' to group '%s': %s", path, group,
                        strerror(errno));
        }
    }
    if (chmod(path, (mode_t)mode) < 0) {
        return fail(ret_error, -errno, "cannot set the mode of socket '%s': %s", path,
                    strerror(errno));
    }
    return 0;
}

static int bind_and_listen(int fd, const struct sockaddr_un *address, char *ret_error)
{
    /* From its first moment the file permits nobody else. */
    mode_t umask_before = umask(0177);
    int r = bind(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 ? -errno : 0;

    (void)umask(umask_before);
    if (r < 0) {
        return fail(ret_error, r, "cannot create socket '%s': %s", address->sun_path, strerror(-r));
    }
    if (listen(fd, LISTENER_BACKLOG) < 0) {
        r = -errno;
        (void)unlink(address->sun_path);
        return fail(ret_error, r, "cannot listen on '%s': %s", address->sun_path, strerror(-r));
    }
    return 0;
}

int listener_open(struct listener *ret_listener, const char *path, const char *group, uint32_t mode,
                  char ret_error[static LISTENER_ERROR_MAX_BYTES])
{
    struct sockaddr_un address;
    struct stat status;

    int r = make_address(&address, path, ret_error);
    if (r < 0) {
        return r;
    }
    AUTO_CLOSE int lock_fd = lock_folder_of(path);
    (void)lock_fd;
    r = remove_stale_socket(&address, ret_error);
    if (r < 0) {
        return r;
    }
    AUTO_CLOSE int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    AUTO_FREE char *own_path = strdup(path);
    if (fd < 0 || own_path == NULL) {
        return fail(ret_error, -ENOMEM, "cannot create a socket: %s", strerror(errno));
    }
    r = bind_and_listen(fd, &address, ret_error);
    if (r < 0) {
        return r;
    }
    r = set_owner_and_mode(path, group, mode, ret_error);
    if (r == 0 && lstat(path, &status) < 0) {
        r = fail(ret_error, -errno, "cannot look at socket '%s': %s", path, strerror(errno));
    }
    if (r < 0) {
        (void)unlink(path);
        return r;
    }
    *ret_listener = (struct listener){
        .fds = {take_fd(&fd)},
        .count = 1,
        .path = take_pointer(&own_path),
        .device = status.st_dev,
        .inode = status.st_ino,
    };
    return 0;
}

static int socket_option(int fd, int option)
{
    int value = -1;
    socklen_t size = sizeof(value);

    return getsockopt(fd, SOL_SOCKET, option, &value, &size) < 0 ? -1 : value;
}

static size_t passed_socket_count(void)
{
    const char *pid = getenv("LISTEN_PID");
    const char *count = getenv("LISTEN_FDS");

    if (pid == NULL || count == NULL || strtoull(pid, NULL, 10) != (unsigned long long)getpid()) {
        return 0;
    }
    return strtoull(count, NULL, 10);
}

int listener_adopt(struct listener *ret_listener, char ret_error[static LISTENER_ERROR_MAX_BYTES])
{
    struct listener listener = {.count = passed_socket_count()};

    (void)unsetenv("LISTEN_PID");
    (void)unsetenv("LISTEN_FDS");
    (void)unsetenv("LISTEN_FDNAMES");
    if (listener.count == 0) {
        return 0;
    }
    if (listener.count > LISTENER_MAX_SOCKETS) {
        return fail(ret_error, -EINVAL,
                    "the service manager passed %zu sockets; at most %d are served", listener.count,
                    LISTENER_MAX_SOCKETS);
    }
    for (size_t i = 0; i < listener.count; i++) {
        int fd = FIRST_PASSED_FD + (int)i;

        if (socket_option(fd, SO_DOMAIN) != AF_UNIX || socket_option(fd, SO_TYPE) != SOCK_STREAM ||
            socket_option(fd, SO_ACCEPTCONN) != 1) {
            return fail(ret_error, -EINVAL,
                        "descriptor %d from the service manager is no listening Unix stream socket "
                        "(ListenStream= with a path)",
                        fd);
        }
        if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) < 0) {
            return fail(ret_error, -errno, "cannot use descriptor %d: %s", fd, strerror(errno));
        }
        listener.fds[i] = fd;
    }
    *ret_listener = listener;
    return 1;
}

void listener_release(struct listener *listener)
{
    struct stat status;

    for (size_t i = 0; i < listener->count; i++) {
        cleanup_close(&listener->fds[i]);
    }
    if (listener->path != NULL && lstat(listener->path, &status) == 0 &&
        status.st_dev == listener->device && status.st_ino == listener->inode) {
        (void)unlink(listener->path);
    }
    free(listener->path);
    *listener = (struct listener){0};
}
