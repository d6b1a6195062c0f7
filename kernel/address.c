/* Addresses of peers, in the form in which libzmq passes them to an
 * authenticator, and the rules that they are matched with. */

#include "szmq.h"

#include <arpa/inet.h>
#include <string.h>

enum {
    MOST_TEXT = 64,
    MAPPED_BITS = 96 /* of the prefix ::ffff:0:0, which maps IPv4 into IPv6 */
};

/* A number of digits only, at most `most`; else -1. */
static int64_t parse_number(const char *text, int64_t most)
{
    int64_t number = 0;
    if (*text == '\0')
        return -1;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return -1;
        number = number * 10 + (*text - '0');
        if (number > most)
            return -1;
    }
    return number;
}

/* An address of either family as 16 bytes.  Returns the number of bits before
 * those that the text gives, or -1. */
static int parse_ip(const char *text, unsigned char bytes[16])
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    if (inet_pton(AF_INET, text, bytes + 12) == 1) {
        memcpy(bytes, mapped, sizeof mapped);
        return MAPPED_BITS;
    }
    return inet_pton(AF_INET6, text, bytes) == 1 ? 0 : -1;
}

/* libzmq gives ipc peers as localhost:user:group:process. */
static bool parse_ipc(char *text, int64_t *user)
{
    static const char prefix[] = "localhost:";
    if (strncmp(text, prefix, sizeof prefix - 1) != 0)
        return false;
    text += sizeof prefix - 1;
    text[strcspn(text, ":")] = '\0';
    *user = parse_number(text, UINT32_MAX);
    return *user >= 0;
}

/* A copy with a NUL, or false if the text cannot be an address. */
static bool copy_text(char to[MOST_TEXT], const char *text, size_t length)
{
    if (length >= MOST_TEXT || memchr(text, '\0', length) != NULL)
        return false;
    memcpy(to, text, length);
    to[length] = '\0';
    return true;
}

int sz_network_parse(const char *given, size_t length, sz_network *network)
{
    char text[MOST_TEXT];
    *network = (sz_network){.user = -1};
    if (!copy_text(text, given, length))
        return SZ_EADDRESS;
    if (strcmp(text, "ipc") == 0 || strncmp(text, "ipc:", 4) == 0) {
        network->ipc = true;
        if (text[3] == ':')
            network->user = parse_number(text + 4, UINT32_MAX);
        return text[3] == ':' && network->user < 0 ? SZ_EADDRESS : 0;
    }
    char *slash = strchr(text, '/');
    if (slash != NULL)
        *slash = '\0';
    int before = parse_ip(text, network->bytes);
    if (before < 0)
        return SZ_EADDRESS;
    int64_t bits = 128 - before;
    if (slash != NULL)
        bits = parse_number(slash + 1, bits);
    network->bits = (int)(before + bits);
    return bits < 0 ? SZ_EADDRESS : 0;
}

bool sz_network_holds(const sz_network *network, const char *given,
                      size_t length)
{
    char text[MOST_TEXT];
    int64_t user;
    unsigned char bytes[16];
    if (!copy_text(text, given, length))
        return false;
    if (network->ipc)
        return parse_ipc(text, &user) &&
               (network->user < 0 || network->user == user);
    text[strcspn(text, "%")] = '\0'; /* the zone of a local address */
    if (parse_ip(text, bytes) < 0)
        return false;
    size_t whole = (size_t)network->bits / 8;
    int rest = network->bits % 8;
    if (memcmp(bytes, network->bytes, whole) != 0)
        return false;
    return rest == 0 ||
           ((bytes[whole] ^ network->bytes[whole]) >> (8 - rest)) == 0;
}
