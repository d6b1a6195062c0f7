;;; The kernel's functions as Scheme procedures.
;;;
;;; Handles are fixnums.  What can fail answers a fixnum: 0 or more, or a
;;; negative sz_error.  Strings are passed as they are, with their length;
;;; names of options and types are C strings.

(foreign-declare "#include \"glue/word.h\"")
(foreign-declare "#include \"glue/call.h\"")
(foreign-declare "#include \"glue/build.h\"")
(foreign-declare "#include \"glue/send.h\"")
(foreign-declare "#include \"glue/receive.h\"")
(foreign-declare "#include \"glue/queue.h\"")
(foreign-declare "#include \"glue/sleep.h\"")
(foreign-declare "#include \"glue/interrupt.h\"")

(define-syntax define-foreign
  (syntax-rules ()
    ((_ name result ((type argument) ...) body)
     (define name (foreign-lambda* result ((type argument) ...) body)))))

;; Results beside the code, until the next call.
(define-foreign %number integer64 () "C_return(szg_number);")
(define-foreign %bits unsigned-integer64 () "C_return((uint64_t)szg_number);")
(define-foreign %text c-string () "C_return(szg_text);")

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
(define-constant swap-bit 16)
(define-constant timer-bit 32)

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
(define-foreign-variable ewouldblock int "SZ_EWOULDBLOCK")
(define-foreign-variable enotsup int "SZ_ENOTSUP")
(define-foreign-variable eswapsize int "SZ_ESWAPSIZE")
(define-foreign-variable eunsupported int "SZ_EUNSUPPORTED")
(define-foreign-variable ekey int "SZ_EKEY")
(define-foreign-variable ez85size int "SZ_EZ85SIZE")

;; the library

(define-foreign %version int ((int index))
  "C_return(szg_version_at(index));")

(define-foreign %has? bool ((c-string capability))
  "C_return(sz_has(capability));")

;; contexts

(define-foreign %make-context scheme-object ()
  "C_return(szg_make_context());")
(define-foreign %check-context int ((scheme-object c))
  "C_return(sz_context_check(CONTEXT(c)));")
(define-foreign %context-sockets int ((scheme-object c))
  "C_return(sz_context_sockets(CONTEXT(c)));")
(define-foreign %set-context-option int
  ((scheme-object c) (int row) (integer64 value))
  "C_return(sz_context_set(CONTEXT(c), sz_option_at((size_t)row), value));")
(define-foreign %context-option int ((scheme-object c) (int row))
  "C_return(sz_context_get(CONTEXT(c), sz_option_at((size_t)row), &szg_number));")
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
  "C_return(szg_make_socket(c, type));")
(define-foreign %type-name c-string ((c-string name))
  "C_return(szg_type_name(name));")
(define-foreign %type-near c-string ((c-string name))
  "C_return(sz_type_near(name));")
(define-foreign %close-socket int ((scheme-object s))
  "C_return(sz_socket_close(SOCKET(s)));")
(define-foreign %check-socket int ((scheme-object s))
  "C_return(sz_socket_check(SOCKET(s)));")
(define-foreign %bind int ((scheme-object s) (scheme-object e))
  "C_return(sz_socket_bind(SOCKET(s), TEXT(e), &szg_text));")
(define-foreign %connect int ((scheme-object s) (scheme-object e))
  "C_return(sz_socket_connect(SOCKET(s), TEXT(e), &szg_text));")
(define-foreign %unbind int ((scheme-object s) (scheme-object e))
  "C_return(sz_socket_unbind(SOCKET(s), TEXT(e)));")
(define-foreign %disconnect int ((scheme-object s) (scheme-object e))
  "C_return(sz_socket_disconnect(SOCKET(s), TEXT(e)));")
(define-foreign %endpoint c-string ((scheme-object s) (int index))
  "C_return(szg_endpoint_at(s, index));")
(define-foreign %socket-fd int ((scheme-object s))
  "C_return(sz_socket_fd(SOCKET(s)));")
(define-foreign %armed int ((scheme-object s))
  "C_return(sz_socket_armed(SOCKET(s)));")
(define-foreign %socket-timeout int ((scheme-object s) (int event))
  "C_return(sz_socket_timeout(SOCKET(s), event));")

;; options; a row is its index in the kernel's table

(define-foreign %option-row int ((bool context) (c-string name))
  "C_return(szg_option_row(context, name));")
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
  "C_return(szg_option_text(row, column));")
(define-foreign %option-initial integer64 ((int row))
  "C_return(ROW(row)->initial);")
;; whether sockets of the index-th type, which is no draft, have the option
(define-foreign %option-type? bool ((int row) (int index))
  "C_return(ROW(row)->types >> sz_type_at((size_t)index)->number & 1);")
