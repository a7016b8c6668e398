/* limits: what this machine can do at most, for bench/run.py to hold workloads against.
 *
 *     limits [-o] [-t THREADS] [NAME ...]     all when none is named; a line "NAME THREADS VALUE"
 * for each
 *
 * read, write, triad and stream are bytes per second: reading an array, filling one, and a[i] =
 * b[i] + s * c[i] with usual stores and with stores past the caches.  The line that a usual store
 * reads first is not counted, as STREAM (McCalpin 1995) does not.  fma64 and fma32 are operations
 * per second: multiply-adds in registers, as many at a time as fill the units; each counts two.
 *
 * Each is measured on one thread, unless -o is given, and on THREADS, by default all that the
 * process may use.  Threads
 * wait for each other before and after a pass; the median of PASSES counts.  The arrays lie on huge
 * pages and are larger than caches.  Compiled for the machine it runs on. */
#include <immintrin.h>
#include <pthread.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#ifdef __AVX512F__
enum { WIDTH = 64 };
#define STREAM(p, v) _mm512_stream_pd((double *)(p), (__m512d)(v))
#else
enum { WIDTH = 32 };
#define STREAM(p, v) _mm256_stream_pd((double *)(p), (__m256d)(v))
#endif

enum { PASSES = 9, MAX_THREADS = 256, SUMS = 12, ROUNDS = 4 << 20, STREAMS = 4 };
static const size_t ARRAY_BYTES = (size_t)384 << 20, HUGE_PAGE = (size_t)2 << 20;

typedef double Vec __attribute__((vector_size(WIDTH)));
typedef float Vec32 __attribute__((vector_size(WIDTH)));

typedef struct Limit {
    const char *name;
    double (*pass)(Vec *a, const Vec *b, const Vec *c, size_t n); /* of n vectors each */
    int arrays; /* read and written; 0: the work is done in registers */
    int cell;   /* bytes of a cell, then */
} Limit;

/* ---- passes: each gives a number that depends on all it did, so that it is done ---- */

/* Several streams: one alone keeps the memory less busy. */
static double pass_read(Vec *a, const Vec *b, const Vec *c, size_t n)
{
    Vec sum[STREAMS] = {{0}};

    (void)a, (void)c;
    for (size_t i = 0; i < n / STREAMS; i++)
        for (size_t s = 0; s < STREAMS; s++)
            sum[s] += b[s * (n / STREAMS) + i];
    return sum[0][0] + sum[1][0] + sum[2][0] + sum[3][0];
}

static double pass_write(Vec *a, const Vec *b, const Vec *c, size_t n)
{
    (void)c;
    for (size_t i = 0; i < n; i++)
        STREAM(a + i, b[0]);
    _mm_sfence();
    return 0;
}

static double pass_triad(Vec *a, const Vec *b, const Vec *c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        a[i] = b[i] + 3.0 * c[i];
    return a[0][0];
}

static double pass_stream(Vec *a, const Vec *b, const Vec *c, size_t n)
{
    for (size_t i = 0; i < n; i++)
        STREAM(a + i, b[i] + 3.0 * c[i]);
    _mm_sfence();
    return a[0][0];
}

/* Chains of multiply-adds in registers, each with a start of its own: chains that the compiler can
 * prove equal it computes once.  HIDE keeps it from knowing what a chain holds. */
#define HIDE(v) __asm__ volatile("" : "+v"(v))
#define PASS_FMA(NAME, VEC)                                                                        \
    static double NAME(Vec *a, const Vec *b, const Vec *c, size_t n)                               \
    {                                                                                              \
        const VEC scale = (VEC)b[0], add = (VEC)c[0];                                              \
        VEC sum[SUMS];                                                                             \
                                                                                                   \
        (void)a, (void)n;                                                                          \
        for (int s = 0; s < SUMS; s++) {                                                           \
            sum[s] = add;                                                                          \
            HIDE(sum[s]);                                                                          \
        }                                                                                          \
        for (int r = 0; r < ROUNDS; r++)                                                           \
            for (int s = 0; s < SUMS; s++)                                                         \
                sum[s] = sum[s] * scale + add;                                                     \
        for (int s = 1; s < SUMS; s++)                                                             \
            sum[0] += sum[s];                                                                      \
        return (double)sum[0][0];                                                                  \
    }
PASS_FMA(pass_fma64, Vec)
PASS_FMA(pass_fma32, Vec32)

