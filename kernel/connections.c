/* Counts of the connections of a socket. */

#include "connections.h"
#include "memory.h"

#include <string.h>

/* The connections of one endpoint. */
typedef struct {
    szi_link link;
    int64_t peers;
    bool failing; /* its next disconnect ends a handshake that failed */
    char endpoint[];
} site;

static site *find_site(szi_connections *c, const char *endpoint)
{
    SZI_EACH (s, &c->sites, site, link)
        if (strcmp(s->endpoint, endpoint) == 0)
            return s;
    size_t length = strlen(endpoint);
    site *made = szi_new(sizeof *made + length + 1);
    if (made == NULL)
        return NULL;
    memcpy(made->endpoint, endpoint, length);
    szi_list_append(&c->sites, &made->link);
    return made;
}

static void free_site(szi_connections *c, site *s)
{
    szi_list_remove(&c->sites, &s->link);
    szi_free(s);
}

/* The time that a handshake took, which is over. libzmq does not tell which
 * one it was.  The first is assumed, which makes it seem longer than it
 * was. */
static int64_t handshake_time(szi_connections *c, int64_t time)
{
    if (c->beginning > 0)
        c->beginning--;
    return time - c->begun;
}

static void settle_later(szi_connections *c, int64_t handshake, int64_t time)
{
    enum {
        LEAST = 100,
        MOST = 1000
    };
    int64_t wait = 3 * handshake;
    wait = wait < LEAST ? LEAST : wait > MOST ? MOST : wait;
    if (time + wait > c->counts.settled)
        c->counts.settled = time + wait;
}

void szi_connections_count(szi_connections *c, const sz_event *event)
{
    site *at = find_site(c, event->endpoint);
    if (at == NULL)
        return;
    bool failing = at->failing;
    at->failing = false;
    switch (event->type->bit) {
    case SZ_EVENT_CONNECTED:
    case SZ_EVENT_ACCEPTED:
        if (c->raw) {
            c->counts.accepted++;
            at->peers++;
        } else if (c->beginning++ == 0) {
            c->begun = event->time;
        }
        break;
    case SZ_EVENT_HANDSHAKE_SUCCEEDED:
        c->counts.accepted++;
        at->peers++;
        settle_later(c, handshake_time(c, event->time), event->time);
        break;
    case SZ_EVENT_HANDSHAKE_FAILED_NO_DETAIL:
    case SZ_EVENT_HANDSHAKE_FAILED_PROTOCOL:
    case SZ_EVENT_HANDSHAKE_FAILED_AUTH:
        if (c->raw)
            break; /* every connection of a STREAM ends like this */
        c->counts.failed++;
        at->failing = true;
        handshake_time(c, event->time);
        break;
    case SZ_EVENT_DISCONNECTED:
        if (!failing && at->peers > 0) {
            at->peers--;
            c->counts.lost++;
        }
        break;
    case SZ_EVENT_CONNECT_RETRIED:
        c->counts.retried++;
        break;
    default:
        break;
    }
    if (at->peers == 0 && !at->failing)
        free_site(c, at);
}

void szi_connections_end(szi_connections *c, const char *endpoint)
{
    SZI_EACH (s, &c->sites, site, link)
        if (strcmp(s->endpoint, endpoint) == 0)
            s->peers = 0;
    c->beginning = 0;
}

sz_connections szi_connections_look(const szi_connections *c, int64_t more)
{
    sz_connections found = c->counts;
    found.peers = more;
    SZI_EACH (s, &c->sites, site, link)
        found.peers += s->peers;
    return found;
}

void szi_connections_free(szi_connections *c)
{
    site *first;
    while ((first = SZI_FIRST(&c->sites, site, link)) != NULL)
        free_site(c, first);
}
