/* A DAG as a layered drawing: inputs above their consumers.
 *
 * The usual four steps (Sugiyama, Tagawa, Toda: "Methods for Visual Understanding of Hierarchical
 * System Structures", 1981): layers by longest paths, sources as low as their consumers allow; long
 * edges cut by points in the layers between; order in a layer by the mean position of neighbours,
 * in sweeps; places by the same means, kept apart from both sides.  Literals stand in the labels of
 * their consumers. */
#include "hop/svg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SWEEPS = 8, LAYER_GAP = 34, NODE_GAP = 22, LINE = 14, LABEL = 40, POINTS = 5000 };

typedef struct Vertex {
    const Hop *hop;               /* NULL: a point of a long edge */
    int layer, above;             /* of a point: the vertex that it comes from */
    double x, width, height, sum; /* x: the middle */
    int links;
} Vertex;

typedef struct Edge {
    int from, to; /* in neighbouring layers */
} Edge;

typedef struct Graph {
    Ctx *ctx;
    const Routine *r;
    const Dag *dag;
    VEC(Vertex) vertices;
    VEC(Edge) edges;
    int *of;     /* by node id: vertex, -1 none */
    int *order;  /* vertices by layer and position */
    int *starts; /* of the layers in order; nlayers + 1 */
    int nlayers;
    double *tops; /* of the layers */
} Graph;

/* ---- labels ---- */

static void literal_text(Buffer *b, Value v)
{
    if (b->size < LABEL)
        explain_literal(b, v);
}

/* An operator with its literal operands: * 2, rand 100 10. */
static void label(Buffer *b, const Graph *g, const Hop *h)
{
    const bool infix = h->kind == HOP_OP && h->nin == 2 && (hop_info(h)->props & P_SYNTAX);

    if (h->kind == HOP_READ) {
        buffer_text(b, h->slot < g->r->nslots && g->r->names[h->slot] ? g->r->names[h->slot] : "_");
        return;
    }
    if (h->kind == HOP_RESULT) {
        buffer_format(b, "result %d", h->index + 1);
        return;
    }
    if (infix && h->in[0] && h->in[0]->kind == HOP_LITERAL) {
        literal_text(b, h->in[0]->lit);
        buffer_text(b, " ");
    }
    buffer_text(b, op_label(hop_info(h)));
    for (int k = infix ? 1 : 0; k < h->nin && k < 4; k++)
        if (h->in[k] && h->in[k]->kind == HOP_LITERAL) {
            buffer_text(b, " ");
            literal_text(b, h->in[k]->lit);
        }
}

static void size_label(Buffer *b, const Hop *h)
{
    if (h->dt != DT_NONE)
        explain_dims(b, h->dt, h->vt, h->dims);
    if (h->dt == DT_MATRIX) {
        buffer_text(b, " ");
        explain_size(b, h->bytes);
    }
}

static void assigned(Buffer *b, const Graph *g, const Hop *h)
{
    for (int k = 0; k < g->dag->nroots; k++) {
        const Root *root = &g->dag->roots[k];

        if (root->hop == h && root->slot >= 0 && root->slot < g->r->nslots &&
            g->r->names[root->slot])
            buffer_format(b, "%s%s", b->size ? ", " : "\xE2\x86\x92 ", g->r->names[root->slot]);
    }
}

/* Bytes of UTF-8 overstate the arrow, which does no harm. */
static double text_width(const Buffer *b, double character)
{
    return (double)b->size * character;
}

static void measure_vertex(const Graph *g, Vertex *v)
{
    Buffer op = {0}, size = {0}, to = {0};

    label(&op, g, v->hop);
    size_label(&size, v->hop);
    assigned(&to, g, v->hop);
    v->width =
        16 + fmax(60, fmax(text_width(&op, 7.6), fmax(text_width(&size, 6), text_width(&to, 7))));
    v->height = 8 + LINE * (to.size ? 3 : 2);
    buffer_free(&op);
    buffer_free(&size);
    buffer_free(&to);
}

/* ---- layers ---- */

static ml_status no_memory(const Graph *g)
{
    return fail_memory(g->ctx, sizeof(Vertex));
}

static ml_status add_vertices(Graph *g)
{
    for (int k = 0; k < g->dag->count; k++) {
        Vertex v = {.hop = g->dag->nodes[k], .above = -1};

        g->of[k] = -1;
        if (v.hop->kind == HOP_LITERAL)
            continue;
        for (int j = 0; j < v.hop->nin; j++)
            if (v.hop->in[j] && g->of[v.hop->in[j]->id] >= 0) {
                const int below = g->vertices.items[g->of[v.hop->in[j]->id]].layer + 1;

                v.layer = below > v.layer ? below : v.layer;
            }
        measure_vertex(g, &v);
        g->of[k] = g->vertices.count;
        if (!VEC_PUSH(&g->vertices, v))
            return no_memory(g);
        g->nlayers = v.layer + 1 > g->nlayers ? v.layer + 1 : g->nlayers;
    }
    return ML_OK;
}

