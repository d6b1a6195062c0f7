/* The trace of connections. */

#include "trace.h"
#include "error.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static atomic_int to = -1;

void sz_trace_connections(int fd)
{
    atomic_store(&to, fd);
}

bool szi_tracing(void)
{
    return atomic_load(&to) >= 0;
}

/* A peer that fails comes again ten times a second, so what was written stays
 * so until a handshake succeeds.  Two events may share a bit, which hides the
 * second. */
static uint64_t bit_of(const sz_event *event)
{
    uint32_t hash = (uint32_t)event->type->bit;
    if (sz_event_symbol(event->type, event->value) != NULL)
        hash = hash * 31 + event->value;
    for (const char *c = event->endpoint; *c != '\0'; c++)
        hash = hash * 31 + (unsigned char)*c;
    return UINT64_C(1) << (hash * UINT32_C(0x9E3779B1) >> 26);
}

static bool is_news(szi_trace *trace, const sz_event *event)
{
    enum {
        EVENTS = SZ_EVENT_CONNECT_RETRIED | SZ_EVENT_ACCEPT_FAILED |
                 SZ_EVENT_DISCONNECTED | SZ_EVENT_HANDSHAKE_SUCCEEDED |
                 SZ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
                 SZ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
                 SZ_EVENT_HANDSHAKE_FAILED_AUTH
    };
    if ((event->type->bit & EVENTS) == 0)
        return false;
    if (event->type->bit == SZ_EVENT_HANDSHAKE_SUCCEEDED) {
        trace->written = 0;
        return true;
    }
    uint64_t bit = bit_of(event);
    bool news = (trace->written & bit) == 0;
    trace->written |= bit;
    return news;
}

void szi_trace_event(szi_trace *trace, const sz_event *event)
{
    int fd = atomic_load(&to);
    if (fd < 0 || !is_news(trace, event))
        return;
    const char *text = sz_event_text(event->type, event->value);
    char line[1024];
    int size = snprintf(
        line, sizeof line,
        "zmq %lld.%03lld zmq-monitor %s#%u %s %.512s (%s)\n",
        (long long)(event->time / 1000), (long long)(event->time % 1000),
        trace->type->name, (unsigned)(trace->id & 0xffffff), event->type->name,
        event->endpoint, text != NULL ? text : event->type->text);
    ssize_t done;
    SZI_UNINTERRUPTED(done, write(fd, line, (size_t)size));
}
