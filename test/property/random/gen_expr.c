/* Random expressions of a wanted shape, out of forms.def.
 *
 * A form fits when the letters of its result can be bound to the wanted shape; those of its
 * operands then follow or are drawn.  Few sizes are drawn per program, so that variables fit often
 * and share subexpressions. */
#include "program.h"

#include <string.h>

const Form forms[] = {
#define FORM(weight, result, operands, exact, text, magnitude)                                     \
    {weight, result, operands, exact, text, magnitude, false},
#define FULL(weight, result, operands, exact, text, magnitude)                                     \
    {weight, result, operands, exact, text, magnitude, true},
#include "forms.def"
};
const int form_count = sizeof forms / sizeof *forms;

static const Attr any_bits = {.same = true, .bits = 100};

int pick(Gen *g, int n)
{
    g->random = hash_mix(g->random, 0x5bd1e995);
    return (int)((g->random >> 16) % (uint64_t)n);
}

int pick_size(Gen *g)
{
    return g->sizes[pick(g, 5)];
}

/* The number, or a variable in sight that holds it. */
Size size_of(Gen *g, int value)
{
    Size s = {value, -1};

    if (pick(g, 4) == 0)
        for (int k = g->first; k < g->p->nvars; k++)
            if (g->p->vars[k].kind == VAR_INT && !g->p->vars[k].hidden &&
                g->p->vars[k].value == value)
                s.var = k;
    return s;
}

int forms_weight(void)
{
    int total = 0;

    for (int k = 0; k < form_count; k++)
        total += forms[k].weight;
    return total;
}

Node *node_new(Program *p, NodeKind kind, int rows, int cols)
{
    Node *n = ARENA_NEW(p->arena, Node);

    n->kind = kind;
    n->rows = rows;
    n->cols = cols;
    n->var = n->row.loop = n->column.loop = -1;
    for (int k = 0; k < SIZES; k++)
        n->size[k] = (Size){-1, -1};
    return n;
}

static Node *text_node(Gen *g, int rows, int cols, const char *text, Attr attr)
{
    Node *n = node_new(g->p, NODE_TEXT, rows, cols);

    n->text = text;
    n->attr = attr;
    return n;
}

/* ---- leaves ---- */

typedef struct Number {
    const char *text;
    Attr attr;
} Number;

static const Number numbers[] = {
    {"2", {true, false, 2, 0}},      {"1", {true, false, 1, 0}},   {"0", {true, false, 0, 0}},
    {"-1", {true, false, 1, 0}},     {"0.5", {true, false, 0, 1}}, {"3", {true, false, 2, 0}},
    {"-0.25", {true, false, 0, 2}},  {"1.0", {true, false, 1, 0}}, {"0.1", {true, false, 100, 0}},
    {"1e-3", {true, false, 100, 0}}, {"NaN", {true, true, 0, 0}},  {"Inf", {true, true, 0, 0}},
    {"-Inf", {true, true, 0, 0}},    {"-0.0", {true, true, 0, 0}}, {"TRUE", {true, false, 1, 0}},
};
enum { NNUMBERS = sizeof numbers / sizeof *numbers, PLAIN_NUMBERS = 10 };

static const Number *pick_number(Gen *g)
{
    return &numbers[pick(g, pick(g, 8) ? PLAIN_NUMBERS : NNUMBERS)];
}

static const char *random_matrix(Gen *g, int rows, int cols, bool exact, bool sparse, Attr *attr)
{
    static const char *const densities[] = {"1", "0.5", "0.1", "0.01", "0"};
    const char *density = densities[sparse ? 1 + pick(g, 3) : pick(g, 3) ? 0 : pick(g, 5)], *text;
    int low = -4 + pick(g, 4), seed = 1 + pick(g, 9), special = pick(g, 9);

    *attr = any_bits;
    if (!exact && pick(g, 2))
        return arena_format(g->p->arena,
                            "rand(rows=%d, cols=%d, min=%d, max=2, sparsity=%s, seed=%d)", rows,
                            cols, low, density, seed);
    *attr = (Attr){.same = true, .bits = 3};
    text = arena_format(g->p->arena,
                        "round(rand(rows=%d, cols=%d, min=%d, max=3, sparsity=%s, seed=%d))", rows,
                        cols, low, density, seed);
    if (special > 2 || pick(g, 3) == 0)
        return text;
    attr->special = true;
    return arena_format(g->p->arena, "replace(target=%s, pattern=%d, replacement=%s)", text,
                        special == 0 ? 0 : special,
                        special == 0   ? "-0.0"
                        : special == 1 ? "NaN"
                                       : "Inf");
}

