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
#define MONITOR(word) HANDLE(sz_monitor, word)
#define MADE(code, handle) \\
    ((code) < 0 ? C_fix(code) : C_fix((C_word)(handle).id))
#define TEXT(string) (const char *)C_data_pointer(string), C_header_size(string)

/* C_header_bits(x) == type, in fewer instructions. */
#define IS(x, type) (!C_immediatep(x) && \
                     (C_uword)C_block_header(x) >> 56 == (C_uword)(type) >> 56)
#define HAS_BYTES(x) (IS(x, C_STRING_TYPE) || IS(x, C_BYTEVECTOR_TYPE))
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
(define-foreign-variable ecorrupt int "SZ_ECORRUPT")
(define-foreign-variable einval int "SZ_EINVAL")
(define-foreign-variable enomem int "SZ_ENOMEM")
(define-foreign-variable emfile int "SZ_EMFILE")
(define-foreign-variable esockets int "SZ_ESOCKETS")
(define-foreign-variable edescriptors int "SZ_EDESCRIPTORS")
(define-foreign-variable eaddrinuse int "SZ_EADDRINUSE")
(define-foreign-variable eeexist int "SZ_EEXIST")
(define-foreign-variable enoent int "SZ_ENOENT")
(define-foreign-variable enotsup int "SZ_ENOTSUP")
(define-foreign-variable eswapsize int "SZ_ESWAPSIZE")
(define-foreign-variable eunsupported int "SZ_EUNSUPPORTED")
(define-foreign-variable ekey int "SZ_EKEY")
(define-foreign-variable ez85size int "SZ_EZ85SIZE")

;; the library

(define-foreign %version int ((int index))
  "int version[3]; sz_version(version); C_return(version[index]);")

(define-foreign %has? bool ((c-string capability))
  "C_return(sz_has(capability));")

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
(define-foreign %exhausted int ((scheme-object s))
  "C_return(sz_socket_exhausted(SOCKET(s)));")
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
(define-foreign %option-min integer64 ((int row)) "C_return(ROW(row)->min);")
(define-foreign %option-max integer64 ((int row)) "C_return(ROW(row)->max);")
(define-foreign %option-secret? bool ((int row))
  "C_return(ROW(row)->secret);")
(define-foreign %option-live? bool ((int row)) "C_return(ROW(row)->live);")
(define-foreign %option-symbols c-string ((int row))
  "C_return(ROW(row)->symbols);")
(define-foreign %option-context? bool ((int row))
  "C_return(ROW(row)->scope == SZ_CONTEXT_OPTION);")
