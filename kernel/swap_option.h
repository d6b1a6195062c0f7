/* The options of a socket's swap: the rows of option.def with the rule
 * SZI_SWAP, and the options of libzmq that restrict a swap.  socket_option
 * calls it. */
#ifndef SZI_SWAP_OPTION_H
#define SZI_SWAP_OPTION_H

#include "option_table.h"
#include "socket.h"

#pragma GCC visibility push(hidden)

/* Whether an option of libzmq may be set to `value` on a socket that has a
 * swap: 0 or an error. */
int szi_swap_option_allows(const szi_socket *socket, const sz_option *option,
                           int64_t value);

int szi_swap_option_set(szi_socket *socket, const sz_option *option,
                        int64_t value);
int64_t szi_swap_option_get(const szi_socket *socket, const sz_option *option);
int szi_swap_option_set_directory(szi_socket *socket, const char *text,
                                  size_t length);
const char *szi_swap_option_text(const szi_socket *socket,
                                 const sz_option *option);

#pragma GCC visibility pop

#endif
