/* Sending what Scheme passes. A part is a string, a blob, or a record whose first field is one
 * of them or a handle: a message or a u8vector. */
#ifndef GLUE_SEND_H
#define GLUE_SEND_H

#include "word.h"

#include <stdlib.h>

enum {
    LONGEST_LOOK = 1000000,
    BYTES_OF_A_CALL = 128 /* what copying so many costs is about a call of a procedure */
};

static int szg_sent_count, szg_send_refusal;

static inline sz_part part_of(C_word x)
{
    sz_part part = {NULL, 0, {0}};
    if (IS(x, C_STRUCTURE_TYPE))
        x = ITEM(x, 1);
    if (x & C_FIXNUM_BIT) {
        part.message = MESSAGE(x);
    } else {
        part.data = C_data_pointer(x);
        part.size = C_header_size(x);
    }
    return part;
}

/* CHICKEN counts calls to tell when the next thread's turn is. Copied bytes count too, so that a
 * thread that sends large messages to another one does not fill the whole queue before that one
 * runs. A queue over inproc held 138 MB of 64 KiB and 1.5 GB of 1 MiB, and holds 15 and 26 MB. The
 * first take as long as before, 13 us; the second take 264 us, 195 us before. */
static inline void use_up_turn(size_t bytes)
{
    C_timer_interrupt_counter -= (C_long)(bytes / BYTES_OF_A_CALL);
}

/* Calls `use` with the parts of a list. */
static inline int with_parts(C_word list, int (*use)(const sz_part *, size_t, void *),
                             void *argument)
{
    sz_part few[FEW_PARTS];
    size_t count = (size_t)C_unfix(C_i_length(list));
    sz_part *parts = count > FEW_PARTS ? malloc(count * sizeof *parts) : few;
    if (parts == NULL)
        return SZ_ENOMEM;
    for (size_t i = 0; i < count; i++, list = C_u_i_cdr(list)) {
        parts[i] = part_of(C_u_i_car(list));
        use_up_turn(parts[i].size);
    }
    int code = use(parts, count, argument);
    if (parts != few)
        free(parts);
    return code;
}

static inline int send_list(const sz_part *parts, size_t count, void *socket)
{
    return sz_send(*(sz_socket *)socket, parts, count);
}

/* Sends a part, or a list of parts as one message. */
static inline int szg_send_parts(C_word socket, C_word parts)
{
    sz_socket to = SOCKET(socket);
    if (IS(parts, C_PAIR_TYPE))
        return with_parts(parts, send_list, &to);
    sz_part part = part_of(parts);
    use_up_turn(part.size);
    return part.message.id == 0 ? sz_send_bytes(to, part.data, part.size) : sz_send(to, &part, 1);
}

/* Sends the messages of a list until one fails or all are sent. Answers the rest of the list;
 * `szg_sent_count` says how many were sent, `szg_send_refusal` why the first of the rest was
 * not. */
static inline C_word szg_send_batch(C_word socket, C_word messages)
{
    szg_sent_count = szg_send_refusal = 0;
    while (messages != C_SCHEME_END_OF_LIST) {
        szg_send_refusal = szg_send_parts(socket, C_u_i_car(messages));
        if (szg_send_refusal != 0)
            break;
        szg_sent_count++;
        messages = C_u_i_cdr(messages);
    }
    return messages;
}

static inline int encode_list(const sz_part *parts, size_t count, void *made)
{
    return sz_parts_encode(parts, count, made);
}

/* The parts of a list as one message, in the format of sz_parts_encode. */
static inline C_word szg_encode_parts(C_word parts)
{
    return MADE(sz_message, with_parts(parts, encode_list, &made));
}

/* The first pair of a list whose element is not a string or a blob, or its end; after a million
 * of elements the pair that is reached, as a list may be circular. */
static inline C_word szg_after_bytes(C_word list)
{
    for (int left = LONGEST_LOOK; left > 0; left--) {
        if (!IS(list, C_PAIR_TYPE) || !HAS_BYTES(C_u_i_car(list)))
            break;
        list = C_u_i_cdr(list);
    }
    return list;
}

