/* Pollers over what the system tells: see events.h.
 *
 * libzmq's descriptors are edge-triggered, the poller is level-triggered.  A
 * watch is hot when its socket may be ready without a new edge: when it is
 * new, its edge fired, it was ready at the last check, or somebody used the
 * socket since.  A check reads the events of the hot ones only; one that is
 * not ready turns cold.  Reading the events makes libzmq process all that has
 * arrived, so the next event after it brings an edge.  So between checks
 * every cold watch is armed, and making one hot in between wakes whoever
 * waits. */

#include "internal.h"
#include "events.h"

typedef struct szi_poller szi_poller;

struct szi_watch {
    szi_poller *poller;
    szi_socket *socket; /* NULL for a descriptor, and once it is closed */
    int fd;
    int events;
    uint64_t tag;
    uint64_t socket_id;
    bool hot, closed;
    bool always; /* a file: never waited for */
    bool ghost;  /* removed, but the system may tell of it still */
    bool quiet;  /* for SZ_SWAP, while nothing waits: not listened to */
    int fired;   /* what is known of a descriptor or signal in this check */
    int known;   /* SZ_IN from where it was found to what is done next */
    szi_watch *next_hot, *previous_hot;
    szi_watch *next, *previous;
    szi_watch *next_of_socket;
};

struct szi_poller {
    szi_events *source;
    bool armed; /* the last check found nothing: somebody may be waiting */
    szi_watch *watches;
    szi_watch *hot, *last_hot;
    szi_watch *ghosts;
    uint64_t id;
};

static void heat(szi_watch *watch)
{
    szi_poller *poller = watch->poller;
    if (watch->hot)
        return;
    watch->hot = true;
    watch->next_hot = NULL;
    watch->previous_hot = poller->last_hot;
    if (poller->last_hot != NULL)
        poller->last_hot->next_hot = watch;
    else
        poller->hot = watch;
    poller->last_hot = watch;
}

static void cool(szi_watch *watch)
{
    szi_poller *poller = watch->poller;
    if (!watch->hot)
        return;
    watch->hot = false;
    if (watch->previous_hot != NULL)
        watch->previous_hot->next_hot = watch->next_hot;
    else
        poller->hot = watch->next_hot;
    if (watch->next_hot != NULL)
        watch->next_hot->previous_hot = watch->previous_hot;
    else
        poller->last_hot = watch->previous_hot;
}

static void touch(szi_watch *watch)
{
    heat(watch);
    watch->known = 0;
    if (!watch->poller->armed)
        return;
    watch->poller->armed = false;
    szi_events_wake(watch->poller->source);
}

/* Who watches for signals knows of the operations, and not of what pollers
 * read. */
static bool signals(const szi_watch *watch)
{
    return (watch->events & (SZ_SIGNAL | SZ_SWAP)) != 0;
}

static void signal_taken(szi_watch *watch)
{
    if ((watch->events & SZ_SIGNAL) == 0)
        return;
    watch->fired = SZ_SIGNAL;
    touch(watch);
}

void szi_poller_signal(szi_watch *watches)
{
    for (szi_watch *w = watches; w != NULL; w = w->next_of_socket)
        signal_taken(w);
}

/* Where the system refuses, who pumps is told once, and goes on by time. */
static void listen(szi_watch *watch)
{
    watch->quiet = szi_events_add(watch->poller->source, watch->fd, SZ_IN,
                                  true, watch) != 0;
    watch->fired = SZ_SWAP;
    touch(watch);
}

static void be_quiet(szi_watch *watch)
{
    szi_events_remove(watch->poller->source, watch->fd);
    watch->quiet = true;
}

void szi_poller_swaps(szi_socket *socket, bool waiting)
{
    for (szi_watch *w = socket->watches; w != NULL; w = w->next_of_socket)
        if ((w->events & SZ_SWAP) != 0 && w->quiet == waiting) {
            if (waiting)
                listen(w);
            else
                be_quiet(w);
        }
}

void szi_poller_touch(szi_watch *watches)
{
    for (szi_watch *w = watches; w != NULL; w = w->next_of_socket)
        if (!signals(w))
            touch(w);
}

