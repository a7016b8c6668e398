/* partition: how a parallel call divides its units into chunks.
 *
 * A scheme says how many of the n units the chunk that begins at a position gets; whoever of the p
 * threads is free takes it.  No scheme keeps state: a size follows from the position alone, by
 * walking through the few stages before it where need be, so the call's one atomic position is all
 * there is to share, and the chunks are the same whoever takes them.  No chunk is smaller than the
 * grain of the call, and this is the smallest chunk of the schemes that have one.
 *
 * Sources:
 *   gss   Polychronopoulos and Kuck, Guided self-scheduling, IEEE Trans. Computers 36(12), 1987
 *   ss    Tang and Yew, Processor self-scheduling for multiple nested parallel loops, ICPP 1986
 *   fac2  Hummel, Schonberg and Flynn, Factoring, Comm. ACM 35(8), 1992
 *   tss   Tzen and Ni, Trapezoid self-scheduling, IEEE Trans. Par. Distr. Systems 4(1), 1993
 *   fiss, viss  Philip and Das, Evaluation of loop scheduling algorithms on distributed memory
 *         systems, PDCS 1997
 *   tfss  Chronopoulos, Andonie, Benche and Grosu, A class of loop self-scheduling for
 *         heterogeneous clusters, Cluster 2001; its tables for n = 1000, p = 4 are our test
 *   pss   Girkar, Kejariwal, Tian, Saito, Nicolau, Veidenbaum and Polychronopoulos, Probabilistic
 *         self-scheduling, Euro-Par 2006
 *   pls   Shih, Yang and Tseng, A performance-based parallel loop scheduling on grid environments,
 *         J. Supercomputing 41(3), 2007
 *   mfsc  Banicescu, Ciorba and Srivastava, Performance optimization of scientific applications
 *         using an autonomic computing approach, in Scalable Computing, Wiley 2013
 *
 * Costs: a few divisions a chunk; a walk over at most 4p chunks for tss, over the logarithm of n
 * for fac2. */
#include "task/engine.h"

#include <math.h>
#include <string.h>

static int64_t divide_up(int64_t a, int64_t b)
{
    return a / b + (a % b != 0);
}

static int64_t at_least(int64_t size, int64_t least)
{
    return size < least ? least : size;
}

static int64_t static_size(const Division *d, int64_t at)
{
    (void)at;
    return divide_up(d->n, d->threads);
}

static int64_t mstatic_size(const Division *d, int64_t at)
{
    (void)at;
    return divide_up(d->n, 4 * d->threads);
}

static int64_t ss_size(const Division *d, int64_t at)
{
    (void)d, (void)at;
    return 1;
}

/* One size that makes about as many chunks as factoring does: p log2(n/p). */
static int64_t mfsc_size(const Division *d, int64_t at)
{
    const double share = (double)d->n / (double)d->threads;

    (void)at;
    return share > 2 ? (int64_t)(share / log2(share) + 0.5) : 1;
}

static int64_t gss_size(const Division *d, int64_t at)
{
    return divide_up(d->n - at, d->threads);
}

/* The expected number of processors is all of them: the engine's threads serve one program. */
static int64_t pss_size(const Division *d, int64_t at)
{
    return divide_up(2 * (d->n - at), 3 * d->threads);
}

/* Seven tenths of the work are divided beforehand.  The scheme measures this ratio, shortest to
 * longest unit; nothing is known of our units. */
static int64_t pls_size(const Division *d, int64_t at)
{
    const int64_t part = (d->n / 10 * 7 + d->n % 10 * 7 / 10) / d->threads;

    return at < part * d->threads ? part : gss_size(d, at);
}

/* ---- sizes on a falling line ---- */

/* From n/2p down to the grain by equal steps, so that their sum is n. */
typedef struct Trapezoid {
    int64_t first, step;
} Trapezoid;

static Trapezoid trapezoid(const Division *d)
{
    const int64_t first = at_least(divide_up(d->n, 2 * d->threads), d->grain);
    const int64_t chunks = divide_up(2 * d->n, first + d->grain);

    return (Trapezoid){first, chunks > 1 ? (first - d->grain) / (chunks - 1) : 0};
}

