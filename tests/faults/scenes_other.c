/* Scenes of monitors, proxies, messages, files, and ends. */

#include "scene.h"
#include "scenes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TCP "tcp://127.0.0.1:*"

/* Reads events until one is of the kind, or they were missed. */
static void expect_event(sz_monitor monitor, int bit)
{
    sz_event event = {0};
    do {
        int code, tries = 0;
        note("sz_monitor_receive");
        while (again(code = sz_monitor_receive(monitor, &event), &tries,
                     "sz_monitor_receive"))
            if (code == SZ_ENOMEM)
                return;
    } while (event.type->bit != bit && event.missed == 0);
}

void scene_monitor(void)
{
    sz_socket pull = new_socket("pull"), push = new_socket("push");
    sz_monitor all = new_monitor(pull, SZ_EVENT_ALL);
    sz_monitor some = new_monitor(pull, SZ_EVENT_HANDSHAKE_SUCCEEDED);
    connect_to(push, bind_to(pull, TCP));
    expect_event(all, SZ_EVENT_LISTENING);
    expect_event(all, SZ_EVENT_HANDSHAKE_SUCCEEDED);
    expect_event(some, SZ_EVENT_HANDSHAKE_SUCCEEDED);
    sz_connections found;
    MUST(sz_socket_connections(pull, &found));
    CHECK(found.peers == 1 || disturbed());
    MUST(sz_monitor_stop(some));
    MUST(sz_monitor_close(some));
    MUST(sz_monitor_close(all));
    sz_monitor later = new_monitor(push, SZ_EVENT_ALL);
    sz_monitor again_made = new_monitor(pull, SZ_EVENT_ALL);
    CHECK(sz_monitor_fd(later) >= 0);
    close_socket(pull);
    expect_event(again_made, SZ_EVENT_MONITOR_STOPPED);
}

void scene_observed(void)
{
    sz_observe_all(true);
    sz_socket pull = new_socket("pull"), push = new_socket("push");
    connect_to(push, bind_to(pull, TCP));
    send_text(push, "x");
    expect_text(pull, "x");
    sz_connections found;
    MUST(sz_socket_connections(push, &found));
    MUST(sz_socket_connections(pull, &found));
    close_socket(push);
    sz_observe_all(false);
}

void scene_proxy(void)
{
    sz_socket front = new_socket("router"), back = new_socket("dealer");
    sz_socket capture = new_socket("pair"), captured = new_socket("pair");
    sz_socket client = new_socket("dealer"), worker = new_socket("dealer");
    connect_to(client, bind_to(front, TCP));
    connect_to(worker, bind_to(back, "inproc://back"));
    connect_to(captured, bind_to(capture, "inproc://captured"));
    sz_part parts[9];
    for (int i = 0; i < 9; i++)
        parts[i] = (sz_part){.data = "part", .size = 4};
    for (size_t n = 1; n <= 9; n += 4)
        MUST(sz_send(client, parts, n));
    uint64_t moved_messages = 0;
    for (int i = 0; i < 20000 && moved_messages < 3; i++) {
        sz_moved moved;
        MUST(sz_proxy_move(front, back, capture, &moved));
        moved_messages += moved.messages;
        if (moved.messages == 0)
            pause_for(1);
        CHECK(moved.uncaptured == 0 && moved.dropped == 0);
    }
    for (int n = 1; n <= 9; n += 4) {
        CHECK(receive_any(worker) == n + 1);
        CHECK(receive_any(captured) == n + 1);
    }
}

static bool take_bytes(void *argument, const void *data, size_t size)
{
    (void)data;
    *(size_t *)argument += size;
    return true;
}

