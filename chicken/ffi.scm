;;; The kernel's functions as Scheme procedures.
;;;
;;; A handle is a fixnum.  What can fail returns a fixnum: 0 or more, or a negative sz_error.
;;; Strings are passed with their length; names of options and types are C strings.

(foreign-declare "#include \"glue/call.h\"")
(foreign-declare "#include \"glue/send.h\"")
(foreign-declare "#include \"glue/receive.h\"")
(foreign-declare "#include \"glue/queue.h\"")
(foreign-declare "#include \"glue/sleep.h\"")
(foreign-declare "#include \"glue/interrupt.h\"")
(foreign-declare "#include \"glue/apply.h\"")
(foreign-declare "#include \"glue/finalizer.h\"")

(define-foreign-type word scheme-object)
(define-foreign-type int64 integer64)
(define-foreign-type uint64 unsigned-integer64)

;; An expression of C as a procedure.
(define-syntax define-foreign
  (syntax-rules (void)
    ((_ name void arguments expression)
     (define name (foreign-lambda* void arguments expression ";")))
    ((_ name result arguments expression)
     (define name (foreign-lambda* result arguments "C_return(" expression ");")))))

;; Results beside the code, until the next call.  A signal handler may run between two calls and
;; make others, so this is for results without which nothing is lost or mixed up.
(define-foreign %number int64 () "szg_found.number")
(define-foreign %bits uint64 ((int64 n)) "(uint64_t)n")
(define-foreign %text c-string () "szg_found.text")

;; errors

(define-foreign %error-symbol c-string ((int code)) "sz_error_symbol(code)")
(define-foreign %error-text c-string ((int code)) "sz_error_text(code)")
(define-foreign %error-errno int ((int code)) "sz_error_errno(code)")

;; the bits of events

(define-constant in-bit 1)
(define-constant out-bit 2)
(define-constant error-bit 4)
(define-constant signal-bit 8)
(define-constant swap-bit 16)
(define-constant timer-bit 32)

(define-syntax define-codes
  (syntax-rules ()
    ((_ (name code) ...) (begin (define-foreign-variable name int code) ...))))

(define-codes
  (eagain "SZ_EAGAIN") (eclosed "SZ_ECLOSED") (ecorrupt "SZ_ECORRUPT") (einval "SZ_EINVAL")
  (enomem "SZ_ENOMEM") (emfile "SZ_EMFILE") (esockets "SZ_ESOCKETS")
  (edescriptors "SZ_EDESCRIPTORS") (eaddrinuse "SZ_EADDRINUSE") (eeexist "SZ_EEXIST")
  (enoent "SZ_ENOENT") (ewouldblock "SZ_EWOULDBLOCK") (enotsup "SZ_ENOTSUP")
  (eswapsize "SZ_ESWAPSIZE") (eunsupported "SZ_EUNSUPPORTED") (ekey "SZ_EKEY")
  (ez85size "SZ_EZ85SIZE") (eexposed "SZ_EEXPOSED") (elength "SZ_ELENGTH") (efsm "SZ_EFSM") (ebadmsg "SZ_EBADMSG"))

;; the library

(define-foreign %version int ((int index)) "szg_version_at(index)")

(define-foreign %has? bool ((c-string capability)) "sz_has(capability)")

;; contexts

(define-foreign %make-context int ((word owner)) "OWNED(sz_context, owner, sz_context_new(&made))")
(define-foreign %check-context int ((word c)) "sz_context_check(CONTEXT(c))")
(define-foreign %context-sockets int ((word c)) "sz_context_sockets(CONTEXT(c))")
(define-foreign %set-context-option int ((word c) (int row) (int64 value))
  "sz_context_set(CONTEXT(c), sz_option_at((size_t)row), value)")
(define-foreign %context-option int64 ((word c) (int row) (word code))
  "szg_context_option(CONTEXT(c), ROW(row), code)")
(define-foreign %shutdown-context int ((word c)) "sz_context_shutdown(CONTEXT(c))")
(define-foreign %terminate-context int ((word c)) "sz_context_terminate(CONTEXT(c))")
(define-foreign %context-fd int ((word c)) "sz_context_fd(CONTEXT(c))")

;; sockets

