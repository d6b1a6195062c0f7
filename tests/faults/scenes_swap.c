/* Scenes of swaps, pollers and timers. */

#include "scene.h"
#include "scenes.h"

#include <string.h>
#include <unistd.h>

#define TCP "tcp://127.0.0.1:*"

static channel c;

/* A channel whose sender has a swap, and no peer yet. */
static void begin_swap(int64_t size, int parts, int part_size)
{
    sz_socket push = new_socket("push"), pull = new_socket("pull");
    set(push, "sndhwm", 2);
    set(pull, "rcvhwm", 2);
    set_text(push, "swap-directory", directory);
    set(push, "swap", size);
    c = (channel){.from = push,
                  .to = pull,
                  .parts = parts,
                  .size = part_size,
                  .swaps = true};
}

/* Accepted messages wait until the peer comes, and then arrive. */
static void use_swap(int64_t size, int parts, int part_size, int count)
{
    begin_swap(size, parts, part_size);
    int held = fill_channel(&c, count);
    CHECK(held > 0 || disturbed());
    CHECK(get(c.from, "swap-count") <= held);
    connect_to(c.from, bind_to(c.to, TCP));
    open_channel(&c);
    receive_numbered(&c, -1);
    send_numbered(&c, 5);
    receive_numbered(&c, -1);
    int64_t next;
    MUST(sz_socket_pump(c.from, &next));
}

void scene_swap_memory(void)
{
    use_swap(1 << 20, 1, 100, 30);
}

void scene_swap_disk(void)
{
    use_swap(4 << 20, 1, 50000, 20);
}

void scene_swap_parts(void)
{
    use_swap(4 << 20, 3, 40000, 6);
}

/* A socket that is closed while its swap holds messages. */
void scene_swap_linger(void)
{
    begin_swap(4 << 20, 1, 60000);
    set(c.from, "linger", 5000);
    connect_to(c.from, bind_to(c.to, TCP));
    send_numbered(&c, 12);
    c.swaps = false;
    close_socket(c.from);
    /* Starts the thread, if none could be started. */
    close_socket(new_socket("pair"));
    receive_numbered(&c, -1);
}

void scene_swap_publisher(void)
{
    sz_socket pub = new_socket("pub"), sub = new_socket("sub");
    set(pub, "sndhwm", 2);
    set(pub, "swap", 1 << 20);
    set_text(sub, "subscribe", "");
    set(sub, "rcvhwm", 2);
    connect_to(sub, bind_to(pub, "inproc://pub"));
    MUST(sz_socket_events(pub));
    c = (channel){
        .from = pub, .to = sub, .parts = 1, .size = 1000, .swaps = true};
    open_channel(&c);
    send_numbered(&c, 20);
    receive_numbered(&c, -1);
}

/* Waits until the poller reports the tag. */
static void expect_tag(sz_poller poller, uint64_t tag, int events)
{
    sz_ready ready[4];
    for (int i = 0; i < 20000; i++) {
        int n = 0;
        MUST(n = sz_poller_check(poller, ready, 4));
        for (int k = 0; k < n; k++)
            if (ready[k].tag == tag && (ready[k].events & events) != 0)
                return;
            else if ((ready[k].events & SZ_ERROR) != 0 && ready[k].tag < 100)
                wrong("the poller reports an error of %d", (int)ready[k].tag);
        int fd;
        MUST(fd = sz_poller_fd(poller));
        int code = sz_wait(fd, 1);
        may(code, SZ_EAGAIN, "sz_wait");
        if (code < 0 && code != SZ_EAGAIN)
            pause_for(1);
    }
    wrong("the poller does not report %d", (int)tag);
}

