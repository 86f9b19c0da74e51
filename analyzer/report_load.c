#include "report_load.h"

#include <stdlib.h>

const char *arrival_pattern_name(enum arrival_pattern pattern)
{
    static const char *const names[] = {
        [ARRIVALS_UNKNOWN] = "unknown",
        [ARRIVALS_OPEN] = "open",
        [ARRIVALS_CLOSED] = "closed",
        [ARRIVALS_PACED] = "paced",
    };

    return names[pattern];
}

void report_loads_free(struct report_loads *loads)
{
    if (loads == NULL) {
        return;
    }
    for (size_t i = 0; i < loads->count; i++) {
        free(loads->names[i].name);
    }
    free(loads->names);
    free(loads);
}
