/* NumPy's .npz: zip archives, arrays and sparse matrices in them. */
#include "fuzz_io.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    IoOptions o;

    io_options_init(&o);
    o.format = "npz";
    fuzz_read(&o, data, size);
    return 0;
}
