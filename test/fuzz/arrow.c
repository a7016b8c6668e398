/* Arrow IPC, as frames and as matrices. */
#include "fuzz_io.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    IoOptions o;

    io_options_init(&o);
    o.format = "arrow";
    fuzz_read(&o, data, size);
    o.data_type = "frame";
    fuzz_read(&o, data, size);
    return 0;
}