(define-foreign %make-socket int ((word owner) (word c) (c-string type))
  "OWNED(sz_socket, owner, sz_socket_new(CONTEXT(c), sz_type_find(type), &made))")
(define-foreign %type-name c-string ((c-string name)) "szg_type_name(name)")
(define-foreign %type-near c-string ((c-string name)) "sz_type_near(name)")
(define-foreign %close-socket int ((word s)) "sz_socket_close(SOCKET(s))")
(define-foreign %deaf bool ((word s)) "sz_socket_deaf(SOCKET(s))")
(define-foreign %check-socket int ((word s)) "sz_socket_check(SOCKET(s))")
(define-foreign %bind int ((word s) (word e)) "sz_socket_bind(SOCKET(s), TEXT(e), &szg_found.text)")
(define-foreign %connect int ((word s) (word e)) "sz_socket_connect(SOCKET(s), TEXT(e), &szg_found.text)")
(define-foreign %unbind int ((word s) (word e)) "sz_socket_unbind(SOCKET(s), TEXT(e))")
(define-foreign %disconnect int ((word s) (word e)) "sz_socket_disconnect(SOCKET(s), TEXT(e))")
(define-foreign %endpoint c-string ((word s) (int index)) "szg_endpoint_at(s, index)")
(define-foreign %socket-fd int ((word s)) "sz_socket_fd(SOCKET(s))")
(define-foreign %armed int ((word s)) "sz_socket_armed(SOCKET(s))")
(define-foreign %socket-timeout int ((word s) (int event)) "sz_socket_timeout(SOCKET(s), event)")

;; options; a row is its index in the kernel's table

(define-foreign %option-row int ((bool context) (c-string name)) "szg_option_row(context, name)")
(define-foreign %option-near c-string ((bool context) (c-string name))
  "sz_option_near(SCOPE(context), name)")
(define-foreign %option-type int ((int row)) "ROW(row)->type")
(define-foreign %option-min int64 ((int row)) "ROW(row)->min")
(define-foreign %option-max int64 ((int row)) "ROW(row)->max")
(define-foreign %option-secret? bool ((int row)) "ROW(row)->secret")
(define-foreign %option-live? bool ((int row)) "ROW(row)->live")
(define-foreign %option-symbols c-string ((int row)) "ROW(row)->symbols")
(define-foreign %option-context? bool ((int row)) "ROW(row)->scope == SZ_CONTEXT_OPTION")
(define-foreign %option? bool ((int row)) "ROW(row) != NULL")
(define-foreign %option-text c-string ((int row) (int column)) "szg_option_text(row, column)")
(define-foreign %option-initial int64 ((int row)) "ROW(row)->initial")
;; whether sockets of the index-th type, which is no draft, have the option
(define-foreign %option-type? bool ((int row) (int index))
  "ROW(row)->types >> sz_type_at((size_t)index)->number & 1")
(define-foreign %option-early? bool ((int row)) "ROW(row)->types != 0")
(define-foreign %type-at c-string ((int index)) "szg_type_at(index)")
(define-foreign %set-integer int ((word s) (int row) (int64 value))
  "sz_socket_set_integer(SOCKET(s), ROW(row), value)")
(define-foreign %set-bits int ((word s) (int row) (uint64 value))
  "sz_socket_set_integer(SOCKET(s), ROW(row), (int64_t)value)")
;; The value; the code goes into the vector.
(define-foreign %get-integer int64 ((word s) (int row) (word code))
  "szg_get_integer(SOCKET(s), ROW(row), code)")
(define-foreign %set-bytes int ((word s) (int row) (word value))
  "sz_socket_set_bytes(SOCKET(s), ROW(row), TEXT(value))")
(define-foreign %option-bytes int64 ((word s) (int row) (word to) (bool secret))
  "szg_option_bytes(s, row, to, secret)")
(define-foreign %get-bytes int ((word s) (int row))
  "sz_socket_get_bytes(SOCKET(s), ROW(row), &szg_found.bytes, &szg_found.size)")

;; messages held by the kernel

(define-foreign %make-message word ((word data))
  "MADE(sz_message, sz_message_new(TEXT(data), &made))")
