/*
 * The second pass over the CSV files of one process: rows to batches, batches to import_parts.h.
 *
 * Rows need no order: each batch takes the next 65,536 and sorts them by itself, so that memory stays the same for files of
 * any length. Unfinished operations become open operations; those seen last at the same time share a batch.
 */
#pragma once

#include "import_parts.h"
#include "import_scan.h"

/*
 * Writes all rows of source.
 *
 * facts       of import_scan(); borrowed
 * Returns:    0; -ESTALE if the files changed since the scan; -EBADMSG if they did and are no CSV any more; another
 *             negative errno from reading or writing.
 * Threads:    any, on different objects.
 */
MUST_USE int import_rows(const struct import_source *source, const struct import_facts *facts,
                         struct import_parts *parts);
