#include "json_tree.h"

#include "json_text.h"
#include "real_digits.h"
#include "text_format.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#define EXACT_LIMIT (1ULL << 53)

enum {
    FIRST_NODES = 64,
    FIRST_TEXT_BYTES = 1024,
    SHORT_TEXT_BYTES = 256,
    NODE_MARK_BYTES = 6, /* that a node has at most around key and text: "": {} , */
    /* Where nodes say that there is none: the root is nobody's child, and the text begins with its key. */
    NONE = 0,
};

enum node_kind { NODE_PLAIN, NODE_OBJECT, NODE_ARRAY };

struct json_node {
    uint32_t key;        /* offset in the text, behind it a NUL; "" if it has none */
    uint32_t quoted_key; /* as it is written, likewise; NONE if that is the same in quotes */
    uint32_t text;
    uint32_t text_size;
    uint32_t first_child; /* in the order of writing */
    uint32_t last_child;
    uint32_t next;
    enum node_kind kind;
};

void json_release(struct json_tree *tree)
{
    free(tree->nodes);
    free(tree->text);
    *tree = (struct json_tree){0};
}

/* --- Memory --- */

/* Makes room for one more node. */
static bool reserve_node(struct json_tree *tree)
{
    size_t capacity = tree->node_capacity == 0 ? FIRST_NODES : 2 * tree->node_capacity;

    if (tree->node_count < tree->node_capacity) {
        return true;
    }

    if (capacity > UINT32_MAX) {
        return false;
    }

    struct json_node *nodes = reallocarray(tree->nodes, capacity, sizeof(*nodes));

    if (nodes == NULL) {
        return false;
    }
    tree->nodes = nodes;
    tree->node_capacity = capacity;
    return true;
}

static bool reserve_text(struct json_tree *tree, size_t size)
{
    size_t capacity = tree->text_capacity == 0 ? FIRST_TEXT_BYTES : tree->text_capacity;

    while (capacity - tree->text_size < size) {
        capacity *= 2;
    }
    if (capacity > UINT32_MAX) {
        return false;
    }
    if (capacity != tree->text_capacity) {
        char *text = realloc(tree->text, capacity);

        if (text == NULL) {
            return false;
        }
        tree->text = text;
        tree->text_capacity = capacity;
    }
    return true;
}

/* Keeps a copy. Returns where it stands. There is room. */
static uint32_t put_text(struct json_tree *tree, const char *text, size_t size)
{
    uint32_t at = (uint32_t)tree->text_size;

    memcpy(tree->text + at, text, size);
    tree->text_size += size;
    return at;
}

/* --- Nodes --- */

static const char *key_of(const struct json_tree *tree, uint32_t node)
{
    return tree->text + tree->nodes[node].key;
}

/* Puts a member where its key belongs, behind those with the same one. */
static void link_member(struct json_tree *tree, struct json_node *object, uint32_t node)
{
    const char *key = key_of(tree, node);
    uint32_t before = NONE;
    uint32_t after = object->first_child;

    if (object->last_child != NONE && strcmp(key_of(tree, object->last_child), key) <= 0) {
        before = object->last_child;
        after = NONE;
    }
    while (after != NONE && strcmp(key_of(tree, after), key) <= 0) {
        before = after;
        after = tree->nodes[after].next;
    }
    tree->nodes[node].next = after;
    if (before == NONE) {
        object->first_child = node;
    } else {
        tree->nodes[before].next = node;
    }
    object->last_child = after == NONE ? node : object->last_child;
}

static void link_element(struct json_tree *tree, struct json_node *array, uint32_t node)
{
    if (array->last_child == NONE) {
        array->first_child = node;
    } else {
        tree->nodes[array->last_child].next = node;
    }
    array->last_child = node;
}

