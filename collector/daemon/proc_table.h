/*
 * Texts of /proc, cut into lines, words and numbers. Pure: no I/O here, and nothing is trusted; what is not in its place is
 * not found.
 */
#pragma once

#include "columns.h"

/*
 * Takes the next line off *text. A last line without its newline was cut off, and is left out.
 *
 * Returns:  false if there is none.
 * Threads:  any, as all functions here.
 */
bool proc_next_line(struct slice *text, struct slice *ret_line);

/* Takes the next word (anything but blanks) off *line; false if there is none. */
bool proc_next_word(struct slice *line, struct slice *ret_word);

/* Takes the next word off *line if it is an unsigned number below 2^64. */
bool proc_next_number(struct slice *line, uint64_t *ret_number);

/* Takes the next word off *line if it is a decimal fraction, as 12.34, of at most 18 digits. */
bool proc_next_fraction(struct slice *line, double *ret_number);

/* Takes numbers off *line, at most so many, up to the first word that is none. Returns how many. */
size_t proc_next_numbers(struct slice *line, uint64_t *ret_numbers, size_t most);

bool proc_word_is(struct slice word, const char *text);

/* The number behind prefix, as 12 in "cpu12" behind "cpu"; false if word is anything else. */
bool proc_word_number(struct slice word, const char *prefix, uint64_t *ret_number);

/*
 * Finds the lines "KEY NUMBER..." of many keys in one pass. The first line of a key counts.
 *
 * ret_values one for each key; of keys that were not found it stays
 * ret_found  likewise: whether
 */
void proc_find_keys(struct slice text, const char *const *keys, size_t count, uint64_t *ret_values,
                    bool *ret_found);
