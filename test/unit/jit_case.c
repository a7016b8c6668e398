/* Machine code beside the interpreter; see jit_case.h. */
#include "jit_case.h"

#include <math.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { GAP = 3 }; /* cells between rows */

/* An array that ends at a page that nobody may touch. */
typedef struct Guarded {
    char *map, *cells;
    size_t bytes, mapped;
} Guarded;

static Guarded guarded(size_t bytes)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), room = (bytes + page - 1) / page * page;
    Guarded g = {.bytes = bytes, .mapped = room + page};

    g.map = mmap(NULL, g.mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(g.map != MAP_FAILED);
    assert_int_equal(mprotect(g.map + room, page, PROT_NONE), 0);
    g.cells = g.map + (room - bytes);
    return g;
}

static void let_go(Guarded *g)
{
    munmap(g->map, g->mapped);
}

/* ---- cells ---- */

static double random_cell(uint64_t *seed)
{
    static const double special[] = {
        0.0,     -0.0,    1.0,  -1.0,  0.5,    2.5,   -2.5,    2.0,       1e300,    -1e300, 5e-324,
        -1e-310, 1e-50,   1e20, -1e20, 40,     700.5, -745.2,  -INFINITY, INFINITY, NAN,    709.79,
        3.0,     -0x1p63, 1e6,  -40,   4.5e15, 1e-8,  -0x1p63, 0.7071,    1.5};
    const uint64_t r = case_bits(seed);

    if (r % 4 == 0)
        return special[(r >> 8) % (sizeof special / sizeof *special)];
    if (r % 4 == 1)
        return (double)((int64_t)(r >> 8 & 15) - 8);
    return ((double)(r >> 11) * 0x1p-53 - 0.5) * (r % 8 < 4 ? 4 : 60);
}

static void fill(Guarded g, bool single, uint64_t seed)
{
    const size_t n = g.bytes / (single ? 4 : 8);

    for (size_t k = 0; k < n; k++)
        if (single)
            ((float *)(void *)g.cells)[k] = (float)random_cell(&seed);
        else
            ((double *)(void *)g.cells)[k] = random_cell(&seed);
}

static bool same_cells(Guarded a, Guarded b, bool single)
{
    const size_t n = a.bytes / (single ? 4 : 8);

    for (size_t k = 0; k < n; k++) {
        const double x =
            single ? (double)((float *)(void *)a.cells)[k] : ((double *)(void *)a.cells)[k];
        const double y =
            single ? (double)((float *)(void *)b.cells)[k] : ((double *)(void *)b.cells)[k];

        if (memcmp(&x, &y, sizeof x) != 0 && !(isnan(x) && isnan(y)))
            return false;
    }
    return true;
}

/* ---- arrays of a run ---- */

typedef struct Arrays {
    Guarded in[CODE_INPUTS], out[CODE_OUTPUTS];
    bool shared[CODE_OUTPUTS]; /* out is an input */
    CodeRun run;
} Arrays;

static size_t input_cells(const CodeInput *in, int64_t rows, int64_t cols, int64_t *stride)
{
    *stride = in->kind == CODE_COL ? 2 : cols + GAP;
    return (size_t)(in->kind == CODE_TILE  ? (rows - 1) * *stride + cols
                    : in->kind == CODE_ROW ? cols
                    : in->kind == CODE_COL ? 2 * (rows - 1) + 1
                                           : 1);
}

static size_t output_cells(const CodeOutput *out, int64_t rows, int64_t cols, int64_t *stride)
{
    const CodeOutputKind kind = out->kind;

    if (kind == CODE_SUM || kind == CODE_MIN || kind == CODE_MAX)
        return kind == CODE_SUM ? 2 * CODE_LANES : CODE_LANES;
    *stride = kind == CODE_ROW_SUM || kind == CODE_ROW_MIN || kind == CODE_ROW_MAX ? 3 : cols + GAP;
    return (size_t)(kind == CODE_CELLS     ? (rows - 1) * *stride + cols
                    : kind == CODE_COL_SUM ? *stride + cols
                    : *stride == 3         ? 3 * (rows - 1) + 1
                                           : cols);
}

