#include "report_queues.h"

const char *little_verdict_name(enum little_verdict verdict)
{
    static const char *const names[] = {
        [LITTLE_NOT_JUDGED] = "not_judged",
        [LITTLE_HOLDS] = "holds",
        [LITTLE_MISSING] = "missing",
        [LITTLE_SURPLUS] = "surplus",
    };

    return names[verdict];
}
