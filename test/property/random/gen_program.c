/* Random statements, functions and whole programs.
 *
 * What a branch or a loop defines is out of sight after it.  A loop carries on only the variables
 * chosen for it when it begins; a parallel one writes only rows of theirs. */
#include "program.h"

static void block(Gen *g, Stmt **list, int count);

static Stmt *append(Gen *g, Stmt **list, StmtKind kind)
{
    Stmt *s = ARENA_NEW(g->p->arena, Stmt);

    while (*list)
        list = &(*list)->next;
    *list = s;
    s->kind = kind;
    s->var = s->loop = s->loop_col = s->targets[0] = s->targets[1] = -1;
    return s;
}

static int new_var(Gen *g, VarKind kind, int rows, int cols)
{
    Program *p = g->p;
    int v = p->nvars++;

    p->vars[v] = (Var){.kind = kind, .rows = rows, .cols = cols, .attr = attr_initial(kind)};
    return v;
}

static bool full(const Gen *g)
{
    return g->p->nvars > VARS - 20;
}

/* A variable in sight that may be assigned, -1 when there is none. */
static int assignable(Gen *g, VarKind kind)
{
    int n = g->p->nvars - g->first, start = n > 0 ? pick(g, n) : 0;

    for (int k = 0; k < n; k++) {
        int v = g->first + (start + k) % n;
        const Var *x = &g->p->vars[v];

        if (x->kind == kind && !x->hidden && !x->frozen)
            return v;
    }
    return -1;
}

static void finish(Gen *g, const Stmt *s)
{
    attr_of_statement(g->p, s, g->nesting > 0);
}

/* ---- plain statements ---- */

static void assign_matrix(Gen *g, Stmt **list)
{
    int old = pick(g, 4) == 0 ? assignable(g, VAR_MATRIX) : -1;
    int rows = old >= 0 ? g->p->vars[old].rows : pick_size(g);
    int cols = old >= 0 ? g->p->vars[old].cols : pick_size(g);
    Stmt *s = append(g, list, STMT_ASSIGN);

    s->value = gen_expr(g, rows, cols, 4, pick(g, 5) == 0);
    s->var = old >= 0 ? old : new_var(g, VAR_MATRIX, rows, cols);
    if (old >= 0 && pick(g, 3) == 0)
        s->kind = STMT_ADD;
    finish(g, s);
}

static void assign_scalar(Gen *g, Stmt **list)
{
    int old = pick(g, 4) == 0 ? assignable(g, VAR_SCALAR) : -1;
    Stmt *s = append(g, list, STMT_ASSIGN);

    s->value = gen_expr(g, SCALAR, SCALAR, 4, pick(g, 4) == 0);
    s->var = old >= 0 ? old : new_var(g, VAR_SCALAR, SCALAR, SCALAR);
    finish(g, s);
}

/* An integer that the generator knows and the compiler may not. */
static void assign_int(Gen *g, Stmt **list)
{
    Stmt *s = append(g, list, STMT_INT);
    int value = pick(g, 4) ? pick_size(g) : 1 + pick(g, 5), n = g->p->nvars - g->first;

    s->text = arena_format(
        g->p->arena, pick(g, 3) ? "%d" : "as.integer(as.scalar(matrix(\"%d\", 1, 1)))", value);
    for (int k = 0; k < n && pick(g, 4); k++) {
        int v = g->first + (k + value) % n;
        const Var *x = &g->p->vars[v];

        if (x->hidden || x->kind != VAR_MATRIX)
            continue;
        value = k % 2 ? x->rows : x->cols;
        s->text = arena_format(g->p->arena, "n%s(V%d)", k % 2 ? "row" : "col", v);
        break;
    }
    s->var = new_var(g, VAR_INT, SCALAR, SCALAR);
    g->p->vars[s->var].value = value;
}

/* Another loop that stays within a side of this length, or -1. */
static int other_loop(Gen *g, int loop, int length)
{
    for (int k = g->first; k < g->p->nvars; k++)
        if (k != loop && g->p->vars[k].kind == VAR_INT && g->p->vars[k].value < 0 &&
            !g->p->vars[k].hidden && g->p->vars[k].limit <= length)
            return k;
    return -1;
}