/* The input whose array output k takes; -1: none. */
static int input_under(const CellCode *code, const Arrays *a, int k)
{
    for (int i = 0; i < code->ninputs; i++) {
        bool taken =
            code->inputs[i].kind != CODE_TILE || code->inputs[i].single != code->outputs[k].single;

        for (int o = 0; o < k; o++)
            taken = taken || (a->shared[o] && a->out[o].cells == a->in[i].cells);
        if (!taken)
            return i;
    }
    return -1;
}

static void start_output(Guarded g, CodeOutputKind kind, uint64_t seed)
{
    double *cells = (void *)g.cells;

    if (kind == CODE_CELLS) {
        memset(g.cells, 0xA5, g.bytes);
        return;
    }
    for (size_t k = 0; k < g.bytes / sizeof *cells; k++)
        cells[k] = kind == CODE_MIN || kind == CODE_COL_MIN        ? HUGE_VAL
                   : kind == CODE_MAX || kind == CODE_COL_MAX      ? -HUGE_VAL
                   : case_bits(&seed) % 4 == 0 && kind == CODE_SUM ? 0.25
                                                                   : 0;
}

static void arrays_make(Arrays *a, const CellCode *code, int64_t rows, int64_t cols, uint64_t seed,
                        bool over)
{
    *a = (Arrays){.run = {.rows = rows, .cols = cols}};
    for (int k = 0; k < code->ninputs; k++) {
        const size_t n = input_cells(&code->inputs[k], rows, cols, &a->run.in[k].stride);

        a->in[k] = guarded(n * (code->inputs[k].single ? 4 : 8));
        fill(a->in[k], code->inputs[k].single, seed + (uint64_t)k);
        a->run.in[k].cells = a->in[k].cells;
    }
    for (int k = 0; k < code->noutputs; k++) {
        const CodeOutput *out = &code->outputs[k];
        const size_t n = output_cells(out, rows, cols, &a->run.out[k].stride);
        const int under = over && out->kind == CODE_CELLS ? input_under(code, a, k) : -1;

        a->shared[k] = under >= 0;
        if (a->shared[k]) {
            a->out[k] = a->in[under];
        } else {
            a->out[k] = guarded(n * (out->single ? 4 : 8));
            start_output(a->out[k], out->kind, seed);
        }
        a->run.out[k].cells = a->out[k].cells;
        a->run.out[k].nnz = 7;
    }
}

static void arrays_end(Arrays *a, const CellCode *code)
{
    for (int k = 0; k < code->ninputs; k++)
        let_go(&a->in[k]);
    for (int k = 0; k < code->noutputs; k++)
        if (!a->shared[k])
            let_go(&a->out[k]);
}

/* ---- the check ---- */

static void describe(const CellCode *code)
{
    for (int k = 0; k < code->ninputs; k++)
        print_error("%d: input of kind %d%s\n", k, (int)code->inputs[k].kind,
                    code->inputs[k].single ? ", single" : "");
    for (int k = 0; k < code->nsteps; k++)
        print_error("%d: %s of %d %d %d (%d)\n", code->ninputs + k,
                    op_table[code->steps[k].op].name, code->steps[k].in[0], code->steps[k].in[1],
                    code->steps[k].in[2], code->steps[k].nin);
    for (int k = 0; k < code->noutputs; k++)
        print_error("output of kind %d takes %d%s\n", (int)code->outputs[k].kind,
                    code->outputs[k].value, code->outputs[k].single ? ", single" : "");
}

/* As far as the run may be: see CodeMemory. */
static CodeMemory far_memory(const CellCode *code, const Arrays *a)
{
    for (int k = 0; k < code->noutputs; k++)
        if (a->shared[k] || a->run.rows > 1 || (uintptr_t)a->out[k].cells % 64 != 0)
            return CODE_FAR;
    return CODE_STREAM;
}

