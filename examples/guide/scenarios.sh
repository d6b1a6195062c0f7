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
    stop server
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

# ------------------------------------------------------------- chapter 4 --

test_lazy_pirate() {
    start server lpserver "$at"server 3 700
    run client lpclient "$at"server 4 500 5
    shows client "^W: no response from server, retrying$"
    shows client "^I: server replied OK (4)$"
}

test_simple_pirate() {
    start queue spqueue "$at"clients "$at"workers
    start worker1 spworker "$at"workers 3
    run client1 lpclient "$at"clients 2
    shows worker1 "^I: normal reply$" 2
    start worker2 spworker "$at"workers
    run client2 lpclient "$at"clients 10 1000
    shows worker1 "^I: simulating a crash$"
    shows client2 "^W: no response from server, retrying$"
    shows client2 "^I: server replied OK (10)$"
}

test_paranoid_pirate() {
    start queue ppqueue "$at"clients "$at"workers 100
    start worker1 ppworker "$at"workers 100
    start worker2 ppworker "$at"workers 100
    run client1 lpclient "$at"clients 10 1000
    shows client1 "^I: server replied OK (10)$"
    stop worker1
    run client2 lpclient "$at"clients 10 1000 10
    shows client2 "^I: server replied OK (10)$"
    stop queue
    shows worker2 "^W: no heartbeat, reconnecting in 200 msec$"
    start queue ppqueue "$at"clients "$at"workers 100
    run client3 lpclient "$at"clients 3 1000 10
    shows client3 "^I: server replied OK (3)$"
}

test_majordomo() {
    start broker mdbroker "$at"broker 200
    run nobody mmiecho "$at"broker
    shows nobody "^Lookup echo service: 404$"
    start worker1 mdworker "$at"broker echo 200
    start worker2 mdworker "$at"broker echo 200
    run client1 mdclient "$at"broker echo Hello 5
    shows client1 "^echo replied Hello$" 5
    run somebody mmiecho "$at"broker
    shows somebody "^Lookup echo service: 200$"
    run client2 mdclient2 "$at"broker 100
    shows client2 "^100 replies received in "
    stop broker
    start broker mdbroker "$at"broker 200
    run client3 mdclient "$at"broker echo again 5 1000
    shows client3 "^echo replied again$" 5
}

test_round_trips() {
    run test tripping 1000
    shows test "^Synchronous: [0-9]* calls/second$"
    shows test "^Asynchronous: [0-9]* calls/second$"
}

test_titanic() {
    start broker mdbroker "$at"broker 200
    start titanic titanic "$at"broker "$files/store" 200
    run client1 ticlient "$at"broker
    shows client1 "^Request [0-9a-f]*$"
    stop titanic
    start titanic titanic "$at"broker "$files/store" 200
    start service mdworker "$at"broker echo 200
    run client2 ticlient "$at"broker "$(sed -n 's/^Request //p' "$out/client1")"
    shows client2 "^Reply: Hello$"
}

test_binary_star() {
    start primary bstarsrv primary "$at"a "$at"state-a "$at"state-b 200
    start backup bstarsrv backup "$at"b "$at"state-b "$at"state-a 200
    shows primary "^I: primary is now active$"
    shows backup "^I: backup is now passive$"
    run client1 bstarcli "$at"a "$at"b 3 5000
    shows client1 "^I: server replied OK (3)$"
    stop primary
    run client2 bstarcli "$at"a "$at"b 3 600
    shows client2 "^W: no response from server, failing over$"
    shows client2 "^I: server replied OK (3)$"
    shows backup "^I: passive is now active$"
    start primary bstarsrv primary "$at"a "$at"state-a "$at"state-b 200
    shows primary "^I: primary is now passive$"
}

# The backup is missing: a client's request makes the primary active.
test_binary_star_alone() {
    start primary bstarsrv primary "$at"a "$at"state-a "$at"state-b 200
    run client bstarcli "$at"a "$at"b 3 600
    shows client "^I: server replied OK (3)$"
    shows primary "^I: primary is now active$"
}

test_freelance_1() {
    start server flserver1 "$at"server
    run client1 flclient1 "$at"nobody "$at"server
    shows client1 "^Service is running OK$"
    run client2 flclient1 "$at"server
    shows client2 "^Service is running OK$"
}

test_freelance_2() {
    start server1 flserver2 "$at"server1
    start server2 flserver2 "$at"server2
    run client flclient2 "$at"server1 "$at"server2
    shows client "^100 requests, average round trip: "
}

