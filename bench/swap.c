/* What the swap costs.
 *
 *   swap [DIRECTORY]                  the queue alone, and a socket with it
 *   swap campaign GIB [DIRECTORY]     so many GiB through the disk, each
 *                                     message checked
 *
 * Time is the processor's for this thread, which others on the machine change
 * less than they change the clock's. */

#include "error.h"
#include "swap.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define KIB ((uint64_t)1 << 10)
#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

enum {
    ROUNDS = 5
};

static const char *directory = "/var/tmp";
static unsigned char *content;

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void check(const char *what, int code)
{
    if (code >= 0)
        return;
    fprintf(stderr, "swap: %s: %s\n", what, sz_error_text(code));
    exit(1);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values)
{
    double sorted[ROUNDS];
    memcpy(sorted, values, sizeof sorted);
    qsort(sorted, ROUNDS, sizeof *sorted, compare);
    return sorted[ROUNDS / 2];
}

/* Resident memory of the process, in KiB. */
static long resident(void)
{
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f == NULL || fscanf(f, "%*d %ld", &pages) != 1)
        pages = 0;
    if (f != NULL)
        fclose(f);
    return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

/* ------------------------------------------------------- the queue alone --
 */

/* Seconds that a system call takes for all of the blocks. */
static double raw(int fd, size_t block, uint64_t count, bool writing)
{
    double begun = seconds();
    for (uint64_t i = 0; i < count; i++) {
        off_t at = (off_t)(i * block);
        ssize_t done = writing ? pwrite(fd, content, block, at)
                               : pread(fd, content, block, at);
        check("file", done == (ssize_t)block ? 0 : szi_last_error());
    }
    return seconds() - begun;
}

static double append_all(szi_swap *swap, size_t size, uint64_t count)
{
    double begun = seconds();
    szi_bytes part = {content, size};
    for (uint64_t i = 0; i < count; i++)
        check("append", szi_swap_append(swap, &part, 1));
    return seconds() - begun;
}

static double take_all(szi_swap *swap, size_t size, uint64_t count)
{
    double begun = seconds();
    for (uint64_t i = 0; i < count; i++) {
        size_t parts;
        const uint64_t *sizes;
        check("take", szi_swap_front(swap, &parts, &sizes));
        check("take", szi_swap_read(swap, content, size));
        check("take", szi_swap_check(swap));
        szi_swap_drop(swap);
    }
    return seconds() - begun;
}

static void report(const char *what, size_t size, uint64_t count, double *time,
                   double *limit)
{
    double ratios[ROUNDS];
    for (int i = 0; i < ROUNDS; i++)
        ratios[i] = limit[i] / time[i];
    double bytes = (double)count * (double)size / (double)GIB;
    printf("  %-14s %7zu B: %6.2f M messages/s, %5.2f GiB/s; system %5.2f "
           "GiB/s, ratio %.2f\n",
           what, size, (double)count / median(time) / 1e6,
           bytes / median(time), bytes / median(limit), median(ratios));
}

/* A file that is new is written to pages that the system must find first; one
 * that was read is in its cache still. */
static void measure(size_t size, uint64_t total)
{
    enum {
        NEW,
        CACHED,
        TAKEN,
        KINDS
    };
    double swaps[KINDS][ROUNDS], systems[KINDS][ROUNDS];
    uint64_t count = total / size;
    size_t block = size > 64 * KIB ? size : 64 * KIB;
    uint64_t blocks = count * size / block;
    for (int i = 0; i < ROUNDS; i++) {
        szi_swap *swap;
        check(directory, szi_swap_new(&szi_disk_system, directory, 2 * total,
                                      SZI_SWAP_BUFFER, &swap));
        int fd = szi_disk_system.open(NULL, directory);
        check(directory, fd);
        systems[NEW][i] = raw(fd, block, blocks, true);
        swaps[NEW][i] = append_all(swap, size, count);
        systems[TAKEN][i] = raw(fd, block, blocks, false);
        swaps[TAKEN][i] = take_all(swap, size, count);
        systems[CACHED][i] = raw(fd, block, blocks, true);
        swaps[CACHED][i] = append_all(swap, size, count);
        szi_swap_free(swap);
        szi_disk_system.close(NULL, fd);
    }
    report("append, new", size, count, swaps[NEW], systems[NEW]);
    report("append, cached", size, count, swaps[CACHED], systems[CACHED]);
    report("take", size, count, swaps[TAKEN], systems[TAKEN]);
}

