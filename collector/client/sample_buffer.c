#include "sample_buffer.h"

enum { LEAST_CAPACITY = 256 };

void sample_buffer_release(struct sample_buffer *buffer)
{
    free(buffer->samples);
    *buffer = (struct sample_buffer){0};
}

static bool grow(struct sample_buffer *buffer)
{
    uint32_t capacity = buffer->capacity == 0 ? LEAST_CAPACITY : 2 * buffer->capacity;
    void *grown;

    if (buffer->count >= SAMPLE_BUFFER_MAX) {
        return false;
    }
    grown = realloc(buffer->samples, capacity * sizeof(*buffer->samples));
    if (grown == NULL) {
        return false;
    }
    buffer->samples = grown;
    buffer->capacity = capacity;
    return true;
}

void sample_buffer_add(struct sample_buffer *buffer, uint64_t time_ns, uint32_t name,
                       uint32_t thread, uint64_t value)
{
    if (buffer->count == buffer->capacity && !grow(buffer)) {
        buffer->lost.samples++;
        return;
    }
    buffer->samples[buffer->count++] =
        (struct own_sample){.time_ns = time_ns, .value = value, .name = name, .thread = thread};
}
