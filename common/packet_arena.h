/*
 * Memory for unpacking one packet: taken piece by piece, given back all at once. Bounded, so that a hostile message is
 * refused instead of growing; reserved at once but touched only as far as it is used.
 */
#pragma once

#include "packet.h"

#include <stdbool.h>

/* Gives everything back. Threads: one arena, one thread at a time, as all functions here. */
void packet_arena_reset(struct packet_arena *arena);

/* Returns memory for anything of size bytes until the next reset, or NULL if the arena is used up. */
void *packet_arena_take(struct packet_arena *arena, size_t size);

/*
 * Keeps a copy of text, which must be valid UTF-8 of at most limit bytes.
 *
 * ret_copy  with a NUL behind it
 * Returns:  0, or -EBADMSG if text is not valid or the arena is used up.
 */
MUST_USE int packet_arena_copy_text(struct packet_arena *arena, struct slice text, size_t limit,
                                    const char **ret_copy);

/*
 * Whether text, which fills one piece of the arena up to its NUL (or is an empty string from elsewhere), is valid UTF-8
 * of at most limit bytes. A NUL inside shows as a piece that is longer than the text.
 */
bool packet_arena_text_is_valid(const struct packet_arena *arena, const char *text, size_t limit);
