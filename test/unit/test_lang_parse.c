/* The parser: precedence, every form of statement, and that what newlines separate is told apart.
 */
#include "lang_case.h"

#include <string.h>

#define EXPECT_TREE(text, tree) assert_string_equal(lang_tree(text), tree)

ML_TEST(power_binds_tighter_than_sign_and_associates_to_the_right)
{
    EXPECT_TREE("x = -a^2", "(= x (- (^ a 2)))");
    EXPECT_TREE("x = -2^2", "(= x (- (^ 2 2)))");
    EXPECT_TREE("x = 2^-1", "(= x (^ 2 -1))");
    EXPECT_TREE("x = 2^3^2", "(= x (^ 2 (^ 3 2)))");
    EXPECT_TREE("x = 2^-a*b", "(= x (* (^ 2 (- a)) b))");
    EXPECT_TREE("x = (-2)^2", "(= x (^ -2 2))");
    EXPECT_TREE("x = 1 - -1", "(= x (- 1 -1))");
    EXPECT_TREE("x = - -3 y = +3", "(= x 3) (= y 3)");
}

ML_TEST(products_bind_by_the_table_of_the_language)
{
    EXPECT_TREE("x = A ^ 2 %*% A", "(= x (%*% (^ A 2) A))");
    EXPECT_TREE("x = 2 * A %*% B", "(= x (* 2 (%*% A B)))");
    EXPECT_TREE("x = -A %*% B", "(= x (%*% (- A) B))");
    EXPECT_TREE("x = 2 * 3 %% 2", "(= x (* 2 (%% 3 2)))");
    EXPECT_TREE("x = 10 %/% 3 * 3", "(= x (* (%/% 10 3) 3))");
    EXPECT_TREE("x = 7 - 2 - 1", "(= x (- (- 7 2) 1))");
    EXPECT_TREE("x = a + b * c - d / e", "(= x (- (+ a (* b c)) (/ d e)))");
}

ML_TEST(comparison_binds_tighter_than_not_and_not_than_and)
{
    EXPECT_TREE("x = !a == b", "(= x (! (== a b)))");
    EXPECT_TREE("x = !a & b", "(= x (& (! a) b))");
    EXPECT_TREE("x = a | b & c", "(= x (| a (& b c)))");
    EXPECT_TREE("x = a || b && !c", "(= x (| a (& b (! c))))");
    EXPECT_TREE("x = 1 < 2 < 3", "(= x (< (< 1 2) 3))");
    EXPECT_TREE("x = 3 > 2 & 2 != 1 + 1", "(= x (& (> 3 2) (!= 2 (+ 1 1))))");
    EXPECT_TREE("x = 2 * !a == b", "(= x (* 2 (! (== a b))))");
}

ML_TEST(literals_become_values)
{
    EXPECT_TREE("x = 9223372036854775807", "(= x 9223372036854775807)");
    EXPECT_TREE("x = TRUE y = FALSE", "(= x TRUE) (= y FALSE)");
    EXPECT_TREE("x = 1e400 y = Inf z = -Inf", "(= x Infinity) (= y Infinity) (= z -Infinity)");
    EXPECT_TREE("x = NaN y = pi", "(= x NaN) (= y 3.141592653589793)");
    EXPECT_TREE("x = 5. y = .5 z = 1E3", "(= x 5.0) (= y 0.5) (= z 1000.0)");
    EXPECT_TREE("x = 'it\\'s'", "(= x \"it's\")");
    EXPECT_TREE("T = 3 F = T", "(= T 3) (= F T)");
}

