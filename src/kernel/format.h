/* format: text from a format and values, with the conversions of Java's Formatter. Private to the
 * kernels. */
#ifndef KERNEL_FORMAT_H
#define KERNEL_FORMAT_H

#include "kernel/kernel.h"

/* Append `format` filled with the scalars in values[0..n). Each conversion takes one type of value,
 * so a wrong one is an error instead of a wrong digit; values that are left over are ignored. */
ml_status format_values(Ctx *ctx, Buffer *out, const char *format, const Value *values, int n);

#endif
