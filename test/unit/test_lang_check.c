/* Names, arguments and variables: each finding with its exact text. */
#include "lang_case.h"

#include <stdio.h>

/* ---- variables ---- */

ML_TEST(a_variable_never_assigned_is_an_error)
{
    lang_expect("alpha = 1\nprint(alpah)",
                "t.dml:2:7: error: undefined variable 'alpah'; did you mean 'alpha'?\n"
                "print(alpah)\n"
                "      ^~~~~\n");
    lang_expect("print(T)", "t.dml:1:7: error: undefined variable 'T'; did you mean TRUE?\n"
                            "print(T)\n"
                            "      ^\n");
    lang_expect("X[1,1] = 3", "t.dml:1:1: error: undefined variable 'X'\n"
                              "X[1,1] = 3\n"
                              "^~~~~~\n");
    lang_expect("x += 3", "t.dml:1:1: error: undefined variable 'x'\n"
                          "x += 3\n"
                          "^\n");
    lang_expect("if (TRUE) { print(z) } z = 1", "t.dml:1:19: error: undefined variable 'z'\n"
                                                "if (TRUE) { print(z) } z = 1\n"
                                                "                  ^\n");
}

ML_TEST(functions_see_their_parameters_alone)
{
    lang_expect("x = 5\nf = function(int a) return (int y) { y = x }\nz = f(1)",
                "t.dml:2:42: error: undefined variable 'x'\n"
                "f = function(int a) return (int y) { y = x }\n"
                "                                         ^\n");
    lang_expect("f = function(int a, int b = a) return (int y) { y = b }",
                "t.dml:1:29: error: undefined variable 'a'\n"
                "f = function(int a, int b = a) return (int y) { y = b }\n"
                "                            ^\n");
}

ML_TEST(what_is_assigned_in_a_branch_may_be_undefined)
{
    const char *text = "c = 1\nif (c > 1) z = 1\nprint(z)\nprint(z)";

    lang_expect(text, "");
    lang_expect_check(text, "t.dml:3:7: warning: 'z' may be undefined here: it is assigned only "
                            "where that may not run\n"
                            "print(z)\n"
                            "      ^\n");
    lang_expect_check("c = 1 if (c > 1) { z = 1 } else { z = 2 } print(z)", "");
    lang_expect_check("for (i in 1:3) z = i print(z + i)", "");
    lang_expect_check("while (FALSE) z = 1 print(z)",
                      "t.dml:1:27: warning: 'z' may be undefined here: it is assigned only where "
                      "that may not run\n"
                      "while (FALSE) z = 1 print(z)\n"
                      "                          ^\n");
    lang_expect_check("for (i in seq(1, 0, 1)) z = i print(z)",
                      "t.dml:1:37: warning: 'z' may be undefined here: it is assigned only where "
                      "that may not run\n"
                      "for (i in seq(1, 0, 1)) z = i print(z)\n"
                      "                                    ^\n");
}

ML_TEST(results_must_be_assigned)
{
    lang_expect("f = function(int a) return (int r) { b = a }",
                "t.dml:1:29: error: the function 'f' never assigns its result 'r'\n"
                "f = function(int a) return (int r) { b = a }\n"
                "                            ^~~~~\n");
    lang_expect_check(
        "f = function(int a) return (int r) { if (a > 1) r = a }",
        "t.dml:1:29: warning: the function 'f' may end without assigning its result 'r'\n"
        "f = function(int a) return (int r) { if (a > 1) r = a }\n"
        "                            ^~~~~\n");
    lang_expect("f = function(int r) return (int r) { print(r) }", "");
}

ML_TEST(constants_parameters_and_reserved_words_cannot_be_assigned)
{
    lang_expect("pi = 3", "t.dml:1:1: error: cannot assign to the constant pi\n"
                          "pi = 3\n"
                          "^~\n");
    lang_expect("$x = 3", "t.dml:1:1: error: cannot assign to a parameter of the command line\n"
                          "$x = 3\n"
                          "^~\n");
    lang_expect("string = 3",
                "t.dml:1:1: error: 'string' is a reserved word and cannot name a variable\n"
                "string = 3\n"
                "^~~~~~\n");
    lang_expect("a::b = 3",
                "t.dml:1:1: error: cannot assign to 'a::b': only functions have a namespace\n"
                "a::b = 3\n"
                "^~~~\n");
}

