/* LibSVM. The first byte chooses the separator and the number of features. */
#include "fuzz_io.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const seps[] = {" ", ",", ", ", "::"};
    IoOptions o;

    if (size < 1)
        return 0;
    io_options_init(&o);
    o.format = "libsvm";
    o.sep = seps[*data & 3];
    o.cols = *data >> 2;
    fuzz_read(&o, data + 1, size - 1);
    return 0;
}
