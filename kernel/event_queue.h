/* The events that a monitor has not read yet.  The monitor owns the queue; the
 * monitor thread of the context fills it.  Both hold the lock `monitoring` of
 * the context. */
#ifndef SZI_EVENT_QUEUE_H
#define SZI_EVENT_QUEUE_H

#include "list.h"
#include "szmq.h"

#pragma GCC visibility push(hidden)

typedef struct szi_queued_event szi_queued_event;

/* `fds` is a pipe that holds one byte while there is something to take
 * (`told`), and one byte more when the queue has ended. */
typedef struct {
    szi_link link; /* of the queues of a monitored socket */
    int mask;      /* the events that the monitor wants */
    bool ended;    /* no more events will be put */
    bool told;
    bool starved; /* lacked memory for the last event, which nobody knows */
    int fds[2];
    szi_list events;
    size_t count;
    szi_queued_event *current; /* what the last take returned */
    uint64_t missed;           /* events lost since the last put */
} szi_event_queue;

int szi_event_queue_open(szi_event_queue *queue, int mask);
void szi_event_queue_close(szi_event_queue *queue);

/* Copies an event that the monitor wants.  A full queue loses its oldest. */
void szi_event_queue_put(szi_event_queue *queue, const sz_event *event);

/* The oldest event, valid until the next call.  SZ_EAGAIN if there is none,
 * SZ_ECLOSED if there will be none, SZ_ENOMEM once if the last was lost. */
int szi_event_queue_take(szi_event_queue *queue, sz_event *event);

/* Makes the descriptor readable if there are events.  False if the system
 * refused: try again after some time. */
bool szi_event_queue_tell(szi_event_queue *queue);

/* Makes the descriptor readable for good. */
void szi_event_queue_end(szi_event_queue *queue);
void szi_event_queue_clear(szi_event_queue *queue);

#pragma GCC visibility pop

#endif
