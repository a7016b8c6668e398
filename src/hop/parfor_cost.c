/* What an iteration of a parfor costs, as far as sizes are known when the program is compiled. */
#include "hop/hop.h"

#include <math.h>

/* Effects have no result and so no size, but are no more than a step each. */
static bool is_estimated(const Hop *h)
{
    return h->dt == DT_SCALAR || h->dims.rows >= 0 || hop_has_effect(h);
}

static void add_dag(ParforCost *c, const Dag *dag)
{
    double bytes = 0;

    for (int k = 0; k < dag->count; k++) {
        const Hop *h = dag->nodes[k];

        if (h->kind != HOP_OP)
            continue;
        c->seconds += is_estimated(h) ? h->seconds : INFINITY;
        if (h->dt == DT_MATRIX && h->bytes > 0 && isfinite(h->bytes))
            bytes += h->bytes;
    }
    c->bytes = fmax(c->bytes, bytes);
}

static void add_list(ParforCost *c, BlockList list)
{
    for (int k = 0; k < list.count; k++) {
        const Block *b = list.items[k];

        if (b->kind == BLOCK_BASIC)
            add_dag(c, b->dag);
        if (b->kind == BLOCK_CALL || b->kind == BLOCK_WHILE || b->kind == BLOCK_FOR)
            c->seconds = INFINITY;
        add_list(c, b->pred);
        add_list(c, b->body);
        add_list(c, b->orelse);
    }
}

ParforCost parfor_cost(const Block *loop)
{
    ParforCost c = {0};

    add_list(&c, loop->body);
    return c;
}