/* -------------------------------------------------------- with a socket -- */

static sz_context context;
static sz_socket sender, receiver;

static void set(sz_socket socket, const char *name, int64_t value)
{
    check(name, sz_socket_set_integer(
                    socket, sz_option_find(SZ_SOCKET_OPTION, name), value));
}

static int64_t get(sz_socket socket, const char *name)
{
    int64_t value = 0;
    check(name, sz_socket_get_integer(
                    socket, sz_option_find(SZ_SOCKET_OPTION, name), &value));
    return value;
}

static void open_sockets(int64_t swap, int mark)
{
    static const char endpoint[] = "inproc://bench";
    const sz_option *place =
        sz_option_find(SZ_SOCKET_OPTION, "swap-directory");
    check("context", sz_context_new(&context));
    check("push", sz_socket_new(context, sz_type_find("push"), &sender));
    check("pull", sz_socket_new(context, sz_type_find("pull"), &receiver));
    set(sender, "linger", 0);
    set(sender, "sndhwm", mark);
    set(receiver, "rcvhwm", mark);
    check(directory,
          sz_socket_set_bytes(sender, place, directory, strlen(directory)));
    set(sender, "swap", swap);
    check("bind", sz_socket_bind(receiver, endpoint, strlen(endpoint), NULL));
    check("connect",
          sz_socket_connect(sender, endpoint, strlen(endpoint), NULL));
}

static void close_sockets(void)
{
    while (sz_context_terminate(context) == SZ_EAGAIN)
        sz_wait(sz_context_fd(context), 100);
}

static void receive_one(void)
{
    sz_part part;
    int64_t next;
    while (sz_receive_part(receiver, 1 << 20, &part) == SZ_EAGAIN)
        check("pump", sz_socket_pump(sender, &next));
}

/* Sending and receiving by turns, 500 at a time: seconds. */
static double by_turns(int rounds)
{
    double begun = seconds();
    for (int i = 0; i < rounds; i++) {
        for (int j = 0; j < 500; j++)
            check("send", sz_send_bytes(sender, content, 128));
        for (int j = 0; j < 500; j++)
            receive_one();
    }
    return seconds() - begun;
}

/* Moving what waits, without receiving it: seconds. */
static double pump_all(int count)
{
    double time = 0;
    for (int left = count; left > 0;) {
        double begun = seconds();
        int64_t next;
        check("pump", sz_socket_pump(sender, &next));
        time += seconds() - begun;
        int now = (int)get(sender, "swap-count");
        for (; left > now; left--)
            receive_one();
    }
    return time;
}

static void measure_sockets(void)
{
    double off[ROUNDS], on[ROUNDS], bare[ROUNDS], drained[ROUNDS];
    const int count = 100000;
    for (int i = 0; i < ROUNDS; i++) {
        open_sockets(0, 1000);
        off[i] = by_turns(400);
        double begun, all = 0;
        for (int j = 0; j < count; j += 500) {
            begun = seconds();
            for (int k = 0; k < 500; k++)
                check("send", sz_send_bytes(sender, content, 128));
            all += seconds() - begun;
            for (int k = 0; k < 500; k++)
                receive_one();
        }
        bare[i] = all;
        close_sockets();
        open_sockets((int64_t)GIB, 1000);
        on[i] = by_turns(400);
        for (int j = 0; j < 2000 + count; j++)
            check("send", sz_send_bytes(sender, content, 128));
        drained[i] = 0;
        for (int j = 0; j < 2000; j++)
            receive_one();
        int waiting = (int)get(sender, "swap-count");
        drained[i] = pump_all(waiting) * count / waiting;
        close_sockets();
    }
    double ratios[ROUNDS];
    for (int i = 0; i < ROUNDS; i++)
        ratios[i] = on[i] / off[i];
    printf("  128 B sent and received with an empty swap: %.0f ns, time %.2f "
           "of that without\n",
           median(on) * 1e9 / (400 * 500), median(ratios));
    for (int i = 0; i < ROUNDS; i++)
        ratios[i] = bare[i] / drained[i];
    printf("  128 B moved from the swap to inproc: %.0f ns, rate %.2f of bare "
           "sending\n",
           median(drained) * 1e9 / count, median(ratios));
}