(define-foreign %make-zeros word ((uint64 size))
  "MADE(sz_message, sz_message_new(NULL, size, &made))")
(define-foreign %copy-message word ((word m))
  "MADE(sz_message, sz_message_copy(MESSAGE(m), &made))")
(define-foreign %message-pointer c-pointer ((word m)) "szg_message_pointer(m)")
(define-foreign %message-size int64 ((word m)) "szg_message_size(m)")
(define-foreign %fill-pointer c-pointer ((word m)) "szg_fill_pointer(m)")
(define-foreign %copy-message-to void ((word m) (word to) (word owner))
  "(void)owner, szg_copy_message(m, to)")
(define-foreign %free-message void ((word m)) "sz_message_free(MESSAGE(m))")
(define-foreign %messages-held uint64 () "sz_message_held()")

;; to be filled in
(define-foreign %fill-message int ((word m)) "szg_message_to_fill(m)")
;; sets %text
(define-foreign %message-property int ((word m) (c-string name))
  "sz_message_property(MESSAGE(m), name, &szg_found.text)")

;; lists of parts

;; The bytes of the part that starts at `offset` of a message held by the kernel, for
;; %bytes-size and %copy-bytes; %number is where the next one starts.
(define-foreign %decode-part int ((word m) (uint64 offset)) "szg_decode_part(m, (size_t)offset)")
(define-foreign %message-of-bytes word ()
  "MADE(sz_message, sz_message_new(szg_found.bytes, szg_found.size, &made))")
(define-foreign %encode-parts word ((word list)) "szg_encode_parts(list)")

;; transfer

;; A part, or a list of parts as one message.
(define-foreign %send int ((word s) (word message)) "szg_send_parts(s, message)")
;; The rest of a list of messages; %sent of it were sent, and %refusal is why not more.
(define-foreign %send-batch word ((word s) (word messages)) "szg_send_batch(s, messages)")
(define-foreign %sent int () "szg_sent_count")
(define-foreign %refusal int () "szg_send_refusal")
;; How many parts the message has that is received next, or is held already.
(define-foreign %receive int ((word s)) "sz_receive_held(SOCKET(s))")
(define-foreign %take-parts int ((word s) (word handles) (int count))
  "szg_take_parts(s, handles, count)")