static int64_t tss_size(const Division *d, int64_t at)
{
    const Trapezoid t = trapezoid(d);
    int64_t size = t.first;

    for (; at >= size; size = at_least(size - t.step, d->grain))
        at -= size;
    return size;
}

/* ---- sizes that hold for p chunks ---- */

/* The size in stage k, after one of `last`, when `left` units were left at its beginning. */
typedef int64_t (*StageSize)(const Division *d, int k, int64_t last, int64_t left);

static int64_t staged_size(const Division *d, int64_t at, StageSize stage)
{
    int64_t begin = 0, size = 0;

    for (int k = 0;; k++) {
        size = at_least(stage(d, k, size, d->n - begin), d->grain);
        if ((at - begin) / size < d->threads)
            return size;
        begin += size * d->threads;
    }
}

static int64_t fac2_stage(const Division *d, int k, int64_t last, int64_t left)
{
    (void)k, (void)last;
    return divide_up(left, 2 * d->threads);
}

static int64_t fac2_size(const Division *d, int64_t at)
{
    return staged_size(d, at, fac2_stage);
}

/* The mean of the p sizes that tss gives in a row. */
static int64_t tfss_stage(const Division *d, int k, int64_t last, int64_t left)
{
    const Trapezoid t = trapezoid(d);
    const int64_t p = d->threads, steps = k * p * p + p * (p - 1) / 2;

    (void)last, (void)left;
    return (p * t.first - steps * t.step) / p;
}

static int64_t tfss_size(const Division *d, int64_t at)
{
    return staged_size(d, at, tfss_stage);
}

/* s stages from n/p(s+2) on; the last takes what is left. */
static int64_t fiss_stage(const Division *d, int k, int64_t last, int64_t left)
{
    enum { STAGES = 3, X = STAGES + 2 };
    const int64_t p = d->threads;

    if (k == 0)
        return d->n / (X * p);
    if (k < STAGES - 1) /* 2n(1 - s/x) / (p s (s-1)) */
        return last + 2 * d->n * (X - STAGES) / (X * p * STAGES * (STAGES - 1));
    return divide_up(left, p);
}

static int64_t fiss_size(const Division *d, int64_t at)
{
    return staged_size(d, at, fiss_stage);
}

/* From n/4p on, by steps that halve. */
static int64_t viss_stage(const Division *d, int k, int64_t last, int64_t left)
{
    const int64_t first = d->n / (4 * d->threads);

    (void)left;
    return k == 0 ? first : last + (k < 63 ? first >> k : 0);
}

static int64_t viss_size(const Division *d, int64_t at)
{
    return staged_size(d, at, viss_stage);
}

const Partition partition_table[] = {
    {"static", static_size, "One equal chunk a thread: least overhead, for even work."},
    {"ss", ss_size, "Self-scheduling: the smallest chunks there are, for the most uneven work."},
    {"gss", gss_size, "Guided: a share of what is left, r/p."},
    {"tss", tss_size, "Trapezoid: from n/2p down to the smallest chunk by equal steps."},
    {"fac2", fac2_size, "Factoring: half of what is left in p equal chunks, again and again."},
    {"tfss", tfss_size, "Trapezoid factoring: p equal chunks of the mean size of tss."},
    {"fiss", fiss_size, "Fixed increase: three stages of p chunks that grow by the same step."},
    {"viss", viss_size, "Variable increase: stages of p chunks that grow by halving steps."},
    {"pls", pls_size, "Performance-based: 70% of the work as static, the rest as gss."},
    {"mstatic", mstatic_size, "Modified static: four equal chunks a thread."},
    {"mfsc", mfsc_size, "Fixed size: equal chunks, as many as fac2 makes."},
    {"pss", pss_size, "Probabilistic: r/1.5e, where e is the expected number of free threads."},
};
const int partition_count = (int)(sizeof partition_table / sizeof *partition_table);

const Partition *partition_find(const char *name)
{
    for (int k = 0; k < partition_count; k++)
        if (strcmp(partition_table[k].name, name) == 0)
            return &partition_table[k];
    return NULL;
}

void task_partition_help(Buffer *b)
{
    buffer_text(
        b, "How kernels divide n units of work among p threads into chunks; r units are left.\n");
    for (int k = 0; k < partition_count; k++)
        buffer_format(b, "  %-8s %s\n", partition_table[k].name, partition_table[k].doc);
}
