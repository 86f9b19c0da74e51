/*
 * The name table of a recorder: texts to small numbers. Grows only; lock-free; async-signal-safe.
 *
 * An entry is complete before its id can be seen: the release that puts the id into the index, or into a struct
 * eddy_name, pairs with the acquire of whoever reads it there.
 */
#pragma once

#include "batch.h"
#include "eddy.h"
#include "recorder.h"
#include "settings.h"

/* Writes the entries "(other)" that names beyond the limit become. Threads: before anybody else knows recorder. */
void names_init(struct recorder *recorder);

/*
 * The id of a name, entered if it is new. Texts are cut to NAME_MAX_BYTES and made valid UTF-8.
 *
 * unit      may be NULL
 * Returns:  1 .. name_count; that of "(other)" of the same kind if the table is full, which is counted.
 * Threads:  any; async-signal-safe.
 */
uint32_t names_intern(struct recorder *recorder, const char *text, const char *unit,
                      enum name_kind kind, enum value_type value);

/*
 * As names_intern(), but NAME_ID_DENIED if the settings keep this attribute back.
 */
uint32_t names_intern_attribute(struct recorder *recorder, const struct settings *settings,
                                const char *text);

/*
 * The index + 1 of a queue, entered if it is new; that of "(other)", which is counted, if there is no room for more.
 *
 * Threads:  any; async-signal-safe.
 */
uint32_t names_intern_queue(struct recorder *recorder, const char *text, uint64_t capacity);
