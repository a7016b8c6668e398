/* NumPy's .npy, as matrices and as frames. */
#include "fuzz_io.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    IoOptions o;

    io_options_init(&o);
    o.format = "npy";
    fuzz_read(&o, data, size);
    o.data_type = "frame";
    fuzz_read(&o, data, size);
    return 0;
}