static void settle(szi_watch *watch, int events)
{
    if (events < 0 || events & watch->events)
        touch(watch);
    else
        cool(watch);
}

void szi_poller_settled(szi_watch *watches, int events)
{
    for (szi_watch *w = watches; w != NULL; w = w->next_of_socket)
        if (!signals(w))
            settle(w, events);
}

void szi_poller_closed(szi_socket *socket)
{
    for (szi_watch *w = socket->watches; w != NULL; w = w->next_of_socket) {
        if (!w->quiet)
            szi_events_remove(w->poller->source, w->fd);
        w->socket = NULL;
        w->closed = true;
        touch(w);
    }
    socket->watches = NULL;
}

/* ------------------------------------------------------ making, freeing -- */

static szi_poller *get(sz_poller handle, int *code)
{
    szi_poller *poller = szi_handle_get(handle.id, SZI_POLLER);
    if (poller == NULL)
        *code = szi_handle_refuse(handle.id, SZI_POLLER);
    return poller;
}

int sz_poller_new(sz_poller *handle)
{
    szi_poller *poller = szi_new(sizeof *poller);
    if (poller == NULL)
        return SZ_ENOMEM;
    int code = szi_events_new(&poller->source);
    if (code == 0) {
        code = szi_handle_new(SZI_POLLER, poller, &poller->id);
        if (code != 0)
            szi_events_free(poller->source);
    }
    if (code != 0) {
        szi_free(poller);
        return code;
    }
    handle->id = poller->id;
    return 0;
}

static void remove_watch(szi_watch *watch)
{
    szi_poller *poller = watch->poller;
    cool(watch);
    if (watch->socket != NULL) {
        szi_watch **at = &watch->socket->watches;
        while (*at != watch)
            at = &(*at)->next_of_socket;
        *at = watch->next_of_socket;
    }
    if (!watch->closed && !watch->always && !watch->quiet)
        watch->ghost = szi_events_remove(poller->source, watch->fd) != 0;
    if (watch->previous != NULL)
        watch->previous->next = watch->next;
    else
        poller->watches = watch->next;
    if (watch->next != NULL)
        watch->next->previous = watch->previous;
    if (watch->ghost) {
        watch->next = poller->ghosts;
        poller->ghosts = watch;
    } else {
        szi_free(watch);
    }
}

static void free_ghosts(szi_poller *poller)
{
    while (poller->ghosts != NULL) {
        szi_watch *ghost = poller->ghosts;
        poller->ghosts = ghost->next;
        szi_free(ghost);
    }
}

/* Begins anew, without the ghosts; where that cannot be they stay, and are
 * only passed over. */
static void lay_ghosts(szi_poller *poller)
{
    if (szi_events_renew(poller->source) != 0)
        return;
    free_ghosts(poller);
    for (szi_watch *w = poller->watches; w != NULL; w = w->next) {
        bool is_socket = w->socket != NULL;
        if (w->closed || w->always || w->quiet)
            continue;
        w->closed =
            szi_events_add(poller->source, w->fd,
                           is_socket ? SZ_IN : w->events, is_socket, w) != 0;
        if (is_socket || w->closed)
            touch(w);
    }
}

void sz_poller_free(sz_poller handle)
{
    int code = 0;
    szi_poller *poller = get(handle, &code);
    if (code != SZ_EHANDLE)
        szi_handle_free(handle.id);
    if (poller == NULL)
        return;
    while (poller->watches != NULL)
        remove_watch(poller->watches);
    free_ghosts(poller);
    szi_events_free(poller->source);
    szi_free(poller);
}

/* ------------------------------------------------------------- watching -- */

static szi_watch *find_socket(szi_poller *poller, uint64_t id)
{
    sz_socket handle = {id};
    szi_socket *socket = szi_socket_get(handle);
    szi_watch *watch = socket != NULL ? socket->watches : poller->watches;
    if (socket != NULL)
        while (watch != NULL && watch->poller != poller)
            watch = watch->next_of_socket;
    else
        while (watch != NULL && (id == 0 || watch->socket_id != id))
            watch = watch->next;
    return watch;
}

