#include "output_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

enum { FILE_MODE = 0666 };

static bool is_stdout(const char *path)
{
    return strcmp(path, "-") == 0;
}

/* Whether something is there that must not be replaced. */
static bool is_special(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 && !S_ISREG(status.st_mode);
}

int output_file_check(const char *path)
{
    const char *slash = strrchr(path, '/');
    AUTO_FREE char *folder =
        slash == NULL ? strdup(".") : strndup(path, slash == path ? 1 : (size_t)(slash - path));
    struct stat status;

    if (folder == NULL) {
        return -ENOMEM;
    }
    if (is_stdout(path)) {
        return 0;
    }
    if (path[0] == '\0') {
        return -ENOENT;
    }
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) {
        return -EISDIR;
    }
    if (is_special(path)) {
        return 0;
    }
    return stat(folder, &status) < 0         ? -errno
           : !S_ISDIR(status.st_mode)        ? -ENOTDIR
           : access(folder, W_OK | X_OK) < 0 ? -errno
                                             : 0;
}

static int open_temporary(struct output_file *file)
{
    AUTO_FREE char *name = NULL;

    if (asprintf(&name, "%s.XXXXXX", file->path) < 0) {
        return -ENOMEM;
    }

    AUTO_CLOSE int fd = mkostemp(name, O_CLOEXEC);

    if (fd < 0) {
        return -errno;
    }
    file->temporary = take_pointer(&name);

    /* mkostemp() lets nobody else read; what others may do says the umask, as for any file. */
    mode_t mask = umask(0);

    (void)umask(mask);
    (void)fchmod(fd, FILE_MODE & ~mask);
    file->stream = fdopen(fd, "w");
    if (file->stream == NULL) {
        return -errno;
    }
    (void)take_fd(&fd);
    return 0;
}

int output_file_open(struct output_file *ret_file, const char *path)
{
    struct output_file file = {.path = path};
    int r = 0;

    if (is_stdout(path)) {
        file.stream = stdout;
    } else if (is_special(path)) {
        file.stream = fopen(path, "we");
        r = file.stream == NULL ? -errno : 0;
    } else {
        r = open_temporary(&file);
    }
    if (r < 0) {
        output_file_release(&file);
        return r;
    }
    *ret_file = file;
    return 0;
}

static int close_stream(struct output_file *file)
{
    FILE *stream = file->stream;
    bool has_error = ferror(stream) != 0;

    file->stream = NULL;
    if (stream == stdout) {
        return fflush(stream) != 0 ? -errno : has_error ? -EIO : 0;
    }
    if (fclose(stream) != 0) {
        return -errno;
    }
    return has_error ? -EIO : 0;
}

int output_file_commit(struct output_file *file)
{
    int r = close_stream(file);

    if (r == 0 && file->temporary != NULL && rename(file->temporary, file->path) < 0) {
        r = -errno;
    }
    if (r == 0) {
        free(file->temporary);
        file->temporary = NULL;
    }
    output_file_release(file);
    return r;
}

void output_file_release(struct output_file *file)
{
    if (file->stream != NULL && file->stream != stdout) {
        (void)fclose(file->stream);
    }
    if (file->temporary != NULL) {
        (void)unlink(file->temporary);
        free(file->temporary);
    }
    *file = (struct output_file){0};
}
