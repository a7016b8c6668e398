/* What an iteration of a parfor costs, as far as sizes are known when the program is compiled. */
#include "hop/hop.h"

#include <math.h>

/* An effect costs a step, a part of a matrix what it holds: both leave the rest alone that the
 * estimate of an operator counts as read. */
static double operator_seconds(const Hop *h)
{
    if (hop_has_effect(h))
        return COST_OPERATOR_SECONDS;
    if (h->dt != DT_SCALAR && h->dims.rows < 0)
        return INFINITY;
    if (h->op == OP_index && h->bytes > 0)
        return COST_OPERATOR_SECONDS + 2 * h->bytes / COST_BYTES_PER_SECOND;
    return h->seconds;
}

static void add_dag(ParforCost *c, const Dag *dag)
{
    double bytes = 0;

    for (int k = 0; k < dag->count; k++) {
        const Hop *h = dag->nodes[k];

        if (h->kind != HOP_OP)
            continue;
        c->seconds += operator_seconds(h);
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
