/*
 * Text from outside to Markdown that does nothing: a code span, in which neither HTML nor links, mentions nor references
 * to issues are obeyed.
 */
#pragma once

#include "base.h"

#include <stdio.h>

/* Names longer than this are cut, and end with an ellipsis. */
enum { MARKDOWN_CODE_MAX_BYTES = 120 };

/*
 * Writes text as a code span that can stand in a table cell of GitHub's Markdown too: '|' is escaped there.
 *
 * Threads:  any.
 * Source:   CommonMark 0.31, 6.1; GitHub Flavored Markdown 0.29, 4.10.
 */
void markdown_put_code(FILE *stream, const char *text);