ML_TEST(exists_may_name_what_is_undefined)
{
    lang_expect("print(exists(x)) print(exists(\"y\"))", "");
}

ML_TEST(parameters_of_the_command_line_are_needed_to_run_only)
{
    lang_expect("x = $a + 1", "t.dml:1:5: error: $a has no value; give one on the command line or "
                              "write ifdef($a, default)\n"
                              "x = $a + 1\n"
                              "    ^~\n");
    lang_expect_check("x = $a + $1 print(x)", "");
    lang_expect("x = ifdef($a, 3)", "");
}

ML_TEST(a_condition_is_no_string)
{
    lang_expect("if (\"TRUE\") print(1)",
                "t.dml:1:5: error: a condition is a boolean or a number, found a string\n"
                "if (\"TRUE\") print(1)\n"
                "    ^~~~~~\n");
}

/* ---- calls of natives ---- */

ML_TEST(an_unknown_function_is_an_error_with_the_nearest_name)
{
    lang_expect("x = summ(matrix(1,2,2))",
                "t.dml:1:5: error: undefined function 'summ'; did you mean 'sum'?\n"
                "x = summ(matrix(1,2,2))\n"
                "    ^~~~\n");
    lang_expect("x = qqqqqq(3)", "t.dml:1:5: error: undefined function 'qqqqqq'\n"
                                 "x = qqqqqq(3)\n"
                                 "    ^~~~~~\n");
    lang_expect("x = n::f(3)",
                "t.dml:1:5: error: no namespace 'n'; source(\"file.dml\") as n would make it\n"
                "x = n::f(3)\n"
                "    ^~~~\n");
}

ML_TEST(wrong_arguments_of_natives_are_errors)
{
    lang_expect("x = matrix(1, row=2, cols=3)",
                "t.dml:1:19: error: 'matrix' has no parameter 'row'; did you mean 'rows'?\n"
                "x = matrix(1, row=2, cols=3)\n"
                "                  ^\n");
    lang_expect(
        "x = seq(1, 2, step=2)",
        "t.dml:1:20: error: 'seq' has no parameter 'step'; its parameters are from, to, incr\n"
        "x = seq(1, 2, step=2)\n"
        "                   ^\n");
    lang_expect("x = exists()", "t.dml:1:5: error: 'exists' needs the argument 'x'\n"
                                "x = exists()\n"
                                "    ^~~~~~~~\n");
    lang_expect("x = matrix(1, 2)", "t.dml:1:5: error: 'matrix' needs the argument 'cols'\n"
                                    "x = matrix(1, 2)\n"
                                    "    ^~~~~~~~~~~~\n");
    lang_expect("x = matrix(1, 2, 3, TRUE, 5)",
                "t.dml:1:27: error: 'matrix' takes at most 4 arguments, found 5\n"
                "x = matrix(1, 2, 3, TRUE, 5)\n"
                "                          ^\n");
    lang_expect("x = matrix(1, rows=2, 3)", "t.dml:1:23: error: an argument without a name cannot "
                                            "follow 'rows=' in the call of 'matrix'\n"
                                            "x = matrix(1, rows=2, 3)\n"
                                            "                      ^\n");
    lang_expect("x = matrix(1, 2, rows=2, cols=3)",
                "t.dml:1:23: error: the parameter 'rows' of 'matrix' is given twice\n"
                "x = matrix(1, 2, rows=2, cols=3)\n"
                "                      ^\n");
    lang_expect("x = rand(2, 2)",
                "t.dml:1:10: error: the arguments of 'rand' need names, as in rand(rows=...)\n"
                "x = rand(2, 2)\n"
                "         ^\n");
    lang_expect("x = t(\"a\")",
                "t.dml:1:7: error: the argument 'X' of 't' is a matrix, found a string\n"
                "x = t(\"a\")\n"
                "      ^~~\n");
    lang_expect_check("x = t(\"a\")",
                      "t.dml:1:7: warning: the argument 'X' of 't' is a matrix, found a string\n"
                      "x = t(\"a\")\n"
                      "      ^~~\n");
}

