/* Whether a read from one of CHICKEN's file ports would wait. */
#ifndef GLUE_CONSOLE_H
#define GLUE_CONSOLE_H

#include <poll.h>
#include <stdio.h>

#include "word.h"

#if defined(__APPLE__) || defined(__FreeBSD__) || defined(__OpenBSD__) || defined(__NetBSD__)
#define SZG_BSD
#else
#include <stdio_ext.h>
#endif

/* How many bytes the stream has read and not given out. */
static size_t szg_buffered(FILE *stream)
{
#if defined(__GLIBC__)
    return (size_t)(stream->_IO_read_end - stream->_IO_read_ptr);
#elif defined(SZG_BSD)
    return stream->_r > 0 ? (size_t)stream->_r : 0;
#else
    return __freadahead(stream);
#endif
}

static int szg_input_fd(C_word port)
{
    return fileno(C_port_file(port));
}

static bool szg_input_ready(C_word port)
{
    struct pollfd input = {.fd = szg_input_fd(port), .events = POLLIN};
    return szg_buffered(C_port_file(port)) > 0 || poll(&input, 1, 0) != 0;
}

#endif