/* matrix("1 0 ...", rows, cols) */
static const char *listed_matrix(Gen *g, int rows, int cols, Attr *attr)
{
    static const char *const cells[] = {"0",  "1", "-2",  "3",         "0.5",
                                        "-1", "2", "NaN", "-Infinity", "-0"};
    Buffer b = {0};
    const char *text;
    int kinds = pick(g, 5) ? 7 : 10;

    *attr = (Attr){.same = true, .special = kinds == 10, .bits = 2, .fraction = 1};
    buffer_text(&b, "matrix(\"");
    for (int k = 0; k < rows * cols; k++)
        buffer_format(&b, "%s%s", k ? " " : "", cells[pick(g, kinds)]);
    buffer_format(&b, "\", %d, %d)", rows, cols);
    text = arena_text(g->p->arena, b.data, b.size);
    buffer_free(&b);
    return text;
}

static Node *new_matrix(Gen *g, int rows, int cols, bool exact, bool sparse)
{
    const Number *number = pick_number(g);
    int form = pick(g, 8);
    const char *text;
    Attr attr;

    if (rows * cols > 0 && rows * cols <= 24 && form < 3 && !sparse) {
        text = listed_matrix(g, rows, cols, &attr);
    } else if (form == 3 && !sparse && strcmp(number->text, "TRUE") != 0) {
        attr = number->attr;
        text = arena_format(g->p->arena, "matrix(%s, %d, %d)", number->text, rows, cols);
    } else {
        text = random_matrix(g, rows, cols, exact, sparse, &attr);
    }
    return text_node(g, rows, cols, text, attr);
}

static Node *var_node(Gen *g, NodeKind kind, int v, int rows, int cols)
{
    Node *n = node_new(g->p, kind, rows, cols);

    n->var = v;
    n->attr = g->p->vars[v].attr;
    return n;
}

/* Where the loop is along a side of this length; loop -1 when it goes beyond. */
static Place place_of(Gen *g, int loop, int length)
{
    Place at = {.loop = -1};
    int room = length - g->p->vars[loop].limit;

    if (room < 0)
        return at;
    at.loop = loop;
    at.shift = room > 0 && pick(g, 3) == 0;
    return at;
}

/* A row, a column or a cell of matrix m where the loop is, NULL when there is none of this shape.
 */
static Node *part_node(Gen *g, int loop, int m, int rows, int cols)
{
    const Var *x = &g->p->vars[m];
    const bool cell = rows == SCALAR || (rows == 1 && cols == 1);
    Place row = place_of(g, loop, x->rows), column = place_of(g, loop, x->cols);
    Node *n;

    if (x->rows < 1 || x->cols < 1)
        return NULL;
    if (cell && row.loop >= 0 && (column.loop < 0 || pick(g, 4)))
        column = (Place){-1, 0, 1 + pick(g, x->cols)};
    else if (cell && column.loop >= 0)
        row = (Place){-1, 0, 1 + pick(g, x->rows)};
    else if (rows == 1 && cols == x->cols && row.loop >= 0)
        column = (Place){.loop = -1};
    else if (cols == 1 && rows == x->rows && column.loop >= 0)
        row = (Place){.loop = -1};
    else
        return NULL;
    n = var_node(g, NODE_PART, m, rows, cols);
    n->row = row;
    n->column = column;
    return n;
}

static Node *find_part(Gen *g, int loop, int rows, int cols, bool exact)
{
    Program *p = g->p;

    for (int m = g->first; m < p->nvars; m++) {
        const Var *x = &p->vars[m];
        Node *n;

        if (x->kind != VAR_MATRIX || x->hidden || (exact && !x->attr.same) || pick(g, 2))
            continue;
        n = part_node(g, loop, m, rows, cols);
        if (n)
            return n;
    }
    return NULL;
}

