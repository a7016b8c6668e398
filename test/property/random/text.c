/* A program as DML, and the program beside it that computes magnitudes.
 *
 * The second one runs the same statements; after each it computes, for the variable V, the
 * magnitude M of V from the expression's, and prints M where the first prints V.  It calls the
 * functions of magnitudes.dml. */
#include "program.h"

#include <string.h>

/* Which of its texts an expression is printed as. */
typedef enum As { VALUE, MAGNITUDE, ERROR } As;

static void expression(Buffer *b, const Program *p, const Node *n, As as);

static void size_text(Buffer *b, Size s)
{
    if (s.var >= 0)
        buffer_format(b, "n%d", s.var);
    else
        buffer_format(b, "%d", s.value);
}

/* V3, M3 its magnitude, s4, m4, n5. */
static void var_text(Buffer *b, const Program *p, int v, As as)
{
    static const char names[] = {'V', 's', 'n'};

    buffer_format(b, "%c%d",
                  as != VALUE && p->vars[v].kind != VAR_INT ? "Mm"[p->vars[v].kind]
                                                            : names[p->vars[v].kind],
                  v);
}

static void place_text(Buffer *b, Place at)
{
    if (at.loop >= 0)
        buffer_format(b, at.shift ? "n%d + %d" : "n%d", at.loop, at.shift);
    else if (at.fixed > 0)
        buffer_format(b, "%d", at.fixed);
}

/* Operand k; in a magnitude of a FULL form, repeated to the shape of the result. */
static void operand(Buffer *b, const Program *p, const Node *n, int k, As as, bool repeat)
{
    const Node *x = n->kid[k];

    repeat =
        repeat && n->form->full && n->rows != SCALAR && (x->rows != n->rows || x->cols != n->cols);
    if (repeat && x->rows == SCALAR)
        buffer_text(b, "matrix(0 + ");
    else if (repeat)
        buffer_format(b, "(matrix(0, %d, %d) + ", n->rows, n->cols);
    expression(b, p, x, as);
    if (repeat && x->rows == SCALAR)
        buffer_format(b, ", %d, %d)", n->rows, n->cols);
    else if (repeat)
        buffer_text(b, ")");
}

/* %r and its like; `words` counts the numbers used. */
static void letter(Buffer *b, const Node *n, char c, int *words)
{
    int count = 0;

    for (const char *at = n->form->text; (at = strstr(at, "%s")); at++)
        count++;
    if (c == 's')
        buffer_text(b, n->word[(*words)++ % (count ? count : 1)]);
    else if (c == 'S')
        buffer_text(b, n->word[0]);
    else if (c == 'd')
        buffer_format(b, "%d", n->integer);
    else
        size_text(b, n->size[strchr(SIZE_LETTERS, c) - SIZE_LETTERS]);
}

static void expand(Buffer *b, const Program *p, const Node *n, const char *text, bool magnitude)
{
    int words = 0;

    for (const char *at = text; *at; at++) {
        bool kid = at[1] >= '0' && at[1] < '0' + KIDS;

        if (*at == '%' && at[1] != '*' && at[1] != '/' && at[1] != '%' && at[1] != ' ')
            letter(b, n, *++at, &words);
        else if (*at == '%')
            buffer_put(b, at, 3), at += 2 - (at[1] == '%' || at[1] == ' ');
        else if (*at == '$' && kid)
            operand(b, p, n, *++at - '0', VALUE, magnitude);
        else if (*at == '#' && kid)
            operand(b, p, n, *++at - '0', MAGNITUDE, magnitude);
        else if (*at == '~' && kid)
            operand(b, p, n, *++at - '0', ERROR, magnitude);
        else if (*at == '@')
            expand(b, p, n, n->form->text, false);
        else if (*at == '?')
            buffer_text(b, n->rows == SCALAR ? "s" : "");
        else
            buffer_put(b, at, 1);
    }
}

/* The text of a form made a magnitude: # for $, + for -. */
static void derive(Buffer *out, const char *text)
{
    for (const char *at = text; *at; at++) {
        if (*at == '-' && at[1] == '$')
            continue;
        buffer_put(out, *at == '$' ? "#" : *at == '-' && at[1] == ' ' ? "+" : at, 1);
    }
}

