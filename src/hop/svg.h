/* Private to hop/: the plan as a picture. */
#ifndef HOP_SVG_H
#define HOP_SVG_H

#include "hop/hop.h"

/* A part of a picture with its upper left corner at 0, 0. */
typedef struct Drawing {
    double width, height;
    Buffer svg;
} Drawing;

/* Text at a place; `class` is one of the style sheet's (svg.c). */
void svg_text(Buffer *b, double x, double y, const char *class, const char *text);
/* Characters that mean something in XML are escaped. */
void svg_escape(Buffer *b, const char *text, size_t size);
/* A DAG, inputs above their consumers (svg_graph.c). */
ml_status svg_graph(Ctx *ctx, const Routine *r, const Dag *dag, Drawing *out);

#endif
