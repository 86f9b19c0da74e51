/*
 * A whole collector in this process against many clients at once, while others ask for statistics and rotations: for
 * ThreadSanitizer, and to see that every record that was sent is stored or counted.
 *
 *     stress_collector
 */
#include "collector.h"
#include "control_client.h"
#include "stats.h"
#include "wire.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

enum {
    CLIENTS = 6,
    SESSIONS_PER_CLIENT = 5,
    FRAMES_PER_SESSION = 40,
    OPERATIONS_PER_FRAME = 3,
    PLAIN_BYTES = 2000,
    ASKERS = 2,
};

static char base[] = "/tmp/stress_collector.XXXXXX";
static char socket_path[64];
static char output_path[64];
static _Atomic unsigned int running;

static void die(const char *what, int error)
{
    (void)fprintf(stderr, "stress_collector: %s: %s\n", what, strerror(-error));
    exit(1);
}

/* --- Clients --- */

struct client {
    pthread_t thread;
    unsigned int index;
};

static void send_message(int fd, const struct wire_header *header, struct slice payload)
{
    uint8_t head[WIRE_HEADER_BYTES];

    wire_header_write(head, header, payload);
    if (send(fd, head, sizeof(head), MSG_NOSIGNAL) != (ssize_t)sizeof(head) ||
        send(fd, payload.data, payload.size, MSG_NOSIGNAL) != (ssize_t)payload.size) {
        die("cannot send", -errno);
    }
}

static struct wire_header receive_header(int fd)
{
    uint8_t bytes[WIRE_HEADER_BYTES];
    uint8_t payload[1024];
    struct wire_header header;

    if (recv(fd, bytes, sizeof(bytes), MSG_WAITALL) != (ssize_t)sizeof(bytes) ||
        wire_header_read(bytes, &header) < 0 || header.payload_size > sizeof(payload)) {
        die("no answer", -ECONNRESET);
    }
    if (header.payload_size > 0 &&
        recv(fd, payload, header.payload_size, MSG_WAITALL) != (ssize_t)header.payload_size) {
        die("half an answer", -ECONNRESET);
    }
    return header;
}

static int connect_to_collector(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memcpy(address.sun_path, socket_path, sizeof(socket_path));
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
        die("cannot connect", -errno);
    }
    return fd;
}

static void greet(int fd, unsigned int client, unsigned int number)
{
    struct hello hello = {.pid = (uint32_t)getpid(), .executable = "stress", .next_sequence = 1};
    uint8_t packed[512];
    size_t size = 0;

    hello.session[0] = (uint8_t)(client + 1);
    hello.session[1] = (uint8_t)number;
    if (packet_pack_hello(&hello, packed, sizeof(packed), &size) < 0) {
        die("cannot greet", -EINVAL);
    }
    send_message(fd, &(struct wire_header){.type = WIRE_HELLO, .flags = WIRE_VERSION},
                 (struct slice){packed, size});
    if (receive_header(fd).type != WIRE_WELCOME) {
        die("no welcome", -EPROTO);
    }
}

static size_t make_frame(uint8_t *ret_bytes, size_t room)
{
    static const uint8_t plain[PLAIN_BYTES];
    struct frame_writer *writer = NULL;
    size_t size = 0;

    int r = frame_writer_new(&writer);
    r = r < 0 ? r : frame_start(writer, ret_bytes, room, sizeof(plain));
    r = r < 0 ? r : frame_append(writer, (struct slice){plain, sizeof(plain)});
    r = r < 0 ? r : frame_finish(writer, &size);
    if (r < 0) {
        die("cannot make a frame", r);
    }
    frame_writer_free(writer);
    return size;
}

static void run_session(unsigned int client, unsigned int number, struct slice frame)
{
    AUTO_CLOSE int fd = connect_to_collector();
    bool says_goodbye = number % 2 == 0;

    greet(fd, client, number);
    for (uint64_t sequence = 1; sequence <= FRAMES_PER_SESSION; sequence++) {
        bool is_last = says_goodbye && sequence == FRAMES_PER_SESSION;

        send_message(fd,
                     &(struct wire_header){
                         .type = is_last ? WIRE_GOODBYE : WIRE_FRAME,
                         .sequence = sequence,
                         .counts = {OPERATIONS_PER_FRAME},
                     },
                     frame);
    }
    while (receive_header(fd).sequence < FRAMES_PER_SESSION) {
    }
}