ML_TEST(natives_get_their_arguments_in_order_with_defaults)
{
    assert_string_equal(lang_tree("X = matrix(0, cols=3, rows=2)"), "(= X (matrix 0 2 3 TRUE))");
    assert_string_equal(lang_tree("X = rand(cols=3, seed=7)"),
                        "(= X (rand 1 3 0.0 1.0 1.0 \"uniform\" 1.0 7))");
    assert_string_equal(lang_tree("X = seq(1, 3) Y = seq(1, 3, -1)"),
                        "(= X (seq 1 3 _)) (= Y (seq 1 3 -1))");
    assert_string_equal(lang_tree("X = cbind(1, 2, 3)"), "(= X (cbind 1 2 3))");
    assert_string_equal(lang_tree("print(1) print(\"%d\", 2, 3)"), "(print 1) (print \"%d\" 2 3)");
}

ML_TEST(results_and_variables_are_counted)
{
    lang_expect("x = eigen(matrix(1,2,2))", "t.dml:1:5: error: 'eigen' has 2 results and needs to "
                                            "be called with multi-return assignment, "
                                            "[a, b] = eigen(...)\n"
                                            "x = eigen(matrix(1,2,2))\n"
                                            "    ^~~~~~~~~~~~~~~~~~~~\n");
    lang_expect("[a, b, c] = eigen(matrix(1,2,2))",
                "t.dml:1:13: error: 'eigen' has 2 results, found 3 variables to take them\n"
                "[a, b, c] = eigen(matrix(1,2,2))\n"
                "            ^~~~~~~~~~~~~~~~~~~~\n");
    lang_expect("sum(matrix(1,2,2))", "t.dml:1:1: error: the result of 'sum' must be assigned\n"
                                      "sum(matrix(1,2,2))\n"
                                      "^~~~~~~~~~~~~~~~~~\n");
    lang_expect("x = 1 + print(2)", "t.dml:1:9: error: 'print' has no result to compute with\n"
                                    "x = 1 + print(2)\n"
                                    "        ^~~~~~~~\n");
    assert_string_equal(lang_tree("x = print(2)"), "(print 2)");
    assert_string_equal(lang_tree("[U, S] = svd(matrix(1,2,2))"),
                        "(= U S (svd (matrix 1 2 2 TRUE)))");
}

ML_TEST(what_a_later_version_has_is_an_error_before_the_run_and_a_warning_when_checked)
{
    const char *text = "print(1)\nx = xgboost(matrix(1,2,2))\ny = lineage(x)";

    lang_expect(
        text, "t.dml:2:5: error: 'xgboost' is part of the script library but not in this version\n"
              "x = xgboost(matrix(1,2,2))\n"
              "    ^~~~~~~\n"
              "t.dml:3:5: error: 'lineage' belongs to lineage, which this version does not have\n"
              "y = lineage(x)\n"
              "    ^~~~~~~\n");
    lang_expect_check(
        text,
        "t.dml:2:5: warning: 'xgboost' is part of the script library but not in this version\n"
        "x = xgboost(matrix(1,2,2))\n"
        "    ^~~~~~~\n"
        "t.dml:3:5: warning: 'lineage' belongs to lineage, which this version does not have\n"
        "y = lineage(x)\n"
        "    ^~~~~~~\n");
    lang_expect("f = function(matrix[double] X) return (matrix[double] Y) { Y = decompress(X) }",
                "");
}

/* ---- functions written in DML ---- */

