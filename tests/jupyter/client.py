"""Drives the kernel of examples/jupyter as a notebook does, with jupyter_client."""

import os
import signal
import sys
import threading
import traceback

from jupyter_client.manager import KernelManager

LIMIT = 60
passed = failed = 0


def start():
    manager = KernelManager(kernel_name="chicken")
    manager.start_kernel()
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=LIMIT)
    return manager, client


def run(client, code, meanwhile=None, **options):
    """Evaluates code; returns the reply's content and what was published, by type."""
    number = client.execute(code, **options)
    published = []
    while True:
        message = client.get_iopub_msg(timeout=LIMIT)
        if message["parent_header"].get("msg_id") != number:
            continue
        kind, content = message["msg_type"], message["content"]
        published.append((kind, content))
        if kind == "status" and content["execution_state"] == "idle":
            break
        if kind == "stream" and meanwhile:
            meanwhile()
            meanwhile = None
    while True:
        reply = client.get_shell_msg(timeout=LIMIT)
        if reply["parent_header"]["msg_id"] == number:
            return reply["content"], published


def of_type(published, kind):
    return [content for k, content in published if k == kind]


def result(client, code):
    reply, published = run(client, code)
    assert reply["status"] == "ok", reply
    return [content["data"]["text/plain"] for content in of_type(published, "execute_result")]


def output(published, name):
    return "".join(c["text"] for c in of_type(published, "stream") if c["name"] == name)


def test(name, function, *arguments):
    global passed, failed
    try:
        function(*arguments)
        passed += 1
        print(name, "... ok", flush=True)
    except Exception:
        failed += 1
        print(name, "... FAILED", flush=True)
        traceback.print_exc(file=sys.stdout)


def kernel_info(manager, client):
    client.kernel_info()
    content = client.get_shell_msg(timeout=LIMIT)["content"]
    assert content["status"] == "ok"
    assert content["protocol_version"] == "5.3"
    assert content["language_info"]["name"] == "scheme"
    assert content["language_info"]["file_extension"] == ".scm"


def results(manager, client):
    assert result(client, "(+ 1 2)") == ["3"]
    assert result(client, "(define x 5) (* x x)") == ["25"]
    assert result(client, "(list \"a\" 'b #\\c 1.5)") == ["(\"a\" b #\\c 1.5)"]
    assert result(client, "(define y 1)") == []
    assert result(client, "") == []
    assert result(client, "(values 1 2)") == ["1\n2"]
    assert result(client, "\"ä€😀\"") == ["\"ä€😀\""]


def module_of_the_notebook(manager, client):
    assert result(client, "(import zmq (chicken string)) (zmq-version)")[0].startswith("(4 ")
    assert result(client, "(define send 1) (define (reply . x) x) (define parts 2) send") == ["1"]
    assert result(client, "(string-split \"a b\")") == ["(\"a\" \"b\")"]


def counts(manager, client):
    first, _ = run(client, "1")
    second, published = run(client, "2")
    assert second["execution_count"] == first["execution_count"] + 1
    assert of_type(published, "execute_input")[0]["code"] == "2"
    assert [c["execution_state"] for c in of_type(published, "status")] == ["busy", "idle"]
    silent, published = run(client, "3", silent=True)
    assert silent["status"] == "ok"
    assert silent["execution_count"] == second["execution_count"]
    assert not of_type(published, "execute_result")


def outputs(manager, client):
    reply, published = run(client, "(print \"one\") (display 'two) (print \"ä\\n\\\"\")")
    assert reply["status"] == "ok"
    assert output(published, "stdout") == "one\ntwoä\n\"\n"
    reply, published = run(client, "(display \"oops\" (current-error-port))")
    assert output(published, "stderr") == "oops"
    assert result(client, "(eof-object? (read-char))") == ["#t"]
    reply, published = run(client, "(write-char (integer->char 255))")
    assert output(published, "stdout") == "\ufffd"
    reply, published = run(client, "(do ((i 0 (+ i 1))) ((= i 300)) (print i))")
    assert output(published, "stdout") == "".join(f"{i}\n" for i in range(300))


def errors(manager, client):
    for code, words in [("(car 1)", "bad argument type"),
                        ("(error \"no\" 'good)", "no: good"),
                        ("nowhere", "unbound variable: nowhere"),
                        ("(import (chicken condition)) (signal 'thing)", "thing"),
                        ("(+ 1", "unterminated"), ("(import nothing-of-this-name)", "nothing"),
                        ("(vector-ref (vector 1) 5)", "out of range")]:
        reply, published = run(client, code)
        assert reply["status"] == "error", (code, reply)
        assert words in reply["evalue"], (code, reply)
        error = of_type(published, "error")[0]
        assert error["evalue"] == reply["evalue"] and error["traceback"], error
    assert result(client, "(+ 2 2)") == ["4"]