(define-foreign %option-early? bool ((int row)) "C_return(ROW(row)->types != 0);")
(define-foreign %type-at c-string ((int index))
  "C_return(szg_type_at(index));")
(define-foreign %set-integer int
  ((scheme-object s) (int row) (integer64 value))
  "C_return(sz_socket_set_integer(SOCKET(s), ROW(row), value));")
(define-foreign %set-bits int
  ((scheme-object s) (int row) (unsigned-integer64 value))
  "C_return(sz_socket_set_integer(SOCKET(s), ROW(row), (int64_t)value));")
(define-foreign %get-integer int ((scheme-object s) (int row))
  "C_return(sz_socket_get_integer(SOCKET(s), ROW(row), &szg_number));")
(define-foreign %set-bytes int
  ((scheme-object s) (int row) (scheme-object value))
  "C_return(sz_socket_set_bytes(SOCKET(s), ROW(row), TEXT(value)));")
(define-foreign %get-bytes int ((scheme-object s) (int row))
  "C_return(sz_socket_get_bytes(SOCKET(s), ROW(row), &szg_bytes, &szg_bytes_size));")

;; messages held by the kernel

(define-foreign %make-message scheme-object ((scheme-object data))
  "C_return(szg_make_message(TEXT(data)));")
(define-foreign %make-zeros scheme-object ((unsigned-integer64 size))
  "C_return(szg_make_message(NULL, size));")
(define-foreign %copy-message scheme-object ((scheme-object m))
  "C_return(szg_copy_message(m));")
(define-foreign %message-bytes int ((scheme-object m))
  "C_return(szg_message_bytes(m));")
(define-foreign %free-message void ((scheme-object m))
  "sz_message_free(MESSAGE(m));")
(define-foreign %messages-held unsigned-integer64 ()
  "C_return(sz_message_held());")

;; to be filled in
(define-foreign %fill-message int ((scheme-object m))
  "C_return(szg_message_to_fill(m));")
;; sets %text
(define-foreign %message-property int ((scheme-object m) (c-string name))
  "C_return(sz_message_property(MESSAGE(m), name, &szg_text));")

;; lists of parts

;; The bytes of the part that starts at `offset` of a message held by the kernel, for
;; %bytes-size and %copy-bytes; %number is where the next one starts.
(define-foreign %decode-part int ((scheme-object m) (unsigned-integer64 offset))
  "C_return(szg_decode_part(m, (size_t)offset));")
(define-foreign %message-of-bytes scheme-object ()
  "C_return(szg_make_message(szg_bytes, szg_bytes_size));")
(define-foreign %encode-parts scheme-object ((scheme-object list))
  "C_return(szg_encode_parts(list));")

;; transfer

;; A part, or a list of parts as one message.
(define-foreign %send int ((scheme-object s) (scheme-object message))
  "C_return(szg_send_parts(s, message));")
;; The rest of a list of messages; %sent of it were sent, and %refusal is why not more.
(define-foreign %send-batch scheme-object ((scheme-object s) (scheme-object messages))
  "C_return(szg_send_batch(s, messages));")
(define-foreign %sent int () "C_return(szg_sent_count);")
(define-foreign %refusal int () "C_return(szg_send_refusal);")
;; How many parts the message has that is received next, or is held already.
(define-foreign %receive int ((scheme-object s))
  "C_return(sz_receive_held(SOCKET(s)));")
(define-foreign %take-parts int ((scheme-object s) (scheme-object handles) (int count))
  "C_return(szg_take_parts(s, handles, count));")
(define-foreign %held-bytes integer64 ((scheme-object s))
  "C_return(szg_held_bytes(s));")
