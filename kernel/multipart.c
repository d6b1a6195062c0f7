/* Several parts in one run of bytes, in the form that czmq and cppzmq use:
 * each part is preceded by its size, one byte if it is below 255, else the
 * byte 255 and four bytes, the highest first. */

#include "message.h"

#include <string.h>

enum {
    SHORT_HEAD = 1,
    LONG_HEAD = 5,
    LONG_MARK = 255
};

static size_t head_size(size_t size)
{
    return size < LONG_MARK ? SHORT_HEAD : LONG_HEAD;
}

static int look_at(const sz_part *part, const void **data, size_t *size)
{
    if (part->message.id != 0)
        return sz_message_data(part->message, data, size);
    *data = part->data;
    *size = part->size;
    return 0;
}

static int encoded_size(const sz_part *parts, size_t count, size_t *total)
{
    *total = 0;
    for (size_t i = 0; i < count; i++) {
        const void *data;
        size_t size;
        int code = look_at(&parts[i], &data, &size);
        if (code != 0)
            return code;
        if (size > UINT32_MAX)
            return SZ_EMSGSIZE;
        if (size + LONG_HEAD > SIZE_MAX - *total)
            return SZ_ENOMEM;
        *total += head_size(size) + size;
    }
    return 0;
}

static unsigned char *put(unsigned char *at, const void *data, size_t size)
{
    if (size < LONG_MARK) {
        *at++ = (unsigned char)size;
    } else {
        *at++ = LONG_MARK;
        for (int shift = 24; shift >= 0; shift -= 8)
            *at++ = (unsigned char)(size >> shift);
    }
    if (size > 0)
        memcpy(at, data, size);
    return at + size;
}

int sz_parts_encode(const sz_part *parts, size_t count, sz_message *message)
{
    size_t total;
    zmq_msg_t made;
    int code = encoded_size(parts, count, &total);
    if (code == 0)
        code = szi_part_new(&made, total);
    if (code != 0)
        return code;
    unsigned char *at = zmq_msg_data(&made);
    for (size_t i = 0; i < count; i++) {
        const void *data;
        size_t size;
        look_at(&parts[i], &data, &size);
        at = put(at, data, size);
    }
    code = szi_message_adopt(&made, message);
    zmq_msg_close(&made);
    return code;
}

int sz_parts_decode(const void *encoded, size_t size, size_t *offset,
                    const void **data, size_t *part_size)
{
    if (*offset >= size)
        return 0;
    const unsigned char *at = (const unsigned char *)encoded + *offset;
    size_t left = size - *offset;
    size_t head = *at == LONG_MARK ? LONG_HEAD : SHORT_HEAD;
    if (left < head)
        return SZ_EMALFORMED;
    size_t length = *at;
    if (head == LONG_HEAD)
        length = (size_t)at[1] << 24 | (size_t)at[2] << 16 |
                 (size_t)at[3] << 8 | (size_t)at[4];
    if (length > left - head)
        return SZ_EMALFORMED;
    *data = at + head;
    *part_size = length;
    *offset += head + length;
    return 1;
}
