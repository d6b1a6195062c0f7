#include "send.h"

#include <stdlib.h>

enum {
    FEW = 16,
    LONGEST_LOOK = 1000000
};

int szg_sent_count, szg_send_refusal;

static sz_part part_of(C_word x)
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

/* Calls `use` with the parts of a list. */
static int with_parts(C_word list, int (*use)(const sz_part *, size_t, void *),
                      void *argument)
{
    sz_part few[FEW];
    size_t count = (size_t)C_unfix(C_i_length(list));
    sz_part *parts = count > FEW ? malloc(count * sizeof *parts) : few;
    if (parts == NULL)
        return SZ_ENOMEM;
    for (size_t i = 0; i < count; i++, list = C_u_i_cdr(list))
        parts[i] = part_of(C_u_i_car(list));
    int code = use(parts, count, argument);
    if (parts != few)
        free(parts);
    return code;
}

static int send_list(const sz_part *parts, size_t count, void *socket)
{
    return sz_send(*(sz_socket *)socket, parts, count);
}

int szg_send_parts(C_word socket, C_word parts)
{
    sz_socket to = SOCKET(socket);
    if (IS(parts, C_PAIR_TYPE))
        return with_parts(parts, send_list, &to);
    sz_part part = part_of(parts);
    return part.message.id == 0 ? sz_send_bytes(to, part.data, part.size)
                                : sz_send(to, &part, 1);
}

C_word szg_send_batch(C_word socket, C_word messages)
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

static int encode_list(const sz_part *parts, size_t count, void *made)
{
    return sz_parts_encode(parts, count, made);
}

C_word szg_encode_parts(C_word parts)
{
    return MADE(sz_message, with_parts(parts, encode_list, &made));
}

C_word szg_after_bytes(C_word list)
{
    for (int left = LONGEST_LOOK; left > 0; left--) {
        if (!IS(list, C_PAIR_TYPE) || !HAS_BYTES(C_u_i_car(list)))
            break;
        list = C_u_i_cdr(list);
    }
    return list;
}

/* What the procedure is closed over. */
enum {
    SOCKET_TAG = GENERAL + 1,
    MESSAGE_TAG,
    REPORT
};

/* What holds the bytes of a string, a blob, or a message around one; else #f.
 */
static C_word bytes_of(C_word x, C_word message_tag)
{
    if (RECORD(x, message_tag))
        x = ITEM(x, 1);
    return HAS_BYTES(x) ? x : C_SCHEME_FALSE;
}

static void send_fast(C_word c, C_word *av) C_noret;
static void send_fast(C_word c, C_word *av)
{
    C_word self = av[0];
    if (!C_demand(C_calculate_demand(0, c, 2)))
        C_save_and_reclaim((void *)send_fast, (int)c, av);
    if (c == 4 && RECORD(av[2], ITEM(self, SOCKET_TAG)) &&
        ITEM(av[2], SOCKET_STAGED) == C_SCHEME_END_OF_LIST &&
        nobody_waits(av[2])) {
        C_word data = bytes_of(av[3], ITEM(self, MESSAGE_TAG));
        if (data != C_SCHEME_FALSE) {
            int code =
                sz_send_bytes(SOCKET(ITEM(av[2], SOCKET_HANDLE)), TEXT(data));
            if (code == 0)
                C_kontinue(av[1], C_SCHEME_TRUE);
            if (code == SZ_ECORRUPT) {
                av[3] = C_fix(code);
                tail_call(ITEM(self, REPORT), c, av);
            }
        }
    }
    tail_call(ITEM(self, GENERAL), c, av);
}

C_word szg_make_sender(C_word **room, int arguments, C_word general,
                       C_word socket_tag, C_word message_tag, C_word report)
{
    (void)arguments;
    return C_closure(room, 5, (C_word)send_fast, general, socket_tag,
                     message_tag, report);
}

void szg_send_fast(C_word sender, bool fast)
{
    ITEM(sender, 0) = (C_word)(fast ? send_fast : call_general);
}