static szi_watch *find_fd(szi_poller *poller, int fd)
{
    szi_watch *watch = poller->watches;
    while (watch != NULL && (watch->socket_id != 0 || watch->fd != fd))
        watch = watch->next;
    return watch;
}

static int enlist(szi_poller *poller, szi_watch *watch, int wanted)
{
    int code = 0;
    if ((watch->events & SZ_SWAP) == 0)
        code = szi_events_add(poller->source, watch->fd, wanted,
                              watch->socket != NULL, watch);
    else
        watch->quiet = true;
    if (code == SZ_EPERM && watch->socket == NULL)
        watch->always = true;
    else if (code != 0)
        return code;
    watch->next = poller->watches;
    if (watch->next != NULL)
        watch->next->previous = watch;
    poller->watches = watch;
    if (watch->socket != NULL) {
        watch->next_of_socket = watch->socket->watches;
        watch->socket->watches = watch;
    }
    if ((watch->socket != NULL && !signals(watch)) || watch->always)
        touch(watch);
    if (watch->quiet && szi_swap_socket_waits(watch->socket))
        listen(watch);
    return 0;
}

static int add(szi_poller *poller, szi_watch with, int wanted)
{
    szi_watch *watch = szi_new(sizeof *watch);
    if (watch == NULL)
        return SZ_ENOMEM;
    *watch = with;
    watch->poller = poller;
    int code = enlist(poller, watch, wanted);
    if (code != 0)
        szi_free(watch);
    return code;
}

int sz_poller_add_socket(sz_poller handle, sz_socket socket_handle, int events,
                         uint64_t tag)
{
    int code = 0;
    szi_poller *poller = get(handle, &code);
    if (poller == NULL)
        return code;
    szi_socket *socket = szi_socket_get(socket_handle);
    if (socket == NULL)
        return szi_socket_refuse(socket_handle);
    if (find_socket(poller, socket_handle.id) != NULL)
        return SZ_EEXIST;
    szi_watch watch = {.socket = socket,
                       .socket_id = socket_handle.id,
                       .fd = socket->fd,
                       .events = events,
                       .tag = tag};
    return add(poller, watch, SZ_IN);
}

int sz_poller_add_fd(sz_poller handle, int fd, int events, uint64_t tag)
{
    int code = 0;
    szi_poller *poller = get(handle, &code);
    if (poller == NULL)
        return code;
    if (find_fd(poller, fd) != NULL)
        return SZ_EEXIST;
    szi_watch watch = {.fd = fd, .events = events, .tag = tag};
    return add(poller, watch, events);
}

static int modify(szi_watch *watch, int events, uint64_t tag)
{
    if (watch == NULL)
        return SZ_ENOENT;
    if (watch->socket == NULL && !watch->always && !watch->closed) {
        int code =
            szi_events_change(watch->poller->source, watch->fd, events, watch);
        if (code != 0)
            return code;
    }
    watch->events = events;
    watch->tag = tag;
    if (watch->socket != NULL || watch->always)
        touch(watch);
    return 0;
}

int sz_poller_modify_socket(sz_poller handle, sz_socket socket, int events,
                            uint64_t tag)
{
    int code = 0;
    szi_poller *poller = get(handle, &code);
    return poller != NULL ? modify(find_socket(poller, socket.id), events, tag)
                          : code;
}

int sz_poller_modify_fd(sz_poller handle, int fd, int events, uint64_t tag)
{
    int code = 0;
    szi_poller *poller = get(handle, &code);
    return poller != NULL ? modify(find_fd(poller, fd), events, tag) : code;
}

int sz_poller_remove_socket(sz_poller handle, sz_socket socket)
{
    int code = 0;
    szi_poller *poller = get(handle, &code);
    if (poller == NULL)
        return code;
    szi_watch *watch = find_socket(poller, socket.id);
    if (watch == NULL)
        return SZ_ENOENT;
    remove_watch(watch);
    return 0;
}