(define-foreign %option? bool ((int row)) "C_return(ROW(row) != NULL);")
(define-foreign %option-text c-string ((int row) (int column))
  "const sz_option *option = ROW(row);
   const char *columns[] = {option->name, option->alias_of, option->access,
                            option->unit, option->since, option->needs,
                            option->text};
   C_return(columns[column]);")
(define-foreign %option-initial integer64 ((int row))
  "C_return(ROW(row)->initial);")
;; whether sockets of the index-th type, which is no draft, have the option
(define-foreign %option-type? bool ((int row) (int index))
  "C_return(ROW(row)->types >> sz_type_at((size_t)index)->number & 1);")
(define-foreign %option-early? bool ((int row)) "C_return(ROW(row)->types != 0);")
(define-foreign %type-at c-string ((int index))
  "const sz_type *type = sz_type_at((size_t)index);
   C_return(type != NULL && !type->draft ? type->name : NULL);")
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

;; to be filled in
(define-foreign %fill-message int ((scheme-object m))
  "void *data; int code = sz_message_fill(MESSAGE(m), &data, &bytes_size);
   bytes = data;
   C_return(code);")
;; sets %text
(define-foreign %message-property int ((scheme-object m) (c-string name))
  "C_return(sz_message_property(MESSAGE(m), name, &text));")

;; parts

;; the bytes of the part that begins at `offset` of a message held by the
;; kernel, for %bytes-size and %copy-bytes; %number is where the next begins
(define-foreign %decode-part int ((scheme-object m) (unsigned-integer64 offset))
  "const void *all;
   size_t size, at = (size_t)offset;
   int code = sz_message_data(MESSAGE(m), &all, &size);
   if (code == 0)
       code = sz_parts_decode(all, size, &at, &bytes, &bytes_size);
   number = (int64_t)at;
   C_return(code);")
(define-foreign %message-of-bytes scheme-object ()
  "sz_message made; int code = sz_message_new(bytes, bytes_size, &made);
   C_return(MADE(code, made));")

;; transfer

;; A part to be sent is a string, a blob, or a record whose first field is one
;; of them or a handle: a message or a u8vector.
(foreign-declare "
static sz_part part_of(C_word x)
{
    sz_part part = {NULL, 0, {0}};
    if (IS(x, C_STRUCTURE_TYPE)) x = C_block_item(x, 1);
    if (x & C_FIXNUM_BIT) {
        part.message = MESSAGE(x);
    } else {
        part.data = C_data_pointer(x);
        part.size = C_header_size(x);
    }
    return part;
}

/* A list of them, in `few` or, where they are more, in a block to be freed. */
static sz_part *list_parts(C_word list, sz_part few[16], size_t *count)
{
    *count = (size_t)C_unfix(C_i_length(list));
    sz_part *parts = *count > 16 ? malloc(*count * sizeof *parts) : few;
    for (size_t i = 0; parts != NULL && i < *count; i++, list = C_u_i_cdr(list))
        parts[i] = part_of(C_u_i_car(list));
    return parts;
}

static int send_parts(sz_socket socket, C_word list)
{
    sz_part few[16];
    size_t count;
    sz_part *parts = list_parts(list, few, &count);
    if (parts == NULL) return SZ_ENOMEM;
    int code = sz_send(socket, parts, count);
    if (parts != few) free(parts);
    return code;
}

static int send_message(sz_socket socket, C_word message)
{
    if (IS(message, C_PAIR_TYPE))
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
;; a list of parts as one message
(define-foreign %encode-parts scheme-object ((scheme-object list))
  "sz_part few[16];
   size_t count;
   sz_part *parts = list_parts(list, few, &count);
   sz_message made;
   if (parts == NULL) C_return(C_fix(SZ_ENOMEM));
   int code = sz_parts_encode(parts, count, &made);
   if (parts != few) free(parts);
   C_return(MADE(code, made));")
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
;; copies as many as `to` has room for, and keeps their owner alive so long
(define-foreign %copy-bytes void
  ((c-pointer from) (scheme-object to) (scheme-object owner))
  "(void)owner; memcpy(C_data_pointer(to), from, C_header_size(to));")

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
(define-foreign %socket-polled? bool ((scheme-object s))
  "C_return(sz_socket_polled(SOCKET(s)));")
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

;; monitors; what was found last is left in these variables

(foreign-declare "
static sz_event event;
static sz_connections connections;
#define EVENT(index) sz_event_at((size_t)(index))
")
(define-foreign %make-monitor scheme-object ((scheme-object s) (int events))
  "sz_monitor made;
   int code = sz_monitor_new(SOCKET(s), events, &made);
   C_return(MADE(code, made));")
(define-foreign %stop-monitor int ((scheme-object m))
  "C_return(sz_monitor_stop(MONITOR(m)));")
(define-foreign %close-monitor int ((scheme-object m))
  "C_return(sz_monitor_close(MONITOR(m)));")
(define-foreign %monitor-fd int ((scheme-object m))
  "C_return(sz_monitor_fd(MONITOR(m)));")
(define-foreign %receive-event int ((scheme-object m))
  "C_return(sz_monitor_receive(MONITOR(m), &event));")
(define-foreign %event-name c-string () "C_return(event.type->name);")
(define-foreign %event-endpoint c-string () "C_return(event.endpoint);")
(define-foreign %event-kind int () "C_return(event.type->value);")
(define-foreign %event-number unsigned-integer32 () "C_return(event.value);")
(define-foreign %event-symbol c-string ()
  "C_return(sz_event_symbol(event.type, event.value));")
(define-foreign %event-text c-string ()
  "C_return(sz_event_text(event.type, event.value));")
(define-foreign %event-missed unsigned-integer64 () "C_return(event.missed);")
(define-foreign %event-row-name c-string ((int row))
  "C_return(EVENT(row) != NULL ? EVENT(row)->name : NULL);")
(define-foreign %event-row-text c-string ((int row))
  "C_return(EVENT(row)->text);")
(define-foreign %event-bit int ((c-string name))
  "const sz_event_type *type = sz_event_find(name);
   C_return(type != NULL ? type->bit : 0);")
(define-foreign %event-near c-string ((c-string name))
  "C_return(sz_event_near(name));")
(define-foreign %all-events int () "C_return(SZ_EVENT_ALL);")
(define-foreign %connections int ((scheme-object s))
  "C_return(sz_socket_connections(SOCKET(s), &connections));")
(define-foreign %peers integer64 () "C_return(connections.peers);")
(define-foreign %accepted integer64 ()
  "C_return((int64_t)connections.accepted);")
(define-foreign %lost integer64 () "C_return((int64_t)connections.lost);")
(define-foreign %retried integer64 () "C_return((int64_t)connections.retried);")
(define-foreign %failed integer64 () "C_return((int64_t)connections.failed);")
(define-foreign %settled integer64 () "C_return(connections.settled);")
(define-foreign %observe-all void ((bool all)) "sz_observe_all(all);")

;; security; secrets do not stay on the C stack

(foreign-declare "
static int curve_keypair(C_word public_key, C_word secret_key)
{
    char first[SZ_KEY_TEXT + 1], second[SZ_KEY_TEXT + 1];
    int code = sz_curve_keypair(first, second);
    if (code == 0) {
        memcpy(C_data_pointer(public_key), first, SZ_KEY_TEXT);
        memcpy(C_data_pointer(secret_key), second, SZ_KEY_TEXT);
    }
    sz_wipe(second, sizeof second);
    return code;
}

static int key_text(C_word key, C_word to, bool public_of)
{
    char text[SZ_KEY_TEXT + 1];
    size_t place = 0;
    int code = public_of ? sz_curve_public(TEXT(key), text, &place)
                         : sz_key_text(TEXT(key), text, &place);
    if (code == 0) memcpy(C_data_pointer(to), text, SZ_KEY_TEXT);
    number = (int64_t)place;
    sz_wipe(text, sizeof text);
    return code;
}
")
(define-foreign %z85-encode int ((scheme-object data) (scheme-object to))
  "C_return(sz_z85_encode(TEXT(data), (char *)C_data_pointer(to)));")
(define-foreign %z85-decode int ((scheme-object text) (scheme-object to))
  "size_t place = 0;
   int code = sz_z85_decode(TEXT(text), C_data_pointer(to), &place);
   number = (int64_t)place;
   C_return(code);")
(define-foreign %curve-keypair int
  ((scheme-object public) (scheme-object secret))
  "C_return(curve_keypair(public, secret));")
(define-foreign %curve-public int ((scheme-object secret) (scheme-object to))
  "C_return(key_text(secret, to, true));")
(define-foreign %key-text int ((scheme-object key) (scheme-object to))
  "C_return(key_text(key, to, false));")
(define-foreign %same-bytes? bool ((scheme-object a) (scheme-object b))
  "C_return(sz_equal(C_data_pointer(a), C_data_pointer(b),
                     C_header_size(a)));")
(define-foreign %wipe void ((scheme-object bytes))
  "sz_wipe(C_data_pointer(bytes), C_header_size(bytes));")
(define-foreign %wipe-found void () "sz_wipe((void *)bytes, bytes_size);")

;; addresses and files of keys

(define-foreign %check-network int ((scheme-object text))
  "sz_network network; C_return(sz_network_parse(TEXT(text), &network));")
(define-foreign %network-holds? bool
  ((scheme-object text) (scheme-object address))
  "sz_network network;
   C_return(sz_network_parse(TEXT(text), &network) == 0 &&
            sz_network_holds(&network, TEXT(address)));")
;; fills a string of keyfile-room characters, and answers how many there are
(define-foreign %read-keyfile int ((c-string path) (scheme-object to))
  "C_return(sz_keyfile_read(path, (char *)C_data_pointer(to)));")
(define-foreign %keyfile-room int () "C_return(SZ_KEYFILE_ROOM);")
(define-foreign %save-keyfile int
  ((c-string path) (scheme-object data) (bool secret))
  "C_return(sz_keyfile_save(path, TEXT(data), secret));")
(define-foreign %keyfile-stamp int ((c-string path) (scheme-object to))
  "sz_stamp stamp;
   int code = sz_keyfile_stamp(path, &stamp);
   memcpy(C_data_pointer(to), &stamp, sizeof stamp);
   C_return(code < 0 ? code : (int)stamp.regular);")
(define-foreign %stamp-size int () "C_return((int)sizeof(sz_stamp));")
;; the milliseconds since the file of a stamp was changed, by the system's clock
(define-foreign %stamp-age integer64 ((scheme-object from))
  "sz_stamp stamp;
   struct timespec t;
   memcpy(&stamp, C_data_pointer(from), sizeof stamp);
   clock_gettime(CLOCK_REALTIME, &t);
   C_return((t.tv_sec * INT64_C(1000000000) + t.tv_nsec - stamp.changed) /
            1000000);")

;; proxies

(foreign-declare "static sz_moved moved;")
(define-foreign %proxy-move int
  ((scheme-object from) (scheme-object to) (scheme-object capture))
  "C_return(sz_proxy_move(SOCKET(from), SOCKET(to), SOCKET(capture), &moved));")
(define-foreign %moved-messages int () "C_return((int)moved.messages);")
(define-foreign %moved-bytes unsigned-integer64 () "C_return(moved.bytes);")
(define-foreign %moved-dropped int () "C_return((int)moved.dropped);")
(define-foreign %moved-uncaptured int () "C_return((int)moved.uncaptured);")
(define-foreign %moved-wait int () "C_return(moved.wait);")
(define-foreign %receives? bool ((scheme-object s))
  "const sz_type *type = sz_socket_type(SOCKET(s));
   C_return(type != NULL && type->receives);")
(define-foreign %sends? bool ((scheme-object s))
  "const sz_type *type = sz_socket_type(SOCKET(s));
   C_return(type != NULL && type->sends);")
;; writes a number as the machine has it into a string
(define-foreign %uint64-bytes scheme-object
  ((unsigned-integer64 n) (scheme-object to))
  "memcpy(C_data_pointer(to), &n, sizeof n); C_return(to);")

;; statistics

(foreign-declare "static sz_statistics statistics;")
(define-foreign %statistics int ((scheme-object s))
  "C_return(sz_socket_statistics(SOCKET(s), &statistics));")
(define-foreign %statistic unsigned-integer64 ((int index))
  "const uint64_t counts[] = {
       statistics.sent, statistics.sent_bytes,
       statistics.received, statistics.received_bytes,
       statistics.send_eagains, statistics.receive_eagains,
       statistics.waits, statistics.drops};
   C_return(counts[index]);")
(define-foreign %count-wait void ((scheme-object s))
  "sz_socket_waited(SOCKET(s));")

;; swap

(define-foreign %swap-directory c-string () "C_return(sz_swap_directory());")
;; when to pump again is %number
(define-foreign %pump int ((scheme-object s))
  "C_return(sz_socket_pump(SOCKET(s), &number));")

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