/* Which row, column or cell of v the loop assigns; false when it goes beyond. */
static bool choose_place(Gen *g, Stmt *s, int loop, int *rows, int *cols)
{
    const Var *x = &g->p->vars[s->var], *n = &g->p->vars[loop];
    bool by_rows = x->rows >= n->limit;

    if (x->cols >= n->limit && !g->parallel && (!by_rows || pick(g, 3) == 0))
        by_rows = false;
    else if (!by_rows)
        return false;
    if (by_rows) {
        s->loop = loop;
        *rows = 1;
        *cols = pick(g, 2) ? x->cols : 1;
        if (*cols == 1)
            s->loop_col = other_loop(g, loop, x->cols);
    } else {
        s->loop_col = loop;
        *cols = 1;
        *rows = pick(g, 2) ? x->rows : 1;
        if (*rows == 1)
            s->loop = other_loop(g, loop, x->rows);
    }
    return true;
}

/* V[a:b, c:d] = X, a cell or a range; in a loop, the row, column or cell where it is. */
static void assign_part(Gen *g, Stmt **list, int loop)
{
    int v = assignable(g, VAR_MATRIX), rows, cols, row, col;
    const Var *x = &g->p->vars[v < 0 ? 0 : v];
    Stmt *s, probe = {.var = v, .loop = -1, .loop_col = -1};

    if (v < 0 || x->rows < 1 || x->cols < 1)
        return;
    rows = pick(g, 3) == 0 ? 1 : 1 + pick(g, x->rows);
    cols = pick(g, 3) == 0 ? 1 : 1 + pick(g, x->cols);
    if (loop >= 0 && !choose_place(g, &probe, loop, &rows, &cols))
        return;
    s = append(g, list, STMT_PART);
    row = 1 + pick(g, x->rows - rows + 1);
    col = 1 + pick(g, x->cols - cols + 1);
    s->var = v;
    s->loop = probe.loop;
    s->loop_col = probe.loop_col;
    s->row = size_of(g, row);
    s->row_end = size_of(g, row + rows - 1);
    s->col = size_of(g, col);
    s->col_end = size_of(g, col + cols - 1);
    if (g->parallel)
        g->p->vars[v].hidden = true;
    s->value = rows == 1 && cols == 1 && pick(g, 2) ? gen_expr(g, SCALAR, SCALAR, 2, false)
                                                    : gen_expr(g, rows, cols, 2, false);
    g->p->vars[v].hidden = false;
    finish(g, s);
}

static void print_something(Gen *g, Stmt **list)
{
    Stmt *s = append(g, list, STMT_TEXT);
    int v = g->p->nvars > g->first ? g->first + pick(g, g->p->nvars - g->first) : -1;

    if (v >= 0 && g->p->vars[v].kind == VAR_MATRIX && !g->p->vars[v].hidden)
        s->text =
            arena_format(g->p->arena, "print(\"size \" + nrow(V%d) + \" \" + ncol(V%d))", v, v);
    else
        s->text = arena_format(g->p->arena, "print(\"at %d\")", pick(g, 100));
}

/* What ends the program with an error, sometimes. */
static void trap(Gen *g, Stmt **list)
{
    Stmt *s = append(g, list, STMT_TEXT);
    int v = assignable(g, VAR_MATRIX), rows = v >= 0 ? g->p->vars[v].rows : 0;
    int cols = v >= 0 ? g->p->vars[v].cols : 0, n = pick(g, 100);

    s->text = arena_format(g->p->arena, "if(%d > 50) stop(\"trap %d\")", n, n);
    if (v < 0)
        return;
    switch (pick(g, 6)) {
    case 0:
        s->text = arena_format(g->p->arena, "assert(nrow(V%d) == %d)", v, rows + pick(g, 2));
        break;
    case 1:
        s->text = arena_format(g->p->arena, "k = %d; print(sum(V%d[k, 1]))", rows + pick(g, 2), v);
        break;
    case 2:
        s->text = arena_format(g->p->arena, "print(sum(V%d %%*%% matrix(1, %d, %d)))", v,
                               cols + pick(g, 2), 1 + pick(g, 2));
        break;
    case 3:
        s->text =
            arena_format(g->p->arena, "if(nrow(V%d) < %d) stop(\"few\")", v, rows + pick(g, 2));
        break;
    case 4:
        s->text = arena_format(g->p->arena, "print(sum(V%d + matrix(1, %d, %d)))", v,
                               rows + pick(g, 2), cols);
        break;
    default:
        break;
    }
}

/* ---- blocks ---- */

static void hide_from(Gen *g, int first)
{
    for (int k = first; k < g->p->nvars; k++)
        g->p->vars[k].hidden = true;
}

