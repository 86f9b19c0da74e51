/*
 * Values of attributes as they stand in a report: as text, as numbers, or redacted.
 */
#pragma once

#include "batch.h"

enum { ATTRIBUTE_TEXT_BYTES = 160 };

/* Keys whose values stand in no report; borrowed. */
struct redacted_keys {
    size_t count;
    char *const *keys;
};

/* Threads: any, as all functions here. */
bool attribute_is_redacted(const struct redacted_keys *redacted, const char *key);

/* The text of a value, which may be ret_text or the batch's own. */
const char *attribute_text(char ret_text[static ATTRIBUTE_TEXT_BYTES],
                           const struct redacted_keys *redacted, const struct batch *batch,
                           uint32_t at);

/* The number that a value is. Returns false if it is none, or redacted. */
bool attribute_number(const struct redacted_keys *redacted, const struct batch *batch, uint32_t at,
                      double *ret_number);
