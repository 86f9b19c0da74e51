/*
 * The report for the person at the terminal: what was measured, what to distrust, the operations by total time with their
 * distributions, queues, processes and metrics.
 */
#pragma once

#include "report.h"
#include "terminal_style.h"

/*
 * Writes the summary. Text from outside is shown without control characters; nothing but ASCII is written unless the
 * style is UTF-8.
 *
 * Returns:  0, -ENOMEM, or -EIO if the stream has an error.
 * Threads:  one stream, one thread at a time.
 */
MUST_USE int report_terminal_write(const struct report *report, const struct terminal_style *style,
                                   FILE *stream);