static void branch(Gen *g, Stmt **list)
{
    Stmt *s = append(g, list, STMT_IF);
    int first = g->p->nvars;

    s->value = gen_expr(g, SCALAR, SCALAR, 3, true);
    block(g, &s->body, 1 + pick(g, 2));
    hide_from(g, first);
    first = g->p->nvars;
    if (pick(g, 2)) {
        block(g, &s->orelse, 1 + pick(g, 2));
        hide_from(g, first);
    }
}

/* Both branches define the variable. */
static void choice(Gen *g, Stmt **list)
{
    Stmt *s = append(g, list, STMT_IF), *b;
    int rows = pick_size(g), cols = pick_size(g), v;

    s->value = gen_expr(g, SCALAR, SCALAR, 2, true);
    g->nesting++;
    b = append(g, &s->body, STMT_ASSIGN);
    b->value = gen_expr(g, rows, cols, 3, false);
    s->orelse = NULL;
    append(g, &s->orelse, STMT_ASSIGN)->value = gen_expr(g, rows, cols, 3, false);
    v = b->var = s->orelse->var = new_var(g, VAR_MATRIX, rows, cols);
    (void)v;
    finish(g, b);
    finish(g, s->orelse);
    g->nesting--;
}

static void loop(Gen *g, Stmt **list, StmtKind kind);

static void inner_loop(Gen *g, Stmt **list)
{
    g->nesting++;
    loop(g, list, STMT_FOR);
    g->nesting--;
}

static void loop(Gen *g, Stmt **list, StmtKind kind)
{
    Program *p = g->p;
    bool frozen[VARS], parallel = g->parallel;
    int first = p->nvars, n;
    Stmt *s = append(g, list, kind);

    for (int k = 0; k < first; k++)
        frozen[k] = p->vars[k].frozen;
    s->limit = size_of(g, 1 + pick(g, 4));
    for (int k = 0; k < TARGETS; k++) {
        s->targets[k] = assignable(g, k ? VAR_SCALAR : VAR_MATRIX);
        if (k && kind == STMT_PARFOR)
            s->targets[k] = -1;
    }
    if (kind != STMT_WHILE && g->nesting == 0 && s->targets[0] >= 0 &&
        p->vars[s->targets[0]].rows > 0)
        s->limit = size_of(g, pick(g, 2) ? p->vars[s->targets[0]].rows
                                         : 1 + pick(g, p->vars[s->targets[0]].rows));
    for (int k = 0; k < first; k++)
        p->vars[k].frozen = k != s->targets[0] && k != s->targets[1];
    attr_of_statement(p, s, true);
    n = s->var = new_var(g, VAR_INT, SCALAR, SCALAR);
    p->vars[n].value = -1;
    p->vars[n].limit = s->limit.value;
    p->vars[n].frozen = true;
    if (kind == STMT_PARFOR) {
        g->parallel = true;
        assign_part(g, &s->body, n);
    } else {
        int parts = kind == STMT_FOR ? pick(g, 3) : 0;

        for (int k = 0; k < parts; k++)
            assign_part(g, &s->body, n);
        if (parts == 0 || pick(g, 2))
            block(g, &s->body, 1 + pick(g, 2));
        else if (g->nesting == 0)
            inner_loop(g, &s->body);
    }
    g->parallel = parallel;
    for (int k = 0; k < first; k++)
        p->vars[k].frozen = frozen[k];
    hide_from(g, first);
}

/* ---- functions ---- */

static int param(Gen *g, VarKind kind)
{
    int rows = kind == VAR_MATRIX ? pick_size(g) : SCALAR;
    int v = new_var(g, kind, rows, kind == VAR_MATRIX ? pick_size(g) : SCALAR);

    if (kind == VAR_INT)
        g->p->vars[v].value = pick_size(g);
    else
        g->p->vars[v].attr = (Attr){.special = true, .bits = 100};
    return v;
}

static void function(Gen *g, int name)
{
    Program *p = g->p;
    Function *f = ARENA_NEW(p->arena, Function), **end = &p->functions;
    int budget = g->budget;

    while (*end)
        end = &(*end)->next;
    g->first = p->nvars;
    f->name = name;
    f->nparams = 1 + pick(g, MAX_PARAMS);
    for (int k = 0; k < f->nparams; k++)
        f->params[k] = param(g, k == 0 || pick(g, 3) ? VAR_MATRIX
                                : pick(g, 2)         ? VAR_SCALAR
                                                     : VAR_INT);
    g->budget = 8 + pick(g, 20);
    block(g, &f->body, pick(g, 4));
    f->nreturns = 1 + pick(g, 2);
    for (int k = 0; k < f->nreturns; k++) {
        if (k == 0 || pick(g, 2))
            assign_matrix(g, &f->body);
        else
            assign_scalar(g, &f->body);
        for (Stmt *s = f->body; s; s = s->next)
            if (!s->next)
                f->returns[k] = s->var;
    }
    if (f->nreturns == 2 && f->returns[0] == f->returns[1])
        f->nreturns = 1;
    g->budget = budget;
    g->first = p->nvars;
    *end = f; /* now, so that it does not call itself */
}

