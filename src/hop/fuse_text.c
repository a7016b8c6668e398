/* Pipelines as operators: their programs as text, and the DAG with them in it.
 *
 * The language is that of kernel/pipeline.h.  A value that the program needs more than once gets a
 * name.  The node of the operator stands for the first result, HOP_RESULT nodes for the others;
 * each has the facts of the node that it replaces. */
#include "hop/fuse.h"

#include "base/num.h"

#include <string.h>

typedef struct Writer {
    Fuser *f;
    const Group *g;
    Buffer text;
    int names;
    const Hop *operands[FUSE_OPERANDS];
    int noperands;
    const Hop *results[FUSE_RESULTS];
    int nresults;
} Writer;

/* ---- what the program computes ---- */

static bool is_number(const Hop *h)
{
    return h->kind == HOP_LITERAL && is_numeric(h->lit.vt) && isfinite(scalar_to_double(h->lit));
}

static void add_operand(Writer *w, const Hop *h)
{
    for (int k = 0; k < w->noperands; k++)
        if (w->operands[k] == h)
            return;
    if (w->noperands < FUSE_OPERANDS)
        w->operands[w->noperands] = h;
    w->noperands++;
}

/* Is operand k of h computed in the same program: a member, or part of a chain that is repeated? */
static bool is_within(const Writer *w, const Hop *h, int k)
{
    const Hop *in = h->in[k];
    const FuseNode *n;

    if (!in || is_number(in) || !fuse_by_row(w->f, h, k))
        return false;
    n = fuse_node(w->f, in);
    return bit_get(w->g->members, in->id) || n->repeated ||
           (!bit_get(w->g->members, h->id) && n->role == FUSE_CELLS && fuse_group(w->f, in) &&
            fuse_group(w->f, in) == fuse_group(w->f, h));
}

/* Count the references to each value within, and gather the operands. */
static void gather(Writer *w, const Hop *h)
{
    if (w->f->nodes[h->id].references++ > 0)
        return;
    w->f->reached[w->f->nreached++] = h->id;
    for (int k = 0; k < h->nin; k++) {
        const Hop *in = h->in[k];

        if (is_within(w, h, k))
            gather(w, in);
        else if (in && !is_number(in))
            add_operand(w, in);
    }
}

/* The first operand has the rows of the pipeline, and of these the most cells. */
static void order_operands(Writer *w)
{
    int best = -1;

    for (int k = 0; k < w->noperands; k++) {
        const Hop *h = w->operands[k];

        if (fuse_has_size(h) && h->dims.rows == w->g->rows &&
            (best < 0 || fuse_cells(h) > fuse_cells(w->operands[best])))
            best = k;
    }
    if (best > 0) {
        const Hop *first = w->operands[best];

        memmove(w->operands + 1, w->operands, (size_t)best * sizeof *w->operands);
        w->operands[0] = first;
    }
}

static void gather_all(Writer *w)
{
    Fuser *f = w->f;

    for (int k = 0; k < f->nreached; k++)
        f->nodes[f->reached[k]].references = f->nodes[f->reached[k]].name = 0;
    f->nreached = 0;
    FOR_BITS (k, w->g->members, f->words)
        if (fuse_is_result(f, w->g, f->dag->nodes[k])) {
            if (w->nresults < FUSE_RESULTS)
                w->results[w->nresults] = f->dag->nodes[k];
            w->nresults++;
        }
    for (int k = 0; k < w->nresults && k < FUSE_RESULTS; k++)
        gather(w, w->results[k]);
    order_operands(w);
}

/* ---- text ---- */

static void put_value(Writer *w, const Hop *h, int k, bool inner);

static void put_number(Writer *w, const Hop *h)
{
    const double d = scalar_to_double(h->lit);
    char text[NUM_BUFFER];

    num_print_double(text, d);
    buffer_format(&w->text, signbit(d) ? "(%s)" : "%s", text);
}

/* The first of the names that the operator has in the language. */
static size_t name_length(const OpInfo *op)
{
    return strcspn(op->dml, " ");
}

static void put_call(Writer *w, const Hop *h)
{
    const OpInfo *op = hop_info(h);

    buffer_put(&w->text, op->dml, name_length(op));
    buffer_text(&w->text, "(");
    for (int k = 0; k < fuse_nargs(h); k++) {
        buffer_text(&w->text, k ? ", " : "");
        put_value(w, h, k, false);
    }
    buffer_text(&w->text, ")");
}

