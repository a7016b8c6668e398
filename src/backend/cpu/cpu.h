/* The CPU backend: operators run as C kernels in this process. */
#ifndef BACKEND_CPU_H
#define BACKEND_CPU_H

#include "plan/backend.h"

extern const Backend backend_cpu;
/* The same for programs whose matrices are FP32 (single.c). */
extern const Backend backend_cpu_single;

#endif