void jit_check(const CellCode *code, CpuLevel level, int64_t rows, int64_t cols, uint64_t seed,
               bool over)
{
    Arrays plain, fast;
    JitCode *jit = NULL;

    assert_ok(jit_compile(test_ctx(), code, level, &jit));
    if (!jit) {
        describe(code);
        fail_msg("no machine code");
    }
    arrays_make(&plain, code, rows, cols, seed, over);
    arrays_make(&fast, code, rows, cols, seed, over);
    fast.run.memory = far_memory(code, &fast);
    code_interpret(code, &plain.run);
    jit_function(jit)(&fast.run);
    for (int k = 0; k < code->noutputs; k++) {
        if (same_cells(plain.out[k], fast.out[k], code->outputs[k].single) &&
            plain.run.out[k].nnz == fast.run.out[k].nnz)
            continue;
        describe(code);
        fail_msg("output %d differs: level %d, %d x %d cells, seed %llu, %d and %d nonzeros", k,
                 (int)level, (int)rows, (int)cols, (unsigned long long)seed,
                 (int)plain.run.out[k].nnz, (int)fast.run.out[k].nnz);
    }
    arrays_end(&plain, code);
    arrays_end(&fast, code);
    jit_free(jit);
}

/* ---- building ---- */

int code_input(CellCode *code, CodeInputKind kind, bool single)
{
    code->inputs[code->ninputs] = (CodeInput){kind, single, kind == CODE_TILE};
    return code->ninputs++;
}

void code_step(CellCode *code, OpCode op, int nin, int a, int b, int c)
{
    code->steps[code->nsteps++] =
        (CodeStep){op, (uint8_t)nin, {(uint8_t)a, (uint8_t)b, (uint8_t)c}};
}

void code_output(CellCode *code, CodeOutputKind kind, int value, bool single)
{
    code->outputs[code->noutputs++] = (CodeOutput){kind, (uint8_t)value, single};
}

const JitOperator jit_operators[] = {
    {OP_plus, 1},  {OP_neg, 1},  {OP_abs, 1},  {OP_sqrt, 1},   {OP_sign, 1},        {OP_round, 1},
    {OP_floor, 1}, {OP_ceil, 1}, {OP_not, 1},  {OP_is_nan, 1}, {OP_is_infinite, 1}, {OP_exp, 1},
    {OP_log, 1},   {OP_tanh, 1}, {OP_sinh, 1}, {OP_cosh, 1},   {OP_sin, 1},         {OP_cos, 1},
    {OP_tan, 1},   {OP_asin, 1}, {OP_acos, 1}, {OP_atan, 1},   {OP_add, 2},         {OP_sub, 2},
    {OP_mul, 2},   {OP_div, 2},  {OP_mod, 2},  {OP_intdiv, 2}, {OP_lt, 2},          {OP_le, 2},
    {OP_gt, 2},    {OP_ge, 2},   {OP_eq, 2},   {OP_ne, 2},     {OP_and, 2},         {OP_or, 2},
    {OP_xor, 2},   {OP_min, 2},  {OP_max, 2},  {OP_pow, 2},    {OP_log, 2},         {OP_ifelse, 3}};
const int jit_noperators = sizeof jit_operators / sizeof *jit_operators;

/* ---- at random ---- */

static int below(uint64_t *seed, int n)
{
    return (int)(case_bits(seed) >> 33) % n;
}

CellCode jit_random_code(uint64_t from)
{
    uint64_t state = from, *seed = &state;
    CellCode code = {0};
    const int inputs = 1 + below(seed, below(seed, 8) ? 5 : CODE_INPUTS);
    const int steps = below(seed, below(seed, 8) ? 8 : CODE_STEPS);
    const int outputs = 1 + below(seed, below(seed, 8) ? 3 : CODE_OUTPUTS);

    for (int k = 0; k < inputs; k++)
        code_input(&code, (CodeInputKind)below(seed, 4), below(seed, 8) == 0);
    for (int k = 0; k < steps; k++) {
        const JitOperator *op = &jit_operators[below(seed, jit_noperators)];
        const int n = inputs + k;

        code_step(&code, op->op, op->nin, below(seed, n), op->nin > 1 ? below(seed, n) : 0,
                  op->nin > 2 ? below(seed, n) : 0);
    }
    for (int k = 0; k < outputs; k++) {
        const int kind = below(seed, 3) ? below(seed, CODE_COL_MAX + 1) : CODE_CELLS;

        code_output(&code, (CodeOutputKind)kind, below(seed, inputs + steps),
                    kind == CODE_CELLS && below(seed, 6) == 0);
    }
    return code;
}
