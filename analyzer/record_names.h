/*
 * The enumerations of the trace format as the words that stand in reports and dumps: lower case, underscores.
 */
#pragma once

#include "packet.h"

/* Each returns a constant; "unknown" for numbers that are none. Threads: any. */
const char *operation_status_name(enum operation_status status); /* ok, error, cancelled, timeout */
const char *operation_state_name(
    enum operation_state state);                     /* other, queued, running, waiting_io, ... */
const char *name_kind_name(enum name_kind kind);     /* gauge, counter_delta, counter_total, ... */
const char *source_kind_name(enum source_kind kind); /* process, machine, imported */
const char *end_reason_name(enum end_reason reason); /* session_ended, connection_lost, ... */
