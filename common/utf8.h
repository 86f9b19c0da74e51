/*
 * Text from outside, made safe: valid UTF-8 for files, no control characters for terminals.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * Copies text as valid UTF-8: bytes that are not become '?', control characters (C0, DEL, C1) too; cut at a
 * character border to at most size - 1 bytes. Always ends with a NUL if size > 0.
 *
 * length    bytes of text to read
 * Returns:  the length of the copy; *ret_cut (may be NULL) says whether text did not fit.
 * Threads:  any; async-signal-safe.
 */
size_t utf8_copy(char *ret_copy, size_t size, const char *text, size_t length, bool *ret_cut);

/*
 * Copies text for one terminal or log line: as utf8_copy(), and bidirectional overrides and other invisible format
 * characters become '?' as well.
 *
 * Threads:  any.
 */
size_t utf8_copy_for_terminal(char *ret_copy, size_t size, const char *text, size_t length);

/* Whether length bytes of text are valid UTF-8 without overlong forms, surrogates or NUL. Threads: any. */
bool utf8_is_valid(const char *text, size_t length);
