/* What every program here measures with, in C and through the egg: clocks, a
 * processor of one's own, a second process, and the closing line. */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Ends the program if what was called did not succeed. */
static inline void must(int succeeded, const char *what)
{
    if (succeeded)
        return;
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

static inline double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static inline double cpu_of(int who)
{
    struct rusage use;
    getrusage(who, &use);
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
           (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

/* Of this process, which starts with what the one before it had. */
static inline long peak_kilobytes(void)
{
    long peak = 0;
    char line[128];
    FILE *status = fopen("/proc/self/status", "r");
    while (status != NULL && fgets(line, sizeof line, status) != NULL)
        if (sscanf(line, "VmHWM: %ld", &peak) == 1)
            break;
    if (status != NULL)
        fclose(status);
    return peak;
}

static inline long resident_kilobytes(void)
{
    long size = 0, resident = 0;
    FILE *statm = fopen("/proc/self/statm", "r");
    if (statm == NULL || fscanf(statm, "%ld %ld", &size, &resident) != 2)
        resident = 0;
    if (statm != NULL)
        fclose(statm);
    return resident * (sysconf(_SC_PAGESIZE) / 1024);
}

/* Stays on one processor, with the threads that are made later, where there
 * are two; the second one is that of the second process. */
static inline void pin(int processor)
{
    cpu_set_t set;
    long there = sysconf(_SC_NPROCESSORS_ONLN);
    CPU_ZERO(&set);
    CPU_SET((size_t)(there > 1 ? (there - 1 - processor) % there : 0), &set);
    sched_setaffinity(0, sizeof set, &set);
}

/* As many descriptors as the system allows. */
static inline void raise_limits(void)
{
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static double started, elapsed, cpu_before;

/* ------------------------------------------------------ two processes -- */

static int to_child[2], to_first[2];
static pid_t child;

/* Starts the second process, which gets true. */
static inline int split(void)
{
    must(pipe(to_child) == 0 && pipe(to_first) == 0, "pipe");
    child = fork();
    must(child >= 0, "fork");
    close(to_child[child == 0 ? 1 : 0]);
    close(to_first[child == 0 ? 0 : 1]);
    pin(child == 0);
    return child == 0;
}

/* The first tells the second where to connect. */
static inline void tell(const char *endpoint)
{
    must(write(to_child[1], endpoint, strlen(endpoint) + 1) > 0, "tell");
}

static inline const char *told(void)
{
    static char endpoint[256];
    size_t length = 0;
    do
        must(read(to_child[0], endpoint + length, 1) == 1, "told");
    while (endpoint[length++] != '\0' && length < sizeof endpoint);
    return endpoint;
}

/* The second tells the first what it has measured. */
static inline void tell_time(double time)
{
    must(write(to_first[1], &time, sizeof time) == sizeof time, "tell_time");
}

static inline void take_time(void)
{
    must(read(to_first[0], &elapsed, sizeof elapsed) == sizeof elapsed,
         "take_time");
}

/* The second becomes raw, which stands beside this program, and which goes on
 * as it would have been if it had split itself. */
static inline void become_feeder(const char *front, const char *back,
                                 long size, long count)
{
    char program[512], number[4][32];
    ssize_t length = readlink("/proc/self/exe", program, 480);
    must(length > 0, "readlink");
    program[length] = '\0';
    strcpy(strrchr(program, '/'), "/raw");
    snprintf(number[0], sizeof *number, "%ld", size);
    snprintf(number[1], sizeof *number, "%ld", count);
    snprintf(number[2], sizeof *number, "%d", to_child[0]);
    snprintf(number[3], sizeof *number, "%d", to_first[1]);
    execl(program, program, "feed", front, back, number[0], number[1],
          number[2], number[3], (char *)NULL);
    must(0, program);
}

/* The second keeps its sockets open until the first is done, and ends. */
static inline void await_end(void)
{
    char byte;
    while (read(to_child[0], &byte, 1) < 0 && errno == EINTR)
        ;
    _exit(0);
}

/* ------------------------------------------------------- measuring -- */

static double extra[3];
static int extras;

static inline void start(void)
{
    if (started == 0)
        cpu_before = cpu_of(RUSAGE_SELF);
    started = seconds();
}

static inline void stop(void)
{
    elapsed += seconds() - started;
}

/* Single times, for their distribution. */
static double *times;
static size_t times_count;

static inline void make_times(size_t count)
{
    times = calloc(count, sizeof *times);
    must(times != NULL, "times");
}

static inline void note_time(void)
{
    times[times_count++] = seconds() - started;
}

static inline int compare_times(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static inline double quantile(double share)
{
    return times[(size_t)(share * (double)(times_count - 1))];
}

/* The closing line: how many, seconds, seconds of processor time, the peak of
 * memory in KB, and what else there is. */
static inline void report(double count)
{
    double cpu = cpu_of(RUSAGE_SELF) - cpu_before;
    if (child > 0) {
        close(to_child[1]);
        while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
            ;
        cpu += cpu_of(RUSAGE_CHILDREN);
    }
    if (times_count > 0) {
        qsort(times, times_count, sizeof *times, compare_times);
        extra[0] = quantile(0.5);
        extra[1] = quantile(0.99);
        extra[2] = quantile(0.999);
        extras = 3;
    }
    printf("%.0f %.9f %.6f %ld", count, elapsed, cpu, peak_kilobytes());
    for (int i = 0; i < extras; i++)
        printf(" %.9f", extra[i]);
    printf("\n");
    fflush(stdout);
}

#endif
