/* Machine code of pipelines against the interpreter: every operator on every kind of operand, every
 * kind of output, all lengths of tails, and codes at random. */
#include "jit_case.h"

#include <string.h>

static const int64_t widths[] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13,  14,
                                 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27,  28,
                                 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 203, 400};
enum { WIDTHS = sizeof widths / sizeof *widths };

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
        for (int o = 0; o < jit_noperators; o++)
            for (int kinds = 0; kinds < 32; kinds++) {
                const JitOperator *op = &jit_operators[o];
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

/* Lines are asked for in groups of 4,096 cells. */
ML_TEST(machine_code_that_reads_ahead_equals_the_interpreter)
{
    static const int64_t lengths[] = {4095, 4096, 4097, 8192, 8197, 3 * 4096 + 71};
    CpuLevel at[2];
    const int nlevels = levels(at);

    for (int l = 0; l < nlevels; l++)
        for (int k = 0; k < 6; k++)
            for (int kind = CODE_CELLS; kind <= CODE_MAX; kind++)
                for (int over = 0; over < 2; over++) {
                    CellCode code = {0};

                    code_input(&code, CODE_TILE, false);
                    code_input(&code, CODE_TILE, true);
                    code_input(&code, CODE_ROW, false);
                    code_input(&code, CODE_NUMBER, false);
                    code_step(&code, OP_mul, 2, 0, 1, 0);
                    code_step(&code, OP_sub, 2, 4, 2, 0);
                    code_step(&code, OP_max, 2, 5, 3, 0);
                    code_output(&code, (CodeOutputKind)kind, 6, false);
                    code_output(&code, CODE_CELLS, 5, true);
                    jit_check(&code, at[l], 1 + over, lengths[k], (uint64_t)k, over);
                }
}

ML_TEST(machine_code_of_random_codes_equals_the_interpreter)
{
    CpuLevel at[2];
    const int nlevels = levels(at);

    for (uint64_t k = 0; k < 3000; k++) {
        const CellCode code = jit_random_code(1000 + k);

        for (int l = 0; l < nlevels; l++)
            jit_check(&code, at[l], 1 + (int64_t)(k % 4), 1 + (int64_t)(k % 59), 1000 + k, k % 2);
    }
}

ML_TEST(machine_code_that_finds_no_memory_is_an_error)
{
    const CellCode code = jit_random_code(7);
    Ctx *ctx = test_ctx();
    ml_status st = ML_ENOMEM;

    for (int64_t calls = 0; st != ML_OK; calls++) {
        JitCode *jit = NULL;

        mem_fail_after(calls);
        st = jit_compile(ctx, &code, cpu_machine(), &jit);
        mem_fail_after(-1);
        if (st != ML_OK) {
            assert_int_equal(st, ML_ENOMEM);
            assert_null(jit);
        }
        jit_free(jit);
    }
}