/* Sources stand right above the first that reads them. */
static void lower_sources(Graph *g)
{
    for (int v = 0; v < g->vertices.count; v++) {
        Vertex *source = &g->vertices.items[v];
        int lowest = g->nlayers;

        if (source->layer > 0)
            continue;
        for (int u = 0; u < g->vertices.count; u++)
            for (int k = 0; k < g->vertices.items[u].hop->nin; k++)
                if (g->vertices.items[u].hop->in[k] == source->hop &&
                    g->vertices.items[u].layer < lowest)
                    lowest = g->vertices.items[u].layer;
        source->layer = lowest < g->nlayers ? lowest - 1 : 0;
    }
}

/* An edge with a point in each layer that it passes; in very large graphs without. */
static ml_status add_edge(Graph *g, int from, int to)
{
    const int last = g->vertices.count < POINTS ? g->vertices.items[to].layer : 0;

    for (int layer = g->vertices.items[from].layer + 1; layer < last; layer++) {
        const int point = g->vertices.count;

        if (!VEC_PUSH(&g->vertices, ((Vertex){.layer = layer, .above = from})) ||
            !VEC_PUSH(&g->edges, ((Edge){from, point})))
            return no_memory(g);
        from = point;
    }
    return VEC_PUSH(&g->edges, ((Edge){from, to})) ? ML_OK : no_memory(g);
}

static ml_status add_edges(Graph *g)
{
    const int n = g->vertices.count;

    for (int v = 0; v < n; v++) {
        const Hop *h = g->vertices.items[v].hop;

        for (int k = 0; k < h->nin; k++) {
            bool again = false;

            for (int j = 0; j < k; j++)
                again |= h->in[j] == h->in[k];
            if (h->in[k] && !again && g->of[h->in[k]->id] >= 0)
                TRY(add_edge(g, g->of[h->in[k]->id], v));
        }
    }
    return ML_OK;
}

static ml_status fill_layers(Graph *g)
{
    int at = 0;

    g->order = mem_calloc((size_t)g->vertices.count + 1, sizeof *g->order);
    g->starts = mem_calloc((size_t)g->nlayers + 2, sizeof *g->starts);
    g->tops = mem_calloc((size_t)g->nlayers + 2, sizeof *g->tops);
    if (!g->order || !g->starts || !g->tops)
        return no_memory(g);
    for (int layer = 0; layer < g->nlayers; layer++) {
        g->starts[layer] = at;
        for (int v = 0; v < g->vertices.count; v++)
            if (g->vertices.items[v].layer == layer)
                g->order[at++] = v;
    }
    g->starts[g->nlayers] = at;
    return ML_OK;
}

/* ---- order and places ---- */

/* Where the neighbours above (or also below) would have each vertex. */
static void find_means(Graph *g, bool above, bool below)
{
    for (int v = 0; v < g->vertices.count; v++)
        g->vertices.items[v].sum = g->vertices.items[v].links = 0;
    for (int e = 0; e < g->edges.count; e++) {
        Vertex *from = &g->vertices.items[g->edges.items[e].from];
        Vertex *to = &g->vertices.items[g->edges.items[e].to];

        if (above) {
            to->sum += from->x;
            to->links++;
        }
        if (below) {
            from->sum += to->x;
            from->links++;
        }
    }
}

static double mean(const Vertex *v)
{
    return v->links ? v->sum / v->links : v->x;
}

/* Insertion sort: layers are short and nearly sorted, and equal ones keep their order. */
static void sort_layer(Graph *g, int layer)
{
    int *o = g->order + g->starts[layer];
    const int n = g->starts[layer + 1] - g->starts[layer];

    for (int i = 1; i < n; i++)
        for (int j = i;
             j > 0 && mean(&g->vertices.items[o[j]]) < mean(&g->vertices.items[o[j - 1]]); j--) {
            const int t = o[j];

            o[j] = o[j - 1];
            o[j - 1] = t;
        }
}

static double apart(const Vertex *a, const Vertex *b)
{
    return (a->width + b->width) / 2 + NODE_GAP;
}

/* As near to the means as the neighbours in the layer allow, pushed from the left and from the
 * right alike. */
static ml_status spread_layer(Graph *g, int layer)
{
    const int *o = g->order + g->starts[layer];
    const int n = g->starts[layer + 1] - g->starts[layer];
    double *left = mem_alloc(((size_t)n + 1) * sizeof *left), right = 0;
    Vertex *all = g->vertices.items;

    if (!left)
        return no_memory(g);
    for (int k = 0; k < n; k++) {
        left[k] = mean(&all[o[k]]);
        if (k > 0)
            left[k] = fmax(left[k], left[k - 1] + apart(&all[o[k - 1]], &all[o[k]]));
    }
    for (int k = n - 1; k >= 0; k--) {
        const double want = mean(&all[o[k]]);

        right = k == n - 1 ? want : fmin(want, right - apart(&all[o[k]], &all[o[k + 1]]));
        all[o[k]].x = (left[k] + right) / 2;
    }
    mem_free(left);
    return ML_OK;
}

