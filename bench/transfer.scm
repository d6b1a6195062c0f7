;;; One thread sends and receives over inproc: the module beside raw C, which
;;; copies in and out and checks each call, in turn within each round.

(import zmq (chicken base) (chicken fixnum) (chicken foreign) (chicken format) (chicken sort)
        (chicken process-context) (chicken string))

(foreign-declare "
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zmq.h>

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *context, *sender, *receiver;

static int open_pair(void)
{
    context = zmq_ctx_new();
    sender = zmq_socket(context, ZMQ_PAIR);
    receiver = zmq_socket(context, ZMQ_PAIR);
    return zmq_bind(sender, \"inproc://raw\") | zmq_connect(receiver, \"inproc://raw\");
}

static int one_round_trip(const char *data, size_t size)
{
    zmq_msg_t out, in;
    if (zmq_msg_init_size(&out, size) != 0) return -1;
    memcpy(zmq_msg_data(&out), data, size);
    if (zmq_msg_send(&out, sender, 0) < 0) { zmq_msg_close(&out); return -1; }
    zmq_msg_init(&in);
    if (zmq_msg_recv(&in, receiver, 0) < 0) return -1;
    size_t got = zmq_msg_size(&in);
    char *copy = malloc(got);
    if (copy == NULL) { zmq_msg_close(&in); return -1; }
    memcpy(copy, zmq_msg_data(&in), got);
    int wrong = copy[0] != data[0];
    free(copy);
    zmq_msg_close(&in);
    return wrong ? -1 : 0;
}
")

(define seconds (foreign-lambda* double () "C_return(seconds());"))
(define open-pair (foreign-lambda* int () "C_return(open_pair());"))
(define raw-round
  (foreign-lambda* int ((int count) (scheme-object data))
    "size_t size = C_header_size(data);
     char *own = malloc(size);
     int failed = 0;
     memcpy(own, C_data_pointer(data), size);
     for (int i = 0; i < count && !failed; i++)
         failed = one_round_trip(own, size);
     free(own);
     C_return(failed);"))

(define push (make-socket 'pair))
(define pull (make-socket 'pair))
(bind-socket push "inproc://egg")
(connect-socket pull "inproc://egg")
(unless (= 0 (open-pair)) (error "raw sockets"))

(define (egg-string-round count data)
  (do ((i 0 (fx+ i 1))) ((fx= i count))
    (send-message push data)
    (unless (eq? (string-ref (receive-message pull as: 'string) 0)
                 (string-ref data 0))
      (error "wrong data"))))

(define (egg-record-round count data)
  (do ((i 0 (fx+ i 1))) ((fx= i count))
    (send-message push data)
    (unless (= (message-size (receive-message pull)) (string-length data))
      (error "wrong size"))))

(define (ns-each thunk count)
  (let ((start (seconds)))
    (thunk)
    (/ (* 1e9 (- (seconds) start)) count)))

(define (median numbers)
  (list-ref (sort numbers <) (quotient (length numbers) 2)))

(define (round-to x places)
  (let ((scale (expt 10 places))) (/ (round (* x scale)) scale)))

(define (report name ratios)
  (printf "  ~a ~a (~a to ~a)" name (round-to (median ratios) 2)
          (round-to (apply min ratios) 2) (round-to (apply max ratios) 2)))

(define rounds
  (let ((given (get-environment-variable "ROUNDS")))
    (if given (string->number given) 7)))

(define (measure size count)
  (let ((data (make-string size #\x)))
    (let loop ((i -1) (raw '()) (strings '()) (records '()))
      (if (< i rounds)
          (let ((c (ns-each (lambda () (raw-round count data)) count))
                (s (ns-each (lambda () (egg-string-round count data)) count))
                (r (ns-each (lambda () (egg-record-round count data)) count)))
            (if (< i 0)                 ; the first warms up
                (loop 0 raw strings records)
                (loop (+ i 1) (cons c raw) (cons (/ s c) strings)
                      (cons (/ r c) records))))
          (begin
            (printf "~a B: raw C ~a ns; ratio" size (round-to (median raw) 0))
            (report "as: 'string" strings)
            (report "records" records)
            (newline))))))

(print "send and receive, one thread, inproc; median (least to most) of "
       rounds " rounds")
(measure 32 200000)
(measure 256 200000)
(measure 4096 100000)
(measure 65536 10000)