static void form_magnitude(Buffer *b, const Program *p, const Node *n)
{
    const char *m = n->form->magnitude;
    bool fin = strncmp(m, "fin", 3) == 0;
    Buffer derived = {0};

    if (fin)
        m += 3;
    if (*m)
        buffer_text(&derived, m);
    else
        derive(&derived, n->form->text);
    if (fin)
        expand(b, p, n, "?fin(@, ", true);
    expand(b, p, n, derived.data, true);
    if (fin)
        buffer_text(b, ")");
    buffer_free(&derived);
}

static void expression(Buffer *b, const Program *p, const Node *n, As as)
{
    const char *mag = n->rows == SCALAR ? "smag(" : "mag(";

    if (as == ERROR && n->attr.same) {
        if (n->rows == SCALAR)
            buffer_text(b, "0");
        else
            buffer_format(b, "matrix(0, %d, %d)", n->rows, n->cols);
        return;
    }
    switch (n->kind) {
    case NODE_TEXT:
        buffer_format(b, as == VALUE ? "%s%s" : "%s%s)", as == VALUE ? "" : mag, n->text);
        break;
    case NODE_VAR:
        var_text(b, p, n->var, as);
        break;
    case NODE_PART:
        buffer_text(b, n->rows == SCALAR ? "as.scalar(" : "");
        var_text(b, p, n->var, as);
        buffer_text(b, "[");
        place_text(b, n->row);
        buffer_text(b, ", ");
        place_text(b, n->column);
        buffer_text(b, n->rows == SCALAR ? "])" : "]");
        break;
    default:
        if (as == VALUE) {
            expand(b, p, n, n->form->text, false);
            break;
        }
        buffer_text(b, "(");
        form_magnitude(b, p, n);
        buffer_text(b, ")");
    }
}

/* ---- statements ---- */

static void list(Buffer *b, const Program *p, const Stmt *s, bool magnitudes, int depth);

static void indent(Buffer *b, int depth)
{
    for (int k = 0; k < depth; k++)
        buffer_text(b, "  ");
}

/* Rows or columns of an assignment. */
static void range(Buffer *b, int loop, Size from, Size to)
{
    if (loop >= 0) {
        buffer_format(b, "n%d", loop);
        return;
    }
    size_text(b, from);
    if (from.value != to.value) {
        buffer_text(b, ":");
        size_text(b, to);
    }
}

static void part(Buffer *b, const Stmt *s)
{
    buffer_text(b, "[");
    range(b, s->loop, s->row, s->row_end);
    buffer_text(b, ", ");
    range(b, s->loop_col, s->col, s->col_end);
    buffer_text(b, "]");
}

/* var = value, var += value, var[...] = value; of the magnitude before the value changes. */
static void assignment(Buffer *b, const Program *p, const Stmt *s, As as)
{
    var_text(b, p, s->var, as);
    if (s->kind == STMT_PART)
        part(b, s);
    buffer_text(b, s->kind == STMT_ADD ? " += " : " = ");
    expression(b, p, s->value, as);
    buffer_text(b, "\n");
}

static void call(Buffer *b, const Program *p, const Stmt *s, bool magnitudes)
{
    const Function *f = s->function;
    bool many = f->nreturns > 1 || magnitudes;

    buffer_text(b, many ? "[" : "");
    for (int k = 0; k < f->nreturns; k++) {
        buffer_text(b, k ? ", " : "");
        var_text(b, p, s->targets[k], VALUE);
        if (magnitudes) {
            buffer_text(b, ", ");
            var_text(b, p, s->targets[k], MAGNITUDE);
        }
    }
    buffer_format(b, "%s = f%d(", many ? "]" : "", f->name);
    for (int k = 0; k < f->nparams; k++) {
        buffer_text(b, k ? ", " : "");
        expression(b, p, s->args[k], VALUE);
        if (magnitudes && p->vars[f->params[k]].kind != VAR_INT) {
            buffer_text(b, ", ");
            expression(b, p, s->args[k], MAGNITUDE);
        }
    }
    buffer_text(b, ")\n");
}

