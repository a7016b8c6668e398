/* The coordinate text format. The first byte chooses matrix or frame and the size. */
#include "fuzz_io.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    IoOptions o;

    if (size < 1)
        return 0;
    io_options_init(&o);
    o.format = "text";
    o.rows = *data & 15;
    o.cols = *data & 16 ? 1000 : 3;
    o.data_type = *data & 32 ? "frame" : "matrix";
    o.schema = *data & 64 ? "FP64" : NULL;
    fuzz_read(&o, data + 1, size - 1);
    return 0;
}
