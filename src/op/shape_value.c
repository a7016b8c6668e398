/* Shapes of casts and of rows that describe a frame. */
#include "op/op.h"

/* as.matrix, as.frame: scalars are 1 x 1, matrices and frames keep their shape, of a list only the
 * run tells. */
void shape_cast(ShapeCall *c)
{
    const ShapeArg *in = &c->in[0];

    if (in->dt == DT_NONE || in->dt == DT_LIST)
        return;
    c->out[0].rows = in->dt == DT_SCALAR ? 1 : in->dims.rows;
    c->out[0].cols = in->dt == DT_SCALAR ? 1 : in->dims.cols;
}

/* One cell a column. */
void shape_schema(ShapeCall *c)
{
    c->out[0].rows = 1;
    c->out[0].cols = c->in[0].dims.cols;
}
