/* value: what holds for values of every type.
 *
 * Counting: a reference is only ever made from another one, so retaining needs no order (relaxed).
 * Releasing is acquire-release: what other owners did with the object happens before the last one
 * frees it or, seeing a count of one, writes into it. */
#include "data/data.h"

#include <stdio.h>

void value_retain_counted(Value v)
{
    switch (v.dt) {
    case DT_SCALAR:
        string_retain(v.s);
        break;
    case DT_MATRIX:
        matrix_retain(v.m);
        break;
    case DT_FRAME:
        frame_retain(v.f);
        break;
    default:
        list_retain(v.l);
        break;
    }
}

void value_release_counted(Value v)
{
    switch (v.dt) {
    case DT_SCALAR:
        string_release(v.s);
        break;
    case DT_MATRIX:
        matrix_release(v.m);
        break;
    case DT_FRAME:
        frame_release(v.f);
        break;
    default:
        list_release(v.l);
        break;
    }
}

const char *value_describe(Value v, char buf[64])
{
    switch (v.dt) {
    case DT_SCALAR:
        snprintf(buf, 64, "scalar %s", value_type_name(v.vt));
        break;
    case DT_MATRIX:
        snprintf(buf, 64, "matrix %" PRId64 "x%" PRId64, v.m->rows, v.m->cols);
        break;
    case DT_FRAME:
        snprintf(buf, 64, "frame %" PRId64 "x%" PRId64, v.f->rows, v.f->cols);
        break;
    case DT_LIST:
        snprintf(buf, 64, "list of %" PRId64, v.l->count);
        break;
    default:
        snprintf(buf, 64, "missing value");
        break;
    }
    return buf;
}