ML_TEST(indexes_may_be_blank_single_or_ranges)
{
    EXPECT_TREE("y = X[1,2]", "(= y ([] X 1 1 2 2))");
    EXPECT_TREE("y = X[1:n+1,]", "(= y ([] X 1 (+ n 1) _ _))");
    EXPECT_TREE("y = X[,2:3]", "(= y ([] X _ _ 2 3))");
    EXPECT_TREE("y = X[,] z = X[]", "(= y ([] X _ _ _ _)) (= z ([] X _ _ _ _))");
    EXPECT_TREE("y = L[\"a\"]", "(= y ([] L \"a\" \"a\" _ _))");
    EXPECT_TREE("y = (A + B)[1,1]", "(= y ([] (+ A B) 1 1 1 1))");
    EXPECT_TREE("y = f(x)[1][2,]", "(= y ([] ([] (call f x) 1 1 _ _) 2 2 _ _))");
}

ML_TEST(statements_need_no_separator)
{
    EXPECT_TREE("x = 5 y = 6 f(x+y)", "(= x 5) (= y 6) (call f (+ x y))");
    EXPECT_TREE(";x <- 5;; y = 6;", "(= x 5) (= y 6)");
    EXPECT_TREE("x = 5y = 6", "(= x 5) (= y 6)");
    EXPECT_TREE("x = a\n- b", "(= x (- a b))");
    EXPECT_TREE("", "");
    EXPECT_TREE("# only a comment", "");
}

ML_TEST(a_bracket_that_begins_an_assignment_indexes_nothing)
{
    EXPECT_TREE("x = a\n[b, c] = f(x)", "(= x a) (= b c (call f x))");
    EXPECT_TREE("x = f(1)[b] <- g(2)", "(= x (call f 1)) (= b (call g 2))");
    EXPECT_TREE("x = a\n[b, C[1,2]] = f(x)", "(= x a) (= b C[1 1, 2 2] (call f x))");
    EXPECT_TREE("x = a\n[b, c]", "(= x ([] a b b c c))");
    EXPECT_TREE("f(a)[b, c] = g()", "(call f a) (= b c (call g))");
}

ML_TEST(assignments_have_targets_of_every_form)
{
    EXPECT_TREE("x += 2", "(+= x 2)");
    EXPECT_TREE("X[i,] = 5", "(= X[i i, _ _] 5)");
    EXPECT_TREE("X[1:2,3] += 5", "(+= X[1 2, 3 3] 5)");
    EXPECT_TREE("L[2] = 9", "(= L[2 2] 9)");
    EXPECT_TREE("[a] = f()", "(= a (call f))");
}

ML_TEST(branches_and_loops_take_blocks_or_one_statement)
{
    EXPECT_TREE("if (a) x = 1 else y = 2", "(if a ((= x 1)) ((= y 2)))");
    EXPECT_TREE("if (a) x = 1; else { y = 2; z = 3 };", "(if a ((= x 1)) ((= y 2) (= z 3)))");
    EXPECT_TREE("if (a) {} else if (b) x = 1 else x = 2", "(if a () ((if b ((= x 1)) ((= x 2)))))");
    EXPECT_TREE("if (a) if (b) x = 1 else x = 2", "(if a ((if b ((= x 1)) ((= x 2)))))");
    EXPECT_TREE("while (i < 3) { i = i + 1 }", "(while (< i 3) ((= i (+ i 1))))");
    EXPECT_TREE("for (i in 1:n) f(i)", "(for i (: 1 n) ((call f i)))");
    EXPECT_TREE("for (i in a+1:b*2) f(i)", "(for i (: (+ a 1) (* b 2)) ((call f i)))");
    EXPECT_TREE("for (i in seq(1, 10, 4)) {}", "(for i (seq 1 10 4) ())");
    EXPECT_TREE("for (i in seq(3, 1)) {}", "(for i (seq 3 1) ())");
    EXPECT_TREE("parfor (i in 1:4, par=2, mode=LOCAL, check=0) {}",
                "(parfor i (: 1 4) par=2 mode=\"LOCAL\" check=0 ())");
}

