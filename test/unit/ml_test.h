/* Unit tests in C: a test is a sentence that registers itself.
 *
 *     ML_TEST(arena_returns_aligned_memory)
 *     {
 *         assert_int_equal(1 + 1, 2);
 *     }
 *
 * Checks are cmocka's assert_*. `unit [WORD...]` runs the tests whose name contains one of the words, `unit -l` lists
 * them.
 */
#ifndef ML_TEST_H
#define ML_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

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

#endif
