/*
 * 128 bits that stand for a content: the same content, the same bits, on every machine and in every version. FNV-1a, which
 * is not meant to resist anybody who looks for collisions.
 *
 * Source: Fowler, Noll, Vo, Eastlake, "The FNV Non-Cryptographic Hash Algorithm", draft-eastlake-fnv.
 */
#pragma once

#include "base.h"

enum { CONTENT_HASH_BYTES = 16 };

struct content_hash {
    uint64_t high;
    uint64_t low;
};

/* The hash of nothing. Threads: any, as all functions here. */
struct content_hash content_hash_start(void);

void content_hash_add(struct content_hash *hash, const void *bytes, size_t size);

/* Text with its NUL, so that "ab" "c" differs from "a" "bc". */
void content_hash_add_text(struct content_hash *hash, const char *text);
void content_hash_add_u64(struct content_hash *hash, uint64_t value);

/* Most significant byte first, as the hash is usually printed. */
void content_hash_write(const struct content_hash *hash,
                        uint8_t ret_bytes[static CONTENT_HASH_BYTES]);
