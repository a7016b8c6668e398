/* Every operator that takes matrices gives the same result whatever form the matrices have - dense,
 * CSR, constant -, on any number of threads and with any vector instructions, and whether or not it
 * may write into its operands.
 *
 *     kernels_agree [NAME]
 *
 * Kernels are called directly, as scripts cannot choose a form. Which operators there are, and what
 * cell-wise ones and aggregates take, comes from the operator table; the other calls are rows of
 * kernels_agree.def. An operator of the table without a row is a failure, and so is a row none of
 * whose calls has a result. Calls that fail must fail with the same message in every form.
 *
 * The reference is the call with dense operands on one thread. Other forms may differ from it by
 * the row's tolerance, the same form in another way or in place not at all. The ways, numbers of
 * threads with a level of vector instructions and a partitioning scheme, are drawn call by call;
 * each row meets all of them. Cells 0 and -0 count as equal: a sparse form keeps no sign of zero.
 *
 * Results have the format that suits their exact number of nonzeros.
 *
 * Kernels that take cells in FP32 go through all of it a second time with such operands, and their
 * results are compared with those of the same cells in FP64. */
#include "operands.h"

#include "backend/cpu/cpu.h"
#include "task/task.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of the largest cell: FP32 beside FP64, and products, whose sums of thousands are FP32 as well. */
static const double SINGLE_TOLERANCE = 1e-6, SINGLE_PRODUCT_TOLERANCE = 1e-6;

enum { OPERANDS = OP_ARGS, RESULTS = OP_RESULTS + 1, FORMS = 3, MANY = 4 };

typedef struct Row {
    OpCode op;
    double tolerance;
    const char *words;
} Row;

static const Row rows[] = {
#define AGREE(name, tolerance, words) {OP_##name, tolerance, words},
#include "kernels_agree.def"
#undef AGREE
};
enum { ROWS = sizeof rows / sizeof *rows };

/* How calls are run beside the reference. */
typedef struct Way {
    const char *name;
    int threads;
    const char *cpu, *partition;
} Way;

static const Way ways[] = {
    {" on two threads", 2, "native", "fac2"},
    {" on three threads, plain", 3, "plain", "gss"},
    {" on eight threads, AVX2", 8, "avx2", "ss"},
};
enum { WAYS = sizeof ways / sizeof *ways, SHARE = 5 };

/* Operators whose last digits depend on the vector instructions, for the speed of fused
 * multiply-add; docs/digits.md tells them. */
static const OpCode fused[] = {OP_tsmm};

/* What a call gave. */
typedef struct Outcome {
    ml_status st;
    char message[ERROR_TEXT];
    Value out[RESULTS];
    Buffer effect; /* what was printed or written */
} Outcome;

typedef struct Test {
    Ctx one, other[WAYS];
    Options own, options[WAYS]; /* own: of one */
    uint64_t turn;
    unsigned met;   /* ways in which a call of this row had a result */
    CellType cells; /* of the operands */
    Buffer printed;
    const char *only;
    const Row *row;
    Setting setting;
    int nin;
    Value forms[OPERANDS][FORMS]; /* by MatrixFormat; none where the operand has no such form */
    int calls, failed;
    bool worked; /* a call of this row had a result */
} Test;

/* ---- calls ---- */

static int keep(void *arg, const char *text, size_t size)
{
    buffer_put(arg, text, size);
    return 0;
}

static Value copy_dense(Ctx *ctx, Value v)
{
    Matrix *m = NULL;

    if (matrix_like(ctx, v.m, v.m->rows, v.m->cols, &m) != ML_OK)
        exit(2);
    memcpy(matrix_at(m, 0), matrix_at(v.m, 0), (size_t)matrix_cells(m) * matrix_cell_size(m));
    m->nnz = v.m->nnz;
    return value_matrix(m);
}