/* A variable of this shape in sight; in a loop a part of one, where the loop is; or NULL. */
static Node *find_variable(Gen *g, int rows, int cols, bool exact)
{
    Program *p = g->p;
    int n = p->nvars - g->first, start = n > 0 ? pick(g, n) : 0;

    for (int k = 0; k < n; k++) {
        int v = g->first + (start + k) % n;
        const Var *x = &p->vars[v];
        Node *found = NULL;

        if (x->hidden || (exact && !x->attr.same))
            continue;
        if (x->kind == VAR_INT && rows == SCALAR && pick(g, 2))
            return var_node(g, NODE_VAR, v, rows, cols);
        if (x->kind == VAR_INT && x->value < 0)
            found = find_part(g, v, rows, cols, exact);
        else if (x->kind != VAR_INT && x->rows == rows && x->cols == cols)
            found = var_node(g, NODE_VAR, v, rows, cols);
        if (found)
            return found;
    }
    return NULL;
}

Node *gen_leaf(Gen *g, int rows, int cols, bool exact, bool sparse)
{
    Node *found = pick(g, sparse ? 2 : 5) ? find_variable(g, rows, cols, exact) : NULL;

    if (found)
        return found;
    if (rows == SCALAR) {
        const Number *number = pick_number(g);

        return text_node(g, rows, cols, number->text, number->attr);
    }
    return new_matrix(g, rows, cols, exact, sparse);
}

/* ---- forms ---- */

static Size *size_at(Node *n, char letter)
{
    return &n->size[strchr(SIZE_LETTERS, letter) - SIZE_LETTERS];
}

/* Letter or digit against the wanted size; false when it does not fit. */
static bool bind(Node *n, char letter, int value)
{
    if (letter == '1')
        return value == 1;
    if (letter == 's')
        return value == SCALAR;
    if (value == SCALAR)
        return false;
    if (size_at(n, letter)->value >= 0)
        return size_at(n, letter)->value == value;
    size_at(n, letter)->value = value;
    return true;
}

static bool mentions(const char *text, char letter)
{
    return strchr(text, letter) != NULL;
}

/* The sizes that are not free: parts, wholes and rearrangements of r and c; false when there are
 * none. */
static bool bind_related(Gen *g, Node *n)
{
    const char *in = n->form->operands;
    int r = size_at(n, 'r')->value, c = size_at(n, 'c')->value;

    if (r < 0)
        r = mentions(n->form->result, '1') ? 1 : -1;
    if (c < 0)
        c = mentions(n->form->result, '1') ? 1 : -1;
    if (strcmp(n->form->result, "s") == 0)
        r = c = 1;
    if (mentions(in, 'p')) {
        if (r < 2)
            return false;
        size_at(n, 'p')->value = 1 + pick(g, r - 1);
        size_at(n, 'q')->value = r - size_at(n, 'p')->value;
    }
    if (mentions(in, 'u')) {
        if (c < 2)
            return false;
        size_at(n, 'u')->value = 1 + pick(g, c - 1);
        size_at(n, 'v')->value = c - size_at(n, 'u')->value;
    }
    if (mentions(in, 'x')) {
        int rows = pick_size(g);

        if (r < 1 || c < 1 || rows < 1 || r * c % rows != 0)
            rows = r;
        size_at(n, 'x')->value = rows;
        size_at(n, 'y')->value = rows ? r * c / rows : c;
    }
    if (strstr(n->form->text, "1:%") && (r < 1 || c < 1))
        return false;
    if ((mentions(in, 'R') && r < 1) || (mentions(in, 'C') && c < 1))
        return false;
    *size_at(n, 'R') = (Size){r + pick(g, 3), -1};
    *size_at(n, 'C') = (Size){c + pick(g, 3), -1};
    *size_at(n, 'i') = (Size){1 + pick(g, size_at(n, 'R')->value - r + 1), -1};
    *size_at(n, 'j') = (Size){1 + pick(g, size_at(n, 'C')->value - c + 1), -1};
    *size_at(n, 'e') = (Size){size_at(n, 'i')->value + r - 1, -1};
    *size_at(n, 'f') = (Size){size_at(n, 'j')->value + c - 1, -1};
    return true;
}

