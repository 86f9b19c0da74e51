#include "machine_text.h"

#include <errno.h>
#include <fcntl.h>

enum { LEAST_BYTES = 16 << 10 };

int machine_file_open(const char *path)
{
    return open(path, O_RDONLY | O_CLOEXEC);
}

static int grow(struct machine_text *text)
{
    size_t capacity = text->capacity == 0 ? LEAST_BYTES : 2 * text->capacity;

    if (capacity > MACHINE_TEXT_MAX_BYTES) {
        return -E2BIG;
    }

    uint8_t *bytes = realloc(text->bytes, capacity);

    if (bytes == NULL) {
        return -ENOMEM;
    }
    text->bytes = bytes;
    text->capacity = capacity;
    return 0;
}

int machine_text_read(struct machine_text *text, int fd, struct slice *ret_text)
{
    size_t used = 0;

    for (;;) {
        int r = used == text->capacity ? grow(text) : 0;

        if (r < 0) {
            return r;
        }

        ssize_t got = pread(fd, text->bytes + used, text->capacity - used, (off_t)used);

        if (got < 0 && errno != EINTR) {
            return -errno;
        }
        if (got == 0) {
            *ret_text = (struct slice){text->bytes, used};
            return 0;
        }
        used += got > 0 ? (size_t)got : 0;
    }
}

void machine_text_release(struct machine_text *text)
{
    free(text->bytes);
    *text = (struct machine_text){0};
}
