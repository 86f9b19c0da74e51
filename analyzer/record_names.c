#include "record_names.h"

static const char *word(const char *const *words, size_t count, unsigned int number)
{
    return number < count ? words[number] : "unknown";
}

const char *operation_status_name(enum operation_status status)
{
    static const char *const words[STATUS_COUNT] = {"ok", "error", "cancelled", "timeout"};

    return word(words, STATUS_COUNT, (unsigned int)status);
}

const char *operation_state_name(enum operation_state state)
{
    static const char *const words[STATE_COUNT] = {
        "other", "queued", "running", "waiting_io", "waiting_lock", "waiting_child",
    };

    return word(words, STATE_COUNT, (unsigned int)state);
}

const char *name_kind_name(enum name_kind kind)
{
    static const char *const words[NAME_KIND_COUNT] = {
        "operation", "gauge", "counter_delta", "counter_total", "mark", "queue", "attribute",
    };

    return word(words, NAME_KIND_COUNT, (unsigned int)kind);
}

const char *source_kind_name(enum source_kind kind)
{
    static const char *const words[SOURCE_KIND_COUNT] = {"process", "machine", "imported"};

    return word(words, SOURCE_KIND_COUNT, (unsigned int)kind);
}

const char *end_reason_name(enum end_reason reason)
{
    static const char *const words[END_REASON_COUNT] = {
        "session_ended", "connection_lost", "rotated", "collector_stopped", "limit", "salvaged",
    };

    return word(words, END_REASON_COUNT, (unsigned int)reason);
}