/* Gives a node to the open object or array. Returns false if there is none, and it is not the first one. */
static bool link_node(struct json_tree *tree, uint32_t node)
{
    if (tree->depth == 0) {
        return node == 0;
    }

    struct json_node *parent = &tree->nodes[tree->open[tree->depth - 1]];

    if (parent->kind == NODE_OBJECT) {
        link_member(tree, parent, node);
    } else {
        link_element(tree, parent, node);
    }
    return true;
}

/* Whether text is the same in JSON, but for the quotes. */
static bool is_plain(const char *text)
{
    while (*text >= ' ' && *text <= '~' && *text != '"' && *text != '\\') {
        text++;
    }
    return *text == '\0';
}

/* Text as JSON; to be freed. Returns NULL without memory. */
static char *make_literal(const char *text)
{
    char *literal = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&literal, &size);

    if (stream == NULL) {
        return NULL;
    }
    json_put_text(stream, text);
    if (fclose(stream) != 0) {
        free(literal);
        return NULL;
    }
    return literal;
}

static bool set_key(struct json_tree *tree, struct json_node *node, const char *key)
{
    size_t size = strlen(key) + 1;

    if (!reserve_text(tree, size)) {
        return false;
    }
    node->key = put_text(tree, key, size);
    if (is_plain(key)) {
        return true;
    }

    AUTO_FREE char *literal = make_literal(key);

    size = literal == NULL ? 0 : strlen(literal) + 1;
    if (literal == NULL || !reserve_text(tree, size)) {
        return false;
    }
    node->quoted_key = put_text(tree, literal, size);
    return true;
}

static bool set_text(struct json_tree *tree, struct json_node *node, const char *text, size_t size)
{
    if (!reserve_text(tree, size)) {
        return false;
    }
    node->text = put_text(tree, text, size);
    node->text_size = (uint32_t)size;
    return true;
}

/* Adds a node; key may be NULL, text may be empty. Returns it. */
static uint32_t add(struct json_tree *tree, const char *key, enum node_kind kind, const char *text,
                    size_t size)
{
    struct json_node node = {.kind = kind};
    uint32_t at = tree->node_count;

    if (tree->is_failed || !reserve_node(tree) || !set_key(tree, &node, key == NULL ? "" : key) ||
        !set_text(tree, &node, text, size)) {
        tree->is_failed = true;
        return 0;
    }
    tree->nodes[tree->node_count++] = node;
    tree->is_failed = !link_node(tree, at);
    return at;
}

static void open_node(struct json_tree *tree, const char *key, enum node_kind kind)
{
    uint32_t node = add(tree, key, kind, "", 0);

    if (tree->depth == JSON_MAX_DEPTH) {
        tree->is_failed = true;
        return;
    }
    tree->open[tree->depth++] = node;
}

void json_open_object(struct json_tree *tree, const char *key)
{
    open_node(tree, key, NODE_OBJECT);
}

void json_open_array(struct json_tree *tree, const char *key)
{
    open_node(tree, key, NODE_ARRAY);
}

void json_close(struct json_tree *tree)
{
    if (tree->depth > 0) {
        tree->depth--;
    }
}

/* --- Values --- */

/* Returns where text goes on, as all functions here that return a place. */
static char *put(char *to, const char *text, size_t size)
{
    memcpy(to, text, size);
    return to + size;
}

void json_add_text(struct json_tree *tree, const char *key, const char *text)
{
    AUTO_FREE char *literal = NULL;
    char quoted[SHORT_TEXT_BYTES + 2] = "\"";
    size_t size = strlen(text);

    if (size <= SHORT_TEXT_BYTES && is_plain(text)) {
        *put(quoted + 1, text, size) = '"';
        (void)add(tree, key, NODE_PLAIN, quoted, size + 2);
        return;
    }
    literal = make_literal(text);
    tree->is_failed = tree->is_failed || literal == NULL;
    (void)add(tree, key, NODE_PLAIN, literal, literal == NULL ? 0 : strlen(literal));
}