static void put_infix(Writer *w, const Hop *h, bool inner)
{
    const OpInfo *op = hop_info(h);
    const OpFuse role = fuse_node(w->f, h)->role;

    buffer_text(&w->text, inner ? "(" : "");
    if (fuse_nargs(h) == 1) {
        buffer_put(&w->text, op->dml, name_length(op));
        put_value(w, h, 0, true);
    } else {
        buffer_text(&w->text, role == FUSE_CROSS ? "t(" : "");
        put_value(w, h, 0, role != FUSE_CROSS);
        buffer_text(&w->text, role == FUSE_CROSS ? ") " : " ");
        buffer_put(&w->text, role == FUSE_CELLS ? op->dml : "%*%",
                   role == FUSE_CELLS ? name_length(op) : 3);
        buffer_text(&w->text, " ");
        buffer_text(&w->text, role == FUSE_PRODUCT_T ? "t(" : "");
        put_value(w, h, 1, role != FUSE_PRODUCT_T);
        buffer_text(&w->text, role == FUSE_PRODUCT_T ? ")" : "");
    }
    buffer_text(&w->text, inner ? ")" : "");
}

static bool is_infix(const Writer *w, const Hop *h)
{
    const OpFuse role = fuse_node(w->f, h)->role;

    return role == FUSE_PRODUCT || role == FUSE_PRODUCT_T || role == FUSE_CROSS ||
           (hop_info(h)->props & P_SYNTAX);
}

static void put_operator(Writer *w, const Hop *h, bool inner)
{
    if (is_infix(w, h))
        put_infix(w, h, inner);
    else
        put_call(w, h);
}

/* Operand k of h; inner: beside an infix operator. */
static void put_value(Writer *w, const Hop *h, int k, bool inner)
{
    const Hop *in = h->in[k];

    if (is_number(in)) {
        put_number(w, in);
    } else if (is_within(w, h, k)) {
        if (fuse_node(w->f, in)->name)
            buffer_format(&w->text, "t%d", fuse_node(w->f, in)->name);
        else
            put_operator(w, in, inner);
    } else {
        for (int j = 0; j < w->noperands; j++)
            if (w->operands[j] == in)
                buffer_format(&w->text, "%c", 'a' + j);
    }
}

/* Names for what is needed more than once, operands first. */
static void put_names(Writer *w, const Hop *h)
{
    FuseNode *n = &w->f->nodes[h->id];

    if (n->name)
        return;
    for (int k = 0; k < h->nin; k++)
        if (is_within(w, h, k))
            put_names(w, h->in[k]);
    if (n->references < 2 || n->name)
        return;
    buffer_format(&w->text, "t%d = ", w->names + 1);
    put_operator(w, h, false);
    buffer_text(&w->text, "; ");
    n->name = ++w->names;
}

static void put_program(Writer *w)
{
    for (int k = 0; k < w->nresults; k++)
        put_names(w, w->results[k]);
    for (int k = 0; k < w->nresults; k++) {
        const FuseNode *n = fuse_node(w->f, w->results[k]);

        buffer_text(&w->text, k ? "; " : "");
        if (n->name)
            buffer_format(&w->text, "t%d", n->name);
        else
            put_operator(w, w->results[k], false);
    }
}

/* ---- nodes ---- */

static Hop *remake(Fuser *f, const Hop *h);

/* The unit keeps each text once, however often a block is planned. */
static Hop *text_literal(Fuser *f, const Buffer *text, Span span)
{
    Unit *unit = f->unit;
    String *s;
    int64_t at;

    if (!unit->texts)
        unit->texts = map_new();
    if (!unit->texts)
        return NULL;
    if (!map_get(unit->texts, text->data, text->size, &at)) {
        at = unit->literals.count;
        if (string_new(f->ctx, text->data, text->size, &s) != ML_OK)
            return NULL;
        if (!VEC_PUSH(&unit->literals, value_string(s))) {
            string_release(s);
            return NULL;
        }
        if (!map_put(unit->texts, s->text, (size_t)s->size, at))
            return NULL;
    }
    return hop_literal(f->out, unit->literals.items[at], span);
}

static double pipeline_seconds(const Writer *w)
{
    double seconds = COST_OPERATOR_SECONDS;

    for (int k = 0; k < w->f->nreached; k++)
        seconds += hop_flops(w->f->dag->nodes[w->f->reached[k]]) / COST_FLOPS_PER_SECOND;
    for (int k = 0; k < w->noperands; k++)
        if (fuse_has_size(w->operands[k]) && isfinite(w->operands[k]->bytes))
            seconds += w->operands[k]->bytes / COST_BYTES_PER_SECOND;
    for (int k = 0; k < w->nresults; k++)
        if (isfinite(w->results[k]->bytes))
            seconds += w->results[k]->bytes / COST_BYTES_PER_SECOND;
    return seconds;
}