ML_TEST(calls_take_named_arguments_and_lists)
{
    EXPECT_TREE("x = f(a, k=3, index.return=TRUE)", "(= x (call f a k=3 index.return=TRUE))");
    EXPECT_TREE("x = f(X, stride=[1, n], pad=[0])",
                "(= x (call f X stride=(list 1 n) pad=(list 0)))");
    EXPECT_TREE("x = ns::f()", "(= x (call ns::f))");
    EXPECT_TREE("x = f(g(h(1)), -2)", "(= x (call f (call g (call h 1)) -2))");
}

ML_TEST(functions_have_types_defaults_and_several_results)
{
    EXPECT_TREE("f = function(Matrix[Double] X, int k = 3, String s = 'a', list[unknown] l)"
                " return (double y, frame[string] z) { y = k }",
                "(function f (X:matrix.double k:scalar.int=3 s:scalar.string=\"a\" l:list.unknown)"
                " (y:scalar.double z:frame.string) (= y k)) ");
    EXPECT_TREE("f <- function(scalar[integer] b) { }; x = 1",
                "(function f (b:scalar.int) () ) (= x 1)");
}

ML_TEST(arguments_of_the_command_line_become_literals)
{
    const ScriptArg args[] = {{"n", "007"},  {"d", "1e3"}, {"b", "TRUE"}, {"s", "'a\\tb'"},
                              {"t", "true"}, {"1", "-3"},  {"e", ""}};
    const LangCase script = {
        .text = "x = $n y = $d z = $b u = $s v = $t w = $1 m = ifdef($e, 4) k = ifdef($n, 5)",
        .args = args,
        .nargs = 7};

    assert_string_equal(lang_tree_of(&script),
                        "(= x 7) (= y 1000.0) (= z TRUE) (= u \"a\tb\") (= v \"true\") "
                        "(= w -3) (= m 4) (= k 7)");
}

/* n times `open`, then middle, then n times `close`. */
static char *nested(const char *open, const char *middle, const char *close, int n)
{
    Buffer b = {0};

    for (int k = 0; k < n; k++)
        buffer_text(&b, open);
    buffer_text(&b, middle);
    for (int k = 0; k < n; k++)
        buffer_text(&b, close);
    return b.data;
}

static void expect_status(char *text, ml_status expected)
{
    ml_status st;
    const char *shown = lang_findings(&(LangCase){.text = text}, &st);

    if (st != expected)
        fail_msg("%.40s...: status %d, %s", text, st, shown);
    mem_free(text);
}

ML_TEST(a_thousand_levels_are_enough_and_more_are_an_error)
{
    expect_status(nested("x = (", "1", ")", 1), ML_OK);
    expect_status(nested("if (TRUE) { ", "x = 1", "}", 990), ML_OK);
    expect_status(nested("if (TRUE) { ", "x = 1", "}", 100000), ML_ELIMIT);
    expect_status(nested("if (TRUE) x = 1 else ", "x = 2", "", 100000), ML_ELIMIT);
    expect_status(nested("x = -(", "1", ")", 1), ML_OK);
}

/* x = followed by nested text. */
static char *assigned(const char *open, const char *middle, const char *close, int n)
{
    char *inner = nested(open, middle, close, n);
    Buffer b = {0};

    buffer_text(&b, "y = 1 x = ");
    buffer_text(&b, inner);
    mem_free(inner);
    return b.data;
}

ML_TEST(deep_expressions_end_in_an_error)
{
    expect_status(assigned("(", "1", ")", 990), ML_OK);
    expect_status(assigned("(", "1", ")", 100000), ML_ELIMIT);
    expect_status(assigned("-", "y", "", 100000), ML_ELIMIT);
    expect_status(assigned("2^", "y", "", 100000), ML_ELIMIT);
    expect_status(assigned("", "y", "+y", 990), ML_OK);
    expect_status(assigned("", "y", "+y", 100000), ML_ELIMIT);
    expect_status(assigned("", "y", "[1,1]", 100000), ML_ELIMIT);
    expect_status(assigned("abs(", "1", ")", 100000), ML_ELIMIT);
    expect_status(assigned("[", "1", "]", 100000), ML_ELIMIT);
}
