/* Cell-wise operators, constructors and random numbers with the n-th allocation failing: an error
 * that says so, and nothing left behind. */
#include "kernel_case.h"

#include <string.h>

enum { MOST_ALLOCATIONS = 60 };

/* Run a call with ever later allocations failing until none does; the operands stay the caller's.
 */
static void sweep(OpCode op, KernelFn kernel, Value *in, int nin)
{
    for (int n = 0; n < MOST_ALLOCATIONS; n++) {
        Value out = value_none();
        OpCall call = {.op = &op_table[op], .nin = nin, .nout = 1, .in = in, .out = &out};
        ml_status st;

        mem_fail_after(n);
        st = kernel(test_ctx(), &call);
        mem_fail_after(-1);
        value_release(out);
        if (st == ML_OK)
            return;
        assert_int_equal(st, ML_ENOMEM);
        assert_true(test_error()[0] != '\0');
    }
    fail_msg("%s: %d allocations and more", op_table[op].name, MOST_ALLOCATIONS);
}

static Value sparse(double density, uint64_t seed)
{
    Matrix *m = case_random(60, 50, density, seed), *csr = case_csr(m);

    matrix_release(m);
    return value_matrix(csr);
}

ML_TEST(cellwise_operators_survive_failing_allocations)
{
    Value x = sparse(0.1, 1), y = sparse(0.2, 2), d = value_matrix(case_random(60, 50, 0.9, 3));
    Value row = value_matrix(case_random(1, 50, 1, 4));

    test_threads(1);
    sweep(OP_add, ml_k_binary, (Value[]){x, y}, 2);
    sweep(OP_add, ml_k_binary, (Value[]){x, row}, 2);
    sweep(OP_mul, ml_k_binary, (Value[]){x, d}, 2);
    sweep(OP_mul, ml_k_binary, (Value[]){d, d}, 2);
    sweep(OP_sqrt, ml_k_unary, (Value[]){x}, 1);
    sweep(OP_exp, ml_k_unary, (Value[]){x}, 1);
    sweep(OP_max, ml_k_max, (Value[]){x, y, d}, 3);
    sweep(OP_ifelse, ml_k_ifelse, (Value[]){x, y, d}, 3);
    value_release(x);
    value_release(y);
    value_release(d);
    value_release(row);
}

static void sweep_rand(double sparsity, const char *pdf)
{
    Value in[8] = {value_int(40),          value_int(50),  value_int(0), value_int(1),
                   value_double(sparsity), case_text(pdf), value_int(3), value_int(7)};

    sweep(OP_rand, ml_k_rand, in, 8);
    value_release(in[5]);
}

ML_TEST(constructors_survive_failing_allocations)
{
    Value text = case_text("1 2 3 4 5 6"), x = sparse(0.1, 1);

    test_threads(1);
    sweep_rand(1, "uniform");
    sweep_rand(0.1, "normal");
    sweep_rand(0.5, "poisson");
    sweep(OP_sample, ml_k_sample, (Value[]){value_int(1000), value_int(900), value_int(1)}, 3);
    sweep(OP_sample, ml_k_sample, (Value[]){value_int(1000000), value_int(9), value_int(1)}, 3);
    sweep(OP_seq, ml_k_seq, (Value[]){value_int(1), value_int(900)}, 2);
    sweep(OP_matrix, ml_k_matrix, (Value[]){text, value_int(2), value_int(3)}, 3);
    sweep(OP_matrix, ml_k_matrix, (Value[]){x, value_int(50), value_int(60), value_bool(false)}, 4);
    sweep(OP_matrix, ml_k_matrix, (Value[]){x, value_int(100), value_int(30)}, 3);
    value_release(text);
    value_release(x);
}
