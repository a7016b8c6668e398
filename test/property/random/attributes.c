/* What is known of the bits of each value in a program.
 *
 * A value is the same in every plan when it is read, moved or chosen by values that are, or a sum
 * of products whose terms are multiples of 2^-fraction below 2^bits, so that no addition rounds in
 * whatever order.  Loops run their body several times, so what they carry on is never the same;
 * what is assigned in a branch is what holds of both. */
#include "program.h"

#include <string.h>

enum { EXACT_BITS = 50, SUM_BITS = 11 };

static int max_int(int a, int b)
{
    return a > b ? a : b;
}

static Attr both(Attr a, Attr b)
{
    return (Attr){a.same && b.same, a.special || b.special, max_int(a.bits, b.bits),
                  max_int(a.fraction, b.fraction)};
}

/* How often the text of a form has operand k. */
static int occurrences(const char *text, int k)
{
    int n = 0;

    for (const char *at = text; (at = strchr(at, '$')); at++)
        n += at[1] == '0' + k;
    return n;
}

static Attr form_attr(const Node *n)
{
    const Form *f = n->form;
    int factor = f->exact == POLY2 ? 2 : 1, bits = 0, fraction = 0;
    Attr a = {.same = true};

    for (int k = 0; k < KIDS && n->kid[k]; k++) {
        a = k ? both(a, n->kid[k]->attr) : n->kid[k]->attr;
        bits += factor * occurrences(f->text, k) * n->kid[k]->attr.bits + 1;
        fraction += factor * occurrences(f->text, k) * n->kid[k]->attr.fraction;
    }
    if (!n->kid[0]) /* seq */
        return (Attr){.same = true, .bits = 10};
    switch (f->exact) {
    case NEVER:
        return (Attr){.special = true, .bits = 2 * EXACT_BITS};
    case MOVE:
        a.bits = max_int(a.bits, 10); /* nrow */
        return a;
    case TRUTH:
        return (Attr){.same = a.same, .bits = 1};
    case ADD:
        a.bits += 2;
        break;
    default:
        a.bits = bits + SUM_BITS * occurrences(f->text, 0);
        a.fraction = fraction;
        a.same = a.same && !(a.special && strncmp(f->magnitude, "fin", 3) == 0);
    }
    a.same = a.same && a.bits + a.fraction <= EXACT_BITS;
    return a;
}

Attr attr_of(const Program *p, const Node *n)
{
    switch (n->kind) {
    case NODE_TEXT:
        return n->attr;
    case NODE_FORM:
        return form_attr(n);
    default:
        return p->vars[n->var].attr;
    }
}

static void visit_node(const Program *p, Node *n)
{
    if (!n)
        return;
    for (int k = 0; k < KIDS; k++)
        visit_node(p, n->kid[k]);
    n->attr = attr_of(p, n);
}

static const Attr unknown = {.special = true, .bits = 2 * EXACT_BITS};

/* What a variable is before anything is assigned to it. */
Attr attr_initial(VarKind kind)
{
    return (Attr){.same = true, .bits = kind == VAR_INT ? 10 : 0};
}

void attr_of_statement(Program *p, const Stmt *s, bool nested)
{
    Var *v = s->var >= 0 ? &p->vars[s->var] : NULL;

    if (s->kind == STMT_ASSIGN) {
        v->attr = nested ? both(v->attr, s->value->attr) : s->value->attr;
    } else if (s->kind == STMT_PART) {
        v->attr = both(v->attr, s->value->attr);
    } else if (s->kind == STMT_ADD) {
        v->attr = both(v->attr, s->value->attr);
        v->attr.bits += 2;
        v->attr.same = v->attr.same && v->attr.bits + v->attr.fraction <= EXACT_BITS;
    } else if (s->kind == STMT_CALL) {
        for (int k = 0; k < s->function->nreturns; k++)
            p->vars[s->targets[k]].attr = unknown;
    } else if (s->kind == STMT_FOR || s->kind == STMT_PARFOR || s->kind == STMT_WHILE) {
        for (int k = 0; k < TARGETS; k++)
            if (s->targets[k] >= 0)
                p->vars[s->targets[k]].attr = unknown;
    }
}

static void visit(Program *p, const Stmt *list, bool nested)
{
    for (const Stmt *s = list; s; s = s->next) {
        visit_node(p, s->value);
        for (int k = 0; k < MAX_PARAMS; k++)
            visit_node(p, s->args[k]);
        attr_of_statement(p, s, nested);
        visit(p, s->body, true);
        visit(p, s->orelse, true);
    }
}

void program_attributes(Program *p)
{
    for (int k = 0; k < p->nvars; k++)
        p->vars[k].attr = attr_initial(p->vars[k].kind);
    for (const Function *f = p->functions; f; f = f->next) {
        for (int k = 0; k < f->nparams; k++)
            if (p->vars[f->params[k]].kind != VAR_INT)
                p->vars[f->params[k]].attr = unknown;
        visit(p, f->body, false);
    }
    visit(p, p->body, false);
}