/* The file that a call of write made. */
static void take_file(Ctx *ctx, const OpCall *call, Buffer *effect)
{
    const char *path = call->in[1].s->text;
    char *text, meta[64];
    size_t size;

    if (file_read(ctx, path, &text, &size) == ML_OK) {
        buffer_put(effect, text, size);
        mem_free(text);
    }
    snprintf(meta, sizeof meta, "%s.mtd", path);
    remove(path);
    remove(meta);
}

static const Backend *backend(CellType cells)
{
    return cells == CELL_FP32 ? &backend_cpu_single : &backend_cpu;
}

/* Call the operator with operand k in form `form[k]`; in_place: it may write into all of them. */
static void call(Test *t, Ctx *ctx, const int *form, bool in_place, Outcome *o)
{
    Value in[OPERANDS] = {{0}};
    OpCall c = {.op = &op_table[t->row->op], .nin = t->nin, .in = in, .out = o->out};

    c.nout = op_nresults(c.op);
    c.last = in_place ? UINT32_MAX : 0;
    for (int k = 0; k < t->nin; k++) {
        Value v = t->forms[k][form[k]];

        in[k] = in_place && v.dt == DT_MATRIX && v.m->format == MATRIX_DENSE ? copy_dense(ctx, v)
                                                                             : value_retain(v);
    }
    ctx->err = (ErrorRecord){0};
    t->printed.size = 0;
    o->st = backend(t->cells)->operator_fn(t->row->op)(ctx, &c);
    snprintf(o->message, sizeof o->message, "%s", ctx->err.text);
    buffer_put(&o->effect, t->printed.data ? t->printed.data : "", t->printed.size);
    if (o->st == ML_OK && t->row->op == OP_write)
        take_file(ctx, &c, &o->effect);
    for (int k = 0; k < t->nin; k++)
        value_release(in[k]);
    t->calls++;
    t->worked |= o->st == ML_OK;
}

static void forget(Outcome *o)
{
    for (int k = 0; k < RESULTS; k++)
        value_release(o->out[k]);
    buffer_free(&o->effect);
    *o = (Outcome){0};
}

/* ---- comparing: NULL when they agree, else what differs ---- */

static const char *compare(Value a, Value b, double tolerance);

/* The unit of the tolerance. */
static double largest(const Matrix *m)
{
    double most = 1;

    for (int64_t k = 0; k < matrix_cells(m); k++) {
        double x = fabs(matrix_get(m, k / m->cols, k % m->cols));

        if (x > most && isfinite(x))
            most = x;
    }
    return most;
}

static bool near(double a, double b, double distance)
{
    return a == b || (isnan(a) && isnan(b)) || fabs(a - b) <= distance;
}

static const char *compare_matrices(const Matrix *a, const Matrix *b, double tolerance)
{
    static char text[160];
    double distance = tolerance > 0 ? tolerance * largest(a) : 0;
    int64_t nnz = 0;

    if (a->rows != b->rows || a->cols != b->cols)
        return "shapes differ";
    for (int64_t i = 0; i < a->rows; i++)
        for (int64_t j = 0; j < a->cols; j++) {
            double x = matrix_get(a, i, j), y = matrix_get(b, i, j);

            nnz += y != 0;
            if (near(x, y, distance))
                continue;
            snprintf(text, sizeof text, "cell %d,%d is %.17g, not %.17g", (int)i + 1, (int)j + 1, y,
                     x);
            return text;
        }
    return nnz == b->nnz ? NULL : "the number of nonzeros is wrong";
}

static const char *compare_lists(const List *a, const List *b, double tolerance)
{
    const char *what = a->count == b->count ? NULL : "lengths differ";

    for (int64_t k = 0; !what && k < a->count; k++)
        what = compare(a->items[k], b->items[k], tolerance);
    return what;
}

static const char *compare_texts(Value a, Value b)
{
    Buffer x = {0}, y = {0};
    bool same;

    value_print(&x, a, &print_format_default);
    value_print(&y, b, &print_format_default);
    same = x.size == y.size && (x.size == 0 || memcmp(x.data, y.data, x.size) == 0);
    buffer_free(&x);
    buffer_free(&y);
    return same ? NULL : "texts differ";
}

