/* Random sequences of calls of the whole kernel.
 *
 *   sequence_fuzz [-v] [-t] [-s SECONDS] [-n SEQUENCES] [-c CALLS] [SEED]
 *
 * Runs sequences from SEED on, each of CALLS calls, until SEQUENCES have ended
 * or the time is up.  They run in child processes, several in each.  If one
 * crashes, hangs, leaks or gets an error that the kernel does not document,
 * its seed and its last call are printed, and the exit code is 1.  With -v the
 * calls are printed as well; with -t each sequence has several threads; `-v -n
 * 1 SEED` replays a sequence. */

#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
    BATCH = 40,       /* sequences of one child */
    THREADS = 2,      /* beside the first, in one sequence of four */
    PATIENCE = 60000, /* milliseconds that a call may take */
    LOOK = 20
};

static bool verbose, threaded;
static long seconds = 60, sequences = -1;
static unsigned long calls = 250;
static char directory[] = "/tmp/sequence-XXXXXX";
static progress *shared;

const char *__asan_default_options(void);
const char *__ubsan_default_options(void);

const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1:quarantine_size_mb=16:handle_abort=1";
}

const char *__ubsan_default_options(void)
{
    return "halt_on_error=1:print_stacktrace=1";
}

static void *run_thread(void *argument)
{
    world *w = argument;
    for (unsigned long i = 0; i < calls; i++)
        random_call(w);
    close_objects(w);
    return NULL;
}

static void run_threads(world *w)
{
    static world others[THREADS];
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) {
        others[i] = (world){.random = w->random + (uint64_t)i + 1,
                            .raw = w->raw,
                            .progress = w->progress,
                            .parent = w,
                            .verbose = w->verbose,
                            .directory = w->directory};
        memcpy(others[i].contexts, w->contexts, sizeof w->contexts);
        memcpy(others[i].pipe, w->pipe, sizeof w->pipe);
        if (pthread_create(&threads[i], NULL, run_thread, &others[i]) != 0)
            abort();
    }
    w->parent = w;
    run_thread(w);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    w->parent = NULL;
}

static void run_sequence(uint64_t seed)
{
    static world w;
    w = (world){.random = seed,
                .raw = seed % 2,
                .progress = shared,
                .verbose = verbose,
                .directory = directory};
    atomic_store(&shared->seed, seed);
    if (pipe(w.pipe) != 0)
        abort();
    if (sz_context_new(&w.contexts[0]) != 0)
        abort();
    if (threaded || once_in(&w, 4))
        run_threads(&w);
    else
        for (unsigned long i = 0; i < calls; i++)
            random_call(&w);
    atomic_store(&shared->call, "the end");
    if (!end_world(&w)) {
        fprintf(stderr, "a context does not end\n");
        if (getenv("SEQUENCE_STOP") != NULL)
            pause();
        abort();
    }
    close(w.pipe[0]);
    close(w.pipe[1]);
    atomic_fetch_add(&shared->sequences, 1);
}

static void run_child(uint64_t first, uint64_t count)
{
    /* A wild size must not take the machine's memory. */
    struct rlimit files = {512, 512};
    setrlimit(RLIMIT_NOFILE, &files);
    for (uint64_t i = 0; i < count; i++)
        run_sequence(first + i);
    atomic_store(&shared->call, "exit");
    exit(0);
}

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Waits for the child, and ends it if it makes no progress. */
static int watch(pid_t child, bool *hung)
{
    unsigned long seen = 0;
    int64_t moved = now();
    for (;;) {
        int status;
        if (waitpid(child, &status, WNOHANG) == child)
            return status;
        if (atomic_load(&shared->calls) != seen) {
            seen = atomic_load(&shared->calls);
            moved = now();
        }
        if (now() - moved > PATIENCE && !*hung) {
            *hung = true;
            kill(child, SIGABRT);
        }
        if (now() - moved > PATIENCE + 5000)
            kill(child, SIGKILL);
        nanosleep(&(struct timespec){.tv_nsec = LOOK * 1000000}, NULL);
    }
}

static bool run_batch(uint64_t first, uint64_t count)
{
    bool hung = false;
    atomic_store(&shared->call, "start");
    pid_t child = fork();
    if (child == 0)
        run_child(first, count);
    if (child < 0)
        abort();
    int status = watch(child, &hung);
    if (status == 0)
        return true;
    const char *call = atomic_load(&shared->call);
    printf("seed %llu (after %llu): %s, status %#x, in %s\n",
           (unsigned long long)atomic_load(&shared->seed),
           (unsigned long long)first, hung ? "hangs" : "fails",
           (unsigned)status, call);
    fflush(stdout);
    return false;
}

int main(int argc, char **argv)
{
    int option;
    while ((option = getopt(argc, argv, "vts:n:c:")) != -1)
        switch (option) {
        case 'v':
            verbose = true;
            break;
        case 't':
            threaded = true;
            break;
        case 's':
            seconds = strtol(optarg, NULL, 10);
            break;
        case 'n':
            sequences = strtol(optarg, NULL, 10);
            break;
        case 'c':
            calls = strtoul(optarg, NULL, 10);
            break;
        default:
            return 2;
        }
    uint64_t seed = optind < argc ? strtoull(argv[optind], NULL, 10)
                                  : (uint64_t)time(NULL) * 1000000;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED || mkdtemp(directory) == NULL)
        return 2;
    printf("sequences of %lu calls, from seed %llu\n", calls,
           (unsigned long long)seed);
    fflush(stdout);
    int64_t end = now() + seconds * 1000;
    long failed = 0, left = sequences;
    while ((sequences < 0 && now() < end) || left > 0) {
        long count = sequences < 0 || left > BATCH ? BATCH : left;
        if (!run_batch(seed, (uint64_t)count))
            failed++;
        seed += (uint64_t)count;
        left -= count;
    }
    char command[sizeof directory + 16];
    snprintf(command, sizeof command, "rm -rf %s", directory);
    if (system(command) != 0)
        return 2;
    printf("%lu sequences, %lu calls\n", atomic_load(&shared->sequences),
           atomic_load(&shared->calls));
    printf("%d passed, %ld failed\n", failed == 0, failed);
    return failed != 0;
}
