/* The build's own promises: the embedded library is sorted and NUL-terminated. */
#include "base/base.h"
#include "ml_test.h"

#include <string.h>

ML_TEST(embedded_scripts_are_sorted_and_terminated)
{
    for (size_t i = 0; i < lib_nfiles; i++) {
        assert_int_equal(lib_files[i].text[lib_files[i].size], '\0');
        assert_int_equal(strlen(lib_files[i].text), lib_files[i].size);
        if (i > 0)
            assert_true(strcmp(lib_files[i - 1].path, lib_files[i].path) < 0);
    }
}