ML_TEST(functions_take_a_positional_prefix_then_names_then_defaults)
{
    const char *f = "f = function(int a, int b = 2, int c = 3) return (int r) { r = a + b + c } ";
    const char *head = "(function f (a:scalar.int b:scalar.int=2 c:scalar.int=3) (r:scalar.int) (= "
                       "r (+ (+ a b) c))) ";
    char text[256], expected[256];

    snprintf(text, sizeof text, "%sx = f(1) y = f(1, c=5) z = f(c=1, a=2) w = f(1, 2, 3)", f);
    snprintf(expected, sizeof expected,
             "%s(= x (f 1 _ _)) (= y (f 1 _ 5)) (= z (f 2 _ 1)) (= w (f 1 2 3))", head);
    assert_string_equal(lang_tree(text), expected);
}

ML_TEST(wrong_calls_of_functions_are_errors)
{
    lang_expect("f = function(int a, int b = 2) return (int r) { r = a }\nx = f(1,2,3) y = f()\nz "
                "= f(1, d=2)\nf(1)",
                "t.dml:2:11: error: 'f' takes at most 2 arguments, found 3\n"
                "x = f(1,2,3) y = f()\n"
                "          ^\n"
                "t.dml:2:18: error: 'f' needs the argument 'a'\n"
                "x = f(1,2,3) y = f()\n"
                "                 ^~~\n"
                "t.dml:3:12: error: 'f' has no parameter 'd'; its parameters are a, b\n"
                "z = f(1, d=2)\n"
                "           ^\n"
                "t.dml:4:1: error: the result of 'f' must be assigned\n"
                "f(1)\n"
                "^~~~\n");
    lang_expect("f = function(matrix[double] X) { print(X) }\nf(3)\nx = f(matrix(1,1,1))",
                "t.dml:2:3: error: the argument 'X' of 'f' is a matrix, found a number\n"
                "f(3)\n"
                "  ^\n"
                "t.dml:3:5: error: 'f' has 0 results, found 1 variable to take them\n"
                "x = f(matrix(1,1,1))\n"
                "    ^~~~~~~~~~~~~~~~\n");
}

ML_TEST(a_function_defined_twice_is_an_error_that_names_the_first)
{
    lang_expect("f = function(int a) { print(a) }\nf = function(int b) { print(b) }",
                "t.dml:2:1: error: the function 'f' is already defined\n"
                "f = function(int b) { print(b) }\n"
                "^\n"
                "t.dml:1:1: note: first defined here\n"
                "f = function(int a) { print(a) }\n"
                "^\n");
    lang_expect("f = function(int a, int a) { print(a) }",
                "t.dml:1:21: error: 'a' is declared twice\n"
                "f = function(int a, int a) { print(a) }\n"
                "                    ^~~~~\n");
}

ML_TEST(a_function_shadows_the_native_of_its_name_and_may_call_itself)
{
    lang_expect("sum = function(int n) return (int r) { if (n <= 1) { r = 1 } else { r = n * sum(n "
                "- 1) } } x = sum(5)",
                "");
    lang_expect("a = function(int n) return (int r) { r = b(n) } b = function(int n) return (int "
                "r) { r = a(n) } x = a(1)",
                "");
}

/* ---- parfor ---- */

ML_TEST(parameters_of_parfor_are_checked)
{
    lang_expect("parfor (i in 1:4, chek=1, par=TRUE, mode=REMOTE, check=0) { x = i }",
                "t.dml:1:19: error: parfor has no parameter 'chek'; did you mean 'check'?\n"
                "parfor (i in 1:4, chek=1, par=TRUE, mode=REMOTE, check=0) { x = i }\n"
                "                  ^~~~\n"
                "t.dml:1:31: error: the parfor parameter 'par' is an integer literal\n"
                "parfor (i in 1:4, chek=1, par=TRUE, mode=REMOTE, check=0) { x = i }\n"
                "                              ^~~~\n"
                "t.dml:1:42: error: the parfor parameter 'mode' is one of LOCAL REMOTE_SPARK "
                "REMOTE_SPARK_DP\n"
                "parfor (i in 1:4, chek=1, par=TRUE, mode=REMOTE, check=0) { x = i }\n"
                "                                         ^~~~~~\n");
    lang_expect("parfor (i in 1:4, par=2, opt=NONE, taskpartitioner=FACTORING, log=WARN, "
                "profile=1) { x = i }",
                "");
    lang_expect("parfor (i in 1:4, opt=AUTO, taskpartitioner=GUIDED) { x = i }", "");
}

