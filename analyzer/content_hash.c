#include "content_hash.h"

#include "bytes.h"

/* 128-bit arithmetic, which ISO C does not have. */
__extension__ typedef unsigned __int128 uint128;

/* 2^88 + 2^8 + 0x3b */
#define FNV_PRIME (((uint128)1 << 88) + 0x13b)

struct content_hash content_hash_start(void)
{
    return (struct content_hash){.high = 0x6c62272e07bb0142ULL, .low = 0x62b821756295c58dULL};
}

void content_hash_add(struct content_hash *hash, const void *bytes, size_t size)
{
    uint128 state = (uint128)hash->high << 64 | hash->low;
    const uint8_t *at = bytes;

    for (size_t i = 0; i < size; i++) {
        state = (state ^ at[i]) * FNV_PRIME;
    }
    hash->high = (uint64_t)(state >> 64);
    hash->low = (uint64_t)state;
}

void content_hash_add_text(struct content_hash *hash, const char *text)
{
    content_hash_add(hash, text, strlen(text) + 1);
}

void content_hash_add_u64(struct content_hash *hash, uint64_t value)
{
    uint8_t bytes[8];

    write_le64(bytes, value);
    content_hash_add(hash, bytes, sizeof(bytes));
}

void content_hash_write(const struct content_hash *hash,
                        uint8_t ret_bytes[static CONTENT_HASH_BYTES])
{
    write_le64(ret_bytes, __builtin_bswap64(hash->high));
    write_le64(ret_bytes + 8, __builtin_bswap64(hash->low));
}
