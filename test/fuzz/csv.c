/* CSV, matrices and frames. The first byte chooses the options. */
#include "fuzz_io.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const seps[] = {",", ";", "||", "e"};
    IoOptions o;

    if (size < 1)
        return 0;
    io_options_init(&o);
    o.format = "csv";
    o.sep = seps[*data & 3];
    o.header = *data >> 2 & 1;
    o.fill = *data >> 3 & 1;
    o.na_strings = *data & 16 ? "NA" : *data & 32 ? "-1" : NULL;
    o.data_type = *data & 64 ? "frame" : "matrix";
    o.schema = *data & 128 ? "INT64,STRING,BOOLEAN" : NULL;
    fuzz_read(&o, data + 1, size - 1);
    return 0;
}
