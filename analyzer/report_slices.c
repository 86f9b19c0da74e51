#include "report_slices.h"

#include <stdio.h>

enum { FEW_VALUES = 12 };

static bool is_shown_in_bins(const struct report_attribute *attribute)
{
    return attribute->reason == REASON_NONE && attribute->bins.count > 1 &&
           attribute->value_count > FEW_VALUES;
}

size_t report_slices_count(const struct report_attribute *attribute)
{
    return is_shown_in_bins(attribute) ? attribute->bins.count
                                       : attribute->value_count + (attribute->other.count > 0);
}

static const struct report_slice *bin_row(const struct report_attribute *attribute, size_t i,
                                          char ret_label[static REPORT_LABEL_BYTES])
{
    const struct attribute_bins *bins = &attribute->bins;
    char from[TEXT_BYTES];
    char to[TEXT_BYTES];

    if (bins->has_below && i == 0) {
        (void)snprintf(ret_label, REPORT_LABEL_BYTES, "%.200s up to 0", attribute->key);
    } else {
        (void)snprintf(ret_label, REPORT_LABEL_BYTES, "%.200s %s to %s", attribute->key,
                       text_number(from, bins->borders[i]), text_number(to, bins->borders[i + 1]));
    }
    return &attribute->slices[i];
}

const struct report_slice *report_slices_row(const struct report_attribute *attribute, size_t i,
                                             char ret_label[static REPORT_LABEL_BYTES])
{
    if (is_shown_in_bins(attribute)) {
        return bin_row(attribute, i, ret_label);
    }
    if (i == attribute->value_count) {
        (void)snprintf(ret_label, REPORT_LABEL_BYTES, "%.200s: all others", attribute->key);
        return &attribute->other;
    }
    (void)snprintf(ret_label, REPORT_LABEL_BYTES, "%.150s = %.150s", attribute->key,
                   attribute->values[i].text);
    return &attribute->values[i].slice;
}
