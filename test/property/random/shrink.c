/* Reduction of a failing program: drop what can go while it still fails in the same way.
 *
 * Statements first, then whole operands for expressions, then leaves.  A step that leaves an
 * undefined variable behind makes all runs end in the same error, so it is refused without being
 * looked for.  Repeats until nothing goes. */
#include "program.h"

typedef struct Shrink {
    Program *p;
    bool (*bad)(const Program *p);
    bool progress;
} Shrink;

static bool still_bad(Shrink *s)
{
    program_attributes(s->p);
    if (!s->bad(s->p))
        return false;
    s->progress = true;
    return true;
}

static void shrink_node(Shrink *s, Node **slot)
{
    Node *n = *slot, *leaf;

    if (!n)
        return;
    if (n->kind == NODE_FORM) {
        leaf = node_new(s->p, NODE_TEXT, n->rows, n->cols);
        leaf->text = n->rows == SCALAR
                         ? "1"
                         : arena_format(s->p->arena, "matrix(1, %d, %d)", n->rows, n->cols);
        leaf->attr = (Attr){.same = true, .bits = 1};
        *slot = leaf;
        if (still_bad(s))
            return;
        for (int k = 0; k < KIDS && n->kid[k]; k++)
            if (n->kid[k]->rows == n->rows && n->kid[k]->cols == n->cols) {
                *slot = n->kid[k];
                if (still_bad(s)) {
                    shrink_node(s, slot);
                    return;
                }
            }
        *slot = n;
    }
    for (int k = 0; k < KIDS; k++)
        shrink_node(s, &n->kid[k]);
    for (int k = 0; k < SIZES; k++)
        if (n->size[k].var >= 0) {
            Size old = n->size[k];

            n->size[k].var = -1;
            if (!still_bad(s))
                n->size[k] = old;
        }
}

/* The body of a block in its place. */
static bool unwrap(Shrink *s, Stmt **slot, Stmt *body)
{
    Stmt *old = *slot, *last = body;

    if (!body)
        return false;
    while (last->next)
        last = last->next;
    *slot = body;
    last->next = old->next;
    if (still_bad(s))
        return true;
    last->next = NULL;
    *slot = old;
    return false;
}

static void shrink_list(Shrink *s, Stmt **slot)
{
    while (*slot) {
        Stmt *old = *slot;

        *slot = old->next;
        if (still_bad(s))
            continue;
        *slot = old;
        if (unwrap(s, slot, old->body) || unwrap(s, slot, old->orelse))
            continue;
        if (old->orelse) {
            Stmt *kept = old->orelse;

            old->orelse = NULL;
            if (!still_bad(s))
                old->orelse = kept;
        }
        shrink_list(s, &old->body);
        shrink_list(s, &old->orelse);
        slot = &old->next;
    }
}

static void shrink_values(Shrink *s, Stmt *list)
{
    for (; list; list = list->next) {
        shrink_node(s, &list->value);
        for (int k = 0; k < MAX_PARAMS; k++)
            shrink_node(s, &list->args[k]);
        if (list->kind == STMT_PARFOR) {
            list->kind = STMT_FOR;
            if (!still_bad(s))
                list->kind = STMT_PARFOR;
        }
        shrink_values(s, list->body);
        shrink_values(s, list->orelse);
    }
}

static void shrink_functions(Shrink *s)
{
    for (Function **slot = &s->p->functions; *slot;) {
        Function *old = *slot;

        *slot = old->next;
        if (still_bad(s))
            continue;
        *slot = old;
        shrink_list(s, &old->body);
        shrink_values(s, old->body);
        slot = &old->next;
    }
}

void shrink(Program *p, bool (*bad)(const Program *p))
{
    Shrink s = {.p = p, .bad = bad};

    do {
        s.progress = false;
        for (int k = 0; k < p->nvars; k++)
            if (p->printed[k]) {
                p->printed[k] = false;
                p->printed[k] = !still_bad(&s);
            }
        shrink_list(&s, &p->body);
        shrink_functions(&s);
        shrink_values(&s, p->body);
    } while (s.progress);
}
