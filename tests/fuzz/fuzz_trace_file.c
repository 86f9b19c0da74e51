/*
 * Any bytes as a trace file: the walk must keep what checked_walk.h says. Mutations that know frames move whole ones about,
 * so that more than the first frame is reached.
 */
#include "checked_walk.h"

#include "bytes.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

/* There with libFuzzer only, as is whoever calls the mutator. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size) __attribute__((weak));

enum {
    MAX_FRAMES = 64,
    MAX_COPY_BYTES = 4096,
    SKIPPABLE_MAGIC = 0x184D2A50,
    SKIPPABLE_BYTES = 12,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    checked_walk((struct slice){data, size}, NULL);
    return 0;
}

/* The n-th of the places in data that begin like a frame (n modulo their number), or size if there are none. */
static size_t find_frame(const uint8_t *data, size_t size, unsigned int n)
{
    size_t places[MAX_FRAMES];
    size_t count = 0;
    size_t at = frame_find_magic((struct slice){data, size}, 0);

    while (count < MAX_FRAMES && at + FRAME_MAGIC_BYTES <= size) {
        places[count++] = at;
        at = frame_find_magic((struct slice){data, size}, at + 1);
    }
    return count == 0 ? size : places[n % count];
}

static size_t insert(uint8_t *data, size_t size, size_t max_size, size_t at, struct slice bytes)
{
    if (bytes.size > max_size - size) {
        return size;
    }
    memmove(data + at + bytes.size, data + at, size - at);
    memcpy(data + at, bytes.data, bytes.size);
    return size + bytes.size;
}

static size_t copy_frame(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    uint8_t copy[MAX_COPY_BYTES];
    size_t from = find_frame(data, size, seed >> 8);
    size_t to = find_frame(data, size, seed >> 16);
    struct frame_info info;

    if (frame_check((struct slice){data + from, size - from}, &info) < 0 ||
        info.size > sizeof(copy)) {
        return size;
    }
    memcpy(copy, data + from, info.size);
    return insert(data, size, max_size, (seed & 1) == 0 ? to : size,
                  (struct slice){copy, info.size});
}

static size_t insert_skippable(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    uint8_t skippable[SKIPPABLE_BYTES] = {0};

    write_le32(skippable, SKIPPABLE_MAGIC | (seed >> 4 & 15));
    write_le32(skippable + 4, (seed & 1) == 0 ? sizeof(skippable) - 8 : seed >> 20);
    return insert(data, size, max_size, find_frame(data, size, seed >> 8),
                  (struct slice){skippable, sizeof(skippable)});
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    switch (seed % 8) {
    case 0:
    case 1:
        return copy_frame(data, size, max_size, seed);
    case 2:
        return insert_skippable(data, size, max_size, seed);
    default:
        return LLVMFuzzerMutate(data, size, max_size);
    }
}
