/* Statistics of a run as text. */
#include "run/run.h"

#include "kernel/pipeline.h"

static double seconds(int64_t ns)
{
    return (double)ns * 1e-9;
}

/* The operator with the most time among those not yet taken, -1 when none is left. */
static int heaviest(const RunStats *s, const bool *taken)
{
    int best = -1;

    for (int op = 0; op < OP_COUNT; op++)
        if (!taken[op] && s->ops[op].count &&
            (best < 0 || s->ops[op].nanoseconds > s->ops[best].nanoseconds))
            best = op;
    return best;
}

/* One of a list of counts, begun by a title. */
static void format_count(Buffer *b, const char *title, const char *name, int64_t count, bool *any)
{
    if (count)
        buffer_format(b, "%s%s %" PRId64, *any ? ", " : title, name, count);
    *any |= count != 0;
}

/* Techniques and rules that changed the program, most of the time few. */
static void format_optimizer(Buffer *b, const RunStats *s)
{
    bool passes = false, rewrites = false;

    for (int k = 0; k < PASS_COUNT; k++)
        format_count(b, "Optimizer passes fired:\t\t", pass_table[k].name, s->passes[k], &passes);
    buffer_text(b, passes ? ".\n" : "");
    for (int k = 0; k < rewrite_count; k++)
        format_count(b, "Rewrites fired:\t\t\t", rewrite_table[k].name, s->rewrites[k], &rewrites);
    buffer_text(b, rewrites ? ".\n" : "");
}

static void format_tasks(Buffer *b, const Ctx *ctx)
{
    TaskStats t;

    if (!ctx->tasks)
        return;
    t = task_stats(ctx->tasks);
    buffer_format(b, "Threads/parallel calls:\t\t%d/%" PRId64 ", %s.\n", t.threads, t.calls,
                  ctx->opt->partition);
    buffer_format(b, "Tasks/steals/imbalance:\t\t%" PRId64 "/%" PRId64 "/%.2f.\n", t.chunks,
                  t.steals, t.imbalance);
}

static void format_pipelines(Buffer *b, PipelineStats p)
{
    if (p.read)
        buffer_format(b, "Pipelines read/machine code:\t%" PRId64 "/%" PRId64 " loops, %.2f ms.\n",
                      p.read, p.coded, seconds(p.nanoseconds) * 1e3);
}

static void format_loops(Buffer *b, const RunStats *s)
{
    if (s->nloops)
        buffer_text(b, "Parallel loops (line, variable, times, iterations, threads, sec., why):\n");
    for (int k = 0; k < s->nloops; k++) {
        const LoopNote *n = &s->loops[k];

        buffer_format(b, "  %d %s\t%" PRId64 " x %" PRId64 " on %d in %.3f, %s\n", n->line, n->name,
                      n->times, n->iterations / n->times, n->threads, seconds(n->nanoseconds),
                      n->text);
    }
}

void stats_format(Buffer *b, const RunStats *s, const Ctx *ctx, int heavy)
{
    PoolStats pool = pool_stats(ctx->pool);
    bool taken[OP_COUNT] = {0};

    buffer_text(b, "matloom Statistics:\n");
    buffer_format(b, "Total elapsed time:\t\t%.3f sec.\n", seconds(s->compile_ns + s->execute_ns));
    buffer_format(b, "Total compilation time:\t\t%.3f sec.\n", seconds(s->compile_ns));
    buffer_format(b, "Total execution time:\t\t%.3f sec.\n", seconds(s->execute_ns));
    buffer_format(b, "Compile:\t\t\t%.2f ms, then %.2f ms for plans.\n",
                  seconds(s->compile_ns) * 1e3, seconds(s->plan_ns) * 1e3);
    buffer_format(b, "Plans made/reused:\t\t%" PRId64 "/%" PRId64 ".\n", s->plans_made,
                  s->plans_reused);
    format_optimizer(b, s);
    buffer_format(b, "Instructions/function calls:\t%" PRId64 "/%" PRId64 ".\n", s->instructions,
                  s->calls);
    buffer_format(b, "Peak memory of matrices:\t%.1f MB of %.0f MB.\n",
                  (double)pool.peak / 1048576.0, (double)pool.limit / 1048576.0);
    buffer_format(b, "Buffers allocated/recycled:\t%" PRId64 "/%" PRId64 ", %.3f MB in total.\n",
                  pool.allocations, pool.reused, (double)pool.handed / 1048576.0);
    format_tasks(b, ctx);
    format_loops(b, s);
    format_pipelines(b, code_cache_stats(ctx->codes));
    buffer_text(b, "Heavy hitter instructions:\n  #  Instruction       Time(s)   Count\n");
    for (int k = 0; k < heavy; k++) {
        int op = heaviest(s, taken);

        if (op < 0)
            break;
        taken[op] = true;
        buffer_format(b, "%3d  %-14s %10.3f %7" PRId64 "\n", k + 1, op_label(&op_table[op]),
                      seconds(s->ops[op].nanoseconds), s->ops[op].count);
    }
}
