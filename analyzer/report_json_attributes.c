#include "report_json_parts.h"

/* The numbers of a slice, into an open object. */
static void add_slice(struct json_tree *tree, const struct report_attribute *attribute,
                      const struct report_slice *slice)
{
    json_add_count(tree, "count", slice->count);
    if (attribute->reason != REASON_NONE) {
        return;
    }
    json_add_count(tree, "errors", slice->errors);
    report_json_number(tree, "p50_ns", slice->p50_ns, REASON_TOO_FEW);
    report_json_number(tree, "p95_ns", slice->p95_ns, REASON_TOO_FEW);
    report_json_number(tree, "p99_ns", slice->p99_ns, REASON_TOO_FEW);
    report_json_number(tree, "max_ns", slice->max_ns, REASON_NO_DATA);
}

static void add_bins(struct json_tree *tree, const struct report_attribute *attribute)
{
    const struct attribute_bins *bins = &attribute->bins;

    json_open_array(tree, "bins");
    for (size_t i = 0; i < bins->count; i++) {
        json_open_object(tree, NULL);
        report_json_number(tree, "from", bins->borders[i], REASON_NO_DATA);
        report_json_number(tree, "to", bins->has_below && i == 0 ? 0 : bins->borders[i + 1],
                           REASON_NO_DATA);
        add_slice(tree, attribute, &attribute->slices[i]);
        json_close(tree);
    }
    json_close(tree);
}

void report_json_attribute(struct json_tree *tree, const struct report_attribute *attribute)
{
    json_open_object(tree, NULL);
    json_add_text(tree, "key", attribute->key);
    json_add_count(tree, "count", attribute->count);
    json_add_bool(tree, "is_sample", attribute->is_sample);
    json_add_count(tree, "other_count", attribute->other.count);
    json_open_object(tree, "other");
    json_add_count(tree, "values", attribute->other_values);
    add_slice(tree, attribute, &attribute->other);
    json_close(tree);
    json_open_array(tree, "values");
    for (size_t i = 0; i < attribute->value_count; i++) {
        json_open_object(tree, NULL);
        json_add_text(tree, "value", attribute->values[i].text);
        add_slice(tree, attribute, &attribute->values[i].slice);
        json_close(tree);
    }
    json_close(tree);
    if (attribute->reason != REASON_NONE) {
        json_add_text(tree, "slices_reason", report_reason_name(attribute->reason));
    } else {
        add_bins(tree, attribute);
    }
    json_close(tree);
}
