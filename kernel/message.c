/* Message parts that handles hold. */

#include "message.h"
#include "handle.h"
#include "memory.h"

#include <stdatomic.h>
#include <string.h>

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

/* The zmq_msg_t is allocated because it must not move: libzmq may point into
 * it. */
int szi_message_adopt(zmq_msg_t *part, sz_message *message)
{
    zmq_msg_t *own = szi_resize(NULL, sizeof *own);
    if (own == NULL)
        return SZ_ENOMEM;
    zmq_msg_init(own);
    int code = szi_handle_new(SZI_MESSAGE, own, &message->id);
    if (code != 0) {
        szi_free(own);
        return code;
    }
    zmq_msg_move(own, part);
    atomic_fetch_add(&held, zmq_msg_size(own));
    return 0;
}

zmq_msg_t *szi_message_get(sz_message message)
{
    return szi_handle_get(message.id, SZI_MESSAGE);
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
    zmq_msg_t *part = szi_message_get(message);
    if (part == NULL)
        return szi_handle_refuse(message.id, SZI_MESSAGE);
    if (zmq_msg_get(part, ZMQ_SHARED) == 1)
        return SZ_EBUSY;
    *data = zmq_msg_data(part);
    *size = zmq_msg_size(part);
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
    zmq_msg_t *part = szi_message_get(message);
    if (part == NULL)
        return;
    szi_handle_free(message.id);
    atomic_fetch_sub(&held, zmq_msg_size(part));
    zmq_msg_close(part);
    szi_free(part);
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
