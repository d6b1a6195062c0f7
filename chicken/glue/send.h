/* Sending what Scheme passes.  A part is a string, a blob, or a record whose
 * first field is one of them or a handle: a message or a u8vector. */
#ifndef GLUE_SEND_H
#define GLUE_SEND_H

#include "word.h"

#pragma GCC visibility push(hidden)

/* Sends a part, or a list of parts as one message. */
int szg_send_parts(C_word socket, C_word parts);

/* Sends the messages of a list until one fails or all are sent.  Answers the
 * rest of the list; `szg_sent_count` says how many were sent,
 * `szg_send_refusal` why the first of the rest was not. */
C_word szg_send_batch(C_word socket, C_word messages);
extern int szg_sent_count, szg_send_refusal;

/* The parts of a list as one message, in the format of sz_parts_encode. */
C_word szg_encode_parts(C_word parts);

/* The first pair of a list whose element is not a string or a blob, or its
 * end; after a million of elements the pair that is reached, as a list may be
 * circular. */
C_word szg_after_bytes(C_word list);

/* The procedure send-message: the fast path for a string, a blob or a small
 * message, through a socket for which no thread waits and nothing is staged.
 * Any other call goes to `general` with the same arguments.  An error that the
 * kernel reports only once goes to `report`, a procedure of the socket and the
 * code. */
C_word szg_make_sender(C_word **room, int arguments, C_word general,
                       C_word socket_tag, C_word message_tag, C_word report);

/* Whether the procedure takes the fast path, as it does at first. */
void szg_send_fast(C_word sender, bool fast);

#pragma GCC visibility pop

#endif