static void opening(Buffer *b, const Program *p, const Stmt *s)
{
    if (s->kind == STMT_IF) {
        buffer_text(b, "if(");
        expression(b, p, s->value, VALUE);
    } else if (s->kind == STMT_WHILE) {
        buffer_format(b, "n%d = 0\nwhile(n%d < ", s->var, s->var);
        size_text(b, s->limit);
    } else {
        buffer_format(b, "%s(n%d in 1:", s->kind == STMT_FOR ? "for" : "parfor", s->var);
        size_text(b, s->limit);
        if (s->kind == STMT_PARFOR) /* without it the loop would be too small to be divided */
            buffer_text(b, ", opt=NONE");
    }
    buffer_text(b, ") {\n");
    if (s->kind == STMT_WHILE)
        buffer_format(b, "  n%d = n%d + 1\n", s->var, s->var);
}

static void statement(Buffer *b, const Program *p, const Stmt *s, bool magnitudes, int depth)
{
    indent(b, depth);
    switch (s->kind) {
    case STMT_ASSIGN:
    case STMT_ADD:
    case STMT_PART:
        if (magnitudes) {
            assignment(b, p, s, MAGNITUDE);
            indent(b, depth);
        }
        assignment(b, p, s, VALUE);
        break;
    case STMT_INT:
        buffer_format(b, "n%d = %s\n", s->var, s->text);
        break;
    case STMT_TEXT:
        buffer_format(b, "%s\n", s->text);
        break;
    case STMT_CALL:
        call(b, p, s, magnitudes);
        break;
    default:
        opening(b, p, s);
        list(b, p, s->body, magnitudes, depth + 1);
        indent(b, depth);
        if (s->orelse) {
            buffer_text(b, "} else {\n");
            list(b, p, s->orelse, magnitudes, depth + 1);
            indent(b, depth);
        }
        buffer_text(b, "}\n");
    }
}

static void list(Buffer *b, const Program *p, const Stmt *s, bool magnitudes, int depth)
{
    for (; s; s = s->next)
        statement(b, p, s, magnitudes, depth);
}

/* Parameters or results: with their magnitudes beside them, but for integers. */
static void declarations(Buffer *b, const Program *p, const int *vars, int n, bool magnitudes)
{
    static const char *const types[] = {"matrix[double]", "double", "int"};

    for (int k = 0; k < n; k++) {
        VarKind kind = p->vars[vars[k]].kind;

        buffer_format(b, "%s%s ", k ? ", " : "", types[kind]);
        var_text(b, p, vars[k], VALUE);
        if (magnitudes && kind != VAR_INT) {
            buffer_format(b, ", %s ", types[kind]);
            var_text(b, p, vars[k], MAGNITUDE);
        }
    }
}

static void function(Buffer *b, const Program *p, const Function *f, bool magnitudes)
{
    buffer_format(b, "f%d = function(", f->name);
    declarations(b, p, f->params, f->nparams, magnitudes);
    buffer_text(b, ") return (");
    declarations(b, p, f->returns, f->nreturns, magnitudes);
    buffer_text(b, ") {\n");
    list(b, p, f->body, magnitudes, 1);
    buffer_text(b, "}\n");
}

void program_text(const Program *p, bool magnitudes, Buffer *b)
{
    As as = magnitudes ? MAGNITUDE : VALUE;

    for (const Function *f = p->functions; f; f = f->next)
        function(b, p, f, magnitudes);
    list(b, p, p->body, magnitudes, 0);
    for (int k = 0; k < p->nvars; k++)
        if (p->printed[k]) {
            bool matrix = p->vars[k].kind == VAR_MATRIX;

            buffer_text(b, "print(\"");
            var_text(b, p, k, VALUE);
            buffer_text(b, matrix ? "\")\nprint(toString(" : "\")\nprint(");
            var_text(b, p, k, as);
            buffer_text(b, matrix ? ", rows=1000, cols=1000, decimal=17))\n" : ")\n");
        }
}
