/* Machine code of pipelines against the interpreter: every operator on every kind of operand, every
 * kind of output, all lengths of tails, and codes at random. */
#include "jit_case.h"

#include <string.h>

static const int64_t widths[] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13,  14,
                                 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27,  28,
                                 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 203, 400};
enum { WIDTHS = sizeof widths / sizeof *widths };

typedef struct Operator {
    OpCode op;
    int nin;
} Operator;

static const Operator operators[] = {
    {OP_plus, 1},  {OP_neg, 1},  {OP_abs, 1},  {OP_sqrt, 1},   {OP_sign, 1},        {OP_round, 1},
    {OP_floor, 1}, {OP_ceil, 1}, {OP_not, 1},  {OP_is_nan, 1}, {OP_is_infinite, 1}, {OP_exp, 1},
    {OP_log, 1},   {OP_tanh, 1}, {OP_sinh, 1}, {OP_cosh, 1},   {OP_sin, 1},         {OP_cos, 1},
    {OP_tan, 1},   {OP_asin, 1}, {OP_acos, 1}, {OP_atan, 1},   {OP_add, 2},         {OP_sub, 2},
    {OP_mul, 2},   {OP_div, 2},  {OP_mod, 2},  {OP_intdiv, 2}, {OP_lt, 2},          {OP_le, 2},
    {OP_gt, 2},    {OP_ge, 2},   {OP_eq, 2},   {OP_ne, 2},     {OP_and, 2},         {OP_or, 2},
    {OP_xor, 2},   {OP_min, 2},  {OP_max, 2},  {OP_pow, 2},    {OP_log, 2},         {OP_ifelse, 3}};
enum { OPERATORS = sizeof operators / sizeof *operators };

/* The levels with machine code that this machine has. */
static int levels(CpuLevel out[2])
{
    int n = 0;

    for (int l = CPU_AVX2; l <= (int)cpu_machine(); l++)
        out[n++] = (CpuLevel)l;
    return n;
}

ML_TEST(machine_code_of_each_operator_equals_the_interpreter)
{
    CpuLevel at[2];
    const int nlevels = levels(at);

    for (int l = 0; l < nlevels; l++)
        for (int o = 0; o < OPERATORS; o++)
            for (int kinds = 0; kinds < 32; kinds++) {
                const Operator *op = &operators[o];
                CellCode code = {0};
                int in[3] = {0};

                for (int i = 0; i < op->nin; i++)
                    in[i] =
                        code_input(&code, (CodeInputKind)(kinds >> (2 * (i % 2)) & 3), kinds >> 4);
                code_step(&code, op->op, op->nin, in[0], in[1], in[2]);
                code_output(&code, CODE_CELLS, code.ninputs, false);
                jit_check(&code, at[l], 3, widths[kinds], (uint64_t)kinds, false);
                jit_check(&code, at[l], 1, 203, (uint64_t)kinds, true);
            }
}

ML_TEST(machine_code_of_each_output_equals_the_interpreter_on_all_widths)
{
    CpuLevel at[2];
    const int nlevels = levels(at);

    for (int l = 0; l < nlevels; l++)
        for (int kind = CODE_CELLS; kind <= CODE_COL_MAX; kind++)
            for (int w = 0; w < WIDTHS; w++)
                for (int single = 0; single < 2; single++) {
                    CellCode code = {0};

                    code_input(&code, CODE_TILE, single);
                    code_input(&code, CODE_COL, false);
                    code_step(&code, OP_sub, 2, 0, 1, 0);
                    code_output(&code, (CodeOutputKind)kind, 2, single && kind == CODE_CELLS);
                    jit_check(&code, at[l], 1, widths[w], (uint64_t)w, false);
                    jit_check(&code, at[l], 5, widths[w], (uint64_t)w, false);
                    code_output(&code, CODE_CELLS, 0, single);
                    jit_check(&code, at[l], 3, widths[w], (uint64_t)w, true);
                }
}

/* ---- at random ---- */

static int below(uint64_t *seed, int n)
{
    return (int)(case_bits(seed) >> 33) % n;
}

static CellCode random_code(uint64_t *seed)
{
    CellCode code = {0};
    const int inputs = 1 + below(seed, below(seed, 8) ? 5 : CODE_INPUTS);
    const int steps = below(seed, below(seed, 8) ? 8 : CODE_STEPS);
    const int outputs = 1 + below(seed, below(seed, 8) ? 3 : CODE_OUTPUTS);

    for (int k = 0; k < inputs; k++)
        code_input(&code, (CodeInputKind)below(seed, 4), below(seed, 8) == 0);
    for (int k = 0; k < steps; k++) {
        const Operator *op = &operators[below(seed, OPERATORS)];
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

ML_TEST(machine_code_of_random_codes_equals_the_interpreter)
{
    CpuLevel at[2];
    const int nlevels = levels(at);

    for (uint64_t k = 0; k < 3000; k++) {
        uint64_t seed = 1000 + k;
        const CellCode code = random_code(&seed);

        for (int l = 0; l < nlevels; l++)
            jit_check(&code, at[l], 1 + below(&seed, 4), 1 + below(&seed, 60), 1000 + k, k % 2);
    }
}
