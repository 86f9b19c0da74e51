/*
 * The report as JSON, as proto/report.schema.json describes it. Keys are sorted; equal reports give equal bytes. A number that
 * does not exist is null, and a member KEY_reason beside it says why.
 */
#pragma once

#include "report.h"

#include <stdio.h>

/*
 * Writes the whole document, ended by a line end.
 *
 * Returns:  0, -ENOMEM, or -EIO if the stream has an error.
 * Threads:  one stream, one thread at a time.
 */
MUST_USE int report_json_write(const struct report *report, FILE *stream);