static void call(Gen *g, Stmt **list)
{
    Program *p = g->p;
    int count = 0, which;
    const Function *f;
    Function *chosen = p->functions;
    Stmt *s;

    for (f = p->functions; f; f = f->next)
        count++;
    if (count == 0)
        return;
    for (which = pick(g, count); which > 0; which--)
        chosen = chosen->next;
    s = append(g, list, STMT_CALL);
    s->function = chosen;
    for (int k = 0; k < chosen->nparams; k++) {
        const Var *x = &p->vars[chosen->params[k]];

        s->args[k] = gen_expr(g, x->rows, x->cols, 2, false);
        if (x->kind == VAR_INT) {
            s->args[k] = node_new(p, NODE_TEXT, SCALAR, SCALAR);
            s->args[k]->text = arena_format(p->arena, "%d", x->value);
            s->args[k]->attr = attr_initial(VAR_INT);
        }
    }
    for (int k = 0; k < chosen->nreturns; k++) {
        const Var *x = &p->vars[chosen->returns[k]];

        s->targets[k] = new_var(g, x->kind, x->rows, x->cols);
    }
    finish(g, s);
}

/* ---- programs ---- */

static void statement(Gen *g, Stmt **list)
{
    int form = pick(g, g->nesting < 2 && !g->parallel ? 40 : 28);

    if (form < 16)
        assign_matrix(g, list);
    else if (form < 21)
        assign_scalar(g, list);
    else if (form < 23)
        assign_int(g, list);
    else if (form < 26)
        assign_part(g, list, -1);
    else if (form < 28)
        print_something(g, list);
    else if (form < 31)
        branch(g, list);
    else if (form < 32)
        choice(g, list);
    else if (form < 39)
        loop(g, list, form < 35 ? STMT_FOR : form < 38 ? STMT_PARFOR : STMT_WHILE);
    else
        call(g, list);
}

static void block(Gen *g, Stmt **list, int count)
{
    g->nesting++;
    for (; count > 0 && !full(g); count--)
        statement(g, list);
    g->nesting--;
}

/* A few inputs that fit each other: what the rest is made of. */
static void inputs(Gen *g)
{
    for (int k = 0; k < 3; k++) {
        Stmt *s = append(g, &g->p->body, STMT_ASSIGN);
        int rows = g->sizes[k], cols = g->sizes[(k + 1) % 3];

        s->value = gen_leaf(g, rows, cols, k == 0, k == 2);
        s->var = new_var(g, VAR_MATRIX, rows, cols);
        finish(g, s);
    }
}

/* Mostly small sizes; 0 is rare, because little happens with it. */
static void draw_sizes(Gen *g)
{
    static const int sizes[] = {1, 2, 3, 4, 5, 6, 8, 12};

    for (int k = 0; k < 5; k++)
        g->sizes[k] = k == 4 ? 1 : sizes[pick(g, 8)];
    if (pick(g, 12) == 0)
        g->sizes[3] = 0, g->p->empty = true;
    if (pick(g, 12) == 0)
        g->sizes[0] = 40;
}

Program *random_new(uint64_t seed)
{
    Arena *arena = arena_new();
    Program *p = ARENA_NEW(arena, Program);
    Gen g = {.p = p, .random = hash_mix(seed, 77), .weight = forms_weight()};
    int functions;

    p->arena = arena;
    p->seed = seed;
    draw_sizes(&g);
    functions = pick(&g, 3);
    for (int k = 0; k < functions; k++)
        function(&g, k);
    g.first = p->nvars;
    g.budget = 15 + pick(&g, 30);
    g.nesting = 0;
    inputs(&g);
    for (int k = 3 + pick(&g, 6); k > 0 && !full(&g); k--)
        statement(&g, &p->body);
    if (pick(&g, 40) == 0)
        trap(&g, &p->body);
    for (int k = g.first; k < p->nvars; k++)
        p->printed[k] = !p->vars[k].hidden && (k > p->nvars - 3 || pick(&g, 3) == 0);
    return p;
}

void random_free(Program *p)
{
    arena_free(p->arena);
}
