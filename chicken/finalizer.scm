;;; Finalizers, and how CHICKEN runs them.

;; CHICKEN's own procedure keeps all finalizers that are due in the table until the last one has
;; returned.  If one of them was left by a continuation, or its thread was ended, no finalizer ran
;; again, and (gc #t) and `exit' waited for ever or failed.

;; Those at the beginning of the table that have run.  The collector fills the table from there
;; when its count is 0.
(define finalizers-run 0)

;; Calls the next finalizer, which is taken out of the table first: so it runs once, however it
;; ends.  No signal handler can run between the two.
(define (call-next-finalizer!)
  (let* ((table ##sys#pending-finalizers)
         (place (fx+ 1 (fx* 2 finalizers-run)))
         (object (##sys#slot table place))
         (finalizer (##sys#slot table (fx+ place 1))))
    (##sys#setislot table place #f)
    (##sys#setislot table (fx+ place 1) #f)
    (set! finalizers-run (fx+ finalizers-run 1))
    (when (fx= finalizers-run (##sys#slot table 0))
      (set! finalizers-run 0)
      (##sys#setislot table 0 0))
    (finalizer object)))

(define (finalizers-due?) (fx> (##sys#slot ##sys#pending-finalizers 0) 0))

(define (run-finalizers!)
  (when (finalizers-due?)
    (handle-exceptions e (##sys#show-exception-warning e "in finalizer" #f)
      (call-next-finalizer!))
    (run-finalizers!)))

;; A thread that is in a finalizer has this in its list of dynamic-winds.
(define (in-finalizer) (void))

;; `state` is what a signal or the end of a time slice has interrupted, or #f within (gc #t) and
;; `exit'.  An interrupt within a finalizer runs no other, since they may use the same things.
(set! ##sys#run-pending-finalizers
  (lambda (state)
    (unless (and state (assq in-finalizer ##sys#dynamic-winds))
      (wind in-finalizer run-finalizers! void))
    (cond ((procedure? state) (state))
          (state (##sys#context-switch state)))))

(%mend-finalizers '##sys#pending-finalizers)

(define (collect!) (gc #t))

;; of the records that own an object of the kernel

(define drop-context! (##core#primitive "szg_drop_context"))
(define drop-socket! (##core#primitive "szg_drop_socket"))
(define drop-message! (##core#primitive "szg_drop_message"))
(define drop-poller! (##core#primitive "szg_drop_poller"))
(define drop-monitor! (##core#primitive "szg_drop_monitor"))
