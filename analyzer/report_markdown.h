/*
 * The report as Markdown to attach to a ticket: what was measured, what to distrust, tables of operations, slowest operations,
 * queues, processes, metrics and files.
 *
 * At most MARKDOWN_MAX_CHARACTERS; what does not fit is left out by whole rows, and said so. Text from outside stands in
 * code spans, so that nothing in it is obeyed.
 */
#pragma once

#include "report.h"

#include <stdio.h>

enum { MARKDOWN_MAX_CHARACTERS = 60000 };

/*
 * Returns:  0, -ENOMEM, or -EIO if the stream has an error.
 * Threads:  one stream, one thread at a time.
 */
MUST_USE int report_markdown_write(const struct report *report, FILE *stream);
