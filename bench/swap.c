/* The swap's queue alone: what appending and taking cost, beside the rate of
 * writing and reading as much with pwrite and pread in the same run, into a
 * file that is new and into one that stands in the page cache.
 *
 *   swap [DIRECTORY]
 */

#include "swap.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MIB ((uint64_t)1 << 20)

static const char *directory = "/var/tmp";
static unsigned char *content;

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void fail(const char *what, int code)
{
    fprintf(stderr, "swap: %s: %s\n", what, sz_error_text(code));
    exit(1);
}

/* Seconds that a system call takes for all of the blocks. */
static double raw(int fd, size_t block, uint64_t count, bool writing)
{
    double begun = seconds();
    for (uint64_t i = 0; i < count; i++) {
        off_t at = (off_t)(i * block);
        ssize_t done = writing ? pwrite(fd, content, block, at)
                               : pread(fd, content, block, at);
        if (done != (ssize_t)block)
            fail("file", szi_last_error());
    }
    return seconds() - begun;
}

static double append_all(szi_swap *swap, size_t size, uint64_t count)
{
    double begun = seconds();
    szi_bytes part = {content, size};
    for (uint64_t i = 0; i < count; i++) {
        int code = szi_swap_append(swap, &part, 1);
        if (code != 0)
            fail("append", code);
    }
    return seconds() - begun;
}

static double take_all(szi_swap *swap, size_t size, uint64_t count)
{
    double begun = seconds();
    for (uint64_t i = 0; i < count; i++) {
        size_t parts;
        const uint64_t *sizes;
        int code = szi_swap_front(swap, &parts, &sizes);
        if (code == 0)
            code = szi_swap_read(swap, content, size);
        if (code == 0)
            code = szi_swap_check(swap);
        if (code != 0)
            fail("take", code);
        szi_swap_drop(swap);
    }
    return seconds() - begun;
}

static void report(const char *what, size_t size, uint64_t count, double time,
                   double limit)
{
    double rate = (double)count * (double)size / time / (1 << 30);
    printf("  %-15s %7zu B: %6.2f M messages/s, %5.2f GiB/s; raw %5.2f GiB/s, "
           "ratio %.2f\n",
           what, size, (double)count / time / 1e6, rate, rate * time / limit,
           limit / time);
}

static void measure(size_t size, uint64_t total)
{
    uint64_t count = total / size;
    size_t block = size > 65536 ? size : 65536;
    uint64_t blocks = count * size / block;
    szi_swap *swap;
    int code = szi_swap_new(&szi_disk_system, directory, 2 * total,
                            SZI_SWAP_BUFFER, &swap);
    int fd = szi_disk_system.open(NULL, directory);
    if (code != 0 || fd < 0)
        fail(directory, code != 0 ? code : fd);
    double write_new = raw(fd, block, blocks, true);
    double append_new = append_all(swap, size, count);
    double read = raw(fd, block, blocks, false);
    double take = take_all(swap, size, count);
    double write_old = raw(fd, block, blocks, true);
    double append_old = append_all(swap, size, count);
    report("append, new", size, count, append_new, write_new);
    report("append, cached", size, count, append_old, write_old);
    report("take, cached", size, count, take, read);
    szi_swap_free(swap);
    szi_disk_system.close(NULL, fd);
}

int main(int argc, char **argv)
{
    if (argc > 1)
        directory = argv[1];
    content = calloc(1, 4 * MIB);
    if (content == NULL)
        return 1;
    printf("the queue of the swap beside pwrite and pread of as many bytes in "
           "blocks of 64 KiB or more, in %s\n",
           directory);
    for (int round = 0; round < 3; round++) {
        measure(128, 64 * MIB);
        measure(1024, 256 * MIB);
        measure(65536, 512 * MIB);
        measure(MIB, 512 * MIB);
    }
    free(content);
    return 0;
}