static const char *compare(Value a, Value b, double tolerance)
{
    if (a.dt != b.dt || (a.dt == DT_SCALAR && a.vt != b.vt))
        return "types differ";
    if (a.dt == DT_MATRIX)
        return compare_matrices(a.m, b.m, tolerance);
    if (a.dt == DT_LIST)
        return compare_lists(a.l, b.l, tolerance);
    if (a.dt == DT_SCALAR && a.vt == VT_DOUBLE)
        return near(a.d, b.d, tolerance * fmax(1, fabs(a.d))) ? NULL : "numbers differ";
    return a.dt == DT_NONE ? NULL : compare_texts(a, b);
}

static const char *compare_outcomes(const Outcome *a, const Outcome *b, double tolerance)
{
    const char *what = NULL;

    if (a->st != b->st)
        return a->st == ML_OK ? b->message : "has a result, the reference fails";
    if (strcmp(a->message, b->message) != 0)
        return "messages differ";
    if (a->effect.size != b->effect.size ||
        (a->effect.size && memcmp(a->effect.data, b->effect.data, a->effect.size) != 0))
        return "outputs differ";
    for (int k = 0; !what && k < RESULTS; k++)
        what = compare(a->out[k], b->out[k], tolerance);
    return what;
}

/* ---- formats ---- */

/* Assigning to a part keeps a matrix of moderate size dense, for the next assignment. */
static bool keeps_format(OpCode op)
{
    return op == OP_left_index;
}

/* A result has the format that its exact number of nonzeros asks for, whatever was estimated before
 * it was computed; but for operands that are handed on. */
static const char *unfit(const Test *t, const int *form, const Outcome *o)
{
    for (int k = 0; k < RESULTS; k++) {
        const Matrix *m = o->out[k].dt == DT_MATRIX ? o->out[k].m : NULL;
        bool operand = false;

        for (int i = 0; m && i < t->nin; i++)
            operand |= t->forms[i][form[i]].dt == DT_MATRIX && t->forms[i][form[i]].m == m;
        if (!m || operand || m->format == MATRIX_CONSTANT || keeps_format(t->row->op))
            continue;
        if ((m->format != MATRIX_DENSE) != matrix_is_sparse(m->rows, m->cols, m->nnz))
            return m->format == MATRIX_DENSE ? "dense, and sparse by its nonzeros"
                                             : "sparse, and dense by its nonzeros";
    }
    return NULL;
}

/* ---- forms ---- */

static void complain(Test *t, const int *form, const char *how, const char *what)
{
    static const char letters[] = "dsc";
    char forms[OPERANDS + 1] = "";

    for (int k = 0; k < t->nin; k++)
        forms[k] = t->forms[k][MATRIX_DENSE].dt == DT_MATRIX ? letters[form[k]] : '.';
    printf("%s(%s) forms %s%s, r=%d c=%d density %g%s: %s\n", op_table[t->row->op].name,
           t->row->words, forms, how, (int)t->setting.rows, (int)t->setting.cols,
           t->setting.density, t->setting.special ? " with NaN" : "", what);
    t->failed++;
}

static Value constant_form(Ctx *ctx, const Matrix *m)
{
    Matrix *c = NULL;

    for (int64_t k = 1; k < matrix_cells(m); k++)
        if (m->values[k] != m->values[0])
            return value_none();
    if (matrix_new_constant(ctx, m->rows, m->cols, matrix_cells(m) ? m->values[0] : 0, &c) != ML_OK)
        exit(2);
    c->nnz = m->nnz;
    return value_matrix(c);
}

static void cast(Ctx *ctx, CellType cells, Value *v)
{
    Matrix *m = NULL;

    if (v->dt != DT_MATRIX)
        return;
    if (matrix_as(ctx, cells, v->m, &m) != ML_OK)
        exit(2);
    value_release(*v);
    *v = value_matrix(m);
}