static void add_word(struct json_tree *tree, const char *key, const char *word)
{
    (void)add(tree, key, NODE_PLAIN, word, strlen(word));
}

void json_add_bool(struct json_tree *tree, const char *key, bool value)
{
    add_word(tree, key, value ? "true" : "false");
}

void json_add_null(struct json_tree *tree, const char *key)
{
    add_word(tree, key, "null");
}

void json_add_number(struct json_tree *tree, const char *key, double value)
{
    char text[REAL_TEXT_BYTES];

    if (!isfinite(value)) {
        json_add_null(tree, key);
        return;
    }

    size_t size = real_format(text, value);

    (void)add(tree, key, NODE_PLAIN, text, size);
}

void json_add_count(struct json_tree *tree, const char *key, uint64_t value)
{
    char text[REAL_TEXT_BYTES];

    if (value >= EXACT_LIMIT) {
        json_add_digits(tree, key, value);
        return;
    }

    size_t size = integer_format(text, value);

    (void)add(tree, key, NODE_PLAIN, text, size);
}

void json_add_digits(struct json_tree *tree, const char *key, uint64_t value)
{
    char text[REAL_TEXT_BYTES + 2] = "\"";
    size_t size = 1 + integer_format(text + 1, value);

    text[size++] = '"';
    (void)add(tree, key, NODE_PLAIN, text, size);
}

void json_add_time(struct json_tree *tree, const char *key, uint64_t realtime_ns)
{
    char text[TEXT_BYTES];

    json_add_text(tree, key, text_time(text, realtime_ns));
}

/* --- Writing --- */

static char *put_beginning(char *to, const struct json_tree *tree, const struct json_node *node,
                           bool has_key)
{
    if (has_key && node->quoted_key != NONE) {
        to = put(to, tree->text + node->quoted_key, strlen(tree->text + node->quoted_key));
        *to++ = ':';
    } else if (has_key) {
        *to++ = '"';
        to = put(to, tree->text + node->key, strlen(tree->text + node->key));
        to = put(to, "\":", 2);
    }
    if (node->kind != NODE_PLAIN) {
        *to++ = node->kind == NODE_OBJECT ? '{' : '[';
    }
    return put(to, tree->text + node->text, node->text_size);
}

static char *put_end(char *to, const struct json_node *node)
{
    if (node->kind != NODE_PLAIN) {
        *to++ = node->kind == NODE_OBJECT ? '}' : ']';
    }
    return to;
}

/* Writes the value to memory that is large enough. */
static char *put_nodes(char *to, const struct json_tree *tree)
{
    const struct json_node *nodes = tree->nodes;
    uint32_t parents[JSON_MAX_DEPTH];
    size_t depth = 0;
    uint32_t node = 0;

    do {
        to = put_beginning(to, tree, &nodes[node],
                           depth > 0 && nodes[parents[depth - 1]].kind == NODE_OBJECT);
        if (nodes[node].first_child != NONE) {
            parents[depth++] = node;
            node = nodes[node].first_child;
            continue;
        }
        to = put_end(to, &nodes[node]);
        while (nodes[node].next == NONE && depth > 0) {
            node = parents[--depth];
            to = put_end(to, &nodes[node]);
        }
        node = nodes[node].next;
        if (node != NONE) {
            *to++ = ',';
        }
    } while (node != NONE);
    return to;
}

int json_write(struct json_tree *tree, FILE *stream)
{
    bool has_value = !tree->is_failed && tree->node_count > 0;
    AUTO_FREE char *text =
        has_value ? malloc(tree->text_size + tree->node_count * (size_t)NODE_MARK_BYTES) : NULL;
    int r = -ENOMEM;

    if (text != NULL) {
        size_t size = (size_t)(put_nodes(text, tree) - text);

        r = fwrite(text, 1, size, stream) < size ? -EIO : 0;
    }
    json_release(tree);
    return r;
}
