/* The plan as a picture, for -explain svg=FILE: blocks as boxes in the order of the program, those
 * of branches and loops inside theirs, and in each basic block its DAG.  The file needs nothing
 * else: style and shapes are in it. */
#include "hop/svg.h"

#include <string.h>

enum { PAD = 14, TITLE = 24, GAP = 12 };

static const char *const style =
    "<style>"
    "text{font-family:'DejaVu Sans',Verdana,sans-serif;font-size:12px;fill:#1f2933}"
    ".title{font-weight:bold;fill:#52606d}.head{font-size:18px;font-weight:bold}"
    ".op{text-anchor:middle;font-weight:bold}.size{text-anchor:middle;font-size:10px;fill:#52606d}"
    ".to{text-anchor:middle;font-size:11px;fill:#0b69a3;font-weight:bold}"
    ".block{fill:#fbfcfe;stroke:#9fb3c8}.part{fill:none;stroke:#bcccdc;stroke-dasharray:4 3}"
    ".node{fill:#ffffff;stroke:#829ab1}.read{fill:#dceefb;stroke:#2186eb}"
    ".fused{fill:#e3f9e5;stroke:#31b237}.effect{fill:#fff3c4;stroke:#de911d}"
    ".sparse{stroke-dasharray:3 2}.edge{fill:none;stroke:#829ab1;stroke-width:1.3}"
    "</style>";

void svg_escape(Buffer *b, const char *text, size_t size)
{
    for (size_t k = 0; k < size; k++)
        switch (text[k]) {
        case '&':
            buffer_text(b, "&amp;");
            break;
        case '<':
            buffer_text(b, "&lt;");
            break;
        case '>':
            buffer_text(b, "&gt;");
            break;
        case '"':
            buffer_text(b, "&quot;");
            break;
        default:
            buffer_put(b, (unsigned char)text[k] < ' ' ? " " : &text[k], 1);
        }
}

void svg_text(Buffer *b, double x, double y, const char *class, const char *text)
{
    buffer_format(b, "<text x=\"%.1f\" y=\"%.1f\" class=\"%s\">", x, y, class);
    svg_escape(b, text, strlen(text));
    buffer_text(b, "</text>\n");
}

/* Put one drawing into another at a place, which grows as needed. */
static void place(Drawing *into, Drawing *part, double x, double y)
{
    buffer_format(&into->svg, "<g transform=\"translate(%.1f,%.1f)\">\n", x, y);
    buffer_put(&into->svg, part->svg.data ? part->svg.data : "", part->svg.size);
    buffer_text(&into->svg, "</g>\n");
    into->svg.failed |= part->svg.failed;
    if (x + part->width > into->width)
        into->width = x + part->width;
    if (y + part->height > into->height)
        into->height = y + part->height;
    buffer_free(&part->svg);
}

/* A frame with a title around a drawing, whose own contents come after it. */
static void frame(Drawing *out, Drawing *inside, const char *class, const char *title)
{
    const double text = 7.4 * (double)strlen(title);
    const double width = (inside->width > text ? inside->width : text) + 2 * PAD;
    const double height = inside->height + TITLE + PAD;

    buffer_format(&out->svg,
                  "<rect x=\"0.5\" y=\"0.5\" width=\"%.1f\" height=\"%.1f\" rx=\"6\" "
                  "class=\"%s\"/>\n",
                  width, height, class);
    svg_text(&out->svg, PAD, 17, "title", title);
    place(out, inside, PAD, TITLE);
    out->width = width + 1;
    out->height = height + 1;
}

/* ---- blocks ---- */

typedef struct Picture {
    Ctx *ctx;
    SvgDag dag_of;
    void *arg;
} Picture;

static ml_status draw_list(Picture *p, const Routine *r, BlockList list, Drawing *out);

