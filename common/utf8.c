#include "utf8.h"

#include "bytes.h"

#include <stdint.h>
#include <string.h>

/* The bytes of a character that begins with this byte, or 0 if none does. */
static size_t character_bytes(unsigned char first)
{
    if (first < 0x80) {
        return 1;
    }
    if (first < 0xc2 || first > 0xf4) {
        return 0;
    }
    return first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

/* Decodes one character. Returns its bytes, or 0 if text does not begin with a valid one. */
static size_t decode(const unsigned char *text, size_t length, uint32_t *ret_character)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t bytes = character_bytes(text[0]);

    if (bytes == 0 || bytes > length) {
        return 0;
    }

    uint32_t character = bytes == 1 ? text[0] : text[0] & (0x7fU >> bytes);

    for (size_t i = 1; i < bytes; i++) {
        if ((text[i] & 0xc0) != 0x80) {
            return 0;
        }
        character = character << 6 | (text[i] & 0x3fU);
    }
    if (character < least[bytes] || character > 0x10ffff ||
        (character >= 0xd800 && character <= 0xdfff)) {
        return 0;
    }
    *ret_character = character;
    return bytes;
}

static bool is_control(uint32_t character)
{
    return character < 0x20 || (character >= 0x7f && character <= 0x9f);
}

/* Characters that have no width or turn text around: they make what is shown differ from what is there. */
static bool is_invisible(uint32_t character)
{
    return character == 0xad || character == 0x61c ||
           (character >= 0x200b && character <= 0x200f) ||
           (character >= 0x2028 && character <= 0x202e) ||
           (character >= 0x2060 && character <= 0x206f) || character == 0xfeff ||
           (character >= 0xfff0 && character <= 0xfffb) ||
           (character >= 0xe0000 && character <= 0xe0fff);
}

static size_t copy(char *ret_copy, size_t size, const char *text, size_t length, bool for_terminal,
                   bool *ret_cut)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t read = 0;
    size_t written = 0;
    bool is_cut = false;

    while (read < length && !is_cut) {
        uint32_t character = 0;
        size_t taken = decode(bytes + read, length - read, &character);
        bool is_bad =
            taken == 0 || is_control(character) || (for_terminal && is_invisible(character));
        size_t needed = is_bad ? 1 : taken;

        if (written + needed + 1 > size) {
            is_cut = true;
        } else {
            if (is_bad) {
                ret_copy[written] = '?';
            } else {
                memcpy(ret_copy + written, text + read, taken);
            }
            written += needed;
            read += taken == 0 ? 1 : taken;
        }
    }
    if (size > 0) {
        ret_copy[written] = '\0';
    }
    if (ret_cut != NULL) {
        *ret_cut = is_cut;
    }
    return written;
}

size_t utf8_copy(char *ret_copy, size_t size, const char *text, size_t length, bool *ret_cut)
{
    return copy(ret_copy, size, text, length, false, ret_cut);
}

size_t utf8_copy_for_terminal(char *ret_copy, size_t size, const char *text, size_t length)
{
    return copy(ret_copy, size, text, length, true, NULL);
}

#define EACH_BYTE(byte) (UINT64_C(0x0101010101010101) * (byte))

/* Whether eight bytes are ASCII and none is NUL. */
static bool are_plain(const unsigned char *bytes)
{
    uint64_t word = read_le64(bytes);

    return ((word | (word - EACH_BYTE(1))) & EACH_BYTE(0x80)) == 0;
}

bool utf8_is_valid(const char *text, size_t length)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t read = 0;

    while (read < length) {
        uint32_t character = 0;
        size_t taken = 0;

        if (length - read >= 8 && are_plain(bytes + read)) {
            taken = 8;
        } else {
            taken = decode(bytes + read, length - read, &character);
            if (taken == 0 || character == 0) {
                return false;
            }
        }
        read += taken;
    }
    return true;
}
