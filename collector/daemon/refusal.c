#include "refusal.h"

static const struct {
    const char *name;
    const char *text;
} refusals[REFUSAL_COUNT] = {
    [REFUSED_BAD_HEADER] = {"bad_header", "sent bytes that are no message of Eddy's protocol"},
    [REFUSED_TOO_LARGE] = {"too_large", "announced a message larger than is permitted"},
    [REFUSED_UNKNOWN_TYPE] = {"unknown_type", "sent a message of unknown type"},
    [REFUSED_BAD_CHECKSUM] = {"bad_checksum", "sent a message whose checksum is wrong"},
    [REFUSED_UNEXPECTED] = {"unexpected", "sent a message that does not belong there"},
    [REFUSED_VERSION] = {"version", "speaks no version of the protocol that this collector knows"},
    [REFUSED_BAD_HELLO] = {"bad_hello", "sent a greeting that is not valid"},
    [REFUSED_FOREIGN_SESSION] = {"foreign_session", "claimed the session of another process"},
    [REFUSED_BAD_FRAME] = {"bad_frame", "sent a batch that is no valid frame"},
    [REFUSED_BAD_SEQUENCE] = {"bad_sequence", "sent a batch without a valid number"},
    [REFUSED_BAD_REQUEST] = {"bad_request", "sent an unknown control request"},
    [REFUSED_HELLO_TIMEOUT] = {"hello_timeout", "connected and said nothing"},
    [REFUSED_MESSAGE_TIMEOUT] = {"message_timeout",
                                 "began a message and did not finish it in time"},
    [REFUSED_CONNECTION_LIMIT] = {"connection_limit",
                                  "came when MaxConnections or the descriptor limit was reached"},
    [REFUSED_USER_LIMIT] = {"user_limit",
                            "came when its user had MaxConnectionsPerUser connections"},
    [REFUSED_DESCRIPTORS] = {"descriptors", "came when no descriptor was left"},
    [REFUSED_MEMORY] = {"memory", "held memory that others needed, or came when none was left"},
};

const char *refusal_name(enum refusal refusal)
{
    return refusals[refusal].name;
}

const char *refusal_text(enum refusal refusal)
{
    return refusals[refusal].text;
}
