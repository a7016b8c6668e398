/* What the tests see of machine code besides running it. */
#ifndef JIT_JIT_H
#define JIT_JIT_H

#include "kernel/cell_code.h"

typedef struct JitText {
    const uint8_t *bytes;
    int size, instructions;
} JitText;

JitText jit_text(const JitCode *jit);

#endif
