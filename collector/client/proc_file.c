#include "proc_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { PATH_BYTES = 64, MAX_PATH_BYTES = 640 };

static int read_path(char *buffer, size_t size, const char *path)
{
    AUTO_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t length = fd < 0 ? -1 : read(fd, buffer, size - 1);

    if (length < 0) {
        return -errno;
    }
    buffer[length] = '\0';
    return (int)length;
}

int proc_file_read(char *buffer, size_t size, const char *format, ...)
{
    char path[PATH_BYTES] = "/proc/self/";
    size_t used = strlen(path);
    va_list arguments;

    va_start(arguments, format);

    int length = vsnprintf(path + used, sizeof(path) - used, format, arguments);

    va_end(arguments);
    buffer[0] = '\0';
    if (length < 0 || (size_t)length >= sizeof(path) - used) {
        return -ENAMETOOLONG;
    }
    return read_path(buffer, size, path);
}

int proc_file_read_path(char *buffer, size_t size, const char *format, ...)
{
    char path[MAX_PATH_BYTES];
    va_list arguments;

    va_start(arguments, format);

    int length = vsnprintf(path, sizeof(path), format, arguments);

    va_end(arguments);
    buffer[0] = '\0';
    return length < 0 || (size_t)length >= sizeof(path) ? -ENAMETOOLONG
                                                        : read_path(buffer, size, path);
}

bool proc_file_next_number(const char **text, uint64_t *ret_number)
{
    const char *at = *text;
    uint64_t number = 0;

    while (*at == ' ' || *at == '\t' || *at == '\n') {
        at++;
    }
    if (*at < '0' || *at > '9') {
        return false;
    }
    for (; *at >= '0' && *at <= '9'; at++) {
        number = number * 10 + (uint64_t)(*at - '0');
    }
    *text = at;
    *ret_number = number;
    return true;
}

bool proc_file_number(const char *text, const char *key, uint64_t *ret_number)
{
    const char *found = strstr(text, key);

    if (found == NULL) {
        return false;
    }
    found += strlen(key);
    return proc_file_next_number(&found, ret_number);
}