void scene_messages(void)
{
    sz_socket a = new_socket("pair"), b = new_socket("pair");
    connect_to(a, bind_to(b, "inproc://messages"));
    sz_message made, copy, taken[9] = {{0}}, encoded;
    size_t held = sz_message_held();
    MUST(sz_message_new("0123456789", 10, &made));
    MUST(sz_message_copy(made, &copy));
    sz_part parts[9];
    static char large[100000];
    for (int i = 0; i < 9; i++)
        parts[i] = (sz_part){.data = large, .size = sizeof large};
    parts[0] = (sz_part){.message = made};
    MUST(sz_send(a, parts, 9));
    int count;
    MUST(count = sz_receive_held(b));
    CHECK(count == 9);
    MUST(sz_take(b, 3, &taken[0]));
    sz_message_free(taken[0]);
    MUST(sz_take_all(b, taken, 9));
    const void *data;
    size_t size;
    MUST(sz_message_data(taken[0], &data, &size));
    CHECK(size == 10 && memcmp(data, "0123456789", 10) == 0);
    for (int i = 0; i < 9; i++)
        sz_message_free(taken[i]);
    MUST(sz_parts_encode(parts, 9, &encoded));
    sz_message_free(encoded);
    sz_message_free(made);
    sz_message_free(copy);
    CHECK(sz_message_held() == held);
    size_t bytes = 0;
    for (int i = 0; i < 3; i++)
        send_text(a, "each");
    while (bytes < 12) {
        int code = sz_receive_each(b, 100, take_bytes, &bytes);
        may(code, SZ_EAGAIN, "sz_receive_each");
        /* A message whose receiving was interrupted is held. */
        bytes += code > 0 ? 4 : 0;
        sz_release(b);
    }
    sz_statistics found;
    MUST(sz_socket_statistics(b, &found));
    CHECK(found.received == 4);
}

static bool read_back(const char *path, const char *content)
{
    static char data[SZ_KEYFILE_ROOM];
    int size = 0;
    MUST(size = sz_keyfile_read(path, data));
    return (size_t)size == strlen(content) &&
           memcmp(data, content, strlen(content)) == 0;
}

void scene_keyfiles(void)
{
    char path[120];
    snprintf(path, sizeof path, "%s/key", directory);
    MUST(sz_keyfile_save(path, "first", 5, true));
    CHECK(read_back(path, "first"));
    /* A file that cannot be replaced stays. */
    int tries = 0;
    while (again(sz_keyfile_save(path, "second", 6, false), &tries,
                 "sz_keyfile_save"))
        CHECK(read_back(path, "first"));
    CHECK(read_back(path, "second"));
    sz_stamp stamp;
    MUST(sz_keyfile_stamp(path, &stamp));
    CHECK(stamp.size == 6);
    bool exposed;
    static char data[SZ_KEYFILE_ROOM];
    MUST(sz_keyfile_load(path, data, &exposed));
    CHECK(exposed);
}

void scene_shutdown_context(void)
{
    sz_context other = new_context();
    sz_socket pull = new_socket_in(other, "pull");
    sz_socket push = new_socket_in(other, "push");
    connect_to(push, "inproc://nobody");
    new_monitor(pull, SZ_EVENT_ALL);
    bind_to(pull, TCP);
    MUST(sz_context_shutdown(other));
    CHECK(sz_receive(pull) == SZ_ETERM);
    CHECK(sz_context_check(other) == SZ_ETERM);
    sz_socket late;
    CHECK(sz_socket_new(other, sz_type_find("pull"), &late) == SZ_ETERM);
}

void scene_drop_context(void)
{
    sz_context other;
    MUST(sz_context_new(&other));
    sz_socket push;
    if (sz_socket_new(other, sz_type_find("push"), &push) == 0)
        MAY(sz_socket_connect(push, "inproc://nobody", 15, NULL), 0);
    note("sz_context_drop");
    sz_context_drop(other);
    /* A later call goes on, if a thread can be started. */
    sz_context third;
    MUST(sz_context_new(&third));
    sz_context_drop(third);
    sz_context fourth;
    MUST(sz_context_new(&fourth));
    sz_context_drop(fourth);
}

static void count_report(const char *type, const char *endpoint,
                         void *argument)
{
    (void)type;
    (void)endpoint;
    ++*(int *)argument;
}

void scene_leave(void)
{
    sz_socket push = new_socket("push"), pull = new_socket("pull");
    connect_to(push, bind_to(pull, TCP));
    send_text(push, "x");
    expect_text(pull, "x");
    int reports = 0;
    MUST(sz_exit(5000, count_report, &reports));
    CHECK(reports == 0 || disturbed());
}

/* What was sent to nobody is reported, or the error. */
void scene_leave_undelivered(void)
{
    sz_socket push = new_socket("push");
    set(push, "linger", -1);
    connect_to(push, "tcp://127.0.0.1:9");
    send_text(push, "x");
    int reports = 0;
    note("sz_exit");
    int code = sz_exit(20, count_report, &reports);
    if (code == 0)
        wrong("sz_exit does not know of a message");
    if (code == SZ_EAGAIN && reports != 1)
        wrong("%d reports", reports);
    may(code, SZ_EAGAIN, "sz_exit");
    /* Its socket keeps the message for ever. */
    _exit(0);
}
