#include "partial_file.h"

#include "trace_writer.h"

#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum {
    GROW_TRIES = 20,
    GROW_WAIT_MS = 50,
};

bool is_partial_file(const char *path)
{
    size_t length = strlen(path);
    size_t suffix = strlen(TRACE_PARTIAL_SUFFIX);

    return length >= suffix && strcmp(path + length - suffix, TRACE_PARTIAL_SUFFIX) == 0;
}

bool partial_file_has_grown(const char *path, uint64_t size_bytes)
{
    const struct timespec pause = {.tv_nsec = GROW_WAIT_MS * (long)NS_PER_MS};

    for (int i = 0; i < GROW_TRIES; i++) {
        struct stat status;

        if (stat(path, &status) < 0 || (uint64_t)status.st_size > size_bytes) {
            return true;
        }
        (void)nanosleep(&pause, NULL);
    }
    return false;
}
