/*
 * What a Source says of its session, as a copy that outlives the packet.
 */
#pragma once

#include "scanned_file.h"

/* Copies. Returns 0 or -ENOMEM; *ret_facts is to be released, also after an error. Threads: any, on different objects. */
MUST_USE int source_facts_copy(struct source_facts *ret_facts, const struct source *source);
void source_facts_release(struct source_facts *facts);
