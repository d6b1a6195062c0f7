/* Makes every call that the kernel makes fail, one after the other.
 *
 *   faults [-j JOBS] [-n RUNS] [-v] [SCENE...]
 *   faults -r "SCENE FIRST COUNT SYMBOL ERRNO"
 *
 * Plays each scene once to count its calls.  Then plays it for each call and
 * each error that this call can return, in a child process: the call fails
 * once; three calls fail; all later calls of this function fail; all later
 * calls that can return the error do.  And once more with another thread that
 * shuts the context down at that call.  With -n only as many of these runs are
 * made, spread evenly.  Prints one line for each run that ends, hangs, leaks
 * or does not recover; with -r it is made again. */

#include "scene.h"

#include <zmq.h>

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
    MOST_JOBS = 16,
    PATIENCE = 40000, /* milliseconds of one run */
    SHOWN = 60        /* lines of findings */
};

const char *__asan_default_options(void);
const char *__ubsan_default_options(void);

const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1:quarantine_size_mb=4:handle_abort=1";
}

const char *__ubsan_default_options(void)
{
    return "halt_on_error=1:print_stacktrace=1";
}

typedef struct {
    pid_t child; /* 0: idle */
    const scene *played;
    fault_plan plan;
    int64_t begun;
    fault_log *log;
    FILE *output;
} job;

static job jobs[MOST_JOBS];
static int job_count = 2;
static bool verbose;
static long wanted = -1; /* runs */
static long all, made, failed, injected;

static int64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void show_output(job *j)
{
    char line[400];
    int shown = 0;
    rewind(j->output);
    while (fgets(line, sizeof line, j->output) != NULL && shown++ < 24)
        fprintf(stdout, "    %s", line);
}

static void start(job *j, const scene *played, fault_plan plan)
{
    j->played = played;
    j->plan = plan;
    j->begun = now();
    j->output = tmpfile();
    atomic_store(&j->log->doing, "start");
    fflush(NULL);
    j->child = fork();
    if (j->child < 0 || j->output == NULL)
        abort();
    if (j->child == 0) {
        const struct rlimit none = {0, 0};
        setrlimit(RLIMIT_CORE, &none);
        dup2(fileno(j->output), 1);
        dup2(fileno(j->output), 2);
        fclose(j->output);
        play(played, plan, j->log);
    }
}

static void finish(job *j, int status, bool hung)
{
    j->child = 0;
    made++;
    injected += atomic_load(&j->log->made);
    if (status != 0) {
        failed++;
        if (failed <= SHOWN) {
            printf("\"%s %d %d %s %d\" (%s): %s %#x, in %s\n", j->played->name,
                   j->plan.first, j->plan.count, symbol_name(j->plan.symbol),
                   j->plan.error, strerror(j->plan.error),
                   hung ? "hangs" : "ends", (unsigned)status,
                   atomic_load(&j->log->doing));
            show_output(j);
            fflush(stdout);
        }
    }
    fclose(j->output);
}

/* Waits until a job is idle, or all of them are. */
static job *await(bool everyone)
{
    for (;;) {
        int busy = 0;
        job *idle = NULL;
        for (job *j = jobs; j < jobs + job_count; j++) {
            int status;
            if (j->child != 0 &&
                waitpid(j->child, &status, WNOHANG) == j->child)
                finish(j, status, now() - j->begun > PATIENCE);
            if (j->child != 0 && now() - j->begun > PATIENCE + 10000)
                kill(j->child, SIGKILL);
            else if (j->child != 0 && now() - j->begun > PATIENCE)
                kill(j->child, SIGABRT);
            if (j->child == 0)
                idle = j;
            else
                busy++;
        }
        if (everyone ? busy == 0 : idle != NULL)
            return idle;
        nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
    }
}

/* Whether this run is one of those that are wanted. */
static bool is_chosen(long total)
{
    long before = all++;
    return wanted < 0 || total == 0 ||
           before * wanted / total != (before + 1) * wanted / total;
}

static void run(const scene *played, fault_plan plan, long total)
{
    if (is_chosen(total) && total >= 0)
        start(await(false), played, plan);
}

