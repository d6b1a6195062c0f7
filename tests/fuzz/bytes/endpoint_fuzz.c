/* Endpoints: the checks before libzmq sees them, and their comparison.  The
 * parser of multicast endpoints is private to its unit. */

#include "../../../kernel/multicast.c"

#include "bytes.h"
#include "endpoint.h"

static void check_multicast(const char *text)
{
    place found;
    memset(&found, 'x', sizeof found);
    if (!parse(text, &found))
        return;
    HOLDS(memchr(found.interface, '\0', sizeof found.interface) != NULL);
    HOLDS(memchr(found.host, '\0', sizeof found.host) != NULL);
    HOLDS(found.host[0] != '\0');
    HOLDS(found.port > 0 && found.port <= 65535);
}

static void check_accepted(const char *endpoint)
{
    HOLDS(strstr(endpoint, "://") != NULL);
    HOLDS(szi_endpoint_same(endpoint, endpoint));
    int kinds = szi_endpoint_inproc(endpoint) +
                szi_endpoint_addressed(endpoint) +
                (strncmp(endpoint, "ipc://", 6) == 0);
    HOLDS(kinds <= 1);
    HOLDS(!szi_endpoint_websocket(endpoint) ||
          szi_endpoint_addressed(endpoint));
    static const int codes[] = {SZ_EINVAL, SZ_EAGAIN, SZ_ENODEV, SZ_ENOMEM};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        HOLDS(szi_endpoint_explain(endpoint, codes[i]) < 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    reader from = {data, size}, texts;
    size_t length;
    size_t most = next_byte(&from);
    texts = from;
    char *block = next_block(&from, most, &length);
    char *first = next_text(&texts, most), *second = next_text(&texts, 512);
    for (int bound = 0; bound <= 1; bound++) {
        int code = szi_endpoint_check(block, length, bound);
        HOLDS(code <= 0);
        HOLDS(code == szi_endpoint_check(block, length, bound));
        HOLDS((code == SZ_ENUL) == (strlen(first) < length));
        if (code == 0)
            check_accepted(first);
    }
    if (strncmp(first, "tcp://", 6) == 0 || strncmp(first, "ws://", 5) == 0)
        HOLDS(szi_endpoint_same(first, second) ==
              szi_endpoint_same(second, first));
    check_multicast(first);
    free(block);
    free(first);
    free(second);
    return 0;
}