/* For explain. */
static const char *reason(const Writer *w)
{
    Buffer b = {0};
    double bytes = 0;
    int operators = 0;
    const char *text;

    for (int k = 0; k < w->f->dag->count; k++)
        if (w->f->nodes[k].references > 0) {
            const Hop *h = w->f->dag->nodes[k];

            operators++;
            if (fuse_has_size(h))
                bytes += fuse_cells(h) * sizeof(double);
        }
    for (int k = 0; k < w->nresults; k++)
        if (fuse_has_size(w->results[k]))
            bytes -= fuse_cells(w->results[k]) * sizeof(double);
    buffer_format(&b, "%d operators in one pass, ", operators);
    explain_size(&b, bytes);
    buffer_text(&b, " not stored");
    for (int k = 0; k < w->f->dag->count; k++) { /* what was decided before, by no rule */
        const Hop *h = w->f->dag->nodes[k];

        if (w->f->nodes[k].references > 0 && h->why && !h->rule)
            buffer_format(&b, "; %s", h->why);
    }
    text = b.failed ? NULL : arena_text(w->f->out->arena, b.data, b.size);
    buffer_free(&b);
    return text;
}

static ml_status make_results(Writer *w, Hop *p)
{
    for (int k = 0; k < w->nresults; k++) {
        const Hop *old = w->results[k];
        Hop *h = k ? hop_result(w->f->out, p, k, old->span) : p;

        if (!h)
            return fail_memory(w->f->ctx, sizeof *h);
        hop_take_facts(h, old);
        w->f->map[old->id] = h;
    }
    p->seconds = pipeline_seconds(w);
    p->why = w->f->unit->explained ? reason(w) : NULL;
    p->rule = 0;
    return ML_OK;
}

static ml_status make_pipeline(Writer *w)
{
    Hop *in[1 + FUSE_OPERANDS], *p;
    const Hop *last = w->results[w->nresults - 1];

    put_program(w);
    in[0] = w->text.failed ? NULL : text_literal(w->f, &w->text, last->span);
    if (!in[0])
        return fail_memory(w->f->ctx, w->text.size);
    for (int k = 0; k < w->noperands; k++)
        in[1 + k] = w->f->map[w->operands[k]->id];
    w->f->out->site = last->site;
    p = hop_op(w->f->ctx, w->f->unit, w->f->out, OP_pipeline, in, NULL, 1 + w->noperands,
               last->span);
    if (!p)
        return fail_memory(w->f->ctx, sizeof *p);
    w->f->unit->pass_fired[PASS_fusion]++;
    return make_results(w, p);
}

/* Operands are made before, as that may write other pipelines. */
static ml_status remake_group(Fuser *f, const Group *g)
{
    Writer w = {.f = f, .g = g};
    ml_status st = ML_OK;

    gather_all(&w);
    for (int k = 0; k < w.noperands; k++)
        if (!remake(f, w.operands[k]))
            return fail_memory(f->ctx, sizeof(Hop));
    w.noperands = w.nresults = 0;
    gather_all(&w);
    st = make_pipeline(&w);
    buffer_free(&w.text);
    return st;
}

/* The node in the new DAG; NULL: no memory. */
static Hop *remake(Fuser *f, const Hop *h)
{
    const Group *g = fuse_group(f, h);

    if (f->map[h->id])
        return f->map[h->id];
    if (g)
        return remake_group(f, g) == ML_OK ? f->map[h->id] : NULL;
    for (int k = 0; k < h->nin; k++)
        if (h->in[k] && !remake(f, h->in[k]))
            return NULL;
    f->map[h->id] = hop_remake(f->ctx, f->unit, f->out, h, f->map);
    return f->map[h->id];
}

/* Roots of members that nobody reads after the block go. */
static bool is_kept(const Fuser *f, const Root *root)
{
    const Group *g = fuse_group(f, root->hop);

    return !g || fuse_is_result(f, g, root->hop);
}

ml_status fuse_rebuild(Fuser *f)
{
    bool any = false;

    for (int k = 0; k < f->dag->count; k++)
        any |= f->groups[k].size > 0;
    if (!any)
        return ML_OK;
    f->out = dag_new(f->arena);
    f->reached = ARENA_ARRAY(f->arena, int, f->dag->count);
    if (!f->out || !f->reached)
        return fail_memory(f->ctx, sizeof *f->out);
    for (int k = 0; k < f->dag->nroots; k++) {
        const Root root = f->dag->roots[k];
        Hop *h;

        if (!is_kept(f, &root))
            continue;
        h = remake(f, root.hop);
        if (!h || !dag_root(f->out, h, root.slot))
            return fail_memory(f->ctx, sizeof *h);
    }
    *f->dag = *f->out;
    return ML_OK;
}
