/*
 * Numbers in byte arrays, little-endian, at any alignment: the only way bytes on disk and wire are read or written.
 */
#pragma once

#include <stdint.h>
#include <string.h>

#define DEFINE_LITTLE_ENDIAN(bits)                                                                 \
    static inline uint##bits##_t read_le##bits(const void *bytes)                                  \
    {                                                                                              \
        uint##bits##_t value;                                                                      \
                                                                                                   \
        memcpy(&value, bytes, sizeof(value));                                                      \
        return value;                                                                              \
    }                                                                                              \
                                                                                                   \
    static inline void write_le##bits(void *bytes, uint##bits##_t value)                           \
    {                                                                                              \
        memcpy(bytes, &value, sizeof(value));                                                      \
    }

/* The build refuses big-endian machines (CMakeLists.txt), so that a copy is the conversion. */
DEFINE_LITTLE_ENDIAN(16)
DEFINE_LITTLE_ENDIAN(32)
DEFINE_LITTLE_ENDIAN(64)

#undef DEFINE_LITTLE_ENDIAN
