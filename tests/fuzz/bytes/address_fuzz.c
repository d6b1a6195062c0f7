/* Rules for addresses, and the addresses of peers that they are matched
 * with. */

#include "bytes.h"

#include <arpa/inet.h>
#include <stdio.h>

static bool holds_bytes(const sz_network *network,
                        const unsigned char bytes[16])
{
    char text[INET6_ADDRSTRLEN];
    HOLDS(inet_ntop(AF_INET6, bytes, text, sizeof text) != NULL);
    return sz_network_holds(network, text, strlen(text));
}

/* Every bit of the address that the rule counts matters, and no other. */
static void check_bits(const sz_network *network)
{
    unsigned char bytes[16];
    HOLDS(network->bits >= 0 && network->bits <= 128);
    HOLDS(holds_bytes(network, network->bytes));
    for (int bit = network->bits - 1; bit <= network->bits; bit++) {
        if (bit < 0 || bit > 127)
            continue;
        memcpy(bytes, network->bytes, sizeof bytes);
        bytes[bit / 8] ^= (unsigned char)(0x80 >> bit % 8);
        HOLDS(holds_bytes(network, bytes) == (bit >= network->bits));
    }
}

static void check_user(const sz_network *network)
{
    char text[64];
    int64_t user = network->user >= 0 ? network->user : 7;
    HOLDS(user <= UINT32_MAX);
    int size =
        snprintf(text, sizeof text, "localhost:%lld:8:9", (long long)user);
    HOLDS(sz_network_holds(network, text, (size_t)size));
    HOLDS(!sz_network_holds(network, "127.0.0.1", 9));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reader from = {data, size};
    size_t rule_size, address_size;
    char *rule = next_block(&from, next_byte(&from), &rule_size);
    char *address = next_block(&from, 256, &address_size);
    sz_network network, again;
    int code = sz_network_parse(rule, rule_size, &network);
    HOLDS(code == 0 || code == SZ_EADDRESS);
    HOLDS(sz_network_parse(rule, rule_size, &again) == code);
    if (code == 0) {
        bool held = sz_network_holds(&network, address, address_size);
        HOLDS(held == sz_network_holds(&again, address, address_size));
        if (network.ipc)
            check_user(&network);
        else
            check_bits(&network);
    }
    free(rule);
    free(address);
    return 0;
}
