/* The frames of libzmq's monitors: how they are read, counted and queued.
 * Functions of this file take the place of libzmq's in the unit that reads
 * them. */

#include "error.h"

#include <errno.h>
#include <zmq.h>

static int fuzz_receive(zmq_msg_t *part, void *router, int flags);
static int fuzz_close(void *router);

#define zmq_msg_recv fuzz_receive
#define zmq_close fuzz_close
#include "../../../kernel/monitor_thread.c"
#undef zmq_msg_recv
#undef zmq_close

#include "bytes.h"

enum {
    SOCKETS = 2,
    MOST_INPUT = 1000,
    FRAMES = 3 /* routing id, event and value, endpoint */
};

static reader input;
static int frame;
static szi_monitored *monitored[SOCKETS];

static int fuzz_close(void *router)
{
    (void)router;
    return 0;
}

/* libzmq names a socket only until it has reported the end of its events. */
static size_t make_frame(char *to)
{
    size_t size = 0;
    unsigned how = next_byte(&input);
    szi_monitored *o = monitored[how % SOCKETS];
    if (frame == 0 && how % 16 < 14 && !o->over) {
        make_id(to, o, how);
        return ID_SIZE;
    }
    if (frame == 1 && how % 16 < 14) {
        uint16_t bit = (uint16_t)(1u << next_byte(&input) % 16);
        uint32_t value = next_byte(&input) << (how & 24);
        memcpy(to, &bit, sizeof bit);
        memcpy(to + sizeof bit, &value, sizeof value);
        return sizeof bit + sizeof value;
    }
    char *block = next_block(&input, how % 8 == 7 ? 600 : how % 8, &size);
    if (frame == 0 && size >= ID_SIZE)
        size = ID_SIZE - 1;
    if (size > 0)
        memcpy(to, block, size);
    free(block);
    return size;
}

static int fuzz_receive(zmq_msg_t *part, void *router, int flags)
{
    (void)router;
    (void)flags;
    char data[600];
    if (frame == 0 && input.left < 2) {
        errno = input.left == 0 ? EAGAIN : ETERM;
        return -1;
    }
    size_t size = make_frame(data);
    frame = (frame + 1) % FRAMES;
    zmq_msg_close(part);
    HOLDS(zmq_msg_init_size(part, size) == 0);
    memcpy(zmq_msg_data(part), data, size);
    return (int)size;
}

static void check_queue(szi_event_queue *queue)
{
    sz_event event;
    int code;
    while ((code = szi_event_queue_take(queue, &event)) == 0) {
        HOLDS(strlen(event.endpoint) <= MOST_ENDPOINT);
        HOLDS(event.type != NULL && (event.type->bit & queue->mask) != 0);
        bool named = sz_event_symbol(event.type, event.value) != NULL;
        HOLDS(named == (sz_event_text(event.type, event.value) != NULL));
    }
    HOLDS(code == SZ_EAGAIN || code == SZ_ECLOSED);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static szi_socket sockets[SOCKETS];
    szi_event_queue queues[SOCKETS];
    szi_monitor_thread thread = {.router = &thread};
    input = (reader){data, size < MOST_INPUT ? size : MOST_INPUT};
    frame = 0;
    for (int i = 0; i < SOCKETS; i++) {
        monitored[i] = calloc(1, sizeof *monitored[i]);
        HOLDS(monitored[i] != NULL);
        monitored[i]->socket = &sockets[i];
        monitored[i]->connections.raw = i;
        HOLDS(szi_event_queue_open(&queues[i], SZ_EVENT_ALL) == 0);
        szi_list_append(&thread.monitored, &monitored[i]->link);
        szi_list_prepend(&monitored[i]->queues, &queues[i].link);
    }
    drain(&thread);
    for (int i = 0; i < SOCKETS; i++) {
        szi_monitored *o = monitored[i];
        if (!o->over)
            report(&thread, o, SZ_EVENT_MONITOR_STOPPED, 0, "");
        sz_connections counts = szi_connections_look(&o->connections, 0);
        HOLDS(counts.peers >= 0 && counts.lost <= counts.accepted);
        check_queue(&queues[i]);
        szi_event_queue_close(&queues[i]);
        free_monitored(o);
    }
    HOLDS(thread.monitored.first == NULL);
    return 0;
}