static ml_status draw_dag(Picture *p, const Routine *r, const Block *block, Drawing *out)
{
    Arena *arena = arena_new();
    Dag *dag;
    ml_status st;

    if (!arena)
        return fail_memory(p->ctx, sizeof(Dag));
    st = p->dag_of(p->arg, r, block, arena, &dag);
    if (st == ML_OK)
        st = svg_graph(p->ctx, r, dag, out);
    arena_free(arena);
    return st;
}

/* Condition, branches or body, side by side. */
static ml_status draw_parts(Picture *p, const Routine *r, const Block *block, Drawing *out)
{
    const BlockList lists[] = {block->pred, block->body, block->orelse};
    const char *const titles[] = {block->kind == BLOCK_FOR ? "bounds" : "condition",
                                  block->kind == BLOCK_IF ? "then" : "body", "else"};

    for (int k = 0; k < 3; k++) {
        Drawing inside = {0}, part = {0};
        ml_status st;

        if (!lists[k].count)
            continue;
        st = draw_list(p, r, lists[k], &inside);
        if (st != ML_OK) {
            buffer_free(&inside.svg);
            return st;
        }
        frame(&part, &inside, "part", titles[k]);
        place(out, &part, out->width > 0 ? out->width + GAP : 0, 0);
    }
    return ML_OK;
}

static ml_status draw_block(Picture *p, const Routine *r, const Block *block, Drawing *out)
{
    Drawing inside = {0};
    Buffer title = {0};
    ml_status st = ML_OK;

    if (block->kind == BLOCK_BASIC)
        st = draw_dag(p, r, block, &inside);
    else
        st = draw_parts(p, r, block, &inside);
    explain_title(&title, r, block);
    if (st == ML_OK)
        frame(out, &inside, "block", title.data ? title.data : "");
    buffer_free(&inside.svg);
    buffer_free(&title);
    return st;
}

static ml_status draw_list(Picture *p, const Routine *r, BlockList list, Drawing *out)
{
    for (int k = 0; k < list.count; k++) {
        Drawing block = {0};
        ml_status st = draw_block(p, r, list.items[k], &block);

        if (st != ML_OK) {
            buffer_free(&block.svg);
            return st;
        }
        place(out, &block, 0, out->height > 0 ? out->height + GAP : 0);
    }
    return ML_OK;
}

static ml_status draw_routine(Picture *p, const Routine *r, const char *what, const char *name,
                              Drawing *out)
{
    Drawing blocks = {0};
    const double top = out->height > 0 ? out->height + 2 * PAD : PAD;
    Buffer title = {0};
    ml_status st = draw_list(p, r, r->body, &blocks);

    buffer_format(&title, "%s %s", what, name);
    if (title.data)
        svg_text(&out->svg, PAD, top + 18, "head", title.data);
    buffer_free(&title);
    place(out, &blocks, PAD, top + TITLE + 6);
    return st;
}

ml_status explain_svg(Ctx *ctx, Buffer *b, const Unit *unit, const Routine *main, SvgDag dag_of,
                      void *arg)
{
    Picture p = {.ctx = ctx, .dag_of = dag_of, .arg = arg};
    Drawing all = {0};
    ml_status st = draw_routine(&p, main, "Main program", "", &all);

    for (const Routine *r = unit->routines; st == ML_OK && r; r = r->next)
        if (r != main && r->settled)
            st = draw_routine(&p, r, "Function", r->fn->name, &all);
    buffer_format(b,
                  "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%.0f\" height=\"%.0f\" "
                  "viewBox=\"0 0 %.0f %.0f\">\n%s\n<rect width=\"100%%\" height=\"100%%\" "
                  "fill=\"#ffffff\"/>\n",
                  all.width + PAD, all.height + PAD, all.width + PAD, all.height + PAD, style);
    buffer_put(b, all.svg.data ? all.svg.data : "", all.svg.size);
    buffer_text(b, "</svg>\n");
    b->failed |= all.svg.failed;
    buffer_free(&all.svg);
    return st;
}