(define %receive-held (##core#primitive "szg_receive_held"))
(define %receive-each (##core#primitive "szg_receive_each"))
(define-foreign %receive-as-set! void () "szg_receive_as_set = true;")
(define-foreign %receive-as-set? bool () "C_return(szg_receive_as_set);")

;; what %get-bytes and %message-bytes found

(define-foreign %bytes-size unsigned-integer64 () "C_return(szg_bytes_size);")
(define-foreign %bytes-pointer c-pointer () "C_return((void *)szg_bytes);")
;; copies as many as `to` has room for, and keeps their owner alive so long
(define-foreign %copy-bytes void
  ((c-pointer from) (scheme-object to) (scheme-object owner))
  "(void)owner; szg_fill(to, from);")

;; lists, changed in one call; see glue/queue.h

(define-foreign %list-add void
  ((scheme-object block) (int place) (scheme-object pair) (bool front))
  "szg_list_add(block, place, pair, front);")
(define-foreign %list-remove bool ((scheme-object block) (int place) (scheme-object x))
  "C_return(szg_list_remove(block, place, x));")
(define-foreign %list-take scheme-object ((scheme-object block) (int place))
  "C_return(szg_list_take(block, place));")

;; sleeping; see glue/sleep.h

(define-foreign %interrupted-continuation? bool ((scheme-object k))
  "C_return(szg_interrupted_continuation(k));")

(define-foreign %watch-none void () "szg_watch_none();")
(define-foreign %watch-also bool ((int fd) (bool in) (bool out))
  "C_return(szg_watch_also(fd, in, out));")
(define-foreign %sleep-alone bool
  ((scheme-object w) (scheme-object s) (int event) (int fd) (int timeout)
   (scheme-object handlers))
  "C_return(szg_sleep_alone(w, s, event, fd, timeout, handlers));")

;; pollers

(define-foreign %make-poller scheme-object ()
  "C_return(szg_make_poller());")
(define-foreign %free-poller void ((scheme-object p))
  "sz_poller_free(POLLER(p));")
(define-foreign %poller-fd int ((scheme-object p))
  "C_return(sz_poller_fd(POLLER(p)));")
(define-foreign %watch-socket int
  ((scheme-object p) (scheme-object s) (int events) (scheme-object tag))
  "C_return(sz_poller_add_socket(POLLER(p), SOCKET(s), events, TAG(tag)));")
(define-foreign %watch-fd int ((scheme-object p) (int fd) (int events) (scheme-object tag))
  "C_return(sz_poller_add_fd(POLLER(p), fd, events, TAG(tag)));")
(define-foreign %rewatch-socket int
  ((scheme-object p) (scheme-object s) (int events) (scheme-object tag))
  "C_return(sz_poller_modify_socket(POLLER(p), SOCKET(s), events, TAG(tag)));")
(define-foreign %rewatch-fd int
  ((scheme-object p) (int fd) (int events) (scheme-object tag))
  "C_return(sz_poller_modify_fd(POLLER(p), fd, events, TAG(tag)));")
(define-foreign %unwatch-socket int ((scheme-object p) (scheme-object s))
  "C_return(sz_poller_remove_socket(POLLER(p), SOCKET(s)));")
(define-foreign %unwatch-fd int ((scheme-object p) (int fd))
  "C_return(sz_poller_remove_fd(POLLER(p), fd));")
;; The id is %number.
(define-foreign %add-timer int ((scheme-object p) (integer64 time))
  "C_return(szg_add_timer(p, time));")
(define-foreign %remove-timer int ((scheme-object p) (unsigned-integer64 id))
  "C_return(sz_poller_remove_timer(POLLER(p), id));")
(define-foreign %wake-poller int ((scheme-object p))
  "C_return(sz_poller_wake(POLLER(p)));")
(define-foreign-variable most-ready int "MOST_READY")
;; Fills a vector with the tag and the events of what is ready, at most `max`.
(define-foreign %check-poller int ((scheme-object p) (scheme-object found) (int max))
  "C_return(szg_check_poller(p, found, max));")

;; monitors; what was found last is left in variables

(foreign-declare "#define EVENT(index) sz_event_at((size_t)(index))")
(define-foreign %make-monitor scheme-object ((scheme-object s) (int events))
  "C_return(szg_make_monitor(s, events));")
(define-foreign %stop-monitor int ((scheme-object m))
  "C_return(sz_monitor_stop(MONITOR(m)));")
(define-foreign %close-monitor int ((scheme-object m))
  "C_return(sz_monitor_close(MONITOR(m)));")
(define-foreign %monitor-fd int ((scheme-object m))
  "C_return(sz_monitor_fd(MONITOR(m)));")
(define-foreign %receive-event int ((scheme-object m))
  "C_return(sz_monitor_receive(MONITOR(m), &szg_event));")
(define-foreign %event-name c-string () "C_return(szg_event.type->name);")
(define-foreign %event-endpoint c-string () "C_return(szg_event.endpoint);")
(define-foreign %event-kind int () "C_return(szg_event.type->value);")
(define-foreign %event-number unsigned-integer32 () "C_return(szg_event.value);")
(define-foreign %event-symbol c-string ()
  "C_return(sz_event_symbol(szg_event.type, szg_event.value));")
(define-foreign %event-text c-string ()
  "C_return(sz_event_text(szg_event.type, szg_event.value));")
(define-foreign %event-missed unsigned-integer64 () "C_return(szg_event.missed);")
(define-foreign %event-row-name c-string ((int row))
  "C_return(EVENT(row) != NULL ? EVENT(row)->name : NULL);")
(define-foreign %event-row-text c-string ((int row))
  "C_return(EVENT(row)->text);")
(define-foreign %event-bit int ((c-string name))
  "C_return(szg_event_bit(name));")
(define-foreign %event-near c-string ((c-string name))
  "C_return(sz_event_near(name));")
(define-foreign %all-events int () "C_return(SZ_EVENT_ALL);")
(define-foreign %connections int ((scheme-object s))
  "C_return(sz_socket_connections(SOCKET(s), &szg_connections));")
(define-foreign %peers integer64 () "C_return(szg_connections.peers);")
(define-foreign %accepted integer64 ()
  "C_return((int64_t)szg_connections.accepted);")
(define-foreign %lost integer64 () "C_return((int64_t)szg_connections.lost);")
(define-foreign %retried integer64 () "C_return((int64_t)szg_connections.retried);")
(define-foreign %failed integer64 () "C_return((int64_t)szg_connections.failed);")
(define-foreign %settled integer64 () "C_return(szg_connections.settled);")
(define-foreign %observe-all void ((bool all)) "sz_observe_all(all);")

;; security

(define-foreign %z85-encode int ((scheme-object data) (scheme-object to))
  "C_return(sz_z85_encode(TEXT(data), (char *)C_data_pointer(to)));")
(define-foreign %z85-decode int ((scheme-object text) (scheme-object to))
  "C_return(szg_z85_decode(text, to));")
(define-foreign %curve-keypair int
  ((scheme-object public) (scheme-object secret))
  "C_return(szg_curve_keypair(public, secret));")
(define-foreign %curve-public int ((scheme-object secret) (scheme-object to))
  "C_return(szg_key_text(secret, to, true));")
(define-foreign %key-text int ((scheme-object key) (scheme-object to))
  "C_return(szg_key_text(key, to, false));")
(define-foreign %same-bytes? bool ((scheme-object a) (scheme-object b))
  "C_return(sz_equal(C_data_pointer(a), C_data_pointer(b),
                     C_header_size(a)));")
(define-foreign %wipe void ((scheme-object bytes))
  "sz_wipe(C_data_pointer(bytes), C_header_size(bytes));")
(define-foreign %wipe-found void () "sz_wipe((void *)szg_bytes, szg_bytes_size);")

;; addresses and files of keys

(define-foreign %check-network int ((scheme-object text))
  "sz_network network; C_return(sz_network_parse(TEXT(text), &network));")
(define-foreign %network-holds? bool
  ((scheme-object text) (scheme-object address))
  "C_return(szg_network_holds(text, address));")
;; fills a string of keyfile-room characters, and answers how many there are
(define-foreign %read-keyfile int ((c-string path) (scheme-object to))
  "C_return(sz_keyfile_read(path, (char *)C_data_pointer(to)));")
(define-foreign %keyfile-room int () "C_return(SZ_KEYFILE_ROOM);")
(define-foreign %save-keyfile int
  ((c-string path) (scheme-object data) (bool secret))
  "C_return(sz_keyfile_save(path, TEXT(data), secret));")
(define-foreign %keyfile-stamp int ((c-string path) (scheme-object to))
  "C_return(szg_keyfile_stamp(path, to));")
(define-foreign %stamp-size int () "C_return((int)sizeof(sz_stamp));")
;; the milliseconds since the file of a stamp was changed, by the system's clock
(define-foreign %stamp-age integer64 ((scheme-object from))
  "C_return(szg_stamp_age(from));")

;; proxies

(define-foreign %proxy-move int
  ((scheme-object from) (scheme-object to) (scheme-object capture))
  "C_return(sz_proxy_move(SOCKET(from), SOCKET(to), SOCKET(capture), &szg_moved));")
(define-foreign %moved-messages int () "C_return((int)szg_moved.messages);")
(define-foreign %moved-bytes unsigned-integer64 () "C_return(szg_moved.bytes);")
(define-foreign %moved-dropped int () "C_return((int)szg_moved.dropped);")
(define-foreign %moved-uncaptured int () "C_return((int)szg_moved.uncaptured);")
(define-foreign %moved-wait int () "C_return(szg_moved.wait);")
(define-foreign %receives? bool ((scheme-object s))
  "C_return(szg_does(s, SZ_IN));")
(define-foreign %sends? bool ((scheme-object s))
  "C_return(szg_does(s, SZ_OUT));")
;; writes a number as the machine has it into a string
(define-foreign %uint64-bytes scheme-object
  ((unsigned-integer64 n) (scheme-object to))
  "C_return(szg_fill(to, &n));")

;; statistics

(define-foreign %statistic unsigned-integer64 ((scheme-object s) (int index))
  "C_return(szg_statistic_at(s, index));")
(define-foreign %count-wait void ((scheme-object s))
  "sz_socket_waited(SOCKET(s));")

;; swap

(define-foreign %swap-directory c-string () "C_return(sz_swap_directory());")
;; when to pump again is %number
(define-foreign %pump int ((scheme-object s))
  "C_return(sz_socket_pump(SOCKET(s), &szg_number));")

;; exit

(define-foreign %exit int ((int linger))
  "C_return(szg_exit_within(linger));")
