/*
 * The rows that both text renderers show of an attribute: its values and the rest, or bins where values are many numbers.
 */
#pragma once

#include "report_text.h"

/* How many rows there are. Threads: any, as below. */
size_t report_slices_count(const struct report_attribute *attribute);

/* The i-th row, and what its operations have in common: "tenant = blue", "bytes 1024 to 2048"; text from outside. */
const struct report_slice *report_slices_row(const struct report_attribute *attribute, size_t i,
                                             char ret_label[static REPORT_LABEL_BYTES]);