/* What holds the bytes of a string, a blob, or a message around one; else #f. */
static inline C_word bytes_of(C_word x, C_word message_tag)
{
    if (RECORD(x, message_tag))
        x = ITEM(x, 1);
    return HAS_BYTES(x) ? x : C_SCHEME_FALSE;
}

/* Whether the call is (sender socket message), and no thread waits for the socket and no part is
 * staged. */
static inline __attribute__((always_inline)) bool is_plain_send(C_word self, C_word c,
                                                                const C_word *av)
{
    return c == 4 && szg_fast && RECORD(av[2], ITEM(self, SOCKET_TAG)) &&
           ITEM(av[2], SOCKET_STAGED) == C_SCHEME_END_OF_LIST && nobody_waits(av[2]);
}

/* What failed is tried again by the general procedure, except for an error that the kernel reports
 * only once. */
static inline __attribute__((always_inline)) void end_send(C_word c, C_word *av, int code) C_noret;
static inline void end_send(C_word c, C_word *av, int code)
{
    C_word self = av[0];
    if (code == 0)
        C_kontinue(av[1], C_SCHEME_TRUE);
    if (code == SZ_ECORRUPT) {
        av[3] = C_fix(code);
        tail_call(ITEM(self, SEND_REPORT), c, av);
    }
    tail_call(ITEM(self, GENERAL), c, av);
}

static inline void send_fast(C_word c, C_word *av) C_noret;
static inline void send_fast(C_word c, C_word *av)
{
    C_word self = av[0];
    if (!C_demand(C_calculate_demand(0, c, 2)))
        C_save_and_reclaim((void *)send_fast, (int)c, av);
    if (is_plain_send(self, c, av)) {
        C_word data = bytes_of(av[3], ITEM(self, MESSAGE_TAG));
        if (data != C_SCHEME_FALSE) {
            use_up_turn(C_header_size(data));
            end_send(c, av, sz_send_bytes(SOCKET(ITEM(av[2], SOCKET_HANDLE)), TEXT(data)));
        }
    }
    tail_call(ITEM(self, GENERAL), c, av);
}

/* The same for a list of a few strings and blobs, the parts of a message. */
static inline void send_parts_fast(C_word c, C_word *av) C_noret;
static inline void send_parts_fast(C_word c, C_word *av)
{
    C_word self = av[0];
    if (!C_demand(C_calculate_demand(0, c, 2)))
        C_save_and_reclaim((void *)send_parts_fast, (int)c, av);
    if (is_plain_send(self, c, av)) {
        static sz_part parts[FEW_PARTS]; /* not in the nursery */
        size_t count = 0;
        C_word list = av[3];
        for (; count < FEW_PARTS && IS(list, C_PAIR_TYPE); list = C_u_i_cdr(list)) {
            C_word data = bytes_of(C_u_i_car(list), ITEM(self, MESSAGE_TAG));
            if (data == C_SCHEME_FALSE)
                break;
            parts[count++] = (sz_part){TEXT(data), {0}};
            use_up_turn(C_header_size(data));
        }
        if (count > 0 && list == C_SCHEME_END_OF_LIST)
            end_send(c, av, sz_send(SOCKET(ITEM(av[2], SOCKET_HANDLE)), parts, count));
    }
    tail_call(ITEM(self, GENERAL), c, av);
}

/* The procedures send-message and send-multipart-message: their fast paths, for the calls above.
 * Any other call goes to `general` with the same arguments. An error that the kernel reports only
 * once goes to `report`, a procedure of the socket and the code. */
#define MAKE_SENDER(code)                                                                          \
    C_closure(room, 6, (C_word)(code), general, socket_tag, message_tag, report, last_item(general))

static inline C_word szg_make_sender(C_word **room, int arguments, C_word general,
                                     C_word socket_tag, C_word message_tag, C_word report)
{
    (void)arguments;
    return MAKE_SENDER(send_fast);
}

static inline C_word szg_make_parts_sender(C_word **room, int arguments, C_word general,
                                           C_word socket_tag, C_word message_tag, C_word report)
{
    (void)arguments;
    return MAKE_SENDER(send_parts_fast);
}

#endif