(define-foreign %put-back void ((word s)) "sz_put_back(SOCKET(s))")
(define-foreign %held-bytes int64 ((word s)) "szg_held_bytes(s)")
(define %receive-held (##core#primitive "szg_receive_held"))
(define %receive-each (##core#primitive "szg_receive_each"))
(define-foreign %receive-as-set! void () "szg_receive_as_set = true")
(define-foreign %receive-as-set? bool () "szg_receive_as_set")

;; what %get-bytes and %decode-part found

(define-foreign %bytes-size uint64 () "szg_found.size")
(define-foreign %bytes-pointer c-pointer () "(void *)szg_found.bytes")
;; copies as many as `to` has room for, and keeps their owner alive so long
(define-foreign %copy-bytes void ((c-pointer from) (word to) (word owner))
  "(void)owner; szg_fill(to, from)")

;; trace

(define-foreign %trace-line void ((word line)) "szg_trace_line(line)")
(define-foreign %trace-connections void ((bool on)) "sz_trace_connections(on ? 2 : -1)")
(define-foreign %socket-type-name c-string ((word s)) "szg_socket_type_name(s)")
(define-foreign %set-fast! void ((bool fast)) "szg_fast = fast")

;; lists, changed in one call; see glue/queue.h

(define-foreign %list-add void ((word block) (int place) (word pair) (bool front))
  "szg_list_add(block, place, pair, front)")
(define-foreign %list-remove bool ((word block) (int place) (word x))
  "szg_list_remove(block, place, x)")
(define-foreign %list-take word ((word block) (int place)) "szg_list_take(block, place)")

;; signals; see glue/apply.h, glue/finalizer.h and glue/interrupt.h

(define-foreign %mend-apply void () "szg_mend_apply()")
(define-foreign %mend-finalizers void ((word symbol)) "szg_mend_finalizers(symbol)")
(define-foreign %interrupted-continuation? bool ((word k)) "szg_interrupted_continuation(k)")

;; sleeping; see glue/sleep.h

(define-foreign %watch-none void () "szg_watch_none()")
(define-foreign %watch-also bool ((int fd) (bool in) (bool out)) "szg_watch_also(fd, in, out)")
(define-foreign %sleep-alone bool ((word w) (word s) (int event) (int fd) (int timeout) (word handlers))
  "szg_sleep_alone(w, s, event, fd, timeout, handlers)")

;; pollers

(define-foreign %make-poller int ((word owner)) "OWNED(sz_poller, owner, sz_poller_new(&made))")
(define-foreign %free-poller void ((word p)) "sz_poller_free(POLLER(p))")
(define-foreign %poller-fd int ((word p)) "sz_poller_fd(POLLER(p))")
(define-foreign %watch-socket int ((word p) (word s) (int events) (word tag))
  "sz_poller_add_socket(POLLER(p), SOCKET(s), events, TAG(tag))")
(define-foreign %watch-fd int ((word p) (int fd) (int events) (word tag))
  "sz_poller_add_fd(POLLER(p), fd, events, TAG(tag))")
(define-foreign %rewatch-socket int ((word p) (word s) (int events) (word tag))
  "sz_poller_modify_socket(POLLER(p), SOCKET(s), events, TAG(tag))")
(define-foreign %rewatch-fd int ((word p) (int fd) (int events) (word tag))
  "sz_poller_modify_fd(POLLER(p), fd, events, TAG(tag))")
(define-foreign %unwatch-socket int ((word p) (word s))
  "sz_poller_remove_socket(POLLER(p), SOCKET(s))")
(define-foreign %unwatch-fd int ((word p) (int fd)) "sz_poller_remove_fd(POLLER(p), fd)")
(define-foreign %add-timer word ((word p) (int64 time)) "szg_add_timer(p, time)")
(define-foreign %add-timer-for word ((word p) (int64 time) (word table) (word cell))
  "szg_add_timer_for(p, time, table, cell)")
(define-foreign %remove-timer int ((word p) (uint64 id)) "sz_poller_remove_timer(POLLER(p), id)")
(define-foreign %wake-poller int ((word p)) "sz_poller_wake(POLLER(p))")
(define-foreign-variable most-ready int "MOST_READY")
;; Fills a vector with the tag and the events of what is ready, at most `max`.
(define-foreign %check-poller int ((word p) (word found) (int max))
  "szg_check_poller(p, found, max)")
(define-foreign %keep-found int ((word p) (word found)) "szg_keep_found(p, found)")

;; monitors; what was found last is left in variables

(foreign-declare "#define EVENT(index) sz_event_at((size_t)(index))")
(define-foreign %make-monitor int ((word owner) (word s) (int events))
  "OWNED(sz_monitor, owner, sz_monitor_new(SOCKET(s), events, &made))")
(define-foreign %stop-monitor int ((word m)) "sz_monitor_stop(MONITOR(m))")
(define-foreign %close-monitor int ((word m)) "sz_monitor_close(MONITOR(m))")
(define-foreign %monitor-fd int ((word m)) "sz_monitor_fd(MONITOR(m))")
(define-foreign %receive-event int ((word m)) "sz_monitor_receive(MONITOR(m), &szg_found.event)")
(define-foreign %event-name c-string () "szg_found.event.type->name")
(define-foreign %event-endpoint c-string () "szg_found.event.endpoint")
(define-foreign %event-kind int () "szg_found.event.type->value")
(define-foreign %event-number unsigned-integer32 () "szg_found.event.value")
(define-foreign %event-symbol c-string () "sz_event_symbol(szg_found.event.type, szg_found.event.value)")
(define-foreign %event-text c-string () "sz_event_text(szg_found.event.type, szg_found.event.value)")
(define-foreign %event-missed uint64 () "szg_found.event.missed")
(define-foreign %event-row-name c-string ((int row)) "EVENT(row) != NULL ? EVENT(row)->name : NULL")
(define-foreign %event-row-text c-string ((int row)) "EVENT(row)->text")
(define-foreign %event-bit int ((c-string name)) "szg_event_bit(name)")
(define-foreign %event-near c-string ((c-string name)) "sz_event_near(name)")
(define-foreign %all-events int () "SZ_EVENT_ALL")
(define-foreign %connections int ((word s)) "sz_socket_connections(SOCKET(s), &szg_found.connections)")
(define-foreign %peers int64 () "szg_found.connections.peers")
(define-foreign %accepted int64 () "(int64_t)szg_found.connections.accepted")
(define-foreign %lost int64 () "(int64_t)szg_found.connections.lost")
(define-foreign %retried int64 () "(int64_t)szg_found.connections.retried")
(define-foreign %failed int64 () "(int64_t)szg_found.connections.failed")
(define-foreign %settled int64 () "szg_found.connections.settled")
(define-foreign %observe-all void ((bool all)) "sz_observe_all(all)")

;; security

(define-foreign %z85-encode int ((word data) (word to))
  "sz_z85_encode(TEXT(data), (char *)C_data_pointer(to))")
(define-foreign %z85-decode int ((word text) (word to)) "szg_z85_decode(text, to)")
(define-foreign %curve-keypair int ((word public) (word secret))
  "szg_curve_keypair(public, secret)")
(define-foreign %curve-public int ((word secret) (word to)) "szg_key_text(secret, to, true)")
(define-foreign %key-text int ((word key) (word to)) "szg_key_text(key, to, false)")
(define-foreign %same-bytes? bool ((word a) (word b))
  "sz_equal(C_data_pointer(a), C_data_pointer(b), C_header_size(a))")
(define-foreign %wipe void ((word bytes)) "sz_wipe(C_data_pointer(bytes), C_header_size(bytes))")

;; addresses and files of keys

(define-foreign %check-network int ((word text)) "sz_network_parse(TEXT(text), &(sz_network){0})")
(define-foreign %network-holds? bool ((word text) (word address))
  "szg_network_holds(text, address)")
;; fills a string of keyfile-room characters, and answers twice their number, and 1 more if others
;; can use the file
(define-foreign %read-keyfile int ((c-string path) (word to)) "szg_keyfile_load(path, to)")
(define-foreign %keyfile-room int () "SZ_KEYFILE_ROOM")
(define-foreign %save-keyfile int ((c-string path) (word data) (bool secret))
  "sz_keyfile_save(path, TEXT(data), secret)")
(define-foreign %keyfile-stamp int ((c-string path) (word to)) "szg_keyfile_stamp(path, to)")
(define-foreign %stamp-size int () "(int)sizeof(sz_stamp)")
;; the milliseconds since the file of a stamp was changed, by the system's clock
(define-foreign %stamp-age int64 ((word from)) "szg_stamp_age(from)")

;; proxies

(define-foreign %proxy-move int ((word from) (word to) (word capture))
  "sz_proxy_move(SOCKET(from), SOCKET(to), SOCKET(capture), &szg_found.moved)")
(define-foreign %moved-messages int () "(int)szg_found.moved.messages")
(define-foreign %moved-bytes uint64 () "szg_found.moved.bytes")
(define-foreign %moved-dropped int () "(int)szg_found.moved.dropped")
(define-foreign %moved-uncaptured int () "(int)szg_found.moved.uncaptured")
(define-foreign %moved-wait int () "szg_found.moved.wait")
(define-foreign %receives? bool ((word s)) "szg_does(s, SZ_IN)")
(define-foreign %sends? bool ((word s)) "szg_does(s, SZ_OUT)")
;; writes a number as the machine has it into a string
(define-foreign %uint64-bytes word ((uint64 n) (word to)) "szg_fill(to, &n)")

;; statistics

(define-foreign %statistic uint64 ((word s) (int index)) "szg_statistic_at(s, index)")
(define-foreign %count-wait void ((word s)) "sz_socket_waited(SOCKET(s))")

;; swap

(define-foreign %swap-directory c-string () "sz_swap_directory()")
;; when to pump again is %number
(define-foreign %pump int ((word s)) "sz_socket_pump(SOCKET(s), &szg_found.number)")

;; exit

(define-foreign-variable %interrupt int "SIGINT")
(define-foreign %default-interrupt void () "signal(SIGINT, SIG_DFL)")
(define-foreign %end-by-interrupt void () "raise(SIGINT)")
(define-foreign %exit int ((int linger)) "szg_exit_within(linger)")