static ml_status arrange(Graph *g)
{
    for (int layer = 0; layer < g->nlayers; layer++)
        for (int k = g->starts[layer]; k < g->starts[layer + 1]; k++)
            g->vertices.items[g->order[k]].x = 120.0 * (k - g->starts[layer]);
    for (int sweep = 0; sweep < 2 * SWEEPS; sweep++) {
        const bool settled = sweep >= SWEEPS;

        for (int k = 0; k < g->nlayers; k++) {
            const int layer = sweep % 2 ? g->nlayers - 1 - k : k;

            find_means(g, settled || !(sweep % 2), settled || sweep % 2);
            if (!settled)
                sort_layer(g, layer);
            TRY(spread_layer(g, layer));
        }
    }
    return ML_OK;
}

static void settle(Graph *g, Drawing *out)
{
    double left = INFINITY, right = -INFINITY, y = 4;

    for (int v = 0; v < g->vertices.count; v++) {
        const Vertex *u = &g->vertices.items[v];

        left = fmin(left, u->x - u->width / 2);
        right = fmax(right, u->x + u->width / 2);
    }
    for (int v = 0; v < g->vertices.count; v++)
        g->vertices.items[v].x -= left;
    for (int layer = 0; layer < g->nlayers; layer++) {
        double height = 0;

        g->tops[layer] = y;
        for (int k = g->starts[layer]; k < g->starts[layer + 1]; k++)
            height = fmax(height, g->vertices.items[g->order[k]].height);
        y += height + LAYER_GAP;
    }
    out->width = g->vertices.count ? right - left : 0;
    out->height = g->vertices.count ? y - LAYER_GAP + 4 : 0;
}

/* ---- drawing ---- */

static const char *class_of(const Hop *h)
{
    if (h->kind == HOP_READ)
        return "read";
    if (hop_has_effect(h))
        return "effect";
    return h->kind == HOP_OP && !hop_info(h)->dml ? "fused" : "node";
}

static void draw_node(const Graph *g, const Vertex *v, Buffer *b)
{
    const Hop *h = v->hop;
    const double y = g->tops[v->layer];
    Buffer text = {0};

    buffer_format(
        b,
        "<g><rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"%d\" class=\"%s%s\"/>",
        v->x - v->width / 2, y, v->width, v->height, h->kind == HOP_READ ? 14 : 4, class_of(h),
        h->dt == DT_MATRIX && h->dims.nnz >= 0 && h->dims.rows >= 0 && h->dims.cols >= 0 &&
                matrix_is_sparse(h->dims.rows, h->dims.cols, h->dims.nnz)
            ? " sparse"
            : "");
    if (h->why) {
        buffer_text(b, "<title>");
        svg_escape(b, h->why, strlen(h->why));
        buffer_text(b, "</title>");
    }
    label(&text, g, h);
    svg_text(b, v->x, y + 16, "op", text.data ? text.data : "");
    text.size = 0;
    size_label(&text, h);
    svg_text(b, v->x, y + 16 + LINE, "size", text.data ? text.data : "");
    text.size = 0;
    assigned(&text, g, h);
    if (text.size)
        svg_text(b, v->x, y + 16 + 2 * LINE, "to", text.data);
    buffer_text(b, "</g>\n");
    buffer_free(&text);
}

/* From the bottom of one to the top of the next; points of long edges have no height. */
static void draw_edge(const Graph *g, const Edge *e, Buffer *b)
{
    const Vertex *from = &g->vertices.items[e->from], *to = &g->vertices.items[e->to];
    const double y0 = g->tops[from->layer] + from->height, y1 = g->tops[to->layer],
                 bend = (y1 - y0) / 2;

    buffer_format(b, "<path class=\"edge\" d=\"M%.1f %.1fC%.1f %.1f %.1f %.1f %.1f %.1f\"/>\n",
                  from->x, y0, from->x, y0 + bend, to->x, y1 - bend, to->x, y1);
}

static ml_status lay_out(Graph *g, Drawing *out)
{
    TRY(add_vertices(g));
    lower_sources(g);
    TRY(add_edges(g));
    TRY(fill_layers(g));
    TRY(arrange(g));
    settle(g, out);
    for (int e = 0; e < g->edges.count; e++)
        draw_edge(g, &g->edges.items[e], &out->svg);
    for (int v = 0; v < g->vertices.count; v++)
        if (g->vertices.items[v].hop)
            draw_node(g, &g->vertices.items[v], &out->svg);
    return ML_OK;
}

ml_status svg_graph(Ctx *ctx, const Routine *r, const Dag *dag, Drawing *out)
{
    Graph g = {.ctx = ctx, .r = r, .dag = dag};
    ml_status st;

    g.of = mem_calloc((size_t)dag->count + 1, sizeof *g.of);
    st = g.of ? lay_out(&g, out) : no_memory(&g);
    VEC_FREE(&g.vertices);
    VEC_FREE(&g.edges);
    mem_free(g.of);
    mem_free(g.order);
    mem_free(g.starts);
    mem_free(g.tops);
    return st;
}
