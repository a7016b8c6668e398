/* Kernels of products, reorganisation, indexing and linear algebra when memory runs out: every
 * allocation fails once, the kernel reports it and leaves nothing behind. */
#include "linear.h"

enum { MOST = 400 }; /* allocations of one call, at most */

static void release_results(Value *out, int n)
{
    for (int k = 0; k < n; k++)
        value_release(out[k]);
}

/* Fail the first, second ... allocation until the call gets through. */
static void check_faults(OpCode op, KernelFn kernel, int nin, Value *in, int nout)
{
    const size_t before = pool_stats(test_ctx()->pool).used;
    Value out[3];
    int64_t n = 0;

    for (; n < MOST; n++) {
        ml_status st;

        mem_fail_after(n);
        st = call_values(op, kernel, nin, in, nout, out);
        mem_fail_after(-1);
        release_results(out, nout);
        assert_int_equal(pool_stats(test_ctx()->pool).used, before);
        if (st == ML_OK)
            break;
        assert_int_equal(st, ML_ENOMEM);
    }
    assert_true(n < MOST);
}

static void check_matrices(OpCode op, KernelFn kernel, Matrix *a, Matrix *b, int nout)
{
    Value in[2] = {value_matrix(a), b ? value_matrix(b) : value_none()};

    test_threads(1);
    check_faults(op, kernel, b ? 2 : 1, in, nout);
    value_release(in[0]);
    value_release(in[1]);
}

static Matrix *sparse(int64_t rows, int64_t cols)
{
    return in_format(case_random(rows, cols, 0.05, 1), MATRIX_CSR);
}

ML_TEST(products_survive_the_end_of_memory)
{
    check_matrices(OP_matmult, ml_k_matmult, case_random(40, 50, 1, 1), case_random(50, 60, 1, 2),
                   1);
    check_matrices(OP_matmult, ml_k_matmult, sparse(90, 80), case_random(80, 30, 1, 2), 1);
    check_matrices(OP_matmult, ml_k_matmult, case_random(30, 80, 1, 2), sparse(80, 90), 1);
    check_matrices(OP_matmult, ml_k_matmult, sparse(90, 80), sparse(80, 90), 1);
    check_matrices(OP_matmult_tn, ml_k_matmult_tn, sparse(90, 80), case_random(90, 3, 1, 2), 1);
    check_matrices(OP_matmult_tn, ml_k_matmult_tn, case_random(9000, 30, 1, 1),
                   case_random(9000, 3, 1, 2), 1);
    check_matrices(OP_matmult_nt, ml_k_matmult_nt, case_random(20, 5000, 1, 1),
                   case_random(30, 5000, 1, 2), 1);
    check_matrices(OP_tsmm, ml_k_tsmm, case_random(900, 20, 1, 1), NULL, 1);
    check_matrices(OP_tsmm_right, ml_k_tsmm_right, sparse(90, 50), NULL, 1);
    check_matrices(OP_mmchain, ml_k_mmchain, sparse(90, 50), case_random(50, 1, 1, 2), 1);
}

ML_TEST(reorganisation_survives_the_end_of_memory)
{
    check_matrices(OP_t, ml_k_t, sparse(90, 50), NULL, 1);
    check_matrices(OP_t, ml_k_t, case_random(90, 50, 1, 1), NULL, 1);
    check_matrices(OP_rev, ml_k_rev, sparse(90, 50), NULL, 1);
    check_matrices(OP_diag, ml_k_diag, case_random(90, 1, 1, 1), NULL, 1);
    check_matrices(OP_cbind, ml_k_cbind, sparse(90, 50), case_random(90, 3, 1, 1), 1);
    check_matrices(OP_rbind, ml_k_rbind, case_random(3, 50, 1, 1), sparse(90, 50), 1);
}

ML_TEST(linear_algebra_survives_the_end_of_memory)
{
    for (int64_t n = 10; n < 60; n += 40) {
        check_matrices(OP_solve, ml_k_solve, case_random(n, n, 1, 1), case_random(n, 1, 1, 2), 1);
        check_matrices(OP_inv, ml_k_inv, case_random(n, n, 1, 1), NULL, 1);
        check_matrices(OP_lu, ml_k_lu, case_random(n, n, 1, 1), NULL, 3);
        check_matrices(OP_qr, ml_k_qr, case_random(n, n, 1, 1), NULL, 2);
        check_matrices(OP_svd, ml_k_svd, case_random(n, n, 1, 1), NULL, 3);
        check_matrices(OP_eigen, ml_k_eigen, case_matrix(2, 2, "4 1 2 3"), NULL, 2);
        check_matrices(OP_sqrtMatrixJava, ml_k_sqrtMatrixJava, case_matrix(2, 2, "4 1 1 3"), NULL,
                       1);
        check_matrices(OP_sqrtMatrixJava, ml_k_sqrtMatrixJava, case_matrix(2, 2, "4 1 2 3"), NULL,
                       1);
    }
}

ML_TEST(transforms_and_classes_survive_the_end_of_memory)
{
    Value in[3] = {value_matrix(sparse(30, 50)), value_int(8), value_int(3)};

    check_matrices(OP_fft, ml_k_fft, sparse(32, 64), NULL, 2);
    check_matrices(OP_ifft, ml_k_ifft, case_random(8, 64, 1, 1), sparse(8, 64), 2);
    test_threads(1);
    check_faults(OP_stft, ml_k_stft, 3, in, 2);
    value_release(in[0]);
    check_matrices(OP_rowClassMeet, ml_k_rowClassMeet, sparse(9, 50), case_random(9, 50, 1, 2), 2);
}