static void *client_main(void *context)
{
    const struct client *client = context;
    uint8_t bytes[4 * PLAIN_BYTES];
    struct slice frame = {bytes, make_frame(bytes, sizeof(bytes))};

    for (unsigned int i = 0; i < SESSIONS_PER_CLIENT; i++) {
        run_session(client->index, i, frame);
    }
    (void)atomic_fetch_sub(&running, 1);
    return NULL;
}

static void *asker_main(void *context)
{
    static const char *const requests[] = {"stats json", "rotate", "stats text",
                                           "stats openmetrics"};
    char error[CONTROL_ERROR_MAX_BYTES];

    (void)context;
    for (unsigned int i = 0; i < 20; i++) {
        struct text_buffer answer;

        int r = control_ask(socket_path, requests[i % ARRAY_SIZE(requests)], &answer, error);
        if (r < 0) {
            die(error, r);
        }
        text_buffer_release(&answer);
    }
    (void)atomic_fetch_sub(&running, 1);
    return NULL;
}

/* --- The collector --- */

static void ignore_wait(void *context)
{
    (void)context;
}

static void serve(struct collector *collector)
{
    struct client clients[CLIENTS];
    pthread_t askers[ASKERS];

    atomic_store(&running, CLIENTS + ASKERS);
    for (unsigned int i = 0; i < CLIENTS; i++) {
        clients[i].index = i;
        (void)pthread_create(&clients[i].thread, NULL, client_main, &clients[i]);
    }
    for (unsigned int i = 0; i < ASKERS; i++) {
        (void)pthread_create(&askers[i], NULL, asker_main, NULL);
    }
    while (atomic_load(&running) > 0) {
        int r = collector_step(collector, 20 * NS_PER_MS);

        if (r < 0) {
            die("the loop failed", r);
        }
    }
    for (unsigned int i = 0; i < CLIENTS; i++) {
        (void)pthread_join(clients[i].thread, NULL);
    }
    for (unsigned int i = 0; i < ASKERS; i++) {
        (void)pthread_join(askers[i], NULL);
    }
    collector_drain(collector, ignore_wait, NULL);
}

static void check(const struct collector *collector)
{
    const uint64_t sent =
        (uint64_t)CLIENTS * SESSIONS_PER_CLIENT * FRAMES_PER_SESSION * OPERATIONS_PER_FRAME;
    uint64_t stored = stats_records(&collector->disk.stored);

    if (stored != sent || stats_records(&collector->counters.received) != sent ||
        collector->frame_memory.used != 0 || collector->greeting_memory.used != 0 ||
        collector->disk.open_parts != 0 || collector->counters.frames_repeated != 0) {
        (void)fprintf(stderr, "stress_collector: sent %llu, stored %llu, memory %zu and %zu\n",
                      (unsigned long long)sent, (unsigned long long)stored,
                      collector->frame_memory.used, collector->greeting_memory.used);
        exit(1);
    }
    (void)printf("stored %llu records in %llu files\n", (unsigned long long)stored,
                 (unsigned long long)collector->disk.parts_closed);
}

int main(void)
{
    static struct collector collector;
    char error[COLLECTOR_ERROR_MAX_BYTES];
    char command[128];
    struct collector_config config;
    struct daemon_log log;

    if (mkdtemp(base) == NULL) {
        die("cannot make a folder", -errno);
    }
    (void)snprintf(socket_path, sizeof(socket_path), "%s/eddy.sock", base);
    (void)snprintf(output_path, sizeof(output_path), "%s/traces", base);
    config_init(&config);
    (void)snprintf(config.socket_path, sizeof(config.socket_path), "%s", socket_path);
    (void)snprintf(config.output_path, sizeof(config.output_path), "%s", output_path);
    config.sample_machine = false;
    config.folder = (struct folder_limits){0};
    config.part.rotate_plain_bytes = (256 << 10) + 20 * PLAIN_BYTES;
    log_init(&log);
    int r = collector_open(&collector, &config, COLLECTOR_PRIVATE, &log, error);
    if (r < 0) {
        die(error, r);
    }
    serve(&collector);
    check(&collector);
    collector_release(&collector);
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", base);
    return system(command) == 0 ? 0 : 1;
}