void scene_poller(void)
{
    sz_poller poller = new_poller(), other = new_poller();
    sz_socket push = new_socket("push"), pull = new_socket("pull");
    int pipe_fds[2];
    CHECK(pipe(pipe_fds) == 0);
    keep(pipe_fds[0]);
    keep(pipe_fds[1]);
    MAY(sz_poller_add_fd(poller, pipe_fds[0], SZ_IN, 3), 0);
    MAY(sz_poller_remove_fd(poller, pipe_fds[0]), SZ_ENOENT);
    MUST(sz_poller_add_socket(poller, pull, SZ_IN, 1));
    MUST(sz_poller_add_socket(other, pull, SZ_SIGNAL, 2));
    MUST(sz_poller_add_socket(poller, push, 0, 4));
    MUST(sz_poller_modify_socket(poller, push, SZ_OUT, 4));
    connect_to(push, bind_to(pull, TCP));
    expect_tag(poller, 4, SZ_OUT);
    MUST(sz_poller_modify_socket(poller, push, 0, 4));
    send_text(push, "x");
    expect_tag(poller, 1, SZ_IN);
    expect_tag(other, 2, SZ_SIGNAL);
    expect_text(pull, "x");
    MUST(sz_poller_wake(poller));
    int fd;
    MUST(fd = sz_poller_fd(poller));
    MUST(sz_wait(fd, 1));
    MUST(sz_poller_remove_socket(poller, push));
    close_socket(push);
}

/* A poller that is told of the swap of a socket. */
void scene_poller_swap(void)
{
    sz_poller poller = new_poller();
    begin_swap(1 << 20, 1, 1000);
    MUST(sz_poller_add_socket(poller, c.from, SZ_SWAP, 1));
    fill_channel(&c, 10);
    expect_tag(poller, 1, SZ_SWAP);
    connect_to(c.from, bind_to(c.to, TCP));
    open_channel(&c);
    receive_numbered(&c, -1);
    send_numbered(&c, 10);
    receive_numbered(&c, -1);
    MUST(sz_poller_remove_socket(poller, c.from));
}

/* Descriptors that were closed before they were removed. */
void scene_poller_stale(void)
{
    sz_poller poller = new_poller();
    sz_socket pull = new_socket("pull"), push = new_socket("push");
    connect_to(push, bind_to(pull, "inproc://stale"));
    MUST(sz_poller_add_socket(poller, pull, SZ_IN, 1));
    int fds[2], other[2];
    CHECK(pipe(fds) == 0 && pipe(other) == 0);
    keep(fds[0]);
    keep(fds[1]);
    keep(other[0]);
    keep(other[1]);
    keep(dup(fds[0]));
    int code = sz_poller_add_fd(poller, fds[0], SZ_IN, 100);
    may(code, 0, "sz_poller_add_fd");
    MUST(sz_poller_add_fd(poller, other[0], SZ_IN, 3));
    CHECK(write(fds[1], "x", 1) == 1);
    close_kept(fds[0]);
    if (code == 0)
        MUST(sz_poller_remove_fd(poller, fds[0]));
    send_text(push, "x");
    expect_tag(poller, 1, SZ_IN);
    expect_text(pull, "x");
    CHECK(write(other[1], "x", 1) == 1);
    expect_tag(poller, 3, SZ_IN);
    MUST(sz_poller_remove_fd(poller, other[0]));
    send_text(push, "y");
    expect_tag(poller, 1, SZ_IN);
}

void scene_timers(void)
{
    sz_poller poller = new_poller();
    uint64_t first, second;
    for (int i = 0; i < 20; i++) {
        MUST(sz_poller_add_timer(poller, sz_now() + 100000, &second));
        MUST(sz_poller_remove_timer(poller, second));
    }
    for (int i = 0; i < 40; i++)
        MUST(sz_poller_add_timer(poller, sz_now() + 100000, &second));
    MUST(sz_poller_add_timer(poller, sz_now() + 5, &first));
    expect_tag(poller, first, SZ_TIMER);
    MAY(sz_poller_remove_timer(poller, first), SZ_ENOENT);
    MUST(sz_poller_add_timer(poller, sz_now() + 5, &first));
    expect_tag(poller, first, SZ_TIMER);
}
