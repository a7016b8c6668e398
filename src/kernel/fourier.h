/* Discrete Fourier transforms of many signals at once, private to the family of fft. */
#ifndef FOURIER_H
#define FOURIER_H

#include "kernel/kernel.h"

/* Signals in the cells of two dense matrices: cell k of signal j lies at j * signal + k * step. */
typedef struct Signals {
    double *re, *im;
    int64_t n; /* cells of a signal, a power of two */
    int64_t count;
    int64_t signal, step;
} Signals;

/* Each signal becomes its transform, or is got back from it when `inverse`. (fourier.c) */
ml_status fourier(Ctx *ctx, const Signals *s, bool inverse);

static inline bool is_power_of_two(int64_t n)
{
    return n > 0 && (n & (n - 1)) == 0;
}

#endif