static const double FMA_BYTES = 2.0 * ROUNDS * SUMS * WIDTH; /* operations times bytes of a cell */
static const Limit limits[] = {
    {"read", pass_read, 1, 0},
    {"write", pass_write, 1, 0},
    {"triad", pass_triad, 3, 0},
    {"stream", pass_stream, 3, 0},
    {"fma64", pass_fma64, 0, sizeof(double)},
    {"fma32", pass_fma32, 0, sizeof(float)},
};

/* ---- threads ---- */

typedef struct Worker {
    const Limit *limit;
    pthread_barrier_t *barrier;
    pthread_t thread;
    Vec *a, *b, *c;
    size_t n;
    double result, seconds[PASSES];
} Worker;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *work(void *arg)
{
    Worker *w = arg;

    for (int p = 0; p < PASSES; p++) {
        double begin;

        pthread_barrier_wait(w->barrier);
        begin = now();
        w->result += w->limit->pass(w->a, w->b, w->c, w->n);
        pthread_barrier_wait(w->barrier);
        w->seconds[p] = now() - begin;
    }
    return NULL;
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Of all threads together. */
static double measure(const Limit *limit, Vec *arrays[3], int threads)
{
    static Worker workers[MAX_THREADS];
    const size_t n = ARRAY_BYTES / WIDTH / (size_t)threads;
    pthread_barrier_t barrier;
    double *seconds = workers[0].seconds, amount;

    pthread_barrier_init(&barrier, NULL, (unsigned)threads);
    for (int t = 0; t < threads; t++) {
        const size_t at = (size_t)t * n;

        workers[t] =
            (Worker){limit, &barrier, 0, arrays[0] + at, arrays[1] + at, arrays[2] + at, n, 0, {0}};
        if (pthread_create(&workers[t].thread, NULL, work, &workers[t]) != 0) {
            fprintf(stderr, "limits: no thread\n");
            exit(1);
        }
    }
    for (int t = 0; t < threads; t++)
        pthread_join(workers[t].thread, NULL);
    pthread_barrier_destroy(&barrier);
    qsort(seconds, PASSES, sizeof *seconds, by_value);
    amount = limit->arrays ? limit->arrays * (double)n * WIDTH : FMA_BYTES / limit->cell;
    return threads * amount / seconds[PASSES / 2];
}

/* So many arrays of three on huge pages, in memory. */
static bool new_arrays(Vec *arrays[3], int used)
{
    char *p = mmap(NULL, 3 * ARRAY_BYTES + HUGE_PAGE, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        return false;
    p += -(uintptr_t)p & (HUGE_PAGE - 1);
    madvise(p, 3 * ARRAY_BYTES, MADV_HUGEPAGE);
    for (int k = 0; k < used; k++) /* pass_read reads the second, pass_write writes the first */
        memset(p + (size_t)(used == 1 ? 1 : k) * ARRAY_BYTES, 0, ARRAY_BYTES);
    for (int k = 0; k < 3; k++)
        arrays[k] = (Vec *)(void *)(p + (size_t)k * ARRAY_BYTES);
    return true;
}

static int usable_cores(void)
{
    cpu_set_t set;

    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
}

static bool named(const char *name, char **names)
{
    for (char **n = names; *n; n++)
        if (strcmp(*n, name) == 0)
            return true;
    return !*names;
}

/* The most arrays that one of the limits takes. */
static int arrays_used(char **names)
{
    int used = 0;

    for (size_t k = 0; k < sizeof limits / sizeof *limits; k++)
        if (named(limits[k].name, names) && limits[k].arrays > used)
            used = limits[k].arrays;
    return used;
}

int main(int argc, char **argv)
{
    int threads = usable_cores(), option;
    bool only = false;
    Vec *arrays[3];

    while ((option = getopt(argc, argv, "ot:")) != -1) {
        if (option == '?')
            return 1;
        only |= option == 'o';
        threads = option == 't' ? (int)strtol(optarg, NULL, 10) : threads;
    }
    threads = threads < 1 ? 1 : threads > MAX_THREADS ? MAX_THREADS : threads;
    if (!new_arrays(arrays, arrays_used(argv + optind))) {
        fprintf(stderr, "limits: no memory for the arrays\n");
        return 1;
    }
    for (size_t k = 0; k < sizeof limits / sizeof *limits; k++) {
        if (!named(limits[k].name, argv + optind))
            continue;
        if (!only || threads == 1)
            printf("%s 1 %.4g\n", limits[k].name, measure(&limits[k], arrays, 1));
        if (threads > 1)
            printf("%s %d %.4g\n", limits[k].name, threads, measure(&limits[k], arrays, threads));
    }
    return 0;
}
