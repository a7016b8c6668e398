/* The cell functions of the table: those of cell.h and cell_math.h, made into functions that can be
 * pointed to. */
#include "op/cell_math.h"

#include "op/op.h"

#define CELL1(name)                                                                                \
    double c_##name(double x)                                                                      \
    {                                                                                              \
        return cell_##name(x);                                                                     \
    }
#define CELL2(name)                                                                                \
    double c_##name(double x, double y)                                                            \
    {                                                                                              \
        return cell_##name(x, y);                                                                  \
    }

CELL1_RULES(CELL1)
CELL1(abs)
CELL1(log)
CELL1(not )
CELL1(neg)
CELL1(plus)

CELL2_RULES(CELL2)
