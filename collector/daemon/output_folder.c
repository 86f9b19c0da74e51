#include "output_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>

enum {
    FOLDER_MODE = 0750,
    LOCK_ATTEMPTS = 50,
    LOCK_PAUSE_MS = 20,
};

PRINTF_LIKE(3, 4) static int fail(char *ret_error, int error, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(ret_error, FOLDER_ERROR_MAX_BYTES, format, arguments);
    va_end(arguments);
    return error;
}

static int make_folders(const char *path)
{
    AUTO_FREE char *partial = strdup(path);

    if (partial == NULL) {
        return -ENOMEM;
    }
    for (char *slash = strchr(partial + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(partial, FOLDER_MODE) < 0 && errno != EEXIST) {
            return -errno;
        }
        *slash = '/';
    }
    return mkdir(partial, FOLDER_MODE) < 0 && errno != EEXIST ? -errno : 0;
}

static bool has_suffix(const char *name, size_t length, const char *suffix)
{
    size_t suffix_length = strlen(suffix);

    return length > suffix_length &&
           memcmp(name + length - suffix_length, suffix, suffix_length) == 0;
}

/* The length of the final name if this is a part's name, with or without .partial; else 0. */
static size_t part_name_length(const char *name)
{
    size_t length = strlen(name);

    if (has_suffix(name, length, TRACE_PARTIAL_SUFFIX)) {
        length -= strlen(TRACE_PARTIAL_SUFFIX);
    }
    return length < TRACE_NAME_MAX_BYTES && has_suffix(name, length, TRACE_FILE_SUFFIX) ? length
                                                                                        : 0;
}

