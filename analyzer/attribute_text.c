#include "attribute_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define REDACTED_TEXT "(redacted)"

bool attribute_is_redacted(const struct redacted_keys *redacted, const char *key)
{
    for (size_t i = 0; i < redacted->count; i++) {
        if (strcmp(redacted->keys[i], key) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_hidden(const struct redacted_keys *redacted, const struct batch *batch, uint32_t at)
{
    return attribute_is_redacted(redacted, batch->names[batch->attributes.key[at]].text);
}

static double real_of(uint64_t bits)
{
    double real;

    memcpy(&real, &bits, sizeof(real));
    return real;
}

static const char *text_of(char ret_text[static ATTRIBUTE_TEXT_BYTES], const struct batch *batch,
                           uint32_t at)
{
    uint64_t value = batch->attributes.value[at];

    switch ((enum attribute_type)batch->attributes.type[at]) {
    case ATTRIBUTE_U64:
        (void)snprintf(ret_text, ATTRIBUTE_TEXT_BYTES, "%" PRIu64, value);
        break;
    case ATTRIBUTE_I64:
        (void)snprintf(ret_text, ATTRIBUTE_TEXT_BYTES, "%" PRId64, (int64_t)value);
        break;
    case ATTRIBUTE_F64:
        (void)snprintf(ret_text, ATTRIBUTE_TEXT_BYTES, "%.17g", real_of(value));
        break;
    case ATTRIBUTE_BOOL:
        (void)snprintf(ret_text, ATTRIBUTE_TEXT_BYTES, "%s", value != 0 ? "true" : "false");
        break;
    default:
        return batch->attributes.texts[value];
    }
    return ret_text;
}

const char *attribute_text(char ret_text[static ATTRIBUTE_TEXT_BYTES],
                           const struct redacted_keys *redacted, const struct batch *batch,
                           uint32_t at)
{
    return is_hidden(redacted, batch, at) ? REDACTED_TEXT : text_of(ret_text, batch, at);
}

bool attribute_number(const struct redacted_keys *redacted, const struct batch *batch, uint32_t at,
                      double *ret_number)
{
    uint64_t value = batch->attributes.value[at];

    if (is_hidden(redacted, batch, at)) {
        return false;
    }
    switch ((enum attribute_type)batch->attributes.type[at]) {
    case ATTRIBUTE_U64:
        *ret_number = (double)value;
        return true;
    case ATTRIBUTE_I64:
        *ret_number = (double)(int64_t)value;
        return true;
    case ATTRIBUTE_F64:
        *ret_number = real_of(value);
        return true;
    default:
        return false;
    }
}