/* From now on operands and results have such cells. */
static void use_cells(Test *t, CellType cells)
{
    const char *word = cells == CELL_FP32 ? "single" : "double";

    t->cells = cells;
    snprintf(t->own.precision, sizeof t->own.precision, "%s", word);
    for (int way = 0; way < WAYS; way++)
        snprintf(t->options[way].precision, sizeof t->options[way].precision, "%s", word);
}

static void cast_operands(Test *t, CellType cells)
{
    use_cells(t, cells);
    for (int k = 0; k < t->nin; k++)
        for (int f = 0; f < FORMS; f++)
            cast(&t->one, cells, &t->forms[k][f]);
}

/* All forms of each operand. */
static void make_operands(Test *t)
{
    const char *at = t->row->words;

    for (t->nin = 0; *at; t->nin++) {
        Value *forms = t->forms[t->nin];
        uint64_t seed = hash_mix(17, (uint64_t)t->nin + 1);
        Matrix *csr = NULL;

        forms[MATRIX_DENSE] = operand_read(&t->one, &t->setting, at, seed, &at);
        at += *at == ' ';
        for (int f = 1; f < FORMS; f++)
            forms[f] = value_none();
        if (forms[MATRIX_DENSE].dt != DT_MATRIX)
            continue;
        if (matrix_csr(&t->one, forms[MATRIX_DENSE].m, &csr) != ML_OK)
            exit(2);
        forms[MATRIX_CSR] = value_matrix(csr);
        forms[MATRIX_CONSTANT] = constant_form(&t->one, forms[MATRIX_DENSE].m);
    }
    for (; t->nin < op_nargs(&op_table[t->row->op]); t->nin++)
        for (int f = 0; f < FORMS; f++)
            t->forms[t->nin][f] = value_none();
    if (t->cells == CELL_FP32)
        cast_operands(t, CELL_FP32);
}

static void free_operands(Test *t)
{
    for (int k = 0; k < t->nin; k++)
        for (int f = 0; f < FORMS; f++)
            value_release(t->forms[k][f]);
}

static double single_tolerance(OpCode op)
{
    const FlopsFn flops = op_table[op].flops;

    return flops == flops_matmult || flops == flops_matmult_tn || flops == flops_matmult_nt ||
                   flops == flops_tsmm || flops == flops_tsmm_right || flops == flops_mmchain
               ? SINGLE_PRODUCT_TOLERANCE
               : SINGLE_TOLERANCE;
}

static double tolerance_of(const Test *t)
{
    return t->row->tolerance + (t->cells == CELL_FP32 ? single_tolerance(t->row->op) : 0);
}

static bool is_fused(OpCode op)
{
    for (size_t k = 0; k < sizeof fused / sizeof *fused; k++)
        if (fused[k] == op)
            return true;
    return false;
}

static void compare_way(Test *t, const int *form, uint64_t way, const Outcome *reference)
{
    const bool same = strcmp(ways[way].cpu, "native") == 0 || !is_fused(t->row->op);
    Outcome o = {0};
    const char *what;

    call(t, &t->other[way], form, false, &o);
    t->met |= o.st == ML_OK ? 1U << way : 0;
    what = compare_outcomes(reference, &o, same ? 0 : tolerance_of(t));
    if (what)
        complain(t, form, ways[way].name, what);
    forget(&o);
}

/* The same forms in place and, one of SHARE calls, in another way. */
static void compare_runs(Test *t, const int *form, const Outcome *reference)
{
    const uint64_t draw = hash_mix(29, ++t->turn) >> 32;
    Outcome o = {0};
    const char *what;

    if (draw % SHARE == 0)
        compare_way(t, form, draw / SHARE % WAYS, reference);
    call(t, &t->one, form, true, &o);
    what = compare_outcomes(reference, &o, 0);
    if (what)
        complain(t, form, " in place", what);
    forget(&o);
}