test_freelance_3() {
    start server1 flserver3 "$at"server1
    start server2 flserver3 "$at"server2
    start client flclient3 "$at"server1 "$at"server2
    shows client "^I: 1000 replies"
    stop server1
    shows client "^10000 requests, average round trip: "
}

# ------------------------------------------------------------- chapter 5 --

test_espresso() {
    run espresso espresso
    shows espresso "^subscriber: [AB]-[0-9]*$" 5
    shows espresso "^listener: subscribe A$"
    shows espresso "^listener: unsubscribe A$"
}

test_last_value_cache() {
    start cache lvcache "$at"publisher "$at"cache
    start publisher pathopub "$at"publisher 10 100000
    run early pathosub "$at"cache 003 1
    shows early "^(003 Save Roger)$"
    run late pathosub "$at"cache 007 1
    shows late "^(007 Save Roger)$"
    shows cache "^Sending cached topic 007$"
}

test_suicidal_snail() {
    run snail suisnail 100
    shows snail "^E: subscriber cannot keep up, aborting$"
}

test_clone_1() {
    start server clonesrv1 "$at"updates 1
    start client1 clonecli1 "$at"updates 50
    run client2 clonecli1 "$at"updates 50
    shows client1 "^50 updates, [0-9]* keys$"
    shows client2 "^50 updates, [0-9]* keys$"
}

test_clone_2() {
    start server clonesrv2 "$at"snapshot "$at"updates 1
    run client1 clonecli2 "$at"snapshot "$at"updates 50
    run client2 clonecli2 "$at"snapshot "$at"updates 50
    shows client2 "^I: received a snapshot of [1-9][0-9]* keys$"
    shows client2 "^50 updates, [0-9]* keys$"
}

test_clone_3() {
    start server clonesrv3 "$at"snapshot "$at"updates "$at"changes
    start client1 clonecli3 "$at"snapshot "$at"updates "$at"changes 50
    run client2 clonecli3 "$at"snapshot "$at"updates "$at"changes 50
    shows client1 "^50 updates, [0-9]* keys$"
    shows client2 "^50 updates, [0-9]* keys$"
}

test_clone_4() {
    start server clonesrv4 "tcp://127.0.0.1:*"
    shows server "^I: serving at "
    endpoint=$(sed -n 's/^I: serving at //p' "$out/server")
    run client1 clonecli4 "$endpoint" /one/ 10
    shows client1 "^I: 10 keys of /one/$"
    run client2 clonecli4 "$endpoint" /two/ 20
    shows client2 "^I: the snapshot has 0 keys$"
    shows client2 "^I: 20 keys of /two/$"
    run client3 clonecli4 "$endpoint" /one/ 5
    shows client3 "^I: the snapshot has 10 keys$"
}

test_clone_5() {
    start server clonesrv5 "tcp://127.0.0.1:*"
    shows server "^I: serving at "
    endpoint=$(sed -n 's/^I: serving at //p' "$out/server")
    start client1 clonecli5 "$endpoint" one tcp://192.168.55.210:5555 3
    start client2 clonecli5 "$endpoint" two tcp://192.168.55.211:5555 3
    shows client1 "/nodes/two"
    shows server "^I: /nodes/two is tcp://192.168.55.211:5555$"
    stop client2
    shows server "^I: /nodes/two is gone$"
}

# The servers need ports that are known before: addresses that no other run of this script has.
test_clone_6() {
    net=127.$(($$ / 250 % 250 + 1)).$(($$ % 250 + 1))
    primary=tcp://$net.1:5556
    backup=tcp://$net.2:5556
    start primary clonesrv6 primary "$primary" "$backup" "$at"state-a "$at"state-b 200
    start backup clonesrv6 backup "$backup" "$primary" "$at"state-b "$at"state-a 200
    shows primary "^I: serving at $primary, 0 keys$"
    shows backup "^I: following $primary, "
    start client1 clonecli6 "$primary" "$backup" 20 200
    shows client1 "^I: set /client/5$"
    stop primary
    shows client1 "^W: no answer from $primary, failing over$"
    shows client1 "^I: the table is complete: 20 keys$"
    shows backup "^I: serving at $backup, [1-9][0-9]* keys$"
    start primary clonesrv6 primary "$primary" "$backup" "$at"state-a "$at"state-b 200
    shows primary "^I: following $backup, 20 keys$"
    stop backup
    run client2 clonecli6 "$primary" "$backup" 20 200
    shows client2 "^I: $primary has 20 keys$"
    shows primary "^I: serving at $primary, 20 keys$"
}
