;;; The kernel's functions as Scheme procedures.
;;;
;;; Handles are fixnums.  What can fail answers a fixnum: 0 or more, or a
;;; negative sz_error.  Strings are passed as they are, with their length;
;;; names of options and types are C strings.

(foreign-declare "#include \"szmq.h\"")

(foreign-declare "
#define HANDLE(kind, word) ((kind){(uint64_t)C_unfix(word)})
#define CONTEXT(word) HANDLE(sz_context, word)
#define SOCKET(word) HANDLE(sz_socket, word)
#define MESSAGE(word) HANDLE(sz_message, word)
#define POLLER(word) HANDLE(sz_poller, word)
#define MADE(code, handle) \\
    ((code) < 0 ? C_fix(code) : C_fix((C_word)(handle).id))
#define TEXT(string) (const char *)C_data_pointer(string), C_header_size(string)
")

(define-syntax define-foreign
  (syntax-rules ()
    ((_ name result ((type argument) ...) body)
     (define name (foreign-lambda* result ((type argument) ...) body)))))

;; Results beside the code are left in these variables until the next call.
(foreign-declare "
static int64_t number;
static const char *text;
static const void *bytes;
static size_t bytes_size;
")
(define-foreign %number integer64 () "C_return(number);")
(define-foreign %bits unsigned-integer64 () "C_return((uint64_t)number);")
(define-foreign %text c-string () "C_return(text);")

;; errors

(define-foreign %error-symbol c-string ((int code))
  "C_return(sz_error_symbol(code));")
(define-foreign %error-text c-string ((int code))
  "C_return(sz_error_text(code));")
(define-foreign %error-errno int ((int code))
  "C_return(sz_error_errno(code));")

;; the bits of events

(define-constant in-bit 1)
(define-constant out-bit 2)
(define-constant error-bit 4)
(define-constant signal-bit 8)

(define-foreign-variable eagain int "SZ_EAGAIN")
(define-foreign-variable eclosed int "SZ_ECLOSED")
(define-foreign-variable einval int "SZ_EINVAL")
(define-foreign-variable enomem int "SZ_ENOMEM")
(define-foreign-variable emfile int "SZ_EMFILE")
(define-foreign-variable esockets int "SZ_ESOCKETS")
(define-foreign-variable edescriptors int "SZ_EDESCRIPTORS")
(define-foreign-variable eeexist int "SZ_EEXIST")
(define-foreign-variable enoent int "SZ_ENOENT")

;; the library

(define-foreign %version int ((int index))
  "int version[3]; sz_version(version); C_return(version[index]);")

;; contexts

(define-foreign %make-context scheme-object ()
  "sz_context made; int code = sz_context_new(&made);
   C_return(MADE(code, made));")
(define-foreign %check-context int ((scheme-object c))
  "C_return(sz_context_check(CONTEXT(c)));")
(define-foreign %context-sockets int ((scheme-object c))
  "C_return(sz_context_sockets(CONTEXT(c)));")
(define-foreign %set-context-option int
  ((scheme-object c) (int row) (integer64 value))
  "C_return(sz_context_set(CONTEXT(c), sz_option_at((size_t)row), value));")
(define-foreign %context-option int ((scheme-object c) (int row))
  "C_return(sz_context_get(CONTEXT(c), sz_option_at((size_t)row), &number));")
(define-foreign %shutdown-context int ((scheme-object c))
  "C_return(sz_context_shutdown(CONTEXT(c)));")
(define-foreign %terminate-context int ((scheme-object c))
  "C_return(sz_context_terminate(CONTEXT(c)));")
(define-foreign %context-fd int ((scheme-object c))
  "C_return(sz_context_fd(CONTEXT(c)));")
(define-foreign %drop-context void ((scheme-object c))
  "sz_context_drop(CONTEXT(c));")

;; sockets

(define-foreign %make-socket scheme-object ((scheme-object c) (c-string type))
  "sz_socket made;
   int code = sz_socket_new(CONTEXT(c), sz_type_find(type), &made);
   C_return(MADE(code, made));")
(define-foreign %type-name c-string ((c-string name))
  "const sz_type *type = sz_type_find(name);
   C_return(type != NULL ? type->name : NULL);")
(define-foreign %type-near c-string ((c-string name))
  "C_return(sz_type_near(name));")
(define-foreign %close-socket int ((scheme-object s))
  "C_return(sz_socket_close(SOCKET(s)));")
(define-foreign %check-socket int ((scheme-object s))
  "C_return(sz_socket_check(SOCKET(s)));")
(define-foreign %bind int ((scheme-object s) (scheme-object e))
  "C_return(sz_socket_bind(SOCKET(s), TEXT(e), &text));")
(define-foreign %connect int ((scheme-object s) (scheme-object e))
  "C_return(sz_socket_connect(SOCKET(s), TEXT(e), &text));")
(define-foreign %unbind int ((scheme-object s) (scheme-object e))
  "C_return(sz_socket_unbind(SOCKET(s), TEXT(e)));")
(define-foreign %disconnect int ((scheme-object s) (scheme-object e))
  "C_return(sz_socket_disconnect(SOCKET(s), TEXT(e)));")
(define-foreign %endpoint c-string ((scheme-object s) (int index))
  "bool bound;
   C_return(sz_socket_endpoint(SOCKET(s), (size_t)index, &bound));")
(define-foreign %socket-fd int ((scheme-object s))
  "C_return(sz_socket_fd(SOCKET(s)));")
(define-foreign %socket-timeout int ((scheme-object s) (bool receiving))
  "C_return(sz_socket_timeout(SOCKET(s), receiving ? SZ_IN : SZ_OUT));")

;; options; a row is its index in the kernel's table

(foreign-declare "
#define ROW(index) sz_option_at((size_t)(index))
#define SCOPE(context) ((context) ? SZ_CONTEXT_OPTION : SZ_SOCKET_OPTION)
")
(define-foreign %option-row int ((bool context) (c-string name))
  "const sz_option *option = sz_option_find(SCOPE(context), name);
   C_return(option != NULL ? (int)sz_option_index(option) : -1);")
(define-foreign %option-near c-string ((bool context) (c-string name))
  "C_return(sz_option_near(SCOPE(context), name));")
(define-foreign %option-type int ((int row)) "C_return(ROW(row)->type);")
(define-foreign %option-unit c-string ((int row)) "C_return(ROW(row)->unit);")
(define-foreign %option-min integer64 ((int row)) "C_return(ROW(row)->min);")
(define-foreign %option-max integer64 ((int row)) "C_return(ROW(row)->max);")
(define-foreign %option-secret? bool ((int row))
  "C_return(ROW(row)->secret);")
(define-foreign %option-symbols c-string ((int row))
  "C_return(ROW(row)->symbols);")
(define-foreign %set-integer int
  ((scheme-object s) (int row) (integer64 value))
  "C_return(sz_socket_set_integer(SOCKET(s), ROW(row), value));")
(define-foreign %set-bits int
  ((scheme-object s) (int row) (unsigned-integer64 value))
  "C_return(sz_socket_set_integer(SOCKET(s), ROW(row), (int64_t)value));")
(define-foreign %get-integer int ((scheme-object s) (int row))
  "C_return(sz_socket_get_integer(SOCKET(s), ROW(row), &number));")
(define-foreign %set-bytes int
  ((scheme-object s) (int row) (scheme-object value))
  "C_return(sz_socket_set_bytes(SOCKET(s), ROW(row), TEXT(value)));")
(define-foreign %get-bytes int ((scheme-object s) (int row))
  "C_return(sz_socket_get_bytes(SOCKET(s), ROW(row), &bytes, &bytes_size));")

;; messages held by the kernel

(define-foreign %make-message scheme-object ((scheme-object data))
  "sz_message made; int code = sz_message_new(TEXT(data), &made);
   C_return(MADE(code, made));")
(define-foreign %make-zeros scheme-object ((unsigned-integer64 size))
  "sz_message made; int code = sz_message_new(NULL, size, &made);
   C_return(MADE(code, made));")
(define-foreign %copy-message scheme-object ((scheme-object m))
  "sz_message made; int code = sz_message_copy(MESSAGE(m), &made);
   C_return(MADE(code, made));")
(define-foreign %message-bytes int ((scheme-object m))
  "C_return(sz_message_data(MESSAGE(m), &bytes, &bytes_size));")
(define-foreign %free-message void ((scheme-object m))
  "sz_message_free(MESSAGE(m));")
(define-foreign %messages-held unsigned-integer64 ()
  "C_return(sz_message_held());")

;; transfer

;; A part to be sent is a string, a blob, or a record whose first field is one
;; of them or a handle: a message or a u8vector.
(foreign-declare "
static sz_part part_of(C_word x)
{
    sz_part part = {NULL, 0, {0}};
    if (C_header_bits(x) == C_STRUCTURE_TYPE) x = C_block_item(x, 1);
    if (x & C_FIXNUM_BIT) {
        part.message = MESSAGE(x);
    } else {
        part.data = C_data_pointer(x);
        part.size = C_header_size(x);
    }
    return part;
}

static int send_parts(sz_socket socket, C_word list)
{
    sz_part few[16], *parts = few;
    size_t count = (size_t)C_unfix(C_i_length(list));
    if (count > 16) parts = malloc(count * sizeof *parts);
    if (parts == NULL) return SZ_ENOMEM;
    for (size_t i = 0; i < count; i++, list = C_u_i_cdr(list))
        parts[i] = part_of(C_u_i_car(list));
    int code = sz_send(socket, parts, count);
    if (parts != few) free(parts);
    return code;
}

static int send_message(sz_socket socket, C_word message)
{
    if (C_header_bits(message) == C_PAIR_TYPE)
        return send_parts(socket, message);
    sz_part part = part_of(message);
    return part.message.id == 0
               ? sz_send_bytes(socket, part.data, part.size)
               : sz_send(socket, &part, 1);
}
")
;; a message is a part or a list of parts
(define-foreign %send int ((scheme-object s) (scheme-object message))
  "C_return(send_message(SOCKET(s), message));")
;; how many messages of a list were sent; why not all is %number
(foreign-declare "
static bool several(C_word list)
{
    return C_header_bits(C_u_i_car(list)) == C_PAIR_TYPE;
}

static int send_each(sz_socket socket, C_word list)
{
    int sent = 0;
    number = 0;
    while (list != C_SCHEME_END_OF_LIST) {
        enum { MANY = 64 };
        sz_part messages[MANY];
        int count = 0, done;
        C_word rest = list;
        for (; count < MANY && rest != C_SCHEME_END_OF_LIST && !several(rest);
             rest = C_u_i_cdr(rest))
            messages[count++] = part_of(C_u_i_car(rest));
        if (count > 0) {
            done = sz_send_each(socket, messages, (size_t)count);
        } else {
            done = send_parts(socket, C_u_i_car(list));
            if (done == 0) done = 1;
        }
        if (done < 0) {
            number = done;
            break;
        }
        sent += done;
        while (done-- > 0) list = C_u_i_cdr(list);
    }
    return sent;
}
")
(define-foreign %send-each int ((scheme-object s) (scheme-object messages))
  "C_return(send_each(SOCKET(s), messages));")
;; how many parts the message has that is received next, or was and is held
(define-foreign %receive int ((scheme-object s))
  "C_return(sz_receive_held(SOCKET(s)));")
;; takes the parts of the message that is held as handles into a vector; enoent
;; if it has not as many
(define-foreign %take-all int
  ((scheme-object s) (scheme-object handles) (int count))
  "sz_message few[16], *made = few;
   if (count > 16) made = malloc((size_t)count * sizeof *made);
   if (made == NULL) C_return(SZ_ENOMEM);
   int code = sz_take_all(SOCKET(s), made, (size_t)count);
   for (int i = 0; i < count && code == 0; i++)
       C_set_block_item(handles, i, C_fix((C_word)made[i].id));
   if (made != few) free(made);
   C_return(code);")

;; what %get-bytes and %message-bytes found

(define-foreign %bytes-size unsigned-integer64 () "C_return(bytes_size);")
(define-foreign %bytes-pointer c-pointer () "C_return((void *)bytes);")
(define-foreign %copy-bytes void ((scheme-object to))
  "memcpy(C_data_pointer(to), bytes, bytes_size);")

;; pollers

(define-foreign %make-poller scheme-object ()
  "sz_poller made; int code = sz_poller_new(&made);
   C_return(MADE(code, made));")
(define-foreign %free-poller void ((scheme-object p))
  "sz_poller_free(POLLER(p));")
(define-foreign %poller-fd int ((scheme-object p))
  "C_return(sz_poller_fd(POLLER(p)));")
(define-foreign %watch-socket int
  ((scheme-object p) (scheme-object s) (int events) (int tag))
  "C_return(sz_poller_add_socket(POLLER(p), SOCKET(s), events,
                                 (uint64_t)tag));")
(define-foreign %watch-fd int ((scheme-object p) (int fd) (int events) (int tag))
  "C_return(sz_poller_add_fd(POLLER(p), fd, events, (uint64_t)tag));")
(define-foreign %rewatch-socket int
  ((scheme-object p) (scheme-object s) (int events) (int tag))
  "C_return(sz_poller_modify_socket(POLLER(p), SOCKET(s), events,
                                    (uint64_t)tag));")
(define-foreign %rewatch-fd int
  ((scheme-object p) (int fd) (int events) (int tag))
  "C_return(sz_poller_modify_fd(POLLER(p), fd, events, (uint64_t)tag));")
(define-foreign %unwatch-socket int ((scheme-object p) (scheme-object s))
  "C_return(sz_poller_remove_socket(POLLER(p), SOCKET(s)));")
(define-foreign %unwatch-fd int ((scheme-object p) (int fd))
  "C_return(sz_poller_remove_fd(POLLER(p), fd));")
(define-foreign %set-alarm int ((scheme-object p) (integer64 time))
  "C_return(sz_poller_alarm(POLLER(p), time));")
;; fills a vector with tag and events of what is ready, at most `max` of 64
(define-foreign %check-poller int
  ((scheme-object p) (scheme-object found) (int max))
  "sz_ready ready[64];
   int n = sz_poller_check(POLLER(p), ready, (size_t)max);
   for (int i = 0; i < n; i++) {
       C_set_block_item(found, 2 * i, C_fix((C_word)ready[i].tag));
       C_set_block_item(found, 2 * i + 1, C_fix(ready[i].events));
   }
   C_return(n);")

;; exit

(foreign-declare "
#include <stdio.h>

static void report_undelivered(const char *type, const char *endpoint,
                               void *argument)
{
    (void)argument;
    fprintf(stderr, \"zmq: not delivered: messages of a %s socket%s%s\\n\",
            type, endpoint != NULL ? \" for \" : \"\",
            endpoint != NULL ? endpoint : \"\");
}
")
(define-foreign %exit int ((int linger))
  "C_return(sz_exit(linger, report_undelivered, NULL));")