/* Is this choice worth a call?  All are, of few operands; of many, those where one operand or all
 * are not dense. */
static bool worthwhile(const Test *t, const int *form)
{
    int matrices = 0, other = 0;

    for (int k = 0; k < t->nin; k++) {
        matrices += t->forms[k][MATRIX_DENSE].dt == DT_MATRIX;
        other += form[k] != MATRIX_DENSE;
    }
    return matrices < MANY || other == 1 || other == matrices;
}

/* The next choice of forms that the operands have. */
static bool next_forms(const Test *t, int *form)
{
    do {
        int k = 0;

        for (; k < t->nin; form[k++] = 0) {
            do
                form[k]++;
            while (form[k] < FORMS && t->forms[k][form[k]].dt == DT_NONE);
            if (form[k] < FORMS)
                break;
        }
        if (k == t->nin)
            return false;
    } while (!worthwhile(t, form));
    return true;
}

/* The same cells in FP64, the results rounded. */
static void compare_types(Test *t, const int *form, const Outcome *reference)
{
    Outcome o = {0};
    const char *what;

    cast_operands(t, CELL_FP64);
    call(t, &t->one, form, false, &o);
    for (int k = 0; k < RESULTS; k++)
        cast(&t->one, CELL_FP32, &o.out[k]);
    what = compare_outcomes(&o, reference, t->row->tolerance + single_tolerance(t->row->op));
    if (what)
        complain(t, form, " in FP32 beside FP64", what);
    forget(&o);
    cast_operands(t, CELL_FP32);
}

static void compare_forms(Test *t)
{
    const double tolerance = tolerance_of(t);
    int form[OPERANDS] = {0};
    Outcome reference = {0};
    const char *odd;

    call(t, &t->one, form, false, &reference);
    odd = unfit(t, form, &reference);
    if (odd)
        complain(t, form, "", odd);
    compare_runs(t, form, &reference);
    if (t->cells == CELL_FP32)
        compare_types(t, form, &reference);
    while (next_forms(t, form)) {
        Outcome o = {0};
        const char *what;

        call(t, &t->one, form, false, &o);
        what = compare_outcomes(&reference, &o, tolerance);
        if (!what)
            what = unfit(t, form, &o);
        if (what)
            complain(t, form, t->cells == CELL_FP32 ? " in FP32" : "", what);
        else
            compare_runs(t, form, &o);
        forget(&o);
    }
    forget(&reference);
}

/* ---- rows ---- */

static void run_row(Test *t, const Row *row)
{
    static const int64_t shapes[][2] = {{1, 1},   {1, 9},    {9, 1},    {6, 6}, {40, 7}, {130, 40},
                                        {6, 300}, {1100, 1}, {1, 1100}, {0, 3}, {3, 0},  {0, 0}};
    static const double densities[] = {0, 0.01, 0.1, 0.5, 1, SAME};

    t->row = row;
    t->worked = false;
    t->met = 0;
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (size_t d = 0; d < sizeof densities / sizeof *densities; d++)
            for (int special = 0; special < 2; special++) {
                t->setting = (Setting){shapes[s][0], shapes[s][1], densities[d], special};
                make_operands(t);
                compare_forms(t);
                free_operands(t);
            }
    for (int way = 0; t->worked && way < WAYS; way++)
        if (!(t->met & 1U << way)) {
            printf("%s(%s): no call%s has a result\n", op_table[row->op].name, row->words,
                   ways[way].name);
            t->failed++;
        }
    if (t->worked)
        return;
    printf("%s(%s): no call has a result, the last error is: %s\n", op_table[row->op].name,
           row->words, t->one.err.text);
    t->failed++;
}

static void run_words(Test *t, int op, double tolerance, const char *words)
{
    Row row = {(OpCode)op, tolerance, words};

    run_row(t, &row);
}

