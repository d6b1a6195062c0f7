;;; A weather proxy: passes updates to another network, and subscriptions back.
;;; Look at: an update crosses once, however many clients are behind the proxy.
;;;   csi -s wuproxy.scm [SERVER-ENDPOINT [CLIENTS-ENDPOINT]]

(import zmq)
(include "guide.scm")

(proxy (make-socket 'xsub connect: (argument 0 "tcp://192.168.55.210:5556"))
       (make-socket 'xpub bind: (argument 1 "tcp://*:8100")))