static void bind_free(Gen *g, Node *n)
{
    for (int k = 0; k < SIZES; k++)
        if (n->size[k].value < 0 && mentions(n->form->operands, SIZE_LETTERS[k]))
            n->size[k].value = pick_size(g);
}

/* seq(1, 0) has two rows. */
static bool counts_down(Node *n)
{
    const char *seq = strstr(n->form->text, "seq(1, %");

    return seq && size_at(n, seq[8])->value < 1;
}

/* A 0/1 column of R with r ones. */
static const char *selection(Gen *g, Node *n)
{
    int whole = size_at(n, 'R')->value, ones = size_at(n, 'r')->value;
    Buffer b = {0};
    const char *text;

    buffer_text(&b, "matrix(\"");
    for (int k = 0; k < whole; k++) {
        bool one = pick(g, whole - k) < ones;

        ones -= one;
        buffer_format(&b, "%s%d", k ? " " : "", one);
    }
    buffer_format(&b, "\", %d, 1)", whole);
    text = arena_text(g->p->arena, b.data, b.size);
    buffer_free(&b);
    return text;
}

static void fill_words(Gen *g, Node *n)
{
    n->integer = 1 + pick(g, 3);
    for (int k = 0; k < WORDS; k++)
        n->word[k] = numbers[pick(g, PLAIN_NUMBERS)].text;
    if (strstr(n->form->text, "%S"))
        n->word[0] = selection(g, n);
    for (int k = 0; k < SIZES; k++)
        if (n->size[k].value >= 0)
            n->size[k] = size_of(g, n->size[k].value);
}

/* The operands, two letters each or s, with marks. */
static void fill_operands(Gen *g, Node *n, int depth, bool exact)
{
    const char *at = n->form->operands;

    for (int k = 0; *at;) {
        int rows = SCALAR, cols = SCALAR;
        char mark;
        bool must;

        if (*at == ' ') {
            at++;
            continue;
        }
        if (*at == 's') {
            at++;
        } else {
            rows = at[0] == '1' ? 1 : size_at(n, at[0])->value;
            cols = at[1] == '1' ? 1 : size_at(n, at[1])->value;
            at += 2;
        }
        mark = *at && strchr("!.%", *at) ? *at++ : 0;
        must = exact || mark == '!';
        n->kid[k++] = (mark == '.' && pick(g, 4)) || mark == '%'
                          ? gen_leaf(g, rows, cols, must, mark == '%')
                          : gen_expr(g, rows, cols, depth - 1, must);
    }
}

static Node *try_form(Gen *g, int rows, int cols, int depth, bool exact)
{
    Node *n = node_new(g->p, NODE_FORM, rows, cols);
    const Form *f = forms;
    int at;

    for (at = pick(g, g->weight); at >= f->weight; f++)
        at -= f->weight;
    n->form = f;
    if (exact && f->exact == NEVER)
        return NULL;
    if (f->result[0] == 's' ? rows != SCALAR
                            : !bind(n, f->result[0], rows) || !bind(n, f->result[1], cols))
        return NULL;
    if (!bind_related(g, n))
        return NULL;
    bind_free(g, n);
    if (counts_down(n))
        return NULL;
    fill_words(g, n);
    fill_operands(g, n, depth, exact);
    n->attr = attr_of(g->p, n);
    return n;
}

Node *gen_expr(Gen *g, int rows, int cols, int depth, bool exact)
{
    if (depth > 0 && g->budget > 0 && pick(g, 6))
        for (int k = 0; k < 40; k++) {
            Node *n = try_form(g, rows, cols, depth, exact);

            if (!n)
                continue;
            g->budget--;
            if (!exact || n->attr.same)
                return n;
            break;
        }
    return gen_leaf(g, rows, cols, exact, false);
}