/* The calls that the properties of a row of the operator table imply; false: none. */
static bool run_implied(Test *t, int op)
{
    static const char *const two[] = {"m(r,c) m(r,c)", "m(r,c) m(r,1)", "m(r,c) m(1,c)",
                                      "m(r,c) m(1,1)", "m(r,c) 2",      "m(r,c) 0",
                                      "0 m(r,c)",      "-1.5 m(r,c)",   "i(r,c) i(r,c)"};
    const OpInfo *o = &op_table[op];
    int n = op_nargs(o);

    if (n == 1 && !(o->props & P_MULTI) && (o->args[0].types & A_MATRIX) &&
        (o->props & (P_CELLWISE | P_AGG_FULL | P_AGG_ROW | P_AGG_COL))) {
        run_words(t, op, o->props & P_CELLWISE ? 0 : 1e-12, "m(r,c)");
        run_words(t, op, o->props & P_CELLWISE ? 0 : 1e-12, "i(r,c)");
        return true;
    }
    if (n != 2 || !(o->props & P_CELLWISE) || !(o->props & P_SYNTAX || o->cell2))
        return false;
    for (size_t k = 0; k < sizeof two / sizeof *two; k++)
        run_words(t, op, 0, two[k]);
    return true;
}

static bool takes_matrices(const OpInfo *op)
{
    for (int k = 0; k < op_nargs(op); k++)
        if (op->args[k].types & A_MATRIX)
            return true;
    return false;
}

static void run_operator(Test *t, int op)
{
    bool found = run_implied(t, op);

    for (int k = 0; k < ROWS; k++)
        if (rows[k].op == (OpCode)op) {
            run_row(t, &rows[k]);
            found = true;
        }
    if (found)
        return;
    printf("%s: kernels_agree.def has no row for it\n", op_table[op].name);
    t->failed++;
}

static void context(Test *t, Ctx *ctx, const Ctx *shared, int threads)
{
    *ctx = *shared;
    ctx->tasks = task_engine_new(threads);
    ctx->output = ctx->diagnostics = keep;
    ctx->output_arg = &t->printed;
    if (!ctx->tasks)
        exit(2);
    task_engine_fine(ctx->tasks);
}

static void contexts(Test *t, const Ctx *shared)
{
    context(t, &t->one, shared, 1);
    for (int way = 0; way < WAYS; way++) {
        Options *options = &t->options[way];
        Ctx *ctx = &t->other[way];

        context(t, ctx, shared, ways[way].threads);
        options_default(options);
        ctx->opt = options;
        if (option_set(ctx, options, "cpu", ways[way].cpu) != ML_OK ||
            option_set(ctx, options, "partition", ways[way].partition) != ML_OK)
            exit(2);
    }
}

int main(int argc, char **argv)
{
    static Test t;
    atomic_bool cancelled = false;
    atomic_uint_fast64_t unseeded = 0;
    Ctx shared = {.opt = &t.own, .cancelled = &cancelled, .unseeded = &unseeded};

    t.only = argc > 1 ? argv[1] : NULL;
    options_default(&t.own);
    shared.pool = pool_new(SIZE_MAX);
    contexts(&t, &shared);
    for (int op = 0; op < OP_COUNT; op++) {
        const OpInfo *o = &op_table[op];

        if (!takes_matrices(o) || o->later || !backend_cpu.operator_fn(op) ||
            (t.only && strcmp(o->name, t.only) != 0))
            continue;
        run_operator(&t, op);
        if (!(o->props & P_SINGLE))
            continue;
        use_cells(&t, CELL_FP32);
        run_operator(&t, op);
        use_cells(&t, CELL_FP64);
    }
    if (pool_stats(shared.pool).used > 0) {
        printf("%zu bytes were left in the pool\n", pool_stats(shared.pool).used);
        t.failed++;
    }
    printf("%d calls, %d disagree\n", t.calls, t.failed);
    task_engine_free(t.one.tasks);
    for (int way = 0; way < WAYS; way++)
        task_engine_free(t.other[way].tasks);
    pool_free(shared.pool);
    buffer_free(&t.printed);
    return t.failed != 0;
}
