/* Message parts that handles hold. */

#include "message.h"
#include "handle.h"
#include "memory.h"

#include <stdatomic.h>
#include <string.h>

/* The part must not move: libzmq may point into it. */
typedef struct {
    zmq_msg_t part;
    bool sent; /* its bytes may be shared, or were copied */
} message_record;

static atomic_size_t held;

void szi_parts_copy(zmq_msg_t *copies, zmq_msg_t *parts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        zmq_msg_init(&copies[i]);
        zmq_msg_copy(&copies[i], &parts[i]);
    }
}

void szi_parts_close(zmq_msg_t *parts, size_t count)
{
    for (size_t i = 0; i < count; i++)
        zmq_msg_close(&parts[i]);
}

int szi_message_adopt(zmq_msg_t *part, sz_message *message)
{
    message_record *own = szi_resize(NULL, sizeof *own);
    if (own == NULL)
        return SZ_ENOMEM;
    own->sent = false;
    zmq_msg_init(&own->part);
    int code = szi_handle_new(SZI_MESSAGE, own, &message->id);
    if (code != 0) {
        szi_free(own);
        return code;
    }
    zmq_msg_move(&own->part, part);
    atomic_fetch_add(&held, zmq_msg_size(&own->part));
    return 0;
}

static message_record *record_of(sz_message message)
{
    return szi_handle_get(message.id, SZI_MESSAGE);
}

zmq_msg_t *szi_message_get(sz_message message)
{
    message_record *own = record_of(message);
    return own != NULL ? &own->part : NULL;
}

zmq_msg_t *szi_message_share(sz_message message)
{
    message_record *own = record_of(message);
    if (own == NULL)
        return NULL;
    own->sent = true;
    return &own->part;
}

int sz_message_new(const void *data, size_t size, sz_message *message)
{
    zmq_msg_t part;
    int code = szi_part_new(&part, size);
    if (code != 0)
        return code;
    if (data != NULL)
        memcpy(zmq_msg_data(&part), data, size);
    else
        memset(zmq_msg_data(&part), 0, size);
    code = szi_message_adopt(&part, message);
    zmq_msg_close(&part);
    return code;
}

int sz_message_data(sz_message message, const void **data, size_t *size)
{
    zmq_msg_t *part = szi_message_get(message);
    if (part == NULL)
        return szi_handle_refuse(message.id, SZI_MESSAGE);
    *data = zmq_msg_data(part);
    *size = zmq_msg_size(part);
    return 0;
}

int sz_message_property(sz_message message, const char *name,
                        const char **value)
{
    zmq_msg_t *part = szi_message_get(message);
    if (part == NULL)
        return szi_handle_refuse(message.id, SZI_MESSAGE);
    *value = zmq_msg_gets(part, name);
    /* libzmq 4.3 knows this property only by its old name. */
    if (*value == NULL && strcmp(name, "Routing-Id") == 0)
        *value = zmq_msg_gets(part, "Identity");
    return *value != NULL ? 0 : SZ_ENOENT;
}

int sz_message_fill(sz_message message, void **data, size_t *size)
{
    message_record *own = record_of(message);
    if (own == NULL)
        return szi_handle_refuse(message.id, SZI_MESSAGE);
    if (own->sent || zmq_msg_get(&own->part, ZMQ_SHARED) == 1)
        return SZ_EBUSY;
    *data = zmq_msg_data(&own->part);
    *size = zmq_msg_size(&own->part);
    return 0;
}

int sz_message_copy(sz_message message, sz_message *copy)
{
    zmq_msg_t *part = szi_message_get(message);
    if (part == NULL)
        return szi_handle_refuse(message.id, SZI_MESSAGE);
    return sz_message_new(zmq_msg_data(part), zmq_msg_size(part), copy);
}

void sz_message_free(sz_message message)
{
    message_record *own = record_of(message);
    if (own == NULL)
        return;
    szi_handle_free(message.id);
    atomic_fetch_sub(&held, zmq_msg_size(&own->part));
    zmq_msg_close(&own->part);
    szi_free(own);
}

void szi_message_return(sz_message message, zmq_msg_t *part)
{
    zmq_msg_t *own = szi_message_get(message);
    atomic_fetch_sub(&held, zmq_msg_size(own));
    zmq_msg_move(part, own);
    sz_message_free(message);
}

size_t sz_message_held(void)
{
    return atomic_load(&held);
}
