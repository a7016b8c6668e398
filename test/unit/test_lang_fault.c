/* Memory that runs out anywhere in the front end ends in ML_ENOMEM, without a leak (the ASan build
 * looks). */
#include "lang_case.h"

#include <string.h>

static const char script[] =
    "f = function(matrix[double] X, int k = 3) return (double y, double z) { y = sum(X) z = k }\n"
    "X = rand(rows=3, cols=2)\n"
    "[a, b] = f(X)\n"
    "if (a > 1) { c = \"text\" + $n } else c = eval(\"sigmoid\", X)\n"
    "parfor (i in 1:3, check=0) { X[i, 1] = lm(X, X[, 1], icpt=undefined) }\n"
    "parfor (i in 1:a) { k = min(i * 3, b) for (j in a:k) X[(i - 1) * 3 + j, nrow(X)] = X[k, 1] }\n"
    "L = list(a=1, 2)\n"
    "y = conv2d(X, = 3\n";

static ml_status parse_with_memory(int64_t calls)
{
    const CheckOptions options = {.lib = ""};
    const ScriptArg arg = {"n", "abc"};
    Ctx ctx = {0};
    Program *p;
    Function *main_fn;
    ml_status st;

    mem_fail_after(calls);
    p = program_new(&ctx);
    st = ctx.err.code;
    if (p) {
        program_arguments(p, &arg, 1);
        /* with and without the last line, which is a syntax error */
        st = program_parse(&ctx, p, "t.dml", script,
                           calls % 2 ? strlen(script) : strlen(script) - 18, &options, &main_fn);
    }
    program_free(p);
    mem_fail_after(-1);
    return st;
}

ML_TEST(every_allocation_of_the_front_end_may_fail)
{
    for (int64_t calls = 0; calls < 800; calls++)
        assert_int_not_equal(parse_with_memory(calls),
                             ML_OK); /* the script has errors in any case */
    assert_int_equal(parse_with_memory(0), ML_ENOMEM);
    assert_int_equal(parse_with_memory(100000), ML_ENAME);
    assert_int_equal(parse_with_memory(100001), ML_ESYNTAX);
}
