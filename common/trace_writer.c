#include "trace_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum {
    FILE_MODE = 0640,
    PARTIAL_NAME_BYTES = TRACE_NAME_MAX_BYTES + sizeof(TRACE_PARTIAL_SUFFIX),
};

static bool is_allowed_in_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-';
}

void trace_file_name(char ret_name[static TRACE_NAME_MAX_BYTES], const char *executable,
                     uint32_t pid, const uint8_t *session, uint32_t part)
{
    char reduced[TRACE_EXECUTABLE_MAX_BYTES + 1] = "unknown";
    size_t length = strnlen(executable, TRACE_EXECUTABLE_MAX_BYTES);

    for (size_t i = 0; i < length; i++) {
        bool is_fine = is_allowed_in_name(executable[i]) && !(i == 0 && executable[i] == '.');

        reduced[i] = executable[i];
        if (!is_fine) {
            reduced[i] = '_';
        }
        reduced[i + 1] = '\0';
    }
    (void)snprintf(ret_name, TRACE_NAME_MAX_BYTES, "%s-%u-%02x%02x%02x%02x-%03u" TRACE_FILE_SUFFIX,
                   reduced, pid, session[0], session[1], session[2], session[3], part);
}

static void partial_name(char ret_name[static PARTIAL_NAME_BYTES], const char *name)
{
    (void)snprintf(ret_name, PARTIAL_NAME_BYTES, "%s" TRACE_PARTIAL_SUFFIX, name);
}

int trace_writer_open(struct trace_writer *ret_writer, int dir_fd, const char *name)
{
    char partial[PARTIAL_NAME_BYTES];
    struct stat status;

    if (strlen(name) >= TRACE_NAME_MAX_BYTES) {
        return -ENAMETOOLONG;
    }
    if (name[0] == '\0' || strchr(name, '/') != NULL) {
        return -EINVAL;
    }
    if (fstatat(dir_fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0) {
        return -EEXIST;
    }
    partial_name(partial, name);

    AUTO_CLOSE int fd =
        openat(dir_fd, partial, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);

    if (fd < 0) {
        return -errno;
    }
    if (fstat(fd, &status) < 0) {
        int r = -errno;

        (void)unlinkat(dir_fd, partial, 0);
        return r;
    }
    *ret_writer = (struct trace_writer){
        .fd = take_fd(&fd),
        .dir_fd = dir_fd,
        .device = status.st_dev,
        .inode = status.st_ino,
    };
    memcpy(ret_writer->name, name, strlen(name) + 1);
    return 0;
}

/* Writes all of it, or says how it failed. */
static int write_whole(int fd, struct slice bytes, uint64_t offset)
{
    while (bytes.size > 0) {
        ssize_t written = pwrite(fd, bytes.data, bytes.size, (off_t)offset);

        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written <= 0) {
            return written < 0 ? -errno : -EIO;
        }
        bytes.data += written;
        bytes.size -= (size_t)written;
        offset += (uint64_t)written;
    }
    return 0;
}

/* Half a frame must not stay where the next one begins, or behind the last one. */
static int cut_torn_tail(struct trace_writer *writer)
{
    if (writer->has_torn_tail && ftruncate(writer->fd, (off_t)writer->size_bytes) < 0) {
        return -errno;
    }
    writer->has_torn_tail = false;
    return 0;
}

int trace_writer_append(struct trace_writer *writer, struct slice frame)
{
    int r = cut_torn_tail(writer);

    r = r < 0 ? r : write_whole(writer->fd, frame, writer->size_bytes);
    if (r < 0) {
        writer->has_torn_tail = true;
        /* If this fails too, it is tried again before anything else happens to the file. */
        (void)!cut_torn_tail(writer);
        return r;
    }
    writer->size_bytes += frame.size;
    return 0;
}

static int sync_folder(const struct trace_writer *writer)
{
    /* EINVAL: a file system whose folders need no sync. */
    return fsync(writer->dir_fd) < 0 && errno != EINVAL ? -errno : 0;
}

int trace_writer_sync(struct trace_writer *writer)
{
    if (fdatasync(writer->fd) < 0) {
        return -errno;
    }
    if (!writer->is_listed) {
        int r = sync_folder(writer);

        if (r < 0) {
            return r;
        }
        writer->is_listed = true;
    }
    return 0;
}

/* Gives the file its final name without ever replacing another one. */
static int rename_to_final(const struct trace_writer *writer)
{
    char partial[PARTIAL_NAME_BYTES];

    partial_name(partial, writer->name);
    if (renameat2(writer->dir_fd, partial, writer->dir_fd, writer->name, RENAME_NOREPLACE) == 0) {
        return 0;
    }
    if (errno != EINVAL && errno != ENOSYS) {
        return -errno;
    }
    /* A file system (NFS) or kernel without RENAME_NOREPLACE. */
    if (linkat(writer->dir_fd, partial, writer->dir_fd, writer->name, 0) < 0) {
        return -errno;
    }
    return unlinkat(writer->dir_fd, partial, 0) < 0 ? -errno : 0;
}

/* Everything but the sync of the folder, which holds the new name then. */
static int finish_file(struct trace_writer *writer)
{
    int r = trace_writer_resume(writer);

    r = r < 0 ? r : cut_torn_tail(writer);
    r = r < 0 ? r : trace_writer_sync(writer);
    return r < 0 ? r : rename_to_final(writer);
}

int trace_writer_close(struct trace_writer *writer)
{
    int r = finish_file(writer);

    r = r < 0 ? r : sync_folder(writer);
    trace_writer_release(writer);
    return r;
}

int trace_writer_close_unlisted(struct trace_writer *writer)
{
    int r = finish_file(writer);

    trace_writer_release(writer);
    return r;
}

void trace_writer_release(struct trace_writer *writer)
{
    if (writer->fd >= 0) {
        (void)close(writer->fd);
    }
    *writer = (struct trace_writer){.fd = -1, .dir_fd = -1};
}

void trace_writer_suspend(struct trace_writer *writer)
{
    if (writer->fd >= 0) {
        (void)close(writer->fd);
        writer->fd = -1;
    }
}

/* Somebody else's file, or one that somebody cut or wrote to, is not ours any more. */
static bool is_same_file(const struct trace_writer *writer, const struct stat *status)
{
    uint64_t size = (uint64_t)status->st_size;

    return S_ISREG(status->st_mode) && status->st_dev == writer->device &&
           status->st_ino == writer->inode &&
           (size == writer->size_bytes || (size > writer->size_bytes && writer->has_torn_tail));
}

int trace_writer_resume(struct trace_writer *writer)
{
    char partial[PARTIAL_NAME_BYTES];
    struct stat status;

    if (writer->fd >= 0) {
        return 0;
    }
    partial_name(partial, writer->name);

    /* Not blocking: a FIFO in its place must be refused, not waited for. */
    AUTO_CLOSE int fd =
        openat(writer->dir_fd, partial, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &status) < 0) {
        return -errno;
    }
    if (!is_same_file(writer, &status)) {
        return -ESTALE;
    }
    writer->fd = take_fd(&fd);
    return 0;
}