int sz_poller_remove_fd(sz_poller handle, int fd)
{
    int code = 0;
    szi_poller *poller = get(handle, &code);
    if (poller == NULL)
        return code;
    szi_watch *watch = find_fd(poller, fd);
    if (watch == NULL)
        return SZ_ENOENT;
    remove_watch(watch);
    return 0;
}

bool sz_socket_polled(sz_socket handle)
{
    szi_socket *socket = szi_socket_get(handle);
    szi_watch *watch = socket != NULL ? socket->watches : NULL;
    while (watch != NULL && watch->events == SZ_SIGNAL)
        watch = watch->next_of_socket;
    return watch != NULL;
}

/* ------------------------------------------------------------- checking -- */

/* An error of a descriptor is a matter for reading where that is wanted. */
static int of_descriptor(int fired, int wanted)
{
    if (fired & SZ_ERROR && fired & SZ_IN && wanted & SZ_IN)
        fired &= ~SZ_ERROR;
    return fired & (wanted | SZ_ERROR);
}

/* Makes hot what has fired.  Descriptors stay ready and fire again and again,
 * so a round that finds nothing new is the last. */
static void collect(szi_poller *poller)
{
    enum {
        MANY = 128
    };
    szi_fired fired[MANY];
    bool fresh, haunted = false;
    int n;
    do {
        fresh = false;
        n = szi_events_get(poller->source, fired, MANY);
        for (int i = 0; i < n; i++) {
            szi_watch *watch = fired[i].data;
            if (watch->ghost) {
                haunted = true;
                continue;
            }
            fresh = fresh || !watch->hot;
            watch->fired = watch->socket != NULL
                               ? SZ_SIGNAL
                               : of_descriptor(fired[i].events, watch->events);
            heat(watch);
        }
    } while (n == MANY && fresh);
    if (haunted)
        lay_ghosts(poller);
}

/* What a hot watch has to report now. */
static int inspect(szi_watch *watch)
{
    if (watch->closed)
        return SZ_ERROR;
    if (watch->always)
        return watch->events & (SZ_IN | SZ_OUT);
    int fired = watch->fired;
    watch->fired = 0;
    if (watch->socket == NULL || signals(watch))
        return fired;
    /* What can be received stays until somebody does something, and asking
     * libzmq takes a system call. */
    if (fired == 0 && watch->known != 0 && (watch->events & SZ_OUT) == 0)
        return watch->known;
    int events = szi_socket_state(watch->socket);
    for (szi_watch *w = watch->socket->watches; w != NULL;
         w = w->next_of_socket)
        if (signals(w))
            signal_taken(w);
        else if (w != watch)
            settle(w, events);
    if (events < 0)
        return SZ_ERROR;
    watch->known = events & watch->events & SZ_IN;
    return events & watch->events;
}

int sz_poller_check(sz_poller handle, sz_ready *ready, size_t max)
{
    int code = 0;
    szi_poller *poller = get(handle, &code);
    if (poller == NULL)
        return code;
    collect(poller);
    size_t found = 0;
    szi_watch *last = poller->last_hot;
    for (szi_watch *w = poller->hot; w != NULL && found < max;) {
        szi_watch *next = w != last ? w->next_hot : NULL;
        int events = inspect(w);
        cool(w);
        if (events != 0) {
            ready[found].tag = w->tag;
            ready[found].events = events;
            found++;
            /* Behind the others, so that a short `max` serves all in turn;
             * descriptors fire again. */
            if ((w->socket != NULL && !signals(w)) || w->always || w->closed)
                heat(w);
        }
        w = next;
    }
    poller->armed = found == 0;
    if (poller->armed)
        szi_events_arm(poller->source);
    return (int)found;
}

int sz_poller_fd(sz_poller handle)
{
    int code = 0;
    szi_poller *poller = get(handle, &code);
    return poller != NULL ? szi_events_fd(poller->source) : code;
}

int sz_poller_alarm(sz_poller handle, int64_t time)
{
    int code = 0;
    szi_poller *poller = get(handle, &code);
    return poller != NULL ? szi_events_alarm(poller->source, time) : code;
}