#define DEPEND(path, text, mark, findings)                                                         \
    "t.dml:" path ": error: iterations of the parfor " findings                                    \
    "; a for loop allows that, and check=0 takes this analysis away\n" text "\n" mark "\n"

ML_TEST(what_iterations_of_parfor_share_is_an_error_that_names_both_accesses)
{
    lang_expect("x = 0\nparfor (i in 1:4) { x = x + i }",
                DEPEND("2:21", "parfor (i in 1:4) { x = x + i }", "                    ^",
                       "depend on each other: 'x' is written at 2:21 (x) and read at 2:25 (x), one "
                       "value for all of them"));
    lang_expect("x = 0\nparfor (i in 1:4) { x = i y = x }",
                DEPEND("2:21", "parfor (i in 1:4) { x = i y = x }", "                    ^",
                       "depend on each other: 'x' is written at 2:21 (x), one value for all of "
                       "them"));
    lang_expect("R = matrix(0,4,1)\nparfor (i in 2:4) { R[i,1] = R[i-1,1] + 1 }",
                DEPEND("2:21", "parfor (i in 2:4) { R[i,1] = R[i-1,1] + 1 }",
                       "                    ^~~~~~",
                       "depend on each other: 'R' is written at 2:21 (R[i,1]) and read at 2:30 "
                       "(R[i-1,1]), certainly the same cell in two of them"));
    lang_expect("R = matrix(0,4,1) v = R\nparfor (i in 1:4) { R[as.scalar(v[i,1]) + "
                "1000000000000000,1] = 1 }",
                DEPEND("2:21",
                       "parfor (i in 1:4) { R[as.scalar(v[i,1]) + 1000000000000000,1] = 1 }",
                       "                    ^~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~~",
                       "may depend on each other: 'R' is written at 2:21 (R[as.scalar(v[i,1]) + "
                       "1000000000000000,1...), and it cannot be decided whether two of them meet "
                       "in a cell"));
    lang_expect("x = 0 parfor (i in 1:4, check=0) { x = x + i }", "");
    lang_expect("s = matrix(0,1,1) parfor (i in 1:4) { s += matrix(i,1,1) }", "");
    lang_expect("R = matrix(0,4,1) parfor (i in 1:4) { R[i,1] = R[i,1] + i }", "");
}

ML_TEST(the_body_of_parfor_cannot_stop)
{
    lang_expect("parfor (i in 1:4) { if (i > 2) stop(\"x\") }",
                "t.dml:1:32: error: stop cannot stand in the body of a parfor\n"
                "parfor (i in 1:4) { if (i > 2) stop(\"x\") }\n"
                "                               ^~~~~~~~~\n");
    lang_expect("parfor (i in 1:4) { for (j in 1:2) { if (i > 2) x = 1 else assert(i < 1) } }",
                "t.dml:1:60: error: assert cannot stand in the body of a parfor\n"
                "parfor (i in 1:4) { for (j in 1:2) { if (i > 2) x = 1 else assert(i < 1) } }\n"
                "                                                           ^~~~~~~~~~~~~\n");
}

ML_TEST(what_the_body_of_parfor_makes_has_no_value_after_it)
{
    lang_expect(
        "parfor (i in 1:4) { y = i }\nprint(i)\nprint(y)\ny = 2 print(y)",
        "t.dml:3:7: error: 'y' is made in the body of the parfor at line 1 and has no value "
        "after it\n"
        "print(y)\n"
        "      ^\n");
    lang_expect("y = 1 parfor (i in 1:4, check=0) { y = i } print(y)", "");
    lang_expect(
        "parfor (i in 1:4) for (j in 1:3) print(j)\nprint(j)",
        "t.dml:2:7: error: 'j' is made in the body of the parfor at line 1 and has no value "
        "after it\n"
        "print(j)\n"
        "      ^\n");
}
