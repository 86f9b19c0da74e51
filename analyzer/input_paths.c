#include "input_paths.h"

#include "trace_writer.h"
#include "utf8.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

void input_paths_release(struct input_paths *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->paths[i]);
    }
    free((void *)list->paths);
    *list = (struct input_paths){0};
}

/* Takes path, which may be NULL for lack of memory. */
static int append(struct input_paths *list, char *path)
{
    AUTO_FREE char *owned = path;

    if (path == NULL) {
        return -ENOMEM;
    }
    if (list->count == INPUT_MAX_PATHS) {
        return -E2BIG;
    }
    if (list->count == list->capacity) {
        size_t capacity = max_u64(16, list->capacity * 2);
        char **paths = (char **)realloc((void *)list->paths, capacity * sizeof(*paths));

        if (paths == NULL) {
            return -ENOMEM;
        }
        list->paths = paths;
        list->capacity = capacity;
    }
    list->paths[list->count++] = take_pointer(&owned);
    return 0;
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text);
    size_t end_length = strlen(end);

    return length > end_length && strcmp(text + length - end_length, end) == 0;
}

static bool is_trace_name(const char *name)
{
    return name[0] != '.' && (ends_with(name, TRACE_FILE_SUFFIX) ||
                              ends_with(name, TRACE_FILE_SUFFIX TRACE_PARTIAL_SUFFIX));
}

static char *join(const char *folder, const char *name)
{
    char *path = NULL;
    const char *slash = ends_with(folder, "/") || strcmp(folder, "/") == 0 ? "" : "/";

    return asprintf(&path, "%s%s%s", folder, slash, name) < 0 ? NULL : path;
}

static void cleanup_closedir(DIR **dir)
{
    if (*dir != NULL) {
        (void)closedir(*dir);
    }
}

static int add_folder(struct input_paths *list, const char *folder)
{
    __attribute__((cleanup(cleanup_closedir))) DIR *dir = opendir(folder);
    size_t before = list->count;
    struct dirent *entry;

    if (dir == NULL) {
        return -errno;
    }
    while (errno = 0, (entry = readdir(dir)) != NULL) {
        int r = is_trace_name(entry->d_name) ? append(list, join(folder, entry->d_name)) : 0;

        if (r < 0) {
            return r;
        }
    }
    if (errno != 0) {
        return -errno;
    }
    return list->count == before ? -ENODATA : 0;
}

int input_paths_add(struct input_paths *list, const char *argument)
{
    struct stat status;

    if (stat(argument, &status) < 0) {
        return -errno;
    }
    return S_ISDIR(status.st_mode) ? add_folder(list, argument) : append(list, strdup(argument));
}

static int compare_paths(const void *left, const void *right)
{
    return strcmp(*(char *const *)left, *(char *const *)right);
}

void input_paths_sort(struct input_paths *list)
{
    size_t kept = 0;

    if (list->count == 0) {
        return;
    }
    qsort((void *)list->paths, list->count, sizeof(*list->paths), compare_paths);
    for (size_t i = 1; i < list->count; i++) {
        if (strcmp(list->paths[i], list->paths[kept]) == 0) {
            free(list->paths[i]);
        } else {
            list->paths[++kept] = list->paths[i];
        }
    }
    list->count = kept + 1;
}

/* Adds one argument or says why not. Returns how many were left out (0 or 1), or -ENOMEM. */
static int add_or_say(struct input_paths *list, const char *verb, const char *argument)
{
    char shown[INPUT_MAX_PATH_BYTES];
    int r = input_paths_add(list, argument);

    if (r == 0 || r == -ENOMEM) {
        return r;
    }
    (void)utf8_copy_for_terminal(shown, sizeof(shown), argument, strlen(argument));
    if (r == -ENODATA) {
        (void)fprintf(
            stderr, "eddy-analyzer %s: folder '%s' holds no trace files (*" TRACE_FILE_SUFFIX ")\n",
            verb, shown);
    } else {
        (void)fprintf(stderr, "eddy-analyzer %s: cannot read '%s': %s\n", verb, shown,
                      strerror(-r));
    }
    return 1;
}

static int add_lines(struct input_paths *list, const char *verb, FILE *stream)
{
    AUTO_FREE char *line = NULL;
    size_t size = 0;
    ssize_t length;
    int left_out = 0;

    while ((length = getline(&line, &size, stream)) > 0) {
        if (line[length - 1] == '\n') {
            line[length - 1] = '\0';
        }
        int r = line[0] == '\0' ? 0 : add_or_say(list, verb, line);

        if (r < 0) {
            return r;
        }
        left_out += r;
    }
    return left_out;
}

int input_paths_add_all(struct input_paths *list, const char *verb, size_t argument_count,
                        char *const *arguments)
{
    int left_out = 0;

    for (size_t i = 0; i < argument_count; i++) {
        int r = strcmp(arguments[i], "-") == 0 ? add_lines(list, verb, stdin)
                                               : add_or_say(list, verb, arguments[i]);

        if (r < 0) {
            return r;
        }
        left_out += r;
    }
    input_paths_sort(list);
    return left_out;
}