static DIR *open_listing(const struct output_folder *folder)
{
    AUTO_CLOSE int fd = openat(folder->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = fd < 0 ? NULL : fdopendir(fd);

    if (listing != NULL) {
        (void)take_fd(&fd);
    }
    return listing;
}

static bool is_regular_file(const struct output_folder *folder, const char *name,
                            struct stat *ret_status)
{
    return fstatat(folder->fd, name, ret_status, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISREG(ret_status->st_mode);
}

static int adopt_one(struct output_folder *folder, const char *name, size_t final_length)
{
    char final_name[TRACE_NAME_MAX_BYTES];
    struct stat status;

    if (!is_regular_file(folder, name, &status)) {
        return -EINVAL;
    }
    memcpy(final_name, name, final_length);
    final_name[final_length] = '\0';
    return renameat2(folder->fd, name, folder->fd, final_name, RENAME_NOREPLACE) < 0 ? -errno : 0;
}

int output_folder_adopt(struct output_folder *folder, uint64_t *ret_adopted, uint64_t *ret_left)
{
    uint64_t adopted = 0;
    uint64_t left = 0;

    if (!folder->is_exclusive) {
        *ret_adopted = 0;
        *ret_left = 0;
        return 0;
    }
    DIR *listing = open_listing(folder);
    if (listing == NULL) {
        return -errno;
    }
    for (struct dirent *entry = readdir(listing); entry != NULL; entry = readdir(listing)) {
        size_t length = part_name_length(entry->d_name);

        if (length == 0 || entry->d_name[length] == '\0') {
            continue;
        }
        if (adopt_one(folder, entry->d_name, length) == 0) {
            adopted++;
        } else {
            left++;
        }
    }
    (void)closedir(listing);
    folder->needs_sync = folder->needs_sync || adopted > 0;
    *ret_adopted = adopted;
    *ret_left = left;
    return 0;
}

static int own_folder(struct output_folder *folder)
{
    if (flock(folder->fd, LOCK_EX | LOCK_NB) < 0) {
        return -errno;
    }
    folder->is_exclusive = true;
    return 0;
}

/* Whoever comes first tidies up, alone for that moment; then all share. */
static int share_folder(struct output_folder *folder)
{
    uint64_t adopted;
    uint64_t left;

    if (own_folder(folder) == 0) {
        int r = output_folder_adopt(folder, &adopted, &left);
        if (r < 0) {
            return r;
        }
    }
    folder->is_exclusive = false;
    for (int i = 0; flock(folder->fd, LOCK_SH | LOCK_NB) < 0; i++) {
        if (errno != EWOULDBLOCK || i == LOCK_ATTEMPTS) {
            return -errno;
        }
        (void)nanosleep(&(struct timespec){.tv_nsec = LOCK_PAUSE_MS * (long)NS_PER_MS}, NULL);
    }
    return 0;
}

int output_folder_open(struct output_folder *ret_folder, const char *path, bool share, bool create,
                       char ret_error[static FOLDER_ERROR_MAX_BYTES])
{
    int r = create ? make_folders(path) : 0;

    if (r < 0) {
        return fail(ret_error, r, "cannot create output folder '%.300s': %s", path, strerror(-r));
    }
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) {
        r = -errno;
        return fail(ret_error, r, "cannot open output folder '%.300s': %s%s", path, strerror(-r),
                    r == -ENOENT ? "; create it, or choose another with --output" : "");
    }
    if (faccessat(fd, ".", W_OK | X_OK, AT_EACCESS) < 0) {
        r = -errno;
        return fail(ret_error, r, "cannot write to output folder '%.300s': %s", path, strerror(-r));
    }
    struct output_folder folder = {.fd = fd};
    r = share ? share_folder(&folder) : own_folder(&folder);
    if (r < 0) {
        return fail(ret_error, r, "cannot use output folder '%.300s': %s", path,
                    r == -EWOULDBLOCK ? "another collector writes to it; choose another folder"
                                      : strerror(-r));
    }
    *ret_folder = folder;
    (void)take_fd(&fd);
    return 0;
}

void output_folder_release(struct output_folder *folder)
{
    cleanup_close(&folder->fd);
    *folder = (struct output_folder){.fd = -1};
}

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static bool is_open_part(const char *name, size_t final_length, const char *const *open_names,
                         size_t open_count)
{
    char final_name[TRACE_NAME_MAX_BYTES];
    const char *key = final_name;

    if (name[final_length] == '\0' || open_count == 0) {
        return false;
    }
    memcpy(final_name, name, final_length);
    final_name[final_length] = '\0';
    return bsearch(&key, open_names, open_count, sizeof(*open_names), compare_names) != NULL;
}

static bool is_older(const struct closed_part *a, const struct closed_part *b)
{
    return a->modified_ns != b->modified_ns ? a->modified_ns < b->modified_ns
                                            : strcmp(a->name, b->name) < 0;
}

/* Keeps the oldest parts in order; the youngest of a full list gives way. */
static void note_part(struct folder_scan *scan, const struct closed_part *part)
{
    size_t place = scan->oldest_count;

    scan->closed_bytes += part->size_bytes;
    scan->closed_parts++;
    if (place == FOLDER_OLDEST_MAX) {
        if (!is_older(part, &scan->oldest[place - 1])) {
            return;
        }
        place--;
    } else {
        scan->oldest_count++;
    }
    for (; place > 0 && is_older(part, &scan->oldest[place - 1]); place--) {
        scan->oldest[place] = scan->oldest[place - 1];
    }
    scan->oldest[place] = *part;
}

int output_folder_scan(struct output_folder *folder, const char *const *open_names,
                       size_t open_count, struct folder_scan *ret_scan)
{
    DIR *listing = open_listing(folder);
    struct stat status;

    if (listing == NULL) {
        return -errno;
    }
    ret_scan->closed_bytes = 0;
    ret_scan->closed_parts = 0;
    ret_scan->oldest_count = 0;
    for (struct dirent *entry = readdir(listing); entry != NULL; entry = readdir(listing)) {
        size_t length = part_name_length(entry->d_name);
        struct closed_part part;

        if (length == 0 || is_open_part(entry->d_name, length, open_names, open_count) ||
            !is_regular_file(folder, entry->d_name, &status)) {
            continue;
        }
        part.modified_ns =
            (uint64_t)status.st_mtim.tv_sec * NS_PER_S + (uint64_t)status.st_mtim.tv_nsec;
        part.size_bytes = (uint64_t)status.st_size;
        (void)snprintf(part.name, sizeof(part.name), "%.*s", (int)sizeof(part.name) - 1,
                       entry->d_name);
        note_part(ret_scan, &part);
    }
    (void)closedir(listing);
    folder->closed_bytes = ret_scan->closed_bytes;
    return 0;
}

int output_folder_delete(struct output_folder *folder, const struct closed_part *part)
{
    struct stat status;

    if (!is_regular_file(folder, part->name, &status)) {
        return -ENOENT;
    }
    if (unlinkat(folder->fd, part->name, 0) < 0) {
        return -errno;
    }
    folder->closed_bytes -= min_u64(folder->closed_bytes, part->size_bytes);
    return 0;
}

int output_folder_free_bytes(const struct output_folder *folder, uint64_t *ret_bytes)
{
    struct statvfs status;

    if (fstatvfs(folder->fd, &status) < 0) {
        return -errno;
    }
    *ret_bytes = (uint64_t)status.f_bavail * status.f_frsize;
    return 0;
}

int output_folder_sync(struct output_folder *folder)
{
    if (!folder->needs_sync) {
        return 0;
    }
    if (fsync(folder->fd) < 0) {
        return -errno;
    }
    folder->needs_sync = false;
    return 0;
}

int output_folder_sync_files(const struct output_folder *folder)
{
    return syncfs(folder->fd) < 0 ? -errno : 0;
}
