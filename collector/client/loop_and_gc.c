/*
 * Rounds of event loops and pauses of garbage collectors: operations whose name says, by its unit, what they are.
 */
#include "batch.h"
#include "eddy.h"

/* The unit is read when the name is interned, by the begin below that is its first use; the same bytes from every thread. */
static uint64_t begin_of_unit(struct eddy_name *name, const char *unit)
{
    if (name != NULL && __atomic_load_n(&name->unit, __ATOMIC_RELAXED) != unit) {
        __atomic_store_n(&name->unit, unit, __ATOMIC_RELAXED);
    }
    return eddy_exported_begin(name);
}

uint64_t eddy_exported_loop_begin(struct eddy_name *loop)
{
    static const char unit[] = UNIT_ITERATION;

    return begin_of_unit(loop, unit);
}

void eddy_exported_loop_end(uint64_t iteration)
{
    eddy_exported_end(iteration, EDDY_OK);
}

uint64_t eddy_exported_gc_begin(struct eddy_name *kind)
{
    static const char unit[] = UNIT_COLLECTION;

    return begin_of_unit(kind, unit);
}

void eddy_exported_gc_end(uint64_t collection)
{
    eddy_exported_end(collection, EDDY_OK);
}
