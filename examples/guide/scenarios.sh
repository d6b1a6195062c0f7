# The scenarios of run.sh: each function test_NAME is one.
# shellcheck shell=sh

# ------------------------------------------------------------- chapter 1 --

test_version() {
    run version version
    shows version "^Current ZeroMQ version is (4 3 "
}

test_hello_world() {
    start server hwserver "$at"hello
    run client hwclient "$at"hello 3
    shows client "^Received World 2$"
    shows server "^Received Hello$" 3
}

test_weather() {
    start server wuserver "$at"weather 10
    run client wuclient "$at"weather 00007 20
    shows client "^Average temperature for zip code 00007 was -*[0-9]*F$"
}

test_pipeline() {
    start sink tasksink "$at"sink 20
    start worker1 taskwork "$at"tasks "$at"sink
    start worker2 taskwork "$at"tasks "$at"sink
    run ventilator taskvent "$at"tasks "$at"sink 2 20
    shows sink "^20 results, total elapsed time: "
    shows worker1 "^[0-9]*\.$" 10
    shows worker2 "^[0-9]*\.$" 10
}

# ------------------------------------------------------------- chapter 2 --

# both_sources READER: it gets the tasks and the weather
both_sources() {
    start weather wuserver "$at"weather 10002
    start sink tasksink "$at"sink 20
    start reader "$1" "$at"tasks "$at"weather
    run ventilator taskvent "$at"tasks "$at"sink 1 20
    shows reader "^task [0-9]*$" 20
    shows reader "^weather 10001 "
}
test_multiple_sockets() {
    both_sources msreader
}
test_poller() {
    both_sources mspoller
}

# with_broker PROGRAM: requests go through it to two workers
with_broker() {
    start broker "$1" "$at"clients "$at"workers
    start worker1 rrworker "$at"workers
    start worker2 rrworker "$at"workers
    run client1 rrclient "$at"clients 5
    run client2 rrclient "$at"clients 5
    shows client2 "^Received reply 4 World$"
}
test_broker() {
    with_broker rrbroker
}
test_message_queue() {
    with_broker msgqueue
}

test_weather_proxy() {
    start server wuserver "$at"weather 10
    start proxy wuproxy "$at"weather "$at"proxy
    run client wuclient "$at"proxy 00007 20
    shows client "^Average temperature"
}

test_kill_signal() {
    start sink tasksink2 "$at"sink "$at"control 2 20
    start worker1 taskwork2 "$at"tasks "$at"sink "$at"control
    start worker2 taskwork2 "$at"tasks "$at"sink "$at"control
    run ventilator taskvent "$at"tasks "$at"sink 2 20
    ends
    shows worker1 "^Told to KILL$"
    shows worker2 "^Told to KILL$"
}

test_interrupted() {
    start server interrupt "$at"interrupt
    shows server "^waiting$"
    kill "${running%% *}"
    shows server "^W: interrupt received, ending$"
}

test_threads() {
    start server mtserver "$at"threads 2
    start client1 hwclient "$at"threads 5
    run client2 hwclient "$at"threads 5
    shows client1 "^Received World 4$"
    shows server "^Thread 1 received Hello$"
    shows server "^Thread 2 received Hello$"
}

test_relay() {
    run relay mtrelay
    shows relay "^Test successful!$"
}

test_synchronized() {
    start sub1 syncsub "$at"updates "$at"sync
    start sub2 syncsub "$at"updates "$at"sync
    run pub syncpub "$at"updates "$at"sync 2 2000
    shows sub1 "^Received 2000 updates$"
    shows sub2 "^Received 2000 updates$"
}

test_envelopes() {
    start pub psenvpub "$at"envelopes 10
    run sub psenvsub "$at"envelopes 3
    shows sub "^\[B\] We would like to see this$" 3
}

# ------------------------------------------------------------- chapter 3 --

test_identities() {
    run identity identity
    shows identity "^\[5\] 00"
    shows identity "^\[5\] PEER2$"
}

# shared_out PROGRAM: each of three workers has done something
shared_out() {
    run broker "$1" 3 500
    shows broker "^Worker [123] completed: [1-9][0-9]* tasks$" 3
}
test_router_to_req() {
    shared_out rtreq
}
test_router_to_dealer() {
    shared_out rtdealer
}

# balanced PROGRAM: each client gets its reply
balanced() {
    run broker "$1" 6 2
    shows broker "^Client: OK$" 6
    shows broker "^Worker: HELLO$" 6
}
test_load_balancing() {
    balanced lbbroker
}
test_load_balancing_by_lists() {
    balanced lbbroker2
}
test_load_balancing_by_reactor() {
    balanced lbbroker3
}

test_asynchronous() {
    run server asyncsrv 3 5 1500
    shows server "^client-1: request #"
    shows server "^client-3: request #"
}

test_peering_state() {
    start one peering1 "$files/DC1" "$files/DC2"
    start two peering1 "$files/DC2" "$files/DC1"
    shows one "DC2 - [0-9] workers free$" 2
    shows two "DC1 - [0-9] workers free$" 2
}

# peered PROGRAM: clients are served here, and by the peer
peered() {
    start one "$1" "$files/DC1" "$files/DC2"
    start two "$1" "$files/DC2" "$files/DC1"
    shows one "^Client: OK from .*DC1$"
    shows one "^Client: OK from .*DC2$"
    shows two "^Client: OK from .*DC1$"
    shows two "^Client: OK from .*DC2$"
}
test_peering_tasks() {
    peered peering2
}
test_peering_all() {
    peered peering3
}
