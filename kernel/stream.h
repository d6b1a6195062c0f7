/* A stream of bytes, first in first out, in two buffers of memory and between
 * them in a file.  It is the lower half of a swap, which owns it and divides
 * it into records. */
#ifndef SZI_STREAM_H
#define SZI_STREAM_H

#include "checksum.h"
#include "ring.h"

#pragma GCC visibility push(hidden)

/* Positions in the stream only grow.  At any time
 *
 *     read <= loaded <= flushed <= tail
 *
 *     read..loaded    in the front buffer
 *     loaded..flushed in the file
 *     flushed..tail   in the back buffer
 *
 * While the file is empty, a full back buffer becomes the front buffer, so
 * that a stream that fits into both never reaches the disk. */
typedef struct {
    szi_ring file;
    uint64_t size; /* of the file */
    uint64_t read, loaded, flushed, tail;
    unsigned char *front, *back, *buffers; /* `buffers` is the block of both */
    uint64_t front_start; /* the position of the first byte of `front` */
    size_t buffer;        /* the size of each */
} szi_stream;

/* Allocates the buffers, if there are none.  SZ_ENOMEM. */
int szi_stream_prepare(szi_stream *stream);

/* Append and read bytes, and add them to a checksum if `sum` is not NULL. Both
 * may return an error of the disk.  _get returns SZ_ECORRUPT if there are
 * fewer bytes. */
int szi_stream_put(szi_stream *stream, szi_checksum *sum, const void *from,
                   size_t size);
int szi_stream_get(szi_stream *stream, szi_checksum *sum, void *to,
                   size_t size);

/* The next `size` bytes if they are in memory, else NULL. */
const unsigned char *szi_stream_peek(const szi_stream *stream, uint64_t size);

/* Continue reading at a position, and drop all bytes from a position on. */
void szi_stream_skip_to(szi_stream *stream, uint64_t to);
void szi_stream_cut(szi_stream *stream, uint64_t from);

/* Changes the size of the file, and how many bytes it lets be appended. */
void szi_stream_resize(szi_stream *stream, uint64_t size);
uint64_t szi_stream_room(const szi_stream *stream);

/* Returns some of the space of an empty stream: see szi_ring_trim. */
int szi_stream_trim(szi_stream *stream);
void szi_stream_close(szi_stream *stream);

#pragma GCC visibility pop

#endif