/* Makes all runs for one call.  A negative total only counts them. */
static void fail_call(const scene *played, int number, int symbol, long total)
{
    int error;
    run(played, (fault_plan){number, 1, SHUTDOWN, ETERM}, total);
    for (int i = 0; (error = symbol_error(symbol, i)) != 0; i++) {
        bool waits =
            error == EINTR || (error == EAGAIN && symbol_moves(symbol));
        int others = waits || error == EAGAIN ? symbol : ANY;
        run(played, (fault_plan){number, 1, symbol, error}, total);
        run(played, (fault_plan){number, 3, others, error}, total);
        if (waits)
            continue;
        run(played, (fault_plan){number, FOR_EVER, symbol, error}, total);
        if (others == ANY)
            run(played, (fault_plan){number, FOR_EVER, ANY, error}, total);
    }
}

typedef struct {
    int count;
    unsigned char *symbols;
} counted;

/* Plays the scene without faults. */
static counted count_calls(const scene *played)
{
    job *j = &jobs[0];
    counted found = {0};
    start(j, played, (fault_plan){0});
    long before = failed;
    await(true);
    made--;
    if (failed != before)
        return found;
    found.count = atomic_load(&j->log->calls);
    if (found.count > MOST_POINTS)
        abort();
    found.symbols = malloc((size_t)found.count + 1);
    for (int i = 0; i < found.count; i++)
        found.symbols[i] = atomic_load(&j->log->of[i]);
    if (verbose)
        printf("%s: %d calls in %lld ms\n", played->name, found.count,
               (long long)(now() - j->begun));
    fflush(stdout);
    return found;
}

static bool is_named(const scene *played, char **names)
{
    if (*names == NULL)
        return true;
    for (; *names != NULL; names++)
        if (strcmp(*names, played->name) == 0)
            return true;
    return false;
}

static void sweep(char **names)
{
    enum {
        MOST_SCENES = 64
    };
    counted found[MOST_SCENES] = {{0}};
    for (int s = 0; scenes[s].name != NULL; s++) {
        if (!is_named(&scenes[s], names))
            continue;
        found[s] = count_calls(&scenes[s]);
        for (int i = 0; i < found[s].count; i++)
            fail_call(&scenes[s], i + 1, found[s].symbols[i], -1);
    }
    long total = all;
    if (verbose)
        printf("%ld runs\n", total);
    fflush(stdout);
    all = 0;
    for (int s = 0; scenes[s].name != NULL; s++) {
        for (int i = 0; i < found[s].count; i++)
            fail_call(&scenes[s], i + 1, found[s].symbols[i], total);
        free(found[s].symbols);
    }
    await(true);
}

static int symbol_named(const char *name)
{
    for (int i = 0; symbol_error(i, 0) != 0; i++)
        if (strcmp(symbol_name(i), name) == 0)
            return i;
    return ANY;
}

static int repeat(const char *text)
{
    char name[64], symbol[64];
    fault_plan plan;
    if (sscanf(text, "%63s %d %d %63s %d", name, &plan.first, &plan.count,
               symbol, &plan.error) != 5)
        return 2;
    plan.symbol =
        strcmp(symbol, "shutdown") == 0 ? SHUTDOWN : symbol_named(symbol);
    for (const scene *s = scenes; s->name != NULL; s++)
        if (strcmp(s->name, name) == 0)
            play(s, plan, jobs[0].log);
    return 2;
}

int main(int argc, char **argv)
{
    int option;
    for (job *j = jobs; j < jobs + MOST_JOBS; j++) {
        j->log = mmap(NULL, sizeof *j->log, PROT_READ | PROT_WRITE,
                      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        if (j->log == MAP_FAILED)
            return 2;
    }
    while ((option = getopt(argc, argv, "vj:n:r:")) != -1)
        switch (option) {
        case 'v':
            verbose = true;
            break;
        case 'j':
            job_count = (int)strtol(optarg, NULL, 10);
            break;
        case 'n':
            wanted = strtol(optarg, NULL, 10);
            break;
        case 'r':
            return repeat(optarg);
        default:
            return 2;
        }
    if (job_count < 1 || job_count > MOST_JOBS)
        return 2;
    sweep(argv + optind);
    printf("%ld runs with %ld faults\n", made, injected);
    printf("%ld passed, %ld failed\n", made - failed, failed);
    return failed != 0;
}
