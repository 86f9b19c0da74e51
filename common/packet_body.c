#include "packet_body.h"

#include "proto_cursor.h"

#include <errno.h>
#include <string.h>

enum { TRACE_PACKET_FIELD = 1 };
enum { ID_SESSION_FIELD = 1, ID_SEQUENCE_FIELD, ID_FEATURES_FIELD };

static int read_id_field(const struct proto_field *field, struct packet_id *id, bool *has_session)
{
    bool is_bytes = field->number == ID_SESSION_FIELD;

    if (field->number > ID_FEATURES_FIELD) {
        return 0;
    }
    if (field->type != (is_bytes ? PROTO_BYTES : PROTO_VARINT)) {
        return -EBADMSG;
    }
    if (is_bytes) {
        if (field->content.size != SESSION_ID_BYTES) {
            return -EBADMSG;
        }
        memcpy(id->session, field->content.data, SESSION_ID_BYTES);
        *has_session = true;
    } else if (field->number == ID_SEQUENCE_FIELD) {
        id->sequence = field->value;
    } else {
        id->required_features = field->value;
    }
    return 0;
}

static int read_id(struct slice message, struct packet_id *ret_id)
{
    struct packet_id id = {0};
    struct proto_field field;
    bool has_session = false;
    int r = proto_next(&message, &field);

    while (r > 0) {
        r = read_id_field(&field, &id, &has_session);
        r = r < 0 ? r : proto_next(&message, &field);
    }
    if (r < 0 || !has_session) {
        return -EBADMSG;
    }
    *ret_id = id;
    return 0;
}

/* What follows the body in its packet is from a newer writer and skipped, unless it is a second body. */
static int check_rest_of_packet(struct slice rest)
{
    struct proto_field field;
    int r = proto_next(&rest, &field);

    while (r > 0) {
        r = field.number <= PACKET_END ? -EBADMSG : proto_next(&rest, &field);
    }
    return r;
}

/* The packet's first field: its body, of whatever kind. */
static int find_first_field(struct slice plain, bool is_prefix, struct proto_field *ret_body)
{
    struct proto_field packet;
    int (*next)(struct slice *, struct proto_field *) =
        is_prefix ? proto_next_of_prefix : proto_next;

    if (next(&plain, &packet) <= 0 || packet.number != TRACE_PACKET_FIELD ||
        packet.type != PROTO_BYTES || plain.size != 0) {
        return -EBADMSG;
    }
    if (next(&packet.content, ret_body) <= 0 || ret_body->type != PROTO_BYTES) {
        return -EBADMSG;
    }
    return is_prefix ? 0 : check_rest_of_packet(packet.content);
}

int packet_find_body(struct slice plain, bool is_prefix, enum packet_kind *ret_kind,
                     struct packet_id *ret_id, struct slice *ret_body)
{
    struct proto_field body;
    struct proto_field id;
    int r = find_first_field(plain, is_prefix, &body);

    if (r < 0) {
        return r;
    }

    struct slice rest = body.content;

    if (proto_next(&rest, &id) <= 0 || id.number != BODY_ID_FIELD || id.type != PROTO_BYTES ||
        read_id(id.content, ret_id) < 0) {
        return -EBADMSG;
    }
    if (body.number > PACKET_END || (ret_id->required_features & ~(uint64_t)KNOWN_FEATURES) != 0) {
        return -EPROTONOSUPPORT;
    }
    *ret_kind = (enum packet_kind)body.number;
    *ret_body = body.content;
    return 0;
}

int packet_peek(struct slice plain, enum packet_kind *ret_kind, struct packet_id *ret_id)
{
    struct slice body;

    return packet_find_body(plain, false, ret_kind, ret_id, &body);
}

static void put_id_fields(struct proto_sink *sink, const struct packet_id *id)
{
    proto_put_header(sink, ID_SESSION_FIELD, SESSION_ID_BYTES);
    proto_put_raw(sink, (struct slice){id->session, SESSION_ID_BYTES});
    proto_put_uint64(sink, ID_SEQUENCE_FIELD, id->sequence);
    proto_put_uint64(sink, ID_FEATURES_FIELD, id->required_features);
}

void packet_put_id(struct proto_sink *sink, const struct packet_id *id)
{
    struct proto_sink measure = {0};

    put_id_fields(&measure, id);
    proto_put_header(sink, BODY_ID_FIELD, measure.size);
    put_id_fields(sink, id);
}
