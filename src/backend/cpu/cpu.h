/* The CPU backend: operators run as C kernels in this process. */
#ifndef BACKEND_CPU_H
#define BACKEND_CPU_H

#include "plan/backend.h"

extern const Backend backend_cpu;

#endif
