/* A stream of bytes in two buffers and a file: see stream.h. */

#include "stream.h"
#include "memory.h"

#include <string.h>

enum {
    ALIGNED = 64 /* unaligned copies from the page cache take 3 times longer */
};

int szi_stream_prepare(szi_stream *stream)
{
    if (stream->back != NULL)
        return 0;
    stream->buffers = szi_resize(NULL, 2 * stream->buffer + ALIGNED);
    if (stream->buffers == NULL)
        return SZ_ENOMEM;
    stream->front =
        stream->buffers + (ALIGNED - (uintptr_t)stream->buffers % ALIGNED);
    stream->back = stream->front + stream->buffer;
    return 0;
}

static void free_buffers(szi_stream *stream)
{
    szi_free(stream->buffers);
    stream->buffers = stream->front = stream->back = NULL;
}

/* Appends to the content of the file. */
static int write_next(szi_stream *stream, const void *from, size_t size)
{
    if (stream->loaded == stream->flushed)
        szi_ring_restart(&stream->file, stream->flushed, stream->size);
    int code = szi_ring_write(&stream->file, stream->flushed, from, size);
    if (code == 0)
        stream->flushed += size;
    return code;
}

static int flush(szi_stream *stream)
{
    return write_next(stream, stream->back,
                      (size_t)(stream->tail - stream->flushed));
}

/* Fills the front buffer from the file.  `wanted` bytes are needed now. */
static int load(szi_stream *stream, size_t wanted)
{
    size_t size =
        (size_t)szi_least(stream->buffer, stream->flushed - stream->loaded);
    int64_t done = szi_ring_read(&stream->file, stream->loaded, stream->front,
                                 size, wanted);
    if (done < 0)
        return (int)done;
    stream->front_start = stream->loaded;
    stream->loaded += (uint64_t)done;
    return 0;
}

/* Exchanges the buffers.  The front buffer must have been read. */
static void turn(szi_stream *stream)
{
    unsigned char *read = stream->front;
    stream->front = stream->back;
    stream->back = read;
    stream->front_start = stream->flushed;
    stream->loaded = stream->flushed = stream->tail;
}

/* Makes the back buffer empty. */
static int clear_back(szi_stream *stream)
{
    if (stream->read < stream->flushed)
        return flush(stream);
    turn(stream);
    return 0;
}

/* Writes large data from where it is, if the back buffer is empty and the file
 * in use.  The pieces have the size of a buffer, which keeps writes at whole
 * pages.  *done is the number of bytes written, or 0. */
static int put_large(szi_stream *stream, szi_checksum *sum, const void *from,
                     size_t size, size_t *done)
{
    *done = 0;
    if (sum == NULL || size / 2 < stream->buffer ||
        stream->tail > stream->flushed || stream->read == stream->flushed)
        return 0;
    size_t n = size - size % stream->buffer;
    /* Before the write, which then finds the bytes in the cache. */
    szi_checksum_copy(sum, NULL, from, n);
    int code = write_next(stream, from, n);
    if (code != 0)
        return code;
    stream->tail = stream->flushed;
    *done = n;
    return 0;
}

int szi_stream_put(szi_stream *stream, szi_checksum *sum, const void *from,
                   size_t size)
{
    const unsigned char *source = from;
    while (size > 0) {
        size_t filled = (size_t)(stream->tail - stream->flushed), n;
        if (filled == stream->buffer) {
            int code = clear_back(stream);
            if (code != 0)
                return code;
            filled = 0;
        }
        int code = put_large(stream, sum, source, size, &n);
        if (code != 0)
            return code;
        source += n;
        size -= n;
        n = (size_t)szi_least(size, stream->buffer - filled);
        if (sum != NULL)
            szi_checksum_copy(sum, stream->back + filled, source, n);
        else
            memcpy(stream->back + filled, source, n);
        stream->tail += n;
        source += n;
        size -= n;
    }
    return 0;
}

int szi_stream_get(szi_stream *stream, szi_checksum *sum, void *to,
                   size_t size)
{
    unsigned char *target = to;
    if (size > stream->tail - stream->read)
        return SZ_ECORRUPT;
    while (size > 0) {
        if (stream->read == stream->loaded &&
            stream->loaded < stream->flushed) {
            int code = load(stream, size);
            if (code != 0)
                return code;
        } else if (stream->read == stream->loaded)
            turn(stream);
        const unsigned char *source =
            stream->front + (stream->read - stream->front_start);
        size_t n = (size_t)szi_least(size, stream->loaded - stream->read);
        if (sum != NULL)
            szi_checksum_copy(sum, target, source, n);
        else
            memcpy(target, source, n);
        stream->read += n;
        target += n;
        size -= n;
    }
    return 0;
}

const unsigned char *szi_stream_peek(const szi_stream *stream, uint64_t size)
{
    if (stream->loaded - stream->read < size)
        return NULL;
    return stream->front + (stream->read - stream->front_start);
}

void szi_stream_skip_to(szi_stream *stream, uint64_t to)
{
    if (to > stream->flushed)
        turn(stream);
    else if (to > stream->loaded)
        stream->loaded = stream->front_start = to;
    stream->read = to;
}

void szi_stream_cut(szi_stream *stream, uint64_t from)
{
    stream->tail = from;
    stream->flushed = szi_least(stream->flushed, from);
    stream->loaded = szi_least(stream->loaded, from);
}

void szi_stream_resize(szi_stream *stream, uint64_t size)
{
    /* After growing, the ring puts what is written behind its old end.  What
     * the back buffer holds still belongs before that. */
    if (size > stream->file.size && stream->loaded < stream->flushed)
        flush(stream);
    stream->size = size;
    szi_ring_grow(&stream->file, size, stream->loaded, stream->flushed);
}

uint64_t szi_stream_room(const szi_stream *stream)
{
    return szi_ring_room(&stream->file, stream->loaded, stream->tail);
}

int szi_stream_trim(szi_stream *stream)
{
    int left = szi_ring_trim(&stream->file);
    if (left == 0)
        free_buffers(stream);
    return left;
}

void szi_stream_close(szi_stream *stream)
{
    free_buffers(stream);
    szi_ring_close(&stream->file);
}
