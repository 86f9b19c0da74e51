#include "packet_arena.h"

#include "utf8.h"

#include <errno.h>
#include <string.h>

/* What stands before each piece. */
struct piece {
    size_t size; /* as asked for */
    uint8_t bytes[];
};

struct packet_arena {
    size_t used;
    _Alignas(uint64_t) uint8_t bytes[PACKET_ARENA_BYTES];
};

int packet_arena_new(struct packet_arena **ret_arena)
{
    struct packet_arena *arena = malloc(sizeof(*arena));

    if (arena == NULL) {
        return -ENOMEM;
    }
    packet_arena_reset(arena);
    *ret_arena = arena;
    return 0;
}

void packet_arena_free(struct packet_arena *arena)
{
    free(arena);
}

void packet_arena_reset(struct packet_arena *arena)
{
    arena->used = 0;
}

void *packet_arena_take(struct packet_arena *arena, size_t size)
{
    size_t left = sizeof(arena->bytes) - arena->used;

    if (left < sizeof(struct piece) || size > left - sizeof(struct piece)) {
        return NULL;
    }

    struct piece *piece = (struct piece *)(void *)(arena->bytes + arena->used);
    size_t whole = sizeof(*piece) + size;

    piece->size = size;
    whole += -whole % _Alignof(struct piece);
    arena->used += min_u64(whole, left);
    return piece->bytes;
}

int packet_arena_copy_text(struct packet_arena *arena, struct slice text, size_t limit,
                           const char **ret_copy)
{
    if (text.size > limit || !utf8_is_valid((const char *)text.data, text.size)) {
        return -EBADMSG;
    }

    char *copy = packet_arena_take(arena, text.size + 1);

    if (copy == NULL) {
        return -EBADMSG;
    }
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    *ret_copy = copy;
    return 0;
}

static size_t piece_size(const struct packet_arena *arena, const char *text)
{
    uintptr_t start = (uintptr_t)arena->bytes;
    uintptr_t place = (uintptr_t)text;

    if (place < start || place >= start + sizeof(arena->bytes)) {
        return 1; /* the empty string, which stands for a field that is absent */
    }
    return ((const struct piece *)(const void *)(text - sizeof(struct piece)))->size;
}

bool packet_arena_text_is_valid(const struct packet_arena *arena, const char *text, size_t limit)
{
    size_t length = piece_size(arena, text) - 1;

    return length <= limit && text[length] == '\0' && utf8_is_valid(text, length);
}
