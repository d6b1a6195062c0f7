/* The events that a monitor has not read yet. */

#include "event_queue.h"
#include "descriptor.h"
#include "error.h"
#include "memory.h"

#include <string.h>
#include <unistd.h>

enum {
    MOST_EVENTS = 1024
};

struct szi_queued_event {
    szi_link link;
    sz_event event;
    char endpoint[];
};

int szi_event_queue_open(szi_event_queue *queue, int mask)
{
    *queue = (szi_event_queue){.mask = mask};
    return szi_pipe(queue->fds);
}

static szi_queued_event *take(szi_event_queue *queue)
{
    szi_queued_event *first =
        SZI_FIRST(&queue->events, szi_queued_event, link);
    szi_list_remove(&queue->events, &first->link);
    queue->count--;
    return first;
}

/* When the queue has ended, the closed end of the pipe tells so. */
bool szi_event_queue_tell(szi_event_queue *queue)
{
    ssize_t done = 1;
    char byte = 0;
    bool due = queue->count > 0 || queue->starved;
    if (due && !queue->told && !queue->ended)
        SZI_UNINTERRUPTED(done, write(queue->fds[1], &byte, 1));
    else if (!due && queue->told)
        SZI_UNINTERRUPTED(done, read(queue->fds[0], &byte, 1));
    if (done == 1)
        queue->told = due;
    return done == 1;
}

void szi_event_queue_clear(szi_event_queue *queue)
{
    while (queue->count > 0)
        szi_free(take(queue));
    queue->starved = false;
    szi_free(queue->current);
    queue->current = NULL;
}

void szi_event_queue_end(szi_event_queue *queue)
{
    if (!queue->ended)
        szi_pipe_end(&queue->fds[1]);
    queue->ended = true;
}

void szi_event_queue_close(szi_event_queue *queue)
{
    szi_event_queue_clear(queue);
    szi_event_queue_end(queue);
    close(queue->fds[0]);
}

static szi_queued_event *copy(const sz_event *event)
{
    size_t length = strlen(event->endpoint);
    szi_queued_event *made = szi_new(sizeof *made + length + 1);
    if (made == NULL)
        return NULL;
    memcpy(made->endpoint, event->endpoint, length);
    made->event = *event;
    made->event.endpoint = made->endpoint;
    return made;
}

void szi_event_queue_put(szi_event_queue *queue, const sz_event *event)
{
    if ((queue->mask & event->type->bit) == 0)
        return;
    szi_queued_event *made = copy(event);
    if (made == NULL) {
        queue->missed++;
        queue->starved = true;
        szi_event_queue_tell(queue);
        return;
    }
    made->event.missed = queue->missed;
    queue->missed = 0;
    queue->starved = false;
    if (queue->count == MOST_EVENTS) {
        szi_queued_event *oldest = take(queue);
        szi_queued_event *next =
            SZI_FIRST(&queue->events, szi_queued_event, link);
        next->event.missed += oldest->event.missed + 1;
        szi_free(oldest);
    }
    szi_list_append(&queue->events, &made->link);
    queue->count++;
    szi_event_queue_tell(queue);
}

int szi_event_queue_take(szi_event_queue *queue, sz_event *event)
{
    int code = 0;
    szi_free(queue->current);
    queue->current = NULL;
    if (queue->count > 0) {
        queue->current = take(queue);
        *event = queue->current->event;
    } else if (queue->starved) {
        queue->starved = false;
        code = SZ_ENOMEM;
    } else {
        code = queue->ended ? SZ_ECLOSED : SZ_EAGAIN;
    }
    szi_event_queue_tell(queue);
    return code;
}