static void measure_memory(void)
{
    open_sockets((int64_t)(3 * GIB), 10);
    while (get(sender, "swap-count") == 0)
        check("send", sz_send_bytes(sender, content, 64 * KIB));
    long before = resident(), most = before;
    while (get(sender, "swap-bytes") < (int64_t)(2 * GIB)) {
        check("send", sz_send_bytes(sender, content, 64 * KIB));
        long now = resident();
        most = now > most ? now : most;
    }
    printf("  2 GiB waiting: resident memory grew by %ld KiB\n",
           most - before);
    close_sockets();
}

/* ------------------------------------------------------------- campaign -- */

static uint64_t mix(uint64_t z)
{
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

/* Sizes from 8 B to 256 KiB, many of them small. */
static size_t size_of(uint64_t number)
{
    uint64_t random = mix(number);
    return 8 + (random >> 8) % ((uint64_t)1 << (3 + random % 16));
}

static void fill(uint64_t *words, uint64_t number, size_t size)
{
    for (size_t i = 0; i <= size / 8; i++)
        words[i] = mix(number * 65537 + i);
}

static void check_message(uint64_t *wanted, uint64_t number)
{
    sz_part part;
    size_t right = size_of(number);
    int64_t next;
    while (sz_receive_part(receiver, 1 << 20, &part) == SZ_EAGAIN)
        check("pump", sz_socket_pump(sender, &next));
    fill(wanted, number, right);
    if (part.size == right && memcmp(part.data, wanted, right) == 0) {
        sz_release(receiver);
        return;
    }
    fprintf(stderr, "swap: message %llu came wrong\n",
            (unsigned long long)number);
    exit(1);
}

/* The queue grows to 1.5 GiB and shrinks to a quarter of that, by turns, so
 * that all goes through the file; at the end it empties. */
static void campaign(uint64_t total)
{
    static uint64_t words[256 * 1024 / 8 + 2];
    uint64_t sent = 0, received = 0, bytes = 0, reported = 0;
    bool growing = true;
    const int64_t high = (int64_t)(3 * GIB / 2);
    open_sockets((int64_t)(2 * GIB), 10);
    long before = resident(), most = before;
    time_t begun = time(NULL);
    while (bytes < total || received < sent) {
        if (growing && bytes < total) {
            fill(words, sent, size_of(sent));
            check("send", sz_send_bytes(sender, words, size_of(sent)));
            bytes += size_of(sent++);
            growing = sent % 64 != 0 || get(sender, "swap-bytes") < high;
        } else {
            check_message(words, received++);
            growing =
                received == sent ||
                (received % 64 == 0 && get(sender, "swap-bytes") < high / 4);
        }
        if (bytes - reported >= GIB) {
            reported = bytes;
            long now = resident();
            most = now > most ? now : most;
            printf("  %llu GiB, %llu messages, %ld s, resident memory grew by "
                   "%ld KiB\n",
                   (unsigned long long)(bytes / GIB), (unsigned long long)sent,
                   (long)(time(NULL) - begun), most - before);
            fflush(stdout);
        }
    }
    printf("  all %llu messages of %.2f GiB came whole and in order; %lld "
           "were lost\n",
           (unsigned long long)received, (double)bytes / (double)GIB,
           (long long)get(sender, "swap-lost"));
    close_sockets();
}

int main(int argc, char **argv)
{
    content = aligned_alloc(4096, 4 * MIB);
    if (content == NULL)
        return 1;
    memset(content, 1, 4 * MIB);
    if (argc > 2 && strcmp(argv[1], "campaign") == 0) {
        if (argc > 3)
            directory = argv[3];
        printf("through the swap, in %s\n", directory);
        campaign(strtoull(argv[2], NULL, 10) * GIB);
        return 0;
    }
    if (argc > 1)
        directory = argv[1];
    printf("the swap's queue beside pwrite and pread of as many bytes, in "
           "blocks of 64 KiB or more, in %s; medians of %d rounds\n",
           directory, ROUNDS);
    measure(128, 64 * MIB);
    measure(KIB, 256 * MIB);
    measure(64 * KIB, 512 * MIB);
    measure(MIB, 512 * MIB);
    printf("a socket with a swap\n");
    measure_sockets();
    measure_memory();
    free(content);
    return 0;
}
