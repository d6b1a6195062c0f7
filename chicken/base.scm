;;; Everything that the egg's modules share: each noun has a file of its own.
;;; All names are exported, for the modules beside this one; programs import
;;; `zmq', which has those meant for them.

(module (zmq base) *

  (import scheme
          (chicken base) (chicken bitwise) (chicken blob) (chicken condition) (chicken fixnum)
          (chicken foreign) (chicken gc) (chicken keyword) (chicken locative) (chicken platform) (chicken port)
          (chicken process-context) (chicken random) (chicken repl) (chicken string)
          (only srfi-4 u8vector? u8vector->blob/shared
                               blob->u8vector/shared))

  ;; Between two waits the module's code is not interrupted by other threads.
  (declare (disable-interrupts) (uses scheduler))

  (include "ffi.scm")
  (include "bytes.scm")
  (include "error.scm")
  (include "keyword.scm")
  (include "record.scm")
  (include "thread.scm")
  (include "finalizer.scm")
  (include "trace.scm")
  (include "loop.scm")
  (include "queue.scm")
  (include "operation.scm")
  (include "context.scm")
  (include "socket.scm")
  (include "swap.scm")
  (include "option.scm")
  (include "security.scm")
  (include "message.scm")
  (include "part.scm")
  (include "transfer.scm")
  (include "multipart.scm")
  (include "request.scm")
  (include "port.scm")
  (include "poller.scm")
  (include "poll.scm")
  (include "proxy.scm")
  (include "statistics.scm")
  (include "repl.scm")
  (include "service.scm")
  (include "exit.scm")

  (trace-from-environment!))
