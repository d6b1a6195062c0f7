/* Subscriptions in what peers and the program send: the check of their length
 * against another statement of the same rule. */

#include "bytes.h"
#include "subscription.h"

enum {
    MOST = 4
};

/* Bytes before the prefix; -1 if the part does not subscribe. */
static long prefix_start(const uint8_t *part, size_t size)
{
    static const char *const commands[] = {"\x9SUBSCRIBE", "\x6"
                                                           "CANCEL"};
    for (int i = 0; i < 2; i++) {
        size_t length = strlen(commands[i]);
        if (size >= length && memcmp(part, commands[i], length) == 0)
            return (long)length;
    }
    return size > 0 && (part[0] == 0 || part[0] == 1) ? 1 : -1;
}

static int model(const szi_socket *socket, const sz_part *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        long start = prefix_start(parts[i].data, parts[i].size);
        if (start >= 0 &&
            parts[i].size - (size_t)start > socket->subscription_limit)
            return SZ_ESUBSCRIPTION;
        if (i == 0 && start < 0 && socket->only_first)
            return 0;
    }
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static szi_socket socket;
    reader from = {data, size};
    unsigned how = next_byte(&from);
    socket.only_first = how & 1;
    socket.subscription_limit = how >> 1;
    size_t count = 1 + next_byte(&from) % MOST;
    sz_part parts[MOST];
    zmq_msg_t made[MOST];
    char *blocks[MOST];
    for (size_t i = 0; i < count; i++) {
        size_t most = i + 1 < count ? next_byte(&from) : SIZE_MAX;
        blocks[i] = next_block(&from, most, &parts[i].size);
        parts[i].data = blocks[i];
        HOLDS(zmq_msg_init_size(&made[i], parts[i].size) == 0);
        if (parts[i].size > 0)
            memcpy(zmq_msg_data(&made[i]), blocks[i], parts[i].size);
        HOLDS(
            szi_subscription_check_bytes(&socket, blocks[i], parts[i].size) ==
            model(&socket, &parts[i], 1));
    }
    HOLDS(szi_subscription_check_parts(&socket, &made[0], &made[1], count) ==
          model(&socket, parts, count));
    for (size_t i = 0; i < count; i++) {
        zmq_msg_close(&made[i]);
        free(blocks[i]);
    }
    return 0;
}
