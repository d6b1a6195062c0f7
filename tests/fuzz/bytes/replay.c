/* Runs a fuzzer without libFuzzer, so that any compiler builds it.
 *
 *   NAME_fuzz [-n RUNS] [-s SEED] FOLDER
 *
 * Runs each file of the folder, and then RUNS inputs that are made of them by
 * random changes.  A finding ends the process; -v prints the number of each
 * run first, and `-n 1 -s NUMBER` repeats one. */

#include "bytes.h"

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

enum {
    MOST_FILES = 256,
    ROOM = 4096,
    MOST_CHANGES = 8
};

typedef struct {
    size_t size;
    uint8_t data[ROOM];
} sample;

static sample *samples[MOST_FILES];
static size_t count;
static uint64_t state;

static uint32_t pick(size_t bound)
{
    uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)((z ^ z >> 31) >> 33) % (uint32_t)bound;
}

/* The input is in a block of just its size, so that a read beyond it is
 * found. */
static void run(const sample *s)
{
    uint8_t *data = malloc(s->size + (s->size == 0));
    HOLDS(data != NULL);
    memcpy(data, s->data, s->size);
    LLVMFuzzerTestOneInput(data, s->size);
    free(data);
}

static void load(const char *folder, const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = *name == '.' ? NULL : fopen(path, "rb");
    if (file == NULL || count == MOST_FILES)
        return;
    sample *s = calloc(1, sizeof *s);
    HOLDS(s != NULL);
    s->size = fread(s->data, 1, ROOM, file);
    fclose(file);
    samples[count++] = s;
}

/* The order in which a folder lists its files differs between systems. */
static int compare(const void *a, const void *b)
{
    const sample *x = *(sample *const *)a, *y = *(sample *const *)b;
    int order = memcmp(x->data, y->data, ROOM);
    return order != 0 ? order : (x->size > y->size) - (x->size < y->size);
}

static void insert(sample *s, size_t at)
{
    if (s->size == ROOM)
        return;
    memmove(s->data + at + 1, s->data + at, s->size - at);
    s->data[at] = (uint8_t)pick(256);
    s->size++;
}

/* The start of the sample and the end of another one. */
static void splice(sample *s)
{
    const sample *other = samples[pick(count)];
    size_t keep = pick(s->size + 1), from = pick(other->size + 1);
    size_t more = other->size - from;
    more = more < ROOM - keep ? more : ROOM - keep;
    memcpy(s->data + keep, other->data + from, more);
    s->size = keep + more;
}

static void change(sample *s)
{
    static const uint8_t edges[] = {0, 1, 0x7f, 0x80, 0xfe, 0xff};
    size_t at = pick(s->size + 1);
    uint32_t how = pick(6);
    if (how == 0) {
        insert(s, at);
    } else if (how == 1) {
        splice(s);
    } else if (at < s->size) {
        if (how == 2)
            memmove(s->data + at, s->data + at + 1, s->size-- - at - 1);
        else if (how == 3)
            s->data[at] ^= (uint8_t)(1u << pick(8));
        else if (how == 4)
            s->data[at] = edges[pick(sizeof edges)];
        else
            s->data[at] = (uint8_t)pick(256);
    }
}

int main(int argc, char **argv)
{
    long runs = 0;
    uint64_t seed = 1;
    bool verbose = false;
    int option;
    while ((option = getopt(argc, argv, "n:s:v")) != -1)
        if (option == 'n')
            runs = strtol(optarg, NULL, 10);
        else if (option == 's')
            seed = strtoull(optarg, NULL, 10);
        else
            verbose = true;
    DIR *folder = optind < argc ? opendir(argv[optind]) : NULL;
    if (folder == NULL) {
        fprintf(stderr, "no such folder\n");
        return 2;
    }
    for (struct dirent *e; (e = readdir(folder)) != NULL;)
        load(argv[optind], e->d_name);
    closedir(folder);
    if (count == 0)
        return 2;
    qsort(samples, count, sizeof *samples, compare);
    for (size_t i = 0; i < count; i++)
        run(samples[i]);
    static sample made;
    for (long i = 0; i < runs; i++) {
        state = seed + (uint64_t)i;
        if (verbose)
            fprintf(stderr, "%llu\n", (unsigned long long)state);
        made = *samples[pick(count)];
        for (uint32_t left = 1 + pick(MOST_CHANGES); left > 0; left--)
            change(&made);
        run(&made);
    }
    for (size_t i = 0; i < count; i++)
        free(samples[i]);
    printf("%zu files and %ld changed inputs\n1 passed, 0 failed\n", count,
           runs);
    return 0;
}
