/* Unit tests in C: a test is a sentence that registers itself.
 *
 *     ML_TEST(arena_returns_aligned_memory)
 *     {
 *         assert_int_equal(1 + 1, 2);
 *     }
 *
 * Checks are cmocka's assert_*; assert_ok(call) wants ML_OK and shows the error record otherwise.
 * `unit [WORD...]` runs the tests whose name contains one of the words, `unit -l` lists them.
 */
#ifndef ML_TEST_H
#define ML_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#undef fail /* the house's own name (base.h); cmocka's fail_msg needs the macro, so it is defined  \
               anew */
#undef fail_msg
#define fail_msg(...) (print_error(__VA_ARGS__), print_error("\n"), _fail(__FILE__, __LINE__))

#include "data/data.h"

typedef struct MlTest {
    const char *name;
    void (*run)(void **state);
    struct MlTest *next;
} MlTest;

void ml_test_register(MlTest *test);

#define ML_TEST(test)                                                                              \
    static void test(void **state);                                                                \
    __attribute__((constructor)) static void register_##test(void)                                 \
    {                                                                                              \
        static MlTest self = {#test, test, NULL};                                                  \
        ml_test_register(&self);                                                                   \
    }                                                                                              \
    static void test(__attribute__((unused)) void **state)

/* The context of this test, made at the first call and freed after the test (context.c). */
Ctx *test_ctx(void);
Options *test_options(void);    /* its options, to be changed at will */
void test_threads(int threads); /* another number of threads */
const char *test_error(void);   /* message of the last error */
const char *test_printed(void); /* what was printed to its outputs so far */
int test_ctx_end(void **state);

#define assert_ok(call)                                                                            \
    do {                                                                                           \
        if ((call) != ML_OK)                                                                       \
            fail_msg("%s: %s", #call, test_error());                                               \
    } while (0)

#endif