def aborted(manager, client):
    """After an error, what was entered behind it is not evaluated."""
    numbers = [client.execute("(let loop () (loop))"), client.execute("(define never 1)"),
               client.execute("(define never 1)")]
    # What was sent before this round trip is in the kernel's queue.
    client.control_channel.send(client.session.msg("kernel_info_request"))
    client.get_control_msg(timeout=LIMIT)
    manager.interrupt_kernel()
    replies = [client.get_shell_msg(timeout=LIMIT) for _ in numbers]
    assert [r["parent_header"]["msg_id"] for r in replies] == numbers
    assert [r["content"]["status"] for r in replies] == ["error", "aborted", "aborted"], replies
    assert "unbound" in run(client, "never")[0]["evalue"]


def completeness(manager, client):
    for code, status in [("(+ 1 2)", "complete"), ("(define (f)\n", "incomplete"),
                         ("\"abc", "incomplete"), (")", "invalid"), ("", "complete")]:
        client.is_complete(code)
        content = client.get_shell_msg(timeout=LIMIT)["content"]
        assert content["status"] == status, (code, content)


def other_requests(manager, client):
    client.complete("ca", 2)
    assert client.get_shell_msg(timeout=LIMIT)["content"]["matches"] == []
    client.inspect("car")
    assert client.get_shell_msg(timeout=LIMIT)["content"]["found"] is False
    client.history()
    assert client.get_shell_msg(timeout=LIMIT)["content"]["history"] == []
    client.comm_info()
    assert client.get_shell_msg(timeout=LIMIT)["content"]["comms"] == {}


def heartbeat(manager, client):
    """The heartbeat is answered, also while something is evaluated."""
    import zmq
    socket = zmq.Context.instance().socket(zmq.REQ)
    socket.linger = 0
    socket.connect(f"tcp://{manager.ip}:{manager.hb_port}")

    def beat():
        socket.send(b"ping")
        assert socket.poll(LIMIT * 1000)
        assert socket.recv() == b"ping"
    beat()
    run(client, "(print 'begun) (let loop () (loop))",
        lambda: (beat(), beat(), manager.interrupt_kernel()))


def interrupts(manager, client):
    for code in ["(print 'begun) (let loop () (loop))",
                 "(import zmq) (print 'begun) (receive-message (make-socket 'pull))",
                 "(print 'begun) (poll '() #t)"]:
        reply, published = run(client, code, manager.interrupt_kernel)
        assert reply["status"] == "error", reply
        assert "user-interrupt" in reply["ename"], reply
    assert result(client, "(+ 3 4)") == ["7"]
    manager.interrupt_kernel()
    assert result(client, "(+ 3 5)") == ["8"]
    os.kill(manager.provisioner.pid, signal.SIGINT)     # as Control-C in a console
    assert result(client, "(+ 3 6)") == ["9"]


def unsigned(manager, client):
    """A message with a wrong signature is dropped, and the kernel goes on."""
    key, client.session.key = client.session.key, b"another"
    client.execute("(define of-a-stranger 1)")
    client.session.key = key
    assert result(client, "(+ 1 1)") == ["2"]
    assert "unbound" in run(client, "of-a-stranger")[0]["evalue"]


def restart(manager, client):
    run(client, "(define before 1)")
    manager.restart_kernel(now=False)
    client.wait_for_ready(timeout=LIMIT)
    reply, _ = run(client, "before")
    assert "unbound variable" in reply["evalue"], reply
    assert result(client, "(+ 1 1)") == ["2"]


def shutdown(manager, client):
    """It ends by itself when asked to, also while something is evaluated."""
    client.execute("(let loop () (loop))")
    client.shutdown()
    reply = client.get_control_msg(timeout=LIMIT)
    assert reply["content"] == {"status": "ok", "restart": False}, reply
    assert manager.provisioner.process.wait(LIMIT) == 0


def main():
    threading.Timer(200, lambda: os._exit(3)).start()
    manager, client = start()
    try:
        for function in [kernel_info, results, module_of_the_notebook, counts, outputs, errors,
                         aborted, completeness, other_requests, heartbeat, interrupts, unsigned,
                         restart, shutdown]:
            test("jupyter: " + function.__name__.replace("_", " "), function, manager, client)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    print(f"{passed} passed, {failed} failed", flush=True)
    os._exit(0 if failed == 0 else 1)


main()
